"""Sessions: the table of tokens and values that a sealed session carries, packed, bounded and timed.

The plaintext is one version byte and compact JSON; ``docs/sealed-sessions.md`` describes it field by field. Unpacking
is total: whatever the bytes are, the outcome is a session or :class:`~oguardai.errors.SessionExpiredError`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from oguardai import sealing, tokens
from oguardai.errors import PayloadTooLargeError, SessionExpiredError
from oguardai.keyring import Keyring

if TYPE_CHECKING:
    from oguardai.config import SessionSettings

PLAIN = "plain"
TAGGED = "tagged"
TOKEN_STYLES = (PLAIN, TAGGED)
DEFAULT_POLICY = "default"

PLAINTEXT_VERSION = 1

_FIELDS = frozenset({"id", "iat", "exp", "pol", "tag", "typ", "ent", "crit"})
_MAX_MS = 2**53 - 1  # what every JSON reader can hold as an integer (RFC 8259 §6)
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_POLICY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def uuid7(now_ms: int) -> str:
    """Make a UUID of version 7: 48 bits of unix milliseconds, then 74 random bits (RFC 9562 §5.7)."""
    random = secrets.randbits(74)
    value = (now_ms & (2**48 - 1)) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (2**62 - 1)
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Session:
    """The tokens of one conversation and the values that they stand for.

    Its representation shows no value. Times are unix milliseconds.
    """

    __slots__ = ("_counters", "_tokens", "_values", "expires_at", "id", "issued_at", "policy", "tag")

    def __init__(self, session_id: str, issued_at: int, expires_at: int, policy: str, tag: str | None) -> None:
        self.id = session_id
        self.issued_at = issued_at
        self.expires_at = expires_at
        self.policy = policy
        self.tag = tag
        self._values: dict[str, tuple[str, str]] = {}  # token -> (type, value), in the order of allocation
        self._tokens: dict[tuple[str, str], str] = {}  # and back
        self._counters: dict[str, int] = {}  # letter -> last counter

    @classmethod
    def new(cls, now: float, *, ttl_seconds: int, policy: str = DEFAULT_POLICY, token_style: str = PLAIN) -> Session:
        """Start a session at ``now`` (unix seconds)."""
        now_ms = _milliseconds(now)
        tag = tokens.new_tag() if token_style == TAGGED else None
        return cls(uuid7(now_ms), now_ms, now_ms + ttl_seconds * 1000, policy, tag)

    def continued(self, now: float, *, ttl_seconds: int, max_age_seconds: int) -> Session:
        """Return the same session with a fresh expiry: ``ttl_seconds`` from now, within its greatest age.

        Id, first issued-at, tag and tokens stay. This session is not changed by what the new one allocates.

        Raises:
            SessionExpiredError: reason ``ttl``: its greatest age leaves nothing.
        """
        now_ms = _milliseconds(now)
        expires_at = min(now_ms + ttl_seconds * 1000, self.issued_at + max_age_seconds * 1000)
        if expires_at <= now_ms:
            raise SessionExpiredError("ttl")
        session = Session(self.id, self.issued_at, expires_at, self.policy, self.tag)
        session._values = dict(self._values)
        session._tokens = dict(self._tokens)
        session._counters = dict(self._counters)
        return session

    @property
    def token_style(self) -> str:
        """``plain`` or ``tagged``."""
        return TAGGED if self.tag else PLAIN

    def token_for(self, type_name: str, value: str) -> str:
        """Return the token of a value, which is a new one if the session does not hold the value as this type yet.

        Raises:
            PayloadTooLargeError: the letter's counter is at its end.
        """
        return self._tokens.get((type_name, value)) or self._allocate((type_name, value))

    def _allocate(self, entry: tuple[str, str]) -> str:
        letter = entry[0][0]
        counter = self._counters.get(letter, 0) + 1
        if counter > tokens.MAX_COUNTER:
            raise PayloadTooLargeError("the session is full")
        token = tokens.format_token(entry[0], counter, self.tag)
        self._counters[letter] = counter
        self._values[token] = entry
        self._tokens[entry] = token
        return token

    def _allocate_all(self, entries: Iterable[tuple[str, str]]) -> None:
        """Give tokens to entries in their order, which is what gives them the ids that they had.

        Raises ValueError when one stands there twice: those after it would get other ids than they had.
        """
        counters, values, by_entry, tag = self._counters, self._values, self._tokens, self.tag
        for entry in entries:
            name = entry[0]
            counter = counters.get(name[0], 0) + 1
            counters[name[0]] = counter
            token = tokens.format_token(name, counter, tag)
            values[token] = entry
            by_entry[entry] = token
        if len(by_entry) != len(values):
            raise ValueError

    def value_of(self, token: str) -> tuple[str, str] | None:
        """Return (type, value) of a token exactly as it was given out, or None."""
        return self._values.get(token)

    def __len__(self) -> int:
        return len(self._values)

    def count_by_type(self) -> dict[str, int]:
        """Return how many values of each type it holds, types in the order of their first token."""
        counts: dict[str, int] = {}
        for name, _ in self._values.values():
            counts[name] = counts.get(name, 0) + 1
        return counts

    def __bool__(self) -> bool:
        return True  # without values it is a session all the same

    def __repr__(self) -> str:
        return f"<Session {self.id} entities={len(self)} expires_at={self.expires_at}>"

    # --- plaintext ---

    def pack(self) -> bytes:
        """Write the plaintext: version byte, compact JSON in UTF-8."""
        types: dict[str, int] = {}
        entries = [[types.setdefault(name, len(types)), value] for name, value in self._values.values()]
        document = {
            "id": self.id,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "pol": self.policy,
            **({"tag": self.tag} if self.tag else {}),
            "typ": list(types),
            "ent": entries,
        }
        return bytes([PLAINTEXT_VERSION]) + _ENCODER.encode(document).encode()

    @classmethod
    def unpack(cls, plaintext: bytes) -> Session:
        """Read a plaintext.

        Raises:
            SessionExpiredError: reason ``critical``: a newer plaintext version, or a field that must be understood and
                is not; reason ``authentication``: not a session at all, which only a holder of the key can have sealed.
        """
        if plaintext and plaintext[0] != PLAINTEXT_VERSION:
            raise SessionExpiredError("critical")
        try:
            return _session_from(_mapping(_DECODER.decode(plaintext[1:].decode())))
        except (
            ValueError,
            RecursionError,
            PayloadTooLargeError,
        ):  # ValueError: UnicodeDecodeError, JSONDecodeError, an int of 5,000 digits
            raise SessionExpiredError("authentication") from None


def _session_from(document: Mapping[str, object]) -> Session:
    """Build a session from parsed JSON; raises ValueError for whatever is not as written in the format."""
    critical = _strings(document.get("crit", []))
    if not _FIELDS.issuperset(critical):
        raise SessionExpiredError("critical")
    issued_at, expires_at = _time(document.get("iat")), _time(document.get("exp"))
    policy, tag = _text(document.get("pol"), _POLICY), document.get("tag")
    if expires_at < issued_at or (tag is not None and not (isinstance(tag, str) and tokens.is_tag(tag))):
        raise ValueError
    session = Session(
        _text(document.get("id"), _UUID7), issued_at, expires_at, policy, tag if isinstance(tag, str) else None
    )
    types = _strings(document.get("typ"))
    if len(set(types)) != len(types) or not all(map(tokens.is_type_name, types)):
        raise ValueError
    session._allocate_all(_entries(types, document.get("ent")))
    return session


def _entries(types: list[str], packed: object) -> list[tuple[str, str]]:
    """Read the entries; raises ValueError for one that is not as written in the format."""
    items = _list(packed)
    if len(items) > tokens.MAX_COUNTER:
        raise ValueError
    entries: list[tuple[str, str]] = []
    for item in items:
        index, value = _list(item)[:2]
        if type(index) is not int or not 0 <= index < len(types) or not isinstance(value, str):
            raise ValueError
        entries.append((types[index], value))
    "\n".join(value for _, value in entries).encode()  # a lone surrogate, by way of \uD800, is a ValueError
    return entries


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError
    return document


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError  # NaN, Infinity: not JSON


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError
    return value


def _strings(value: object) -> list[str]:
    items = _list(value)
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) != len(items):
        raise ValueError
    return texts


def _text(value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError
    return value


def _time(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_MS:
        raise ValueError
    return value


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


# --- sealed sessions ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SealedSession:
    """A session as the client keeps it, and the kid of the key that sealed it."""

    state: str = field(repr=False)
    kid: int


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session as it was sealed, and the kid of the key that opened it."""

    session: Session
    kid: int


def too_many_entities(limit: int) -> PayloadTooLargeError:
    """Return the error for a session with more values than ``session.max_entities``."""
    return PayloadTooLargeError(f"the session would hold more than {limit} values (session.max_entities)")


def seal_session(session: Session, keyring: Keyring, now: float, settings: SessionSettings) -> SealedSession:
    """Seal a session with the key that is active at ``now``, the instant from which its expiry was counted.

    Raises:
        PayloadTooLargeError: more values than ``session.max_entities``, or longer than ``session.max_blob_bytes``.
        NoActiveKeyError: no key may seal at ``now``.
    """
    if len(session) > settings.max_entities:
        raise too_many_entities(settings.max_entities)
    key = keyring.active(now)
    plaintext = session.pack()
    if sealing.sealed_length(key.kid, len(plaintext)) > settings.max_blob_bytes:
        raise PayloadTooLargeError(
            f"the sealed session would be longer than {settings.max_blob_bytes} bytes (session.max_blob_bytes)"
        )
    return SealedSession(sealing.seal(key.session_key(), key.kid, plaintext), key.kid)


def open_session(
    blob: str,
    keyring: Keyring,
    now: float,
    settings: SessionSettings,
    *,
    open_with: Callable[[int], Keyring] | None = None,
) -> OpenedSession:
    """Open a sealed session.

    Args:
        open_with: asked once, with the kid, when ``keyring`` does not know it: it returns a fresher keyring.

    Raises:
        SessionInvalidError: it is not a sealed session.
        SessionExpiredError: reason ``unknown_kid``, ``revoked``, ``authentication``, ``critical`` or ``ttl``.
    """
    sealed = sealing.parse(blob, max_bytes=settings.max_blob_bytes)
    key = keyring.find(sealed.kid)
    if key is None and open_with is not None:
        key = open_with(sealed.kid).find(sealed.kid)
    if key is None:
        raise SessionExpiredError("unknown_kid", sealed.kid)
    if not key.opens:
        raise SessionExpiredError("revoked", sealed.kid)
    try:
        session = Session.unpack(sealed.open(key.session_key()))
    except SessionExpiredError as error:
        raise SessionExpiredError(error.reason, sealed.kid) from None
    if session.expires_at <= _milliseconds(now):
        raise SessionExpiredError("ttl", sealed.kid)
    return OpenedSession(session, sealed.kid)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # made once: it costs as much as a small session
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique_names)
