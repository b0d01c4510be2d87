"""The OpenAPI 3.1 document, made from the table of endpoints and the declared bodies."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from oguardai import __version__
from oguardai.detection import ENTITY_TYPES
from oguardai.detection.confidence import KINDS
from oguardai.errors import (
    ForbiddenError,
    InternalError,
    InvalidRequestError,
    OverloadedError,
    PayloadTooLargeError,
    ProblemError,
    SessionExpiredError,
    SessionInvalidError,
    UnsupportedMediaTypeError,
)
from oguardai.telemetry import RELOAD_OUTCOMES
from oguardai.web.access import Audience
from oguardai.web.endpoints import ENDPOINTS, RESTORE_MODES, TYPE_PATTERN, Endpoint
from oguardai.web.problems import CODES, CONTENT_TYPE, problem_type

_STRING: dict[str, Any] = {"type": "string"}
_TYPE_NAME: dict[str, Any] = {"type": "string", "pattern": f"^{TYPE_PATTERN}$"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_NUMBER: dict[str, Any] = {"type": "number"}
_TIME: dict[str, Any] = {"type": ["number", "null"], "description": "Unix seconds, null when not known."}
_TEXTS: dict[str, Any] = {"type": "array", "items": _STRING}
_REQUEST_ID = {"$ref": "#/components/headers/X-Request-ID"}


def document(types: Iterable[str] = ENTITY_TYPES) -> dict[str, Any]:
    """Return the document, ready for JSON; ``types`` are the entity types that the server knows."""
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OGuardAI",
            "version": __version__,
            "summary": "Replace personal data in text by tokens, and put it back.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas([*types]),
            "headers": {
                "X-Request-ID": {
                    "description": "The request's X-Request-ID when it is sane, or a new one.",
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"},
                },
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [str(endpoint.audience)],
        "responses": {"200": _answer(endpoint)} | _problems(endpoint),
    }
    if endpoint.body is not None:
        required = {field.name: field.example for field in endpoint.body.fields if field.required}
        content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{endpoint.body.name}"}}
        if all(value is not None for value in required.values()):
            content["examples"] = {"least": {"value": required}}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.name == "metrics":
        content: dict[str, Any] = {"text/plain": {"schema": _STRING}}
    else:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{endpoint.answer}"}}}
        if endpoint.name in _EXAMPLES:
            content["application/json"]["examples"] = {"typical": {"value": _EXAMPLES[endpoint.name]}}
    return {"description": "It worked.", "headers": {"X-Request-ID": _REQUEST_ID}, "content": content}


def _problems(endpoint: Endpoint) -> dict[str, Any]:
    """Return the error responses: one entry a status, with the codes that it can carry."""
    # Any request can be unreadable, or one too many.
    kinds: list[type[ProblemError]] = [InternalError, InvalidRequestError, OverloadedError]
    if endpoint.audience is not Audience.PUBLIC:
        kinds.append(ForbiddenError)
    if endpoint.body is not None:
        kinds += (PayloadTooLargeError, UnsupportedMediaTypeError)
        if any(field.name == "session_state" for field in endpoint.body.fields):
            kinds += (SessionExpiredError, SessionInvalidError)
    responses: dict[str, Any] = {}
    for status in sorted({kind.status for kind in kinds}):
        these = [kind for kind in kinds if kind.status == status]
        headers = {"X-Request-ID": _REQUEST_ID}
        if OverloadedError in these:
            headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: " + ", ".join(kind.code for kind in these),
            "headers": headers,
            "content": {
                CONTENT_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {kind.code: {"value": _problem_example(kind)} for kind in these},
                }
            },
        }
    return responses


def _problem_example(kind: type[ProblemError]) -> dict[str, Any]:
    return {
        "type": problem_type(kind),
        "title": kind.title,
        "status": kind.status,
        "detail": "field 'input' is missing" if kind is InvalidRequestError else kind.title,
        "code": kind.code,
        "request_id": "4f1d0c6f3c3b4a0f9f5f5d0a7a1b2c3d",
    }


def _object(doc: str = "", *, optional: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer: new fields may appear in a later release, so others are allowed."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }
    return {"description": doc, **schema} if doc else schema


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _schemas(types: list[str]) -> dict[str, Any]:
    span = _object("Code points of `input`, end exclusive.", start=_COUNT, end=_COUNT)
    confidence = {"type": "number", "minimum": 0, "maximum": 1}
    schemas: dict[str, Any] = {
        endpoint.body.name: endpoint.body.schema() for endpoint in ENDPOINTS if endpoint.body is not None
    }
    for request in ("TransformRequest", "DetectRequest"):
        schemas[request]["properties"]["types"]["items"] = {"type": "string", "enum": types}
    schemas["Problem"] = _object(
        "RFC 9457. `detail` names fields and limits, never values.",
        type={"type": "string", "enum": [problem_type(kind) for kind in CODES]},
        title=_STRING,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=_STRING,
        code={"type": "string", "enum": [kind.code for kind in CODES]},
        request_id=_STRING,
    )
    schemas["TransformResponse"] = _object(
        safe_text=_STRING,
        session_id={"type": "string", "format": "uuid"},
        session_state={"type": "string", "description": "Opaque. Give it to `/v1/rehydrate` as it is."},
        expires_at={"type": "string", "format": "date-time"},
        entities=_array(
            _object(
                "What was replaced. Type `literal`: text that looked like a token.",
                token=_STRING,
                type=_TYPE_NAME,
                span=span,
                confidence=confidence,
            )
        ),
        entity_context={
            "type": "object",
            "description": "For each token in `safe_text` what a model may know of it.",
            "additionalProperties": _object(type=_STRING, occurrences=_COUNT),
        },
        warnings=_array(_object(code=_STRING, detail=_STRING)),
    )
    schemas["RehydrateResponse"] = _object(
        restored_text=_STRING,
        restored={**_COUNT, "description": "How many tokens were replaced."},
        unknown_tokens={**_TEXTS, "description": "Tokens that are not of this session, left as they are."},
        repaired={**_TEXTS, "description": "Tokens that were recognised in a garbled form."},
    )
    schemas["DetectResponse"] = _object(
        entities=_array(
            _object(
                optional=("value", "explanation"),
                type=_TYPE_NAME,
                value=_STRING,
                span=span,
                confidence=confidence,
                detector=_STRING,
                explanation=_array(
                    _object(
                        "What the confidence is the sum of, before it is cut to 0 to 0.99.",
                        evidence={"type": "string", "enum": list(KINDS)},
                        weight=_NUMBER,
                        detail={**_STRING, "description": "A row or a word of the table; nothing of the text."},
                    )
                ),
            )
        ),
        warnings=_array(_object(code=_STRING, detail=_STRING)),
    )
    schemas["Health"] = _object(
        status={"type": "string", "enum": ["healthy", "degraded"]}, version=_STRING, uptime_seconds=_NUMBER
    )
    schemas["Ready"] = _object(status={"type": "string", "enum": ["ready"]})
    schemas["Capabilities"] = _object(
        entity_types=_array(
            _object(
                name=_TYPE_NAME,
                level={"type": "integer", "enum": [1, 2, 3]},
                checksum={"type": "boolean"},
                locales=_TEXTS,
                default={"type": "boolean"},
            )
        ),
        restore_modes=_array({"type": "string", "enum": list(RESTORE_MODES)}),
        limits={"type": "object", "additionalProperties": _NUMBER},
        detector_mode=_STRING,
        version=_STRING,
    )
    schemas["OpenAPI"] = {"type": "object"}
    schemas["Diagnostics"] = _diagnostics()
    return schemas


def _diagnostics() -> dict[str, Any]:
    key = _object(
        optional=("not_before", "sealed", "opened", "last_seal", "last_open", "listed_since", "safe_to_remove_at"),
        kid=_COUNT,
        fingerprint=_STRING,
        state={"type": "string", "enum": ["ACTIVE", "standby", "pending", "staged", "revoked"]},
        not_before=_TIME,
        sealed=_COUNT,
        opened=_COUNT,
        last_seal=_TIME,
        last_open=_TIME,
        listed_since=_TIME,
        safe_to_remove_at=_TIME,
    )
    keyring = _object(fingerprint=_STRING, active_kid={"type": ["integer", "null"]}, keys=_array(key))
    reload = _object(
        outcome={"type": "string", "enum": list(RELOAD_OUTCOMES)},
        at=_TIME,
        last_success_at=_TIME,
        reasons=_TEXTS,
        counts={"type": "object", "additionalProperties": _COUNT},
    )
    worker = _object(pid=_COUNT, generation=_COUNT, heartbeat_age_seconds=_NUMBER)
    return _object(
        version=_STRING,
        pid=_COUNT,
        started_at=_TIME,
        generation=_COUNT,
        config={"type": "object"},
        keyring=keyring,
        reload=reload,
        workers=_array(worker),
    )


_EXAMPLES: dict[str, Any] = {
    "transform": {
        "safe_text": "Write to {{email:e_001}}",
        "session_id": "0193577c-7b2c-7000-8000-0c6f3c3b4a0f",
        "session_state": "og1.0.3q2-7wAAAAA...",
        "expires_at": "2026-12-01T10:00:00.000Z",
        "entities": [
            {"token": "{{email:e_001}}", "type": "email", "span": {"start": 9, "end": 26}, "confidence": 0.95}
        ],
        "entity_context": {"{{email:e_001}}": {"type": "email", "occurrences": 1}},
        "warnings": [],
    },
    "rehydrate": {
        "restored_text": "I wrote to julia@example.com.",
        "restored": 1,
        "unknown_tokens": [],
        "repaired": [],
    },
    "detect": {
        "entities": [
            {
                "type": "email",
                "value": "julia@example.com",
                "span": {"start": 9, "end": 26},
                "confidence": 0.95,
                "detector": "email",
            }
        ],
        "warnings": [],
    },
    "health": {"status": "healthy", "version": __version__, "uptime_seconds": 12.5},
    "ready": {"status": "ready"},
}
