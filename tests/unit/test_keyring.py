"""Which key seals, which keys open, and how a secret becomes one."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from oguardai.errors import NoActiveKeyError, SecretError
from oguardai.keyring import MAX_KEYS, MAX_KID, Key, Keyring, KeyState, generate_secret, secret_bytes

NOW = 1_800_000_000.0
SECRETS = [
    "first-Key_of#the%ring!with=entropy-1",
    "2nd+key/of.the,ring;with:entropy+two",
    "3rd~key^of*the(ring)with[entropy]3",
]


def key(kid: int, secret: str | None = None, **changes: object) -> Key:
    return Key.from_secret(kid, secret or SECRETS[kid], **changes)  # type: ignore[arg-type]


def hkdf(material: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 with an empty salt, written from RFC 5869."""
    prk = hmac.new(b"\0" * 32, material, hashlib.sha256).digest()
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        output, counter = output + block, counter + 1
    return output[:length]


# --- which key does what ---


def test_the_last_key_seals() -> None:
    assert Keyring((key(0), key(1), key(2))).active(NOW).kid == 2
    assert Keyring((key(2), key(0), key(1))).active(NOW).kid == 1  # the order decides, not the number


@pytest.mark.parametrize("state", [KeyState.STAGED, KeyState.REVOKED])
def test_a_staged_or_revoked_key_never_seals(state: KeyState) -> None:
    assert Keyring((key(0), key(1, state=state))).active(NOW).kid == 0


def test_not_before_is_the_moment_of_the_switch() -> None:
    ring = Keyring((key(0), key(1, not_before=NOW)))
    assert ring.active(NOW - 0.001).kid == 0
    assert ring.active(NOW).kid == 1


def test_not_before_does_not_wake_a_staged_key() -> None:
    assert Keyring((key(0), key(1, state=KeyState.STAGED, not_before=NOW - 1))).active(NOW).kid == 0


def test_every_key_but_a_revoked_one_opens() -> None:
    assert key(0).opens
    assert key(0, not_before=NOW + 1e9).opens
    assert key(0, state=KeyState.STAGED).opens
    assert not key(0, state=KeyState.REVOKED).opens


@pytest.mark.parametrize(
    "keys",
    [(), (key(0, state=KeyState.REVOKED),), (key(0, state=KeyState.STAGED),), (key(0, not_before=NOW + 1),)],
    ids=["empty", "revoked", "staged", "not yet"],
)
def test_no_active_key_is_an_error(keys: tuple[Key, ...]) -> None:
    with pytest.raises(NoActiveKeyError):
        Keyring(keys).active(NOW)


def test_keys_are_found_by_kid_whatever_their_state() -> None:
    ring = Keyring((key(2, state=KeyState.REVOKED), key(0)))
    assert ring.find(2) is ring.keys[0]
    assert ring.find(0) is ring.keys[1]
    assert ring.find(1) is None


# --- new kids of a file that is not in force yet ---


def test_new_kids_open_and_never_seal() -> None:
    ring = Keyring((key(0),)).with_new_keys_staged(Keyring((key(0), key(1))))
    assert ring.active(NOW).kid == 0
    fresh = ring.find(1)
    assert fresh is not None
    assert (fresh.opens, fresh.can_seal(NOW)) == (True, False)
    assert ring.keys[-1].kid == 0


def test_a_known_kid_is_not_changed_by_the_file() -> None:
    changed = Keyring((key(0, SECRETS[1]), key(2)))
    ring = Keyring((key(0),)).with_new_keys_staged(changed)
    known = ring.find(0)
    assert known is not None
    assert known.prk == key(0).prk


def test_a_revocation_in_the_file_waits_for_the_reload() -> None:
    old = Keyring((key(0), key(1)))
    assert old.with_new_keys_staged(Keyring((key(0, state=KeyState.REVOKED), key(1)))) is old


def test_a_new_kid_that_is_revoked_or_has_a_known_secret_is_not_taken() -> None:
    old = Keyring((key(0),))
    assert old.with_new_keys_staged(Keyring((key(0), key(1, state=KeyState.REVOKED)))) is old
    assert old.with_new_keys_staged(Keyring((key(0), key(1, SECRETS[0])))) is old


def test_a_new_kid_does_not_inherit_its_not_before() -> None:
    fresh = Keyring((key(0),)).with_new_keys_staged(Keyring((key(0), key(1, not_before=NOW - 1)))).find(1)
    assert fresh is not None
    assert not fresh.can_seal(NOW)


# --- what people are shown ---


def test_equal_rings_have_equal_fingerprints() -> None:
    assert Keyring((key(0), key(1))).fingerprint == Keyring((key(0), key(1))).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        (key(1), key(0)),
        (key(0),),
        (key(0), key(1, SECRETS[2])),
        (key(0), key(1, state=KeyState.STAGED)),
        (key(0), key(1, not_before=NOW)),
        (key(0), Key.from_secret(5, SECRETS[1])),
    ],
    ids=["order", "fewer", "secret", "state", "time", "kid"],
)
def test_every_difference_shows_in_the_fingerprint(other: tuple[Key, ...]) -> None:
    assert Keyring((key(0), key(1))).fingerprint != Keyring(other).fingerprint


def test_a_fingerprint_says_nothing_of_the_kid_or_the_key() -> None:
    assert key(0).fingerprint == Key.from_secret(MAX_KID, SECRETS[0]).fingerprint
    assert len(key(0).fingerprint) == 16
    assert bytes.fromhex(key(0).fingerprint) not in key(0).session_key()


def test_representations_hold_no_key() -> None:
    shown = repr(Keyring((key(0),)))
    assert SECRETS[0] not in shown
    assert key(0).prk.hex() not in shown
    assert repr(key(0).prk)[2:-1] not in shown


# --- secret to key ---


@pytest.mark.parametrize("tenant", ["default", "größe", ""])
def test_session_keys_are_hkdf_of_the_secret(tenant: str) -> None:
    expected = hkdf(SECRETS[0].encode(), b"oguardai/og1/session\0" + tenant.encode(), 32)
    assert key(0).session_key(tenant) == expected


def test_session_key_of_the_default_tenant_is_the_default() -> None:
    assert key(0).session_key() == hkdf(SECRETS[0].encode(), b"oguardai/og1/session\0default", 32)
    assert key(0).session_key() != key(0).session_key("other")


def test_fingerprint_is_hkdf_with_its_own_info() -> None:
    assert key(0).fingerprint == hkdf(SECRETS[0].encode(), b"oguardai/og1/fingerprint", 8).hex()


RAW = hashlib.sha256(b"a secret").digest()


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("raw", [RAW, RAW + b"x", RAW + b"xy", b"\xfb\xff\xbe" * 4 + RAW])
def test_base64_gives_its_bytes_in_either_alphabet_padded_or_not(encode: object, padded: bool, raw: bytes) -> None:
    text: str = encode(raw).decode()  # type: ignore[operator]
    assert secret_bytes(text if padded else text.rstrip("=")) == raw


@pytest.mark.parametrize(
    "secret",
    [
        "a-passphrase of many words, 12 of them!",
        "ÄÖÜäöüß-0123456789-éèêáàâ-xyzuvwrst",
        base64.b64encode(RAW[:24]).decode(),  # 32 characters, but only 24 bytes
        base64.b64encode(RAW).decode().rstrip("=")[:-1] + "/",  # stray bits in the last character
        base64.b64encode(RAW).decode() + "=",
        "+/-_" + "abcdefghijklmnopqrst0123456789QRSTUV",  # both alphabets at once
    ],
)
def test_anything_else_of_32_characters_gives_its_utf8(secret: str) -> None:
    assert secret_bytes(secret) == secret.encode()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "tiny!",
        "x1y2z3w4v5u6t7s8r9q0p1o2n3m4l5k",  # 31 characters
        "a" * 32,
        "ab" * 32,
        "0123456789abcdef" * 2,
        "0123456789abcdef" * 4,
        "change-me-32-byte-secret-value!!",
        "Change-Me-32-Byte-Secret-Value!!",
        "<NEW_SECRET>" + "x1y2z3w4v5u6t7s8r9q0p1o2n3m4l5k",
        "qwertzuiop123" * 3,
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b"\1\2\3\4" * 8).decode(),
        "line\nfeed in a secret of 32 characters",
        "nul\0byte in a secret of 32 characters",
        "\ud800 lone surrogate in a secret of 32 characters",
    ],
)
def test_short_and_guessable_secrets_are_refused_with_a_remedy(secret: str) -> None:
    with pytest.raises(SecretError, match="oguardai secret generate") as failure:
        secret_bytes(secret)
    assert not secret or secret not in str(failure.value)


def test_generated_secrets_are_accepted_and_safe_for_sed() -> None:
    made = {generate_secret() for _ in range(200)}
    assert len(made) == 200
    for secret in made:
        assert len(secret_bytes(secret)) == 32
        assert not set(secret) & set("/+&\\=\n\"'$ ")


def test_openssl_rand_is_accepted() -> None:
    """``openssl rand -base64 32``, as the runbook says, and its ``-hex`` kin."""
    assert secret_bytes(base64.b64encode(RAW).decode()) == RAW
    assert len(secret_bytes(RAW.hex())) == 48


def test_where_there_is_no_room_for_all_new_kids_the_last_are_taken() -> None:
    held = Keyring(tuple(Key(kid, bytes([kid]) * 32) for kid in range(MAX_KEYS - 1)))
    other = Keyring(tuple(Key(kid, bytes([kid]) * 32) for kid in range(1, MAX_KEYS + 2)))
    taken = held.with_new_keys_staged(other)
    assert len(taken.keys) == MAX_KEYS
    assert taken.find(MAX_KEYS + 1) is not None
    full = Keyring(tuple(Key(kid, bytes([kid]) * 32) for kid in range(MAX_KEYS)))
    assert full.with_new_keys_staged(other) is full
