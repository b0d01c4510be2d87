"""Keys and the ordered ring of them: which one seals, which ones open, how a secret becomes a key.

Pure: no file, no clock of its own. ``now`` is always unix time in seconds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from oguardai.errors import NoActiveKeyError, SecretError

MAX_KID = 2**31 - 1
MAX_KEYS = 64  # bounds the shared-memory table of per-key counters
KEY_BYTES = 32
DEFAULT_TENANT = "default"

_SESSION_INFO = b"oguardai/og1/session\0"
_FINGERPRINT_INFO = b"oguardai/og1/fingerprint"
_MIN_PASSPHRASE = 32  # characters, for a secret that is not base64
_MIN_DISTINCT = 10  # distinct characters (or bytes) below which a secret counts as guessable
_SAMPLES = (
    *("changeme", "change-me", "change_me", "replaceme", "replace-me", "<new_secret>", "<old_secret>"),
    *("yoursecret", "your-secret", "your_secret", "examplesecret", "example-secret", "password"),
    *("0123456789abcdef0123456789abcdef", "abcdefghijklmnopqrstuvwxyz"),
)
_HOW_TO = "make one with: oguardai secret generate"

_BASE64_ALPHABETS = re.compile(r"[A-Za-z0-9+/]+={0,2}|[A-Za-z0-9_-]+={0,2}")


def generate_secret() -> str:
    """Make a secret of 32 random bytes as URL-safe base64 without padding (43 characters).

    It holds no ``/``, ``+``, ``&`` or ``\\``, so ``sed 's/…/…/'`` takes it as it is.
    """
    return secrets.token_urlsafe(KEY_BYTES)


def secret_bytes(secret: str) -> bytes:
    """Turn a secret as people write it into key material.

    Strict base64 (RFC 4648, either alphabet, padded or not) that decodes to 32 bytes or more gives those bytes;
    anything else of at least 32 characters gives its UTF-8 bytes.

    Raises:
        SecretError: too short, or guessable (few distinct characters, a well-known sample). Clients hold sealed
            sessions, so a weak secret can be guessed offline.
    """
    lowered = secret.lower()
    if any(sample in lowered for sample in _SAMPLES):
        raise SecretError(f"is a sample, not a secret; {_HOW_TO}")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in secret):
        raise SecretError(f"holds a control character; {_HOW_TO}")
    raw = _strict_base64(secret)
    if raw is None or len(raw) < KEY_BYTES:
        if len(secret) < _MIN_PASSPHRASE:
            raise SecretError(
                f"is too short: {len(secret)} characters, at least {_MIN_PASSPHRASE} are needed; {_HOW_TO}"
            )
        try:
            raw = secret.encode()
        except UnicodeEncodeError:
            raise SecretError(f"is not valid Unicode text; {_HOW_TO}") from None
    if len(set(secret)) < _MIN_DISTINCT or len(set(raw)) < _MIN_DISTINCT or _is_repetition(secret):
        raise SecretError(f"is guessable: it has few distinct characters or repeats itself; {_HOW_TO}")
    return raw


def _is_repetition(text: str) -> bool:
    """Tell whether the text is a shorter one written several times (``abcabcabc``)."""
    return len(text) // 2 >= (text + text).find(text, 1) > 0


def _strict_base64(text: str) -> bytes | None:
    """Decode canonical base64 in either alphabet, padded or not; None for anything else."""
    if not _BASE64_ALPHABETS.fullmatch(text):
        return None
    body = text.rstrip("=")
    if len(body) % 4 == 1 or ("=" in text and len(text) % 4 != 0):
        return None
    standard = body.replace("-", "+").replace("_", "/") + "=" * (-len(body) % 4)
    try:
        raw = base64.b64decode(standard, validate=True)
    except binascii.Error:
        return None
    # Stray bits in the last character would make two texts one key.
    return raw if base64.b64encode(raw).decode() == standard else None


class KeyState(StrEnum):
    """What the operator allows a key to do."""

    IN_USE = "in_use"  # opens; seals when it is the last such key and its not_before has passed
    STAGED = "staged"  # opens, never seals
    REVOKED = "revoked"  # neither; listed so that logs and metrics can say why


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the ring.

    Attributes:
        kid: key id, 0 … 2³¹-1, sent in clear in front of every sealed session.
        prk: 32 bytes, HKDF-Extract (RFC 5869) of the secret with an empty salt. The secret itself is not kept.
        state: what the operator allows.
        not_before: unix seconds from which the key may seal; it opens at once. None: from the start.
        source: ``keyring`` for an entry of ``session.keyring``, ``env`` for ``GUARDAI_SESSION_SECRET``.
    """

    kid: int
    prk: bytes = field(repr=False)
    state: KeyState = KeyState.IN_USE
    not_before: float | None = None
    source: str = "keyring"

    @classmethod
    def from_secret(
        cls,
        kid: int,
        secret: str,
        *,
        state: KeyState = KeyState.IN_USE,
        not_before: float | None = None,
        source: str = "keyring",
    ) -> Key:
        """Derive a key from a secret; raises SecretError (see :func:`secret_bytes`)."""
        prk = hmac.digest(b"\0" * 32, secret_bytes(secret), hashlib.sha256)
        return cls(kid, prk, state, not_before, source)

    def session_key(self, tenant: str = DEFAULT_TENANT) -> bytes:
        """Return the 32-byte key that seals sessions of a tenant.

        HKDF-SHA256 (RFC 5869) of the secret, salt empty, info ``oguardai/og1/session\\0`` + tenant.
        """
        return _expand(self.prk, _SESSION_INFO + tenant.encode(), KEY_BYTES)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits derived from the key: all that people are shown of it."""
        return _expand(self.prk, _FINGERPRINT_INFO, 8).hex()

    @property
    def opens(self) -> bool:
        """Whether sessions under this key may be opened."""
        return self.state is not KeyState.REVOKED

    def can_seal(self, now: float) -> bool:
        """Tell whether this key may seal at ``now`` (the ring decides which of those that may is active)."""
        return self.state is KeyState.IN_USE and (self.not_before is None or self.not_before <= now)


@lru_cache(maxsize=512)
def _expand(prk: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(prk)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in the order in which they are listed."""

    keys: tuple[Key, ...]

    def active(self, now: float) -> Key:
        """Return the key that seals: the last that is neither staged nor revoked and whose not_before has passed.

        Raises:
            NoActiveKeyError: there is none.
        """
        for key in reversed(self.keys):
            if key.can_seal(now):
                return key
        raise NoActiveKeyError("no key of the keyring can seal now: all are staged, revoked or not_before later")

    def active_kid(self, now: float) -> int | None:
        """Return the id of the key that seals, or None (a clock that went back before every not_before)."""
        try:
            return self.active(now).kid
        except NoActiveKeyError:
            return None

    def find(self, kid: int) -> Key | None:
        """Return the key with this id, or None."""
        return next((key for key in self.keys if key.kid == kid), None)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over order, ids, states, times and keys: equal on hosts with equal keyrings."""
        digest = hashlib.sha256()
        for key in self.keys:
            digest.update(f"{key.kid} {key.fingerprint} {key.state} {key.not_before}\n".encode())
        return digest.hexdigest()[:16]

    def with_new_keys_staged(self, other: Keyring) -> Keyring:
        """Return this ring with the kids that only ``other`` has, to open only; nothing else changes.

        A staged key stands in front, so that it can never be mistaken for the last one. At most MAX_KEYS are held;
        where there is no room for all, the last are taken, which seal elsewhere.
        """
        known = {key.kid for key in self.keys}
        secrets_known = {key.prk for key in self.keys}
        fresh = tuple(
            Key(key.kid, key.prk, KeyState.STAGED, None, key.source)
            for key in other.keys
            if key.kid not in known and key.prk not in secrets_known and key.opens
        )
        fresh = fresh[max(0, len(fresh) - (MAX_KEYS - len(self.keys))) :]
        return Keyring(fresh + self.keys) if fresh else self
