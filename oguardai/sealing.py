"""The ``og1`` format: authenticated encryption of a session's plaintext, and its text on the wire.

Pure: keys come in as bytes, nothing is read but the system's random numbers. The format is described for
independent implementations in ``docs/sealed-sessions.md``.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oguardai.errors import SessionExpiredError, SessionInvalidError
from oguardai.keyring import DEFAULT_TENANT, KEY_BYTES, MAX_KID

VERSION = "og1"
NONCE_BYTES = 24
TAG_BYTES = 16
PURPOSE_SESSION = "session"

_GCM_NONCE_BYTES = 12
_WIRE = re.compile(rf"{VERSION}\.(0|[1-9][0-9]{{0,9}})\.([A-Za-z0-9_-]+)")


# --- XAES-256-GCM ------------------------------------------------------------------------------------------


def xaes_256_gcm_encrypt(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """Encrypt and authenticate with XAES-256-GCM (https://c2sp.org/XAES-256-GCM).

    Returns the ciphertext followed by the 16-byte tag. A (key, nonce) pair must never be used twice; 24 random
    bytes are safe for 2⁸⁰ messages a key.

    Raises:
        ValueError: the key is not 32 bytes or the nonce not 24.
    """
    subkey, gcm_nonce = _derive(key, nonce)
    return AESGCM(subkey).encrypt(gcm_nonce, data, aad)


def xaes_256_gcm_decrypt(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """Check and decrypt what :func:`xaes_256_gcm_encrypt` made.

    Raises:
        cryptography.exceptions.InvalidTag: key, nonce, data or aad is not what it was.
        ValueError: the key is not 32 bytes or the nonce not 24.
    """
    subkey, gcm_nonce = _derive(key, nonce)
    if len(data) < TAG_BYTES:
        raise InvalidTag
    return AESGCM(subkey).decrypt(gcm_nonce, data, aad)


def _derive(key: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """Derive Kₓ and Nₓ (C2SP, "Detailed key derivation algorithm", steps 3 to 6)."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"the nonce must be {NONCE_BYTES} bytes")
    cipher, k1 = _derivation(key)
    context = nonce[:_GCM_NONCE_BYTES]
    blocks = _xor(b"\x00\x01X\x00" + context, k1) + _xor(b"\x00\x02X\x00" + context, k1)
    encryptor = cipher.encryptor()
    return encryptor.update(blocks) + encryptor.finalize(), nonce[_GCM_NONCE_BYTES:]


@lru_cache(maxsize=256)
def _derivation(key: bytes) -> tuple[Cipher[modes.ECB], bytes]:
    """Return AES-256 under the key and the CMAC subkey K1 (steps 1 and 2), which every nonce shares."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key must be {KEY_BYTES} bytes")
    # ECB is the bare block cipher here: two distinct blocks, the PRF of NIST SP 800-108r1, no message of anybody's.
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
    encryptor = cipher.encryptor()
    subkey = int.from_bytes(encryptor.update(bytes(16)) + encryptor.finalize(), "big")
    carry = subkey >> 127
    doubled = (subkey << 1) & (2**128 - 1)
    return cipher, (doubled ^ (0b10000111 * carry)).to_bytes(16, "big")


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


# --- the wire ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SealedBlob:
    """A sealed session taken apart, not opened: nothing in it is trusted yet."""

    kid: int
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def open(self, key: bytes, *, tenant: str = DEFAULT_TENANT, purpose: str = PURPOSE_SESSION) -> bytes:
        """Return the plaintext.

        Raises:
            SessionExpiredError: reason ``authentication``: another key, another tenant or purpose, or changed.
        """
        try:
            return xaes_256_gcm_decrypt(key, self.nonce, self.ciphertext, associated_data(self.kid, tenant, purpose))
        except InvalidTag:
            raise SessionExpiredError("authentication", self.kid) from None


def seal(
    key: bytes,
    kid: int,
    plaintext: bytes,
    *,
    tenant: str = DEFAULT_TENANT,
    purpose: str = PURPOSE_SESSION,
    nonce: bytes | None = None,
) -> str:
    """Encrypt a plaintext and write it as ``og1.<kid>.<base64url of nonce, ciphertext, tag>``.

    ``nonce`` is for known-answer tests only: left out, it is 24 bytes from the operating system.
    """
    if not 0 <= kid <= MAX_KID:
        raise ValueError(f"the kid must be 0 to {MAX_KID}")
    nonce = os.urandom(NONCE_BYTES) if nonce is None else nonce
    raw = nonce + xaes_256_gcm_encrypt(key, nonce, plaintext, associated_data(kid, tenant, purpose))
    return f"{VERSION}.{kid}.{_to_base64url(raw)}"


def sealed_length(kid: int, plaintext_length: int) -> int:
    """Tell how many characters :func:`seal` would give, before any encryption."""
    raw = NONCE_BYTES + plaintext_length + TAG_BYTES
    return len(f"{VERSION}.{kid}.") + (raw * 4 + 2) // 3


def parse(blob: str, *, max_bytes: int) -> SealedBlob:
    """Take a sealed session apart, strictly: two different texts never give the same blob.

    Raises:
        SessionInvalidError: it is not one: too long, another alphabet, padding, stray bits in the last character,
            a kid that is not canonical or over 2³¹-1, or too short for a nonce and a tag.
    """
    if len(blob) > max_bytes:
        raise SessionInvalidError("session_state is over the limit session.max_blob_bytes")
    match = _WIRE.fullmatch(blob)
    if not match:
        raise SessionInvalidError
    kid = int(match[1])
    raw = _from_base64url(match[2])
    if kid > MAX_KID or raw is None or len(raw) < NONCE_BYTES + TAG_BYTES:
        raise SessionInvalidError
    return SealedBlob(kid, raw[:NONCE_BYTES], raw[NONCE_BYTES:])


def associated_data(kid: int, tenant: str, purpose: str) -> bytes:
    """Encode what a blob is bound to: version, kid, tenant and purpose, in this order."""
    return length_prefixed([part.encode() for part in (VERSION, str(kid), tenant, purpose)])


def length_prefixed(parts: Sequence[bytes]) -> bytes:
    """Join byte strings so that no two sequences give the same bytes.

    PASETO's pre-authentication encoding: the number of parts, then each part after its length, all numbers as
    64 bits, little-endian (https://github.com/paseto-standard/paseto-spec, "Common implementation details").
    """
    joined = [len(parts).to_bytes(8, "little")]
    for part in parts:
        joined += (len(part).to_bytes(8, "little"), part)
    return b"".join(joined)


def _to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _from_base64url(text: str) -> bytes | None:
    """Decode base64url without padding (RFC 4648 §5); None unless it is the one canonical text of its bytes."""
    if len(text) % 4 == 1:
        return None
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return raw if _to_base64url(raw) == text else None
