"""The outermost layer of the application: what holds for every request, whatever becomes of it.

WSGI and not the framework's hooks, since it must also see what fails before and after them, and costs less.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response

from oguardai.errors import NotFoundError, ProblemError
from oguardai.logs import log_event, log_exception
from oguardai.telemetry import METHODS, Metrics
from oguardai.web.limits import BoundedInput
from oguardai.web.problems import as_problem, problem_body, problem_headers
from oguardai.web.source import Source

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from oguardai.config import Settings

CALL = "oguardai.call"  # environ key of the Call
UNMATCHED = "unmatched"
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}").fullmatch

log = logging.getLogger("oguardai.web")


View = Callable[["WSGIEnvironment"], Response]


class Call:
    """What is known of one request while it is answered: one small object, no copies."""

    __slots__ = ("endpoint", "entities", "request_id", "settings", "started", "status")

    def __init__(self, request_id: str, settings: Settings) -> None:
        self.started = time.perf_counter()
        self.request_id = request_id
        self.settings = settings  # the request keeps these, though a reload may come
        self.endpoint = UNMATCHED  # the route's template, set by the view that it leads to
        self.status = 500
        self.entities: int | None = None


class Gate:
    """Give every request an id, limits, headers, a count and a log line; answer what nothing else caught."""

    def __init__(
        self,
        app: WSGIApplication,
        source: Source,
        metrics: Metrics,
        *,
        direct: Mapping[tuple[str, str], View],
        failed: Callable[[Exception, Call], Response],
    ) -> None:
        self._app = app
        self._direct = direct
        self._failed = failed
        self._source = source
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        settings = self._source.settings()
        call = Call(request_id_of(environ), settings)
        environ[CALL] = call
        environ["wsgi.input"] = BoundedInput(
            environ, settings.server.max_body_bytes, time.monotonic() + settings.server.request_timeout_seconds
        )

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            call.status = int(status[:3])
            headers += (
                ("X-Request-ID", call.request_id),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            )
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        try:
            if _is_disguised(environ):
                raise NotFoundError("there is no such path")
            # Routing and contexts cost as much as opening a session: what carries the load does without.
            view = self._direct.get((environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")))
            body = self._app(environ, start) if view is None else self._answer(view, environ, call)(environ, start)
        except ProblemError as error:
            body = _last_resort(error, call, start)
        except Exception as error:
            log_exception(log, "InternalError", error, request_id=call.request_id)
            body = _last_resort(error, call, start)
        self._finish(environ, call)
        return body

    def _answer(self, view: View, environ: WSGIEnvironment, call: Call) -> Response:
        try:
            return view(environ)
        except Exception as error:
            return self._failed(error, call)

    def _finish(self, environ: WSGIEnvironment, call: Call) -> None:
        method = environ.get("REQUEST_METHOD", "")
        seconds = time.perf_counter() - call.started
        self._metrics.count_request(call.endpoint, method, call.status, seconds)
        if call.settings.log.requests:
            counted = {} if call.entities is None else {"entities": call.entities}
            log_event(
                log,
                logging.INFO,
                "Request",
                method=method if method in METHODS else "other",
                endpoint=call.endpoint,
                status=call.status,
                duration_ms=round(seconds * 1000, 3),
                **counted,
                request_id=call.request_id,
            )


def _is_disguised(environ: WSGIEnvironment) -> bool:
    """Tell whether a path is written in another way than its route, which would get it past a proxy's rules.

    The router takes ``//metrics`` and ``/%6detrics`` for ``/metrics``. No path of ours needs an escape.
    """
    raw: str = environ.get("RAW_URI", "")  # gunicorn's
    return environ.get("PATH_INFO", "").startswith("//") or "%" in raw.partition("?")[0]


def request_id_of(environ: WSGIEnvironment) -> str:
    """Return the caller's X-Request-ID when it is sane, or a new one."""
    return sane_request_id(environ.get("HTTP_X_REQUEST_ID", ""))


def sane_request_id(given: str) -> str:
    """Return what a caller sent as X-Request-ID when it is sane, or a new id."""
    return given if _SANE_ID(given) else uuid.uuid4().hex


def _last_resort(error: Exception, call: Call, start: StartResponse) -> list[bytes]:
    problem, extra = as_problem(error)
    body = problem_body(problem, call.request_id)
    headers = [*problem_headers(problem), *extra, ("Content-Length", str(len(body)))]
    start(f"{problem.status} {problem.title}", headers)
    return [body]
