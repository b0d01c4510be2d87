"""Transform: replace personal data in a text by tokens and seal what they stand for.

Text that looks like a token before any is put in becomes a token of type ``literal``, so that restoring gives back
every text exactly: afterwards nothing but the tokens put in can be taken for one, by the strict or the lenient scanner.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypedDict

from oguardai import tokens
from oguardai.detection import Detected, Notice, detection_of
from oguardai.detection.terms import check_term
from oguardai.errors import InvalidRequestError, PayloadTooLargeError, SessionExpiredError
from oguardai.keyring import Keyring
from oguardai.sessions import (
    DEFAULT_POLICY,
    PLAIN,
    TOKEN_STYLES,
    OpenedSession,
    Session,
    open_session,
    seal_session,
    too_many_entities,
)

if TYPE_CHECKING:
    from oguardai.config import Settings

INPUT_TOKENS = ("literal", "keep")
POLICIES = (DEFAULT_POLICY,)


class Detect(Protocol):
    """What finds entities: sorted by start, not overlapping, ``value == text[start:end]``.

    What is None, or no types, is as configured.
    """

    def __call__(
        self, text: str, *, types: Sequence[str] | None, threshold: float | None, terms: Sequence[str]
    ) -> Detected: ...


@dataclass(frozen=True, slots=True)
class TransformRequest:
    """What to transform and how; None (or no types) means as configured, or as the session has it."""

    input: str = field(repr=False)
    session_state: str | None = field(default=None, repr=False)
    input_tokens: str = "literal"
    policy: str | None = None
    types: Sequence[str] | None = None
    threshold: float | None = None
    terms: Sequence[str] = field(default=(), repr=False)
    token_style: str | None = None


@dataclass(frozen=True, slots=True)
class TokenizedEntity:
    """A stretch ``start`` to ``end`` (code points of the input, end exclusive) and the token in its place."""

    token: str
    type: str
    start: int
    end: int
    confidence: float


class TokenContext(TypedDict):
    """What a model may know of a token."""

    type: str
    occurrences: int


@dataclass(frozen=True, slots=True)
class TransformResult:
    """The safe text, and the session that restores it.

    Attributes:
        expires_at: unix milliseconds.
        kid: of the key that sealed.
        detector_unavailable: why the advanced detector did not answer, where that is let pass; empty when it did.
        opened_kid, opened_expires_at: of the session that was continued; None for a new one.
        entity_context: for each token in ``safe_text`` its type and how often it occurs.
    """

    safe_text: str = field(repr=False)
    session_id: str
    session_state: str = field(repr=False)
    expires_at: int
    kid: int
    opened_kid: int | None
    opened_expires_at: int | None
    entities: tuple[TokenizedEntity, ...]
    entity_context: dict[str, TokenContext]
    warnings: tuple[Notice, ...]
    detector_unavailable: str = ""


def transform(
    request: TransformRequest,
    *,
    settings: Settings,
    keyrings: Callable[[], Keyring],
    now: float,
    open_with: Callable[[int], Keyring] | None = None,
    detector: Detect | None = None,
) -> TransformResult:
    """Replace personal data by tokens and seal the session.

    Args:
        keyrings: gives the keyring in force; called when a session is opened, and again when one is sealed.
        now: unix seconds; the expiry is counted from it, and the key that seals is the one active at it.
        open_with: asked once, with the kid, when the keyring does not know the kid of ``session_state``.
        detector: finds the entities, instead of what the settings say.

    Raises:
        InvalidRequestError: a field's value is not one of those allowed; the detail names the field.
        PayloadTooLargeError: the session would be over ``session.max_entities`` or ``session.max_blob_bytes``.
        SessionInvalidError, SessionExpiredError: see :func:`oguardai.sessions.open_session`.
    """
    detection = detection_of(settings)
    check_request(request, detection.types)
    opened = None
    if request.session_state is not None:
        opened = open_session(request.session_state, keyrings(), now, settings.session, open_with=open_with)
    session = _session(request, opened, now, settings)
    find = detector or detection.detect
    found = find(request.input, types=request.types, threshold=request.threshold, terms=request.terms)
    cuts: Iterable[_Cut] = (_Cut(find.start, find.end, find.type, find.confidence) for find in found.entities)
    if request.input_tokens == "keep":
        cuts = _around_kept(cuts, _kept(request.input, session))
    if tokens.has_token_like(request.input):  # if the whole holds none, no piece does
        cuts = _with_literals(request.input, cuts)
    built = _Builder(session, settings.session.max_entities, settings.detection.max_finds)
    built.write(request.input, cuts)
    sealed = seal_session(session, keyrings(), now, settings.session)
    return TransformResult(
        safe_text="".join(built.parts),
        session_id=session.id,
        session_state=sealed.state,
        expires_at=session.expires_at,
        kid=sealed.kid,
        opened_kid=opened.kid if opened else None,
        opened_expires_at=opened.session.expires_at if opened else None,
        entities=tuple(built.entities),
        entity_context=built.context,
        warnings=(*found.warnings, *_warnings(session, now, settings)),
        detector_unavailable=found.unavailable,
    )


# --- the request ---------------------------------------------------------------------------------------------


def check_request(request: TransformRequest, types: Container[str]) -> None:
    """Check what does not depend on a session; raises InvalidRequestError that names the field, never a value.

    ``types`` are the known entity types.
    """
    check_text("input", request.input)
    if request.input_tokens not in INPUT_TOKENS:
        raise InvalidRequestError(f"input_tokens: must be one of {', '.join(INPUT_TOKENS)}")
    if request.input_tokens == "keep" and request.session_state is None:
        raise InvalidRequestError("input_tokens: keep needs session_state, the session whose tokens to keep")
    if request.policy is not None and request.policy not in POLICIES:
        raise InvalidRequestError(f"policy: must be one of {', '.join(POLICIES)}")
    if request.token_style is not None and request.token_style not in TOKEN_STYLES:
        raise InvalidRequestError(f"token_style: must be one of {', '.join(TOKEN_STYLES)}")
    if request.threshold is not None and not 0 <= request.threshold <= 1:
        raise InvalidRequestError("threshold: must be a number from 0 to 1")
    check_detection(request.types or (), request.terms, types)


def check_detection(types: Sequence[str], terms: Sequence[str], known: Container[str]) -> None:
    """Check what to look for; raises InvalidRequestError that names the field and the position, never a value."""
    for position, name in enumerate(types):
        if name not in known:
            raise InvalidRequestError(f"types[{position}]: is not an entity type; /v1/capabilities lists them")
    for position, term in enumerate(terms):
        wrong = check_term(term)
        if wrong:
            raise InvalidRequestError(f"terms[{position}]: {wrong}")


def check_text(name: str, text: str) -> None:
    """Refuse text that UTF-8 cannot hold; raises InvalidRequestError."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{name}: holds a lone surrogate") from None


def _session(request: TransformRequest, opened: OpenedSession | None, now: float, settings: Settings) -> Session:
    """Start a session, or continue the one that was opened."""
    ttl = settings.session.ttl_seconds
    if opened is None:
        return Session.new(
            now,
            ttl_seconds=ttl,
            policy=request.policy or DEFAULT_POLICY,
            token_style=request.token_style or PLAIN,
        )
    if request.token_style not in {None, opened.session.token_style}:
        raise InvalidRequestError("token_style: differs from that of the session in session_state")
    try:
        return opened.session.continued(now, ttl_seconds=ttl, max_age_seconds=settings.session.max_age_seconds)
    except SessionExpiredError as error:
        raise SessionExpiredError(error.reason, opened.kid) from None


def _warnings(session: Session, now: float, settings: Settings) -> tuple[Notice, ...]:
    if session.expires_at >= int(now * 1000) + settings.session.ttl_seconds * 1000:
        return ()
    return (
        Notice(
            "session_expires_early",
            "the session nears its greatest age (session.max_age_seconds): start a new one soon",
        ),
    )


# --- where to cut --------------------------------------------------------------------------------------------


class _Cut(NamedTuple):
    """A stretch of the input to replace by the token of its type, or to keep because it is a token already."""

    start: int
    end: int
    type: str
    confidence: float = 1.0
    kept: bool = False


def _kept(text: str, session: Session) -> list[_Cut]:
    """Find the session's own tokens in a text."""
    return [
        _Cut(match.start(), match.end(), known[0], kept=True)
        for match in tokens.find_tokens(text)
        if (known := session.value_of(match[0]))
    ]


def _around_kept(found: Iterable[_Cut], kept: Sequence[_Cut]) -> Iterator[_Cut]:
    """Merge finds and kept tokens, in order. A find that reaches over a kept token is replaced on both sides of it."""
    index = 0
    position = 0
    for cut in found:
        start = max(cut.start, position)
        while index < len(kept) and kept[index].start < cut.end:
            token = kept[index]
            index += 1
            if start < token.start:
                yield cut._replace(start=start, end=token.start)
            yield token
            start = position = max(start, token.end)
        if start < cut.end:
            yield cut._replace(start=start)
    yield from kept[index:]


def _with_literals(text: str, cuts: Iterable[_Cut]) -> Iterator[_Cut]:
    """Add the token-like text between the cuts and after the last."""
    position = 0
    for cut in cuts:
        yield from _literals(text, position, cut.start)
        yield cut
        position = cut.end
    yield from _literals(text, position, len(text))


def _literals(text: str, start: int, end: int) -> Iterator[_Cut]:
    for low, high in tokens.token_like_spans(text[start:end]):
        yield _Cut(start + low, start + high, tokens.LITERAL)


class _Builder:
    """Collects the parts of the safe text, and what is told about its tokens."""

    def __init__(self, session: Session, max_entities: int, max_finds: int) -> None:
        self._session = session
        self._max_entities = max_entities
        self._max_finds = max_finds
        self.parts: list[str] = []
        self.entities: list[TokenizedEntity] = []
        self.context: dict[str, TokenContext] = {}

    def write(self, text: str, cuts: Iterable[_Cut]) -> None:
        """Replace the cuts; raises PayloadTooLargeError as soon as they, or the session's values, are too many."""
        position = 0
        for start, end, type_name, confidence, kept in cuts:
            token = text[start:end] if kept else self._token(type_name, text[start:end])
            self.parts += (text[position:start], token)
            if len(self.parts) > 2 * self._max_finds:
                raise PayloadTooLargeError(f"the text holds more than {self._max_finds} finds (detection.max_finds)")
            position = end
            context = self.context.setdefault(token, TokenContext(type=type_name, occurrences=0))
            context["occurrences"] += 1
            if not kept:
                self.entities.append(TokenizedEntity(token, type_name, start, end, confidence))
        self.parts.append(text[position:])

    def _token(self, type_name: str, value: str) -> str:
        token = self._session.token_for(type_name, value)
        if len(self._session) > self._max_entities:
            raise too_many_entities(self._max_entities)
        return token
