"""Every error as ``application/problem+json`` (RFC 9457), the framework's own included."""

from __future__ import annotations

import json
from collections.abc import Iterable

from flask import Response
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from oguardai.errors import (
    DetectorUnavailableError,
    ForbiddenError,
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    NoActiveKeyError,
    NotFoundError,
    OverloadedError,
    PayloadTooLargeError,
    ProblemError,
    RateLimitedError,
    SessionExpiredError,
    SessionInvalidError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # after an answer that says "not now"
CODES: tuple[type[ProblemError], ...] = (
    InvalidRequestError,
    UnauthorizedError,
    ForbiddenError,
    NotFoundError,
    MethodNotAllowedError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
    SessionExpiredError,
    SessionInvalidError,
    RateLimitedError,
    OverloadedError,
    InternalError,
)


def problem_type(error: ProblemError | type[ProblemError]) -> str:
    """Return the URN that names a kind of problem, ``urn:oguardai:problem:session-expired`` for instance."""
    return "urn:oguardai:problem:" + error.code.removeprefix("GUARDAI_").lower().replace("_", "-")


def problem_body(error: ProblemError, request_id: str) -> bytes:
    """Return the problem document."""
    document = {
        "type": problem_type(error),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    return json.dumps(document).encode()


def problem_headers(error: ProblemError) -> list[tuple[str, str]]:
    """Return the headers that go with a problem, its length excepted."""
    headers = [("Content-Type", CONTENT_TYPE)]
    if error.retry_after is not None:
        headers.append(("Retry-After", str(error.retry_after)))
    return headers


def problem_response(error: ProblemError, request_id: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Return the answer for an error."""
    return Response(problem_body(error, request_id), status=error.status, headers=[*problem_headers(error), *headers])


def as_problem(error: Exception) -> tuple[ProblemError, list[tuple[str, str]]]:
    """Turn any exception into a problem and its extra headers; what was not foreseen becomes InternalError."""
    if isinstance(error, ProblemError):
        return error, []
    if isinstance(error, NoActiveKeyError):
        return OverloadedError("no key can seal sessions now", retry_after=RETRY_SECONDS), []
    if isinstance(error, DetectorUnavailableError):
        return OverloadedError(str(error), retry_after=RETRY_SECONDS), []
    if isinstance(error, MethodNotAllowed):
        allow = ", ".join(sorted(error.valid_methods or ()))
        return MethodNotAllowedError(f"this path takes {allow}"), [("Allow", allow)]
    if isinstance(error, NotFound):
        return NotFoundError("there is no such path; GET /v1/openapi.json lists them"), []
    if isinstance(error, RequestEntityTooLarge):
        return PayloadTooLargeError(), []
    if isinstance(error, UnsupportedMediaType):
        return UnsupportedMediaTypeError(), []
    if isinstance(error, HTTPException) and error.code is not None and 400 <= error.code < 500:
        return InvalidRequestError(), []
    return InternalError("something failed here; the log has it under this request_id"), []
