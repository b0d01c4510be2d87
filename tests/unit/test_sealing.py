"""The og1 format against its published vectors, and against whoever holds a blob."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from cryptography.exceptions import InvalidTag

from oguardai import sealing
from oguardai.errors import SessionExpiredError, SessionInvalidError

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"
LIMIT = 1 << 20


def blob(plaintext: bytes = b"plaintext", **changes: str) -> str:
    return sealing.seal(KEY, 7, plaintext, **changes)


def opened(text: str, key: bytes = KEY, **changes: str) -> bytes:
    return sealing.parse(text, max_bytes=LIMIT).open(key, **changes)


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# --- XAES-256-GCM ---


@pytest.mark.parametrize(
    ("key", "aad", "expected"),
    [
        (b"\x01" * 32, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (b"\x03" * 32, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
    ids=["top bit of L clear", "top bit of L set"],
)
def test_published_vectors(key: bytes, aad: bytes, expected: str) -> None:
    """C2SP, XAES-256-GCM, "Test vectors"."""
    sealed = sealing.xaes_256_gcm_encrypt(key, NONCE, b"XAES-256-GCM", aad)
    assert sealed.hex() == expected
    assert sealing.xaes_256_gcm_decrypt(key, NONCE, sealed, aad) == b"XAES-256-GCM"


def test_published_accumulated_vector() -> None:
    """C2SP, XAES-256-GCM, "Accumulated randomized tests": 10,000 rounds drawn from SHAKE-128 of nothing."""
    stream = hashlib.shake_128().digest(10_000 * (32 + 24 + 2 + 2 * 255))
    assert stream.hex().startswith("7f9c2ba4e88f827d616045507605853e")
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        position += count
        return stream[position - count : position]

    accumulated = hashlib.shake_128()
    for _ in range(10_000):
        key, nonce = take(32), take(24)
        plaintext = take(take(1)[0])
        aad = take(take(1)[0])
        sealed = sealing.xaes_256_gcm_encrypt(key, nonce, plaintext, aad)
        assert sealing.xaes_256_gcm_decrypt(key, nonce, sealed, aad) == plaintext
        accumulated.update(sealed)
    assert accumulated.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"


@pytest.mark.parametrize(
    ("key", "nonce"), [(KEY[:31], NONCE), (KEY + b"x", NONCE), (KEY, NONCE[:23]), (KEY, NONCE + b"x")]
)
def test_wrong_sizes_are_refused(key: bytes, nonce: bytes) -> None:
    with pytest.raises(ValueError, match="must be"):
        sealing.xaes_256_gcm_encrypt(key, nonce, b"", b"")


def test_less_than_a_tag_fails_authentication() -> None:
    with pytest.raises(InvalidTag):
        sealing.xaes_256_gcm_decrypt(KEY, NONCE, b"x" * 15, b"")


# --- the wire ---


def test_wire_form_is_pinned() -> None:
    """An independent implementation must give these bytes; a change here is a new version of the format."""
    text = sealing.seal(KEY, 7, b"plaintext", nonce=NONCE)
    raw = NONCE + sealing.xaes_256_gcm_encrypt(
        KEY, NONCE, b"plaintext", sealing.associated_data(7, "default", "session")
    )
    assert text == "og1.7." + encode(raw)
    assert text == "og1.7.QUJDREVGR0hJSktMTU5PUFFSU1RVVldY-tEK58-CqAasSeHaD68QNdgVtGA2dqjJ7Q"


def test_associated_data_is_the_length_prefixed_sequence() -> None:
    parts = [b"og1", b"2147483647", "größe".encode(), b"session"]
    expected = struct.pack("<Q", 4) + b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    assert sealing.associated_data(2**31 - 1, "größe", "session") == expected


def test_no_two_sequences_have_one_encoding() -> None:
    assert sealing.length_prefixed([b"ab", b"c"]) != sealing.length_prefixed([b"a", b"bc"])
    assert sealing.length_prefixed([b""]) != sealing.length_prefixed([])
    assert sealing.length_prefixed([]) == bytes(8)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 1000])
@pytest.mark.parametrize("kid", [0, 10, 2**31 - 1])
def test_length_is_known_before_sealing(length: int, kid: int) -> None:
    assert sealing.sealed_length(kid, length) == len(sealing.seal(KEY, kid, bytes(length)))


def test_every_seal_has_its_own_nonce() -> None:
    nonces = {sealing.parse(blob(), max_bytes=LIMIT).nonce for _ in range(200)}
    assert len(nonces) == 200
    assert {len(nonce) for nonce in nonces} == {24}


@pytest.mark.parametrize("kid", [-1, 2**31])
def test_kid_out_of_range_is_never_sealed(kid: int) -> None:
    with pytest.raises(ValueError, match="kid"):
        sealing.seal(KEY, kid, b"")


NOTHING = encode(bytes(40))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "og1",
        "og1.",
        "og1.0",
        "og1.0.",
        f"og1..{NOTHING}",
        f"og2.0.{NOTHING}",
        f"OG1.0.{NOTHING}",
        f"og1.00.{NOTHING}",
        f"og1.01.{NOTHING}",
        f"og1.+1.{NOTHING}",
        f"og1.-1.{NOTHING}",
        f"og1. 1.{NOTHING}",
        f"og1.1_0.{NOTHING}",
        f"og1.\u0661.{NOTHING}",  # an Arabic digit one: int() would take it
        f"og1.2147483648.{NOTHING}",
        f"og1.99999999999999999999.{NOTHING}",
        f"og1.0.{NOTHING}\n",
        f"\nog1.0.{NOTHING}",
        f"og1.0.{NOTHING}.",
        f"og1.0.{NOTHING}.{NOTHING}",
        f"og1.0.{NOTHING}==",
        f"og1.0.{NOTHING[:-1]}",
        f"og1.0.{encode(bytes(39))}",  # a byte too short for a nonce and a tag
        f"og1.0.{NOTHING[:-2]}+/",  # the other alphabet
        f"og1.0.{NOTHING[:20]}\n{NOTHING[20:]}",
        f"og1.0.{NOTHING[:20]}\u00e9{NOTHING[20:]}",
        f"og1.0.{NOTHING[:20]}\ud800{NOTHING[20:]}",
        f"og1.0.{NOTHING[:-1]}B",  # stray bits in the last character
        "eyJhbGciOiJkaXIifQ..x.y.z",
        "\0",
        "og1." * 1000,
    ],
)
def test_what_is_no_sealed_session_is_invalid(text: str) -> None:
    with pytest.raises(SessionInvalidError):
        sealing.parse(text, max_bytes=LIMIT)


@pytest.mark.parametrize("length", range(40, 46))
def test_one_blob_has_one_text(length: int) -> None:
    """Every other last character is refused: no stray bits that two texts of one blob could differ in."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    body = encode(bytes(length))
    seen = set()
    for last in alphabet:
        try:
            parsed = sealing.parse(f"og1.0.{body[:-1]}{last}", max_bytes=LIMIT)
        except SessionInvalidError:
            continue
        seen.add(parsed.nonce + parsed.ciphertext)
    assert len(seen) == {0: 64, 1: 4, 2: 16}[length % 3]


def test_length_is_checked_before_anything_else() -> None:
    text = blob(bytes(1000))
    assert sealing.parse(text, max_bytes=len(text)).kid == 7
    with pytest.raises(SessionInvalidError, match=r"session\.max_blob_bytes"):
        sealing.parse(text, max_bytes=len(text) - 1)


# --- attacks ---


def test_it_opens_as_it_was_sealed() -> None:
    assert opened(blob(b"\0\xff")) == b"\0\xff"
    assert opened(blob(tenant="a", purpose="b"), tenant="a", purpose="b") == b"plaintext"


def test_every_flipped_bit_is_noticed() -> None:
    prefix, kid, body = blob().split(".")
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SessionExpiredError) as failure:
            opened(f"{prefix}.{kid}.{encode(bytes(changed))}")
        assert (failure.value.reason, failure.value.kid) == ("authentication", 7)


def test_another_kid_is_noticed_even_with_the_same_key() -> None:
    with pytest.raises(SessionExpiredError) as failure:
        opened(blob().replace("og1.7.", "og1.8."))
    assert failure.value.kid == 8


def test_every_truncation_is_noticed() -> None:
    text = blob(bytes(30))
    for length in range(len(text)):
        with pytest.raises((SessionExpiredError, SessionInvalidError)):
            opened(text[:length])


def test_a_longer_blob_is_noticed() -> None:
    text = blob(bytes(2))  # 42 bytes: whole groups of base64
    for extra in ("AAAA", "AAA", "AA"):
        with pytest.raises((SessionExpiredError, SessionInvalidError)):
            opened(text + extra)


@pytest.mark.parametrize("changes", [{"tenant": "other"}, {"purpose": "revocation"}, {"tenant": ""}, {"purpose": ""}])
def test_another_tenant_or_purpose_is_noticed(changes: dict[str, str]) -> None:
    with pytest.raises(SessionExpiredError):
        opened(blob(), **changes)


def test_tenant_and_purpose_cannot_be_shifted_into_each_other() -> None:
    with pytest.raises(SessionExpiredError):
        opened(blob(tenant="ab", purpose="c"), tenant="a", purpose="bc")


def test_a_nonce_of_another_blob_is_noticed() -> None:
    first, second = sealing.parse(blob(), max_bytes=LIMIT), sealing.parse(blob(), max_bytes=LIMIT)
    with pytest.raises(SessionExpiredError):
        sealing.SealedBlob(7, second.nonce, first.ciphertext).open(KEY)


def test_either_half_of_the_nonce_matters() -> None:
    first, second = sealing.parse(blob(), max_bytes=LIMIT), sealing.parse(blob(), max_bytes=LIMIT)
    for nonce in (first.nonce[:12] + second.nonce[12:], second.nonce[:12] + first.nonce[12:]):
        with pytest.raises(SessionExpiredError):
            sealing.SealedBlob(7, nonce, first.ciphertext).open(KEY)


def test_another_key_is_noticed() -> None:
    with pytest.raises(SessionExpiredError):
        opened(blob(), OTHER_KEY)


def test_representations_show_neither_plaintext_nor_ciphertext() -> None:
    assert repr(sealing.parse(blob(), max_bytes=LIMIT)) == "SealedBlob(kid=7)"
