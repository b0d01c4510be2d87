"""The endpoints of version 1, and the two that stand beside it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, request

from oguardai import __version__
from oguardai.answers import detect_answer, rehydrate_answer, transform_answer
from oguardai.detection import detection_of
from oguardai.detection.configured import ADVANCED
from oguardai.errors import ForbiddenError, NoActiveKeyError, OverloadedError
from oguardai.logs import log_event
from oguardai.rehydrate import RehydrateRequest, rehydrate
from oguardai.telemetry import CONTENT_TYPE as METRICS_TYPE
from oguardai.telemetry import Metrics, reload_failed
from oguardai.tokens import LITERAL
from oguardai.transform import TransformRequest, check_detection, transform
from oguardai.web.access import Audience, caller_of, require
from oguardai.web.endpoints import ENDPOINTS, RESTORE_MODES, Endpoint
from oguardai.web.fields import Body
from oguardai.web.gate import CALL, Call, View
from oguardai.web.openapi import document
from oguardai.web.problems import RETRY_SECONDS
from oguardai.web.source import Source
from oguardai.web.strictjson import parse_object, require_json

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("oguardai.web")

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class V1:
    """The views, with what they work on."""

    def __init__(self, source: Source, metrics: Metrics) -> None:
        self._source = source
        self._metrics = metrics

    def register(self, app: Flask) -> dict[tuple[str, str], View]:
        """Put every endpoint of the table on the application.

        Returns:
            By method and path, the views that carry the load: those that take a body. They use nothing of Flask's
            contexts, so the gate may call them by itself (see there).
        """
        blueprint = Blueprint("v1", __name__)
        direct: dict[tuple[str, str], View] = {}
        for endpoint in ENDPOINTS:
            view = self._guarded(endpoint, getattr(self, endpoint.name))
            blueprint.add_url_rule(
                endpoint.path, endpoint.name, lambda view=view: view(request.environ), methods=[endpoint.method]
            )
            if endpoint.body is not None:
                direct[endpoint.method, endpoint.path] = view
        app.register_blueprint(blueprint)
        return direct

    def _guarded(self, endpoint: Endpoint, answer: Callable[..., Response]) -> View:
        """Return the view behind the check of who calls and, where the endpoint has one, of the body."""
        audience, body, path = endpoint.audience, endpoint.body, endpoint.path

        def guarded(environ: WSGIEnvironment) -> Response:
            call: Call = environ[CALL]
            call.endpoint = path
            if audience is not Audience.PUBLIC:
                self._admit(audience, environ, call)
            if body is None:
                return answer(call)
            return answer(call, _read(environ, body))

        return guarded

    def _admit(self, audience: Audience, environ: WSGIEnvironment, call: Call) -> None:
        server = call.settings.server
        caller = caller_of(environ, server)
        try:
            require(audience, caller, server)
        except ForbiddenError:
            log_event(
                log,
                logging.WARNING,
                "Forbidden",
                endpoint=call.endpoint,
                caller=caller.shown(),
                untrusted_proxy=caller.proxied,
                request_id=call.request_id,
            )
            raise

    # -- for clients ------------------------------------------------------------------------------------

    def transform(self, call: Call, fields: dict[str, Any]) -> Response:
        asked = TransformRequest(**fields)
        result = transform(
            asked,
            settings=call.settings,
            keyrings=self._source.keyring,
            now=time.time(),
            open_with=self._source.keyring_knowing,
        )
        if result.opened_kid is not None and result.opened_expires_at is not None:
            self._opened(result.opened_kid, result.opened_expires_at)
        self._source.record_seal(result.kid, result.expires_at / 1000)
        self._metrics.count_sealed(result.kid)
        self._found(call, [entity.type for entity in result.entities if entity.type != LITERAL])
        if result.detector_unavailable:
            note_unavailable_detector(self._metrics, result.detector_unavailable, call)
        return _json(transform_answer(result))

    def rehydrate(self, call: Call, fields: dict[str, Any]) -> Response:
        asked = RehydrateRequest(**fields)
        result = rehydrate(
            asked,
            settings=call.settings,
            keyrings=self._source.keyring,
            now=time.time(),
            open_with=self._source.keyring_knowing,
        )
        self._opened(result.kid, result.expires_at)
        return _json(rehydrate_answer(result))

    def detect(self, call: Call, fields: dict[str, Any]) -> Response:
        detection = detection_of(call.settings)
        values = fields.pop("include_values", True)
        check_detection(fields.get("types", ()), fields.get("terms", ()), detection.types)
        found = detection.detect(fields.pop("input"), **fields)
        self._found(call, [entity.type for entity in found.entities])
        if found.unavailable:
            note_unavailable_detector(self._metrics, found.unavailable, call)
        return _json(detect_answer(found, values=values))

    def _opened(self, kid: int, expires_at: int) -> None:
        self._source.record_open(kid, expires_at / 1000)
        self._metrics.count_opened(kid)

    def _found(self, call: Call, types: list[str]) -> None:
        call.entities = len(types)
        if types:
            self._metrics.count_entities(types)

    # -- for everybody ----------------------------------------------------------------------------------

    def health(self, call: Call) -> Response:
        return _json(
            {
                "status": "healthy" if self._is_healthy(call) else "degraded",
                "version": __version__,
                "uptime_seconds": round(self._source.uptime_seconds(), 3),
            }
        )

    def _is_healthy(self, call: Call) -> bool:
        if self._source.keyring().active_kid(time.time()) is None or detection_of(call.settings).is_degraded():
            return False
        return not reload_failed({"outcome": self._source.reload_outcome()})

    def ready(self, call: Call) -> Response:
        if self._source.draining():
            raise OverloadedError("the server is draining: it is about to stop", retry_after=RETRY_SECONDS)
        if not self._source.serving():
            raise OverloadedError("the server is not up yet", retry_after=RETRY_SECONDS)
        if self._source.keyring().active_kid(time.time()) is None:
            raise NoActiveKeyError
        return _json({"status": "ready"})

    def capabilities(self, call: Call) -> Response:
        settings = call.settings
        return _json(
            {
                "entity_types": [
                    {
                        "name": kind.name,
                        "level": kind.level,
                        "checksum": kind.checksum,
                        "locales": list(kind.locales),
                        "default": kind.default,
                    }
                    for kind in detection_of(settings).types.values()
                ],
                "restore_modes": list(RESTORE_MODES),
                "limits": {
                    "max_body_bytes": settings.server.max_body_bytes,
                    "request_timeout_seconds": settings.server.request_timeout_seconds,
                    "max_entities": settings.session.max_entities,
                    "max_finds": settings.detection.max_finds,
                    "max_session_state_bytes": settings.session.max_blob_bytes,
                    "session_ttl_seconds": settings.session.ttl_seconds,
                    "session_max_age_seconds": settings.session.max_age_seconds,
                },
                "detector_mode": settings.detector.mode,
                "version": __version__,
            }
        )

    def openapi(self, call: Call) -> Response:
        types = detection_of(call.settings).types
        return Response(json.dumps(document(types), separators=(",", ":")).encode(), content_type="application/json")

    # -- for administrators -----------------------------------------------------------------------------

    def diagnostics(self, call: Call) -> Response:
        return _json(self._source.server_status())

    def metrics(self, call: Call) -> Response:
        return Response(self._metrics.render(self._source.server_status()), content_type=METRICS_TYPE)


def note_unavailable_detector(metrics: Metrics, reason: str, call: Call) -> None:
    """Count and log that the advanced detector did not answer."""
    metrics.count_detection_failure(ADVANCED)
    log_event(log, logging.WARNING, "DetectorUnavailable", reason=reason, request_id=call.request_id)


def _read(environ: dict[str, Any], body: Body) -> dict[str, Any]:
    require_json(environ.get("CONTENT_TYPE") or "", environ.get("HTTP_CONTENT_ENCODING") or "")
    return body.parse(parse_object(environ["wsgi.input"].read()))


def _json(answer: Mapping[str, Any]) -> Response:
    return Response(_ENCODER.encode(answer).encode(), content_type="application/json")
