"""The errors this product raises on purpose, each for the person who gets it.

Two families: :class:`ProblemError` becomes an HTTP answer (RFC 9457), :class:`ConfigError` and its kin are
read by the operator. No message ever holds a value of the user's or a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class OGuardAIError(Exception):
    """Base of every error raised on purpose."""


# --- for operators -----------------------------------------------------------------------------------------


class Severity(StrEnum):
    """How bad a :class:`Problem` is: an error refuses the configuration, a warning is only said."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the configuration: where, and what to do about it."""

    message: str
    file: str | None = None
    line: int | None = None
    key: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = self.file or ""
        if self.file and self.line:
            where = f"{self.file}:{self.line}"
        return ": ".join(part for part in (where, self.key or "", self.message) if part)


class ConfigError(OGuardAIError):
    """The configuration was refused; ``problems`` lists everything that is wrong with it, not the first only."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    @property
    def reasons(self) -> list[str]:
        """What is wrong, a line each, without the warnings that came with it."""
        return [str(problem) for problem in self.problems if problem.severity is Severity.ERROR]


class SecretError(OGuardAIError):
    """A secret is too short, malformed or guessable; the message says how to make a good one."""


class NoActiveKeyError(OGuardAIError):
    """Every key of the ring is staged, revoked or still waiting for its ``not_before``."""


class StateError(OGuardAIError):
    """The state directory cannot be read or written; what it should hold is then unknown, which means unsafe."""


# --- for clients -------------------------------------------------------------------------------------------


class ProblemError(OGuardAIError):
    """An error that answers a request: ``code``, ``status`` and ``title`` by class, ``detail`` by instance.

    ``detail`` is sent to the client: it names fields and limits, never values.
    """

    code = "GUARDAI_INTERNAL"
    status = 500
    title = "Internal error"

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after = retry_after  # seconds, becomes the Retry-After header


class InternalError(ProblemError):
    """Something failed that should not: the log has it under the request's id."""


class InvalidRequestError(ProblemError):
    """The request is not what the API takes: not JSON, a wrong type, an unknown field."""

    code = "GUARDAI_INVALID_REQUEST"
    status = 400
    title = "The request is not valid"


class UnauthorizedError(ProblemError):
    """Credentials are missing or wrong."""

    code = "GUARDAI_UNAUTHORIZED"
    status = 401
    title = "Credentials are missing or wrong"


class ForbiddenError(ProblemError):
    """The caller's network or scope may not do this."""

    code = "GUARDAI_FORBIDDEN"
    status = 403
    title = "Not allowed from here"


class NotFoundError(ProblemError):
    """There is no such path."""

    code = "GUARDAI_NOT_FOUND"
    status = 404
    title = "No such path"


class MethodNotAllowedError(ProblemError):
    """The path exists, the method does not."""

    code = "GUARDAI_METHOD_NOT_ALLOWED"
    status = 405
    title = "The path does not take this method"


class SessionExpiredError(ProblemError):
    """A sealed session can no longer be opened.

    The client gets one answer whatever the ``reason`` (``ttl``, ``unknown_kid``, ``revoked``,
    ``authentication``, ``critical``): transform again. The log and the metric tell which it was.
    """

    code = "GUARDAI_SESSION_EXPIRED"
    status = 410
    title = "The session has expired"

    def __init__(self, reason: str, kid: int | None = None) -> None:
        super().__init__("the session can no longer be opened: call /v1/transform again for a fresh one")
        self.reason = reason
        self.kid = kid


class PayloadTooLargeError(ProblemError):
    """The body, or the session that it would make, is over a limit."""

    code = "GUARDAI_PAYLOAD_TOO_LARGE"
    status = 413
    title = "The request is too large"


class UnsupportedMediaTypeError(ProblemError):
    """The body is not ``application/json``."""

    code = "GUARDAI_UNSUPPORTED_MEDIA_TYPE"
    status = 415
    title = "The body must be application/json"


class SessionInvalidError(ProblemError):
    """``session_state`` is not a sealed session at all."""

    code = "GUARDAI_SESSION_INVALID"
    status = 400
    title = "session_state is not a sealed session"


class RateLimitedError(ProblemError):
    """The caller sends more than it may."""

    code = "GUARDAI_RATE_LIMITED"
    status = 429
    title = "Too many requests"


class OverloadedError(ProblemError):
    """The server cannot take this request now, or is draining."""

    code = "GUARDAI_OVERLOADED"
    status = 503
    title = "The server cannot take this request now"


class DetectorUnavailableError(OGuardAIError):
    """The advanced detector did not answer, and the configuration does not let that pass; ``reason`` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the advanced detector does not answer ({reason})")
        self.reason = reason
