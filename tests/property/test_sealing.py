"""Decoders are total, and nothing that was not sealed opens."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai import sealing
from oguardai.config import SessionSettings
from oguardai.errors import SessionExpiredError, SessionInvalidError
from oguardai.keyring import Key, Keyring, generate_secret
from oguardai.sessions import Session, open_session, seal_session

NOW = 1_800_000_000.0
SETTINGS = SessionSettings()
KEY = Key.from_secret(0, generate_secret())
RING = Keyring((KEY,))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = ["id", "iat", "exp", "pol", "tag", "typ", "ent", "crit", "later"]


def document() -> dict[str, object]:
    session = Session.new(NOW, ttl_seconds=60, token_style="tagged")
    session.token_for("email", "julia@example.com")
    session.token_for("phone", "+49")
    parsed: dict[str, object] = json.loads(session.pack()[1:])
    return parsed


@settings(max_examples=500, deadline=None)
@given(st.text() | st.from_regex(r"og1\.[0-9]{1,10}\.[A-Za-z0-9_-]*={0,2}", fullmatch=True))
def test_any_text_gives_one_of_the_two_errors(text: str) -> None:
    with pytest.raises((SessionInvalidError, SessionExpiredError)):
        open_session(text, RING, NOW, SETTINGS)


@settings(max_examples=500, deadline=None)
@given(st.binary() | st.binary().map(b"\x01".__add__) | JSON.map(lambda value: b"\x01" + json.dumps(value).encode()))
def test_any_authenticated_plaintext_gives_a_session_or_is_expired(plaintext: bytes) -> None:
    with contextlib.suppress(SessionExpiredError):
        open_session(sealing.seal(KEY.session_key(), 0, plaintext), RING, NOW, SETTINGS)


@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3), st.sets(st.sampled_from(FIELDS), max_size=2))
def test_any_field_may_hold_anything(changes: dict[str, object], missing: set[str]) -> None:
    fields = {name: value for name, value in {**document(), **changes}.items() if name not in missing}
    with contextlib.suppress(SessionExpiredError):
        session = Session.unpack(b"\x01" + json.dumps(fields).encode())
        assert Session.unpack(session.pack()).pack() == session.pack()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["email", "phone", "passport", "literal"]), st.text())),
    st.sampled_from(["plain", "tagged"]),
)
def test_every_session_opens_as_it_was_sealed(entries: list[tuple[str, str]], style: str) -> None:
    session = Session.new(NOW, ttl_seconds=60, token_style=style)
    given_out = {session.token_for(*entry): entry for entry in entries}
    blob = seal_session(session, RING, NOW, SETTINGS)
    back = open_session(blob.state, RING, NOW, SETTINGS).session
    assert {token: back.value_of(token) for token in given_out} == given_out
    assert (back.id, back.tag, back.expires_at) == (session.id, session.tag, session.expires_at)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=100), st.data())
def test_a_changed_character_never_opens(plaintext: bytes, data: st.DataObject) -> None:
    text = sealing.seal(KEY.session_key(), 0, plaintext)
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.sampled_from("ABCabc012-_.=") | st.characters())
    changed = text[:place] + char + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises((SessionInvalidError, SessionExpiredError)):
        sealing.parse(changed, max_bytes=10_000).open(KEY.session_key())


@settings(deadline=None)
@given(st.binary(max_size=100), st.integers(0, 2**31 - 1))
def test_a_blob_has_one_text(plaintext: bytes, kid: int) -> None:
    text = sealing.seal(KEY.session_key(), kid, plaintext)
    parsed = sealing.parse(text, max_bytes=10_000)
    assert sealing.seal(KEY.session_key(), kid, plaintext, nonce=parsed.nonce) == text


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=4), st.lists(st.binary(max_size=20), max_size=4))
def test_no_two_sequences_have_one_encoding(one: list[bytes], two: list[bytes]) -> None:
    assert (sealing.length_prefixed(one) == sealing.length_prefixed(two)) == (one == two)
