"""Put the application together."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask.globals import request_ctx
from werkzeug.routing import Map

from oguardai.detection import DetectionError
from oguardai.errors import (
    DetectorUnavailableError,
    InternalError,
    ProblemError,
    SessionExpiredError,
    SessionInvalidError,
)
from oguardai.logs import configure_logging, log_event, log_exception
from oguardai.telemetry import UNKNOWN_KID, Metrics, kid_label
from oguardai.web.gate import CALL, Call, Gate
from oguardai.web.problems import as_problem, problem_response
from oguardai.web.source import Source, StaticSource
from oguardai.web.v1 import V1, note_unavailable_detector

METRICS = "oguardai.metrics"  # key of the application's extensions

log = logging.getLogger("oguardai.web")


def create_app(source: Source | None = None) -> Flask:
    """Make the WSGI application.

    Args:
        source: where settings and keys come from. Without one the configuration is read once, from GUARDAI_CONFIG_DIR
            or /etc/guardai, and logging is set up as it says: for use under any WSGI server.

    Raises:
        ConfigError: without a source, when the configuration is not valid.
    """
    if source is None:
        source = _configured()
    metrics = Metrics()
    app = Application("oguardai", static_folder=None, template_folder=None, root_path=str(Path(__file__).parent))
    app.extensions[METRICS] = metrics
    direct = V1(source, metrics).register(app)
    failures = _Failures(source, metrics)
    app.register_error_handler(Exception, lambda error: failures.answer(error, request.environ[CALL]))
    app.wsgi_app = Gate(app.wsgi_app, source, metrics, direct=direct, failed=failures.answer)  # type: ignore[method-assign]
    return app


class ExactMap(Map):
    """Routes that match as they are written: a redirect would be one more shape of answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(merge_slashes=False, **options)


class Application(Flask):
    """Flask, with exact paths and an answer to OPTIONS that claims no content."""

    url_map_class: type[Map] = ExactMap

    def make_default_options_response(self) -> Response:
        """Name the methods of the path, and nothing else: no other origin is let in (CORS)."""
        adapter = request_ctx.url_adapter
        allowed = sorted(adapter.allowed_methods()) if adapter is not None else []
        response = Response(status=204, headers=[("Allow", ", ".join(allowed))])
        response.headers.pop("Content-Type", None)
        return response


def _configured() -> StaticSource:
    from oguardai.config import find_config_dir, load_config  # noqa: PLC0415 - only here: a server brings its own source

    config = load_config(find_config_dir(os.environ), os.environ, now=time.time())
    configure_logging(config.settings.log.format, config.settings.log.level)
    for warning in config.warnings:
        log_event(log, logging.WARNING, "ConfigWarning", detail=str(warning))
    return StaticSource(config.settings, config.keyring, config=config)


class _Failures:
    """Answer every exception as a problem, and log and count what the operator wants to know of it."""

    def __init__(self, source: Source, metrics: Metrics) -> None:
        self._source = source
        self._metrics = metrics

    def answer(self, error: Exception, call: Call) -> Response:
        """Return the answer to a request that failed."""
        problem, headers = as_problem(error)
        if isinstance(problem, SessionExpiredError):
            self._session_expired(problem, call)
        elif isinstance(problem, SessionInvalidError):
            self._metrics.count_session_error("invalid", UNKNOWN_KID)
            log_event(log, logging.INFO, "SessionInvalid", request_id=call.request_id)
        elif isinstance(error, DetectorUnavailableError):
            note_unavailable_detector(self._metrics, error.reason, call)
        elif problem.status >= 500 and not isinstance(error, ProblemError):
            if isinstance(problem, InternalError):
                # A DetectionError's message names the detector, and by its contract nothing of the text.
                why = {}
                if isinstance(error, DetectionError):
                    why = {"detail": str(error)}
                    self._metrics.count_detection_failure(error.detector)
                log_exception(log, "InternalError", error, **why, request_id=call.request_id)
            else:
                log_event(log, logging.ERROR, "NoActiveKey", request_id=call.request_id)
        return problem_response(problem, call.request_id, headers)

    def _session_expired(self, error: SessionExpiredError, call: Call) -> None:
        self._metrics.count_session_error(error.reason, kid_label(error.kid, self._source.keyring()))
        log_event(
            log,
            logging.WARNING,
            "SessionExpired",
            reason=error.reason,
            kid=UNKNOWN_KID if error.kid is None else error.kid,
            request_id=call.request_id,
        )
