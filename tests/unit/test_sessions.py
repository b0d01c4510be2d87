"""Sessions: what they hold, for how long, and what becomes of a plaintext that is not one."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oguardai import sealing
from oguardai.config import SessionSettings
from oguardai.errors import PayloadTooLargeError, SessionExpiredError, SessionInvalidError
from oguardai.keyring import Key, Keyring, KeyState
from oguardai.sessions import Session, open_session, seal_session, uuid7

NOW = 1_800_000_000.25
NOW_MS = 1_800_000_000_250
SETTINGS = SessionSettings()
OLD = Key.from_secret(0, "an-Old_secret#of-the/tests.with+entropy")
NEW = Key.from_secret(1, "the~New^secret*of(the)tests[with]entropy")
RING = Keyring((OLD, NEW))
VALUE = "julia@example.com"


def session(**changes: Any) -> Session:
    return Session.new(NOW, **{"ttl_seconds": 3600, **changes})


def sealed(made: Session | None = None, ring: Keyring = RING) -> str:
    return seal_session(made or session(), ring, NOW, SETTINGS).state


def reason(blob: str, ring: Keyring = RING, now: float = NOW, **options: Any) -> tuple[str, int | None]:
    with pytest.raises(SessionExpiredError) as failure:
        open_session(blob, ring, now, SETTINGS, **options)
    return failure.value.reason, failure.value.kid


# --- tokens of a session ---


def test_a_value_keeps_its_token() -> None:
    made = session()
    assert made.token_for("email", VALUE) == "{{email:e_001}}"
    assert made.token_for("email", "other@example.com") == "{{email:e_002}}"
    assert made.token_for("email", VALUE) == "{{email:e_001}}"
    assert len(made) == 2


def test_one_value_as_two_types_has_two_tokens() -> None:
    made = session()
    assert made.token_for("phone", "1") != made.token_for("url", "1")


def test_ids_are_unique_even_if_types_share_a_letter() -> None:
    made = session()
    assert made.token_for("phone", "1") == "{{phone:p_001}}"
    assert made.token_for("passport", "2") == "{{passport:p_002}}"
    assert made.token_for("phone", "3") == "{{phone:p_003}}"


def test_values_are_found_by_their_exact_token_only() -> None:
    made = session(token_style="tagged")
    token = made.token_for("email", VALUE)
    assert made.value_of(token) == ("email", VALUE)
    assert made.value_of("{{email:e_001}}") is None
    assert made.value_of("{{phone:e_001}}") is None


def test_a_session_without_values_is_a_session() -> None:
    assert session()
    assert len(session()) == 0


def test_a_session_shows_no_value() -> None:
    made = session()
    made.token_for("email", VALUE)
    assert VALUE not in repr(made)
    assert VALUE not in repr(open_session(sealed(made), RING, NOW, SETTINGS))
    assert "og1" not in repr(seal_session(made, RING, NOW, SETTINGS))


# --- ids ---


def test_ids_are_uuids_of_version_7() -> None:
    made = uuid.UUID(uuid7(NOW_MS))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == NOW_MS
    assert str(made) == str(uuid.UUID(str(made)))
    assert len({uuid7(NOW_MS) for _ in range(1000)}) == 1000


def test_ids_sort_by_time() -> None:
    assert uuid7(NOW_MS) < uuid7(NOW_MS + 1)


# --- time ---


def test_a_session_lives_for_its_ttl_to_the_millisecond() -> None:
    blob = sealed(session(ttl_seconds=10))
    assert open_session(blob, RING, NOW + 9.999, SETTINGS).session.expires_at == NOW_MS + 10_000
    assert reason(blob, now=NOW + 10) == ("ttl", 1)


def test_a_clock_that_is_behind_opens_it() -> None:
    assert open_session(sealed(), RING, NOW - 5, SETTINGS).kid == 1


def test_continuing_gives_a_fresh_expiry_and_keeps_the_past() -> None:
    made = session(token_style="tagged")
    token = made.token_for("email", VALUE)
    later = made.continued(NOW + 1000, ttl_seconds=3600, max_age_seconds=86_400)
    assert (later.id, later.tag, later.issued_at) == (made.id, made.tag, made.issued_at)
    assert later.expires_at == NOW_MS + 4_600_000
    assert later.token_for("email", VALUE) == token
    assert later.token_for("email", "other@example.com").startswith("{{email:e_002.")


def test_continuing_twice_shares_the_past_only() -> None:
    made = session()
    made.token_for("email", VALUE)
    one, two = (made.continued(NOW, ttl_seconds=3600, max_age_seconds=86_400) for _ in range(2))
    assert one.token_for("email", "one") == two.token_for("email", "two")
    assert len(made) == 1


def test_the_greatest_age_bounds_the_whole() -> None:
    made = session(ttl_seconds=3600)
    late = made.continued(NOW + 3000, ttl_seconds=3600, max_age_seconds=4000)
    assert late.expires_at == NOW_MS + 4_000_000
    with pytest.raises(SessionExpiredError) as failure:
        made.continued(NOW + 4000, ttl_seconds=3600, max_age_seconds=4000)
    assert failure.value.reason == "ttl"


# --- keys ---


def test_the_key_active_at_the_moment_seals() -> None:
    ring = Keyring((OLD, replace(NEW, not_before=NOW)))
    assert seal_session(session(), ring, NOW - 0.01, SETTINGS).kid == 0
    assert seal_session(session(), ring, NOW, SETTINGS).kid == 1


def test_an_old_key_opens() -> None:
    assert open_session(sealed(ring=Keyring((OLD,))), RING, NOW, SETTINGS).kid == 0


def test_an_unknown_kid_is_expired() -> None:
    assert reason(sealed(), Keyring((OLD,))) == ("unknown_kid", 1)


def test_a_revoked_key_opens_nothing() -> None:
    assert reason(sealed(), Keyring((OLD, replace(NEW, state=KeyState.REVOKED)))) == ("revoked", 1)


def test_a_changed_secret_is_an_authentication_failure() -> None:
    assert reason(sealed(), Keyring((OLD, Key(1, OLD.prk)))) == ("authentication", 1)


def test_an_unknown_kid_is_asked_for_once() -> None:
    asked: list[int] = []

    def fresher(kid: int) -> Keyring:
        asked.append(kid)
        return RING

    assert open_session(sealed(), Keyring((OLD,)), NOW, SETTINGS, open_with=fresher).kid == 1
    assert asked == [1]


def test_a_fresher_keyring_may_not_know_it_either_or_have_it_revoked() -> None:
    old = Keyring((OLD,))
    assert reason(sealed(), old, open_with=lambda _: old) == ("unknown_kid", 1)
    revoked = Keyring((OLD, replace(NEW, state=KeyState.REVOKED)))
    assert reason(sealed(), old, open_with=lambda _: revoked) == ("revoked", 1)


def test_nothing_is_asked_for_a_known_kid() -> None:
    def never(kid: int) -> Keyring:
        raise AssertionError(kid)

    assert open_session(sealed(), RING, NOW, SETTINGS, open_with=never).kid == 1


def test_what_is_no_blob_is_invalid_before_any_key() -> None:
    with pytest.raises(SessionInvalidError):
        open_session("eyJhbGciOi", Keyring(()), NOW, SETTINGS)


# --- bounds ---


def test_too_many_values_are_refused_with_the_limit() -> None:
    made = session()
    for number in range(3):
        made.token_for("email", str(number))
    with pytest.raises(PayloadTooLargeError, match=r"session\.max_entities"):
        seal_session(made, RING, NOW, SessionSettings(max_entities=2))


def test_a_sealed_session_over_the_limit_is_refused_and_one_at_it_opens() -> None:
    made = session()
    made.token_for("url", "x" * 5000)
    size = len(sealed(made))
    exact = SessionSettings(max_blob_bytes=size)
    assert open_session(seal_session(made, RING, NOW, exact).state, RING, NOW, exact).session.id == made.id
    with pytest.raises(PayloadTooLargeError, match=r"session\.max_blob_bytes"):
        seal_session(made, RING, NOW, SessionSettings(max_blob_bytes=size - 1))


def test_a_lowered_entity_limit_does_not_lock_out_sessions_in_use() -> None:
    made = session()
    made.token_for("email", "1")
    made.token_for("email", "2")
    assert len(open_session(sealed(made), RING, NOW, SessionSettings(max_entities=1)).session) == 2


# --- plaintext ---


def document(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "01916a3e-7b2c-7000-8000-0c6f3c3b4a0f",
        "iat": NOW_MS,
        "exp": NOW_MS + 1000,
        "pol": "default",
        "typ": ["email", "phone"],
        "ent": [[0, VALUE], [1, "+49 30 901820"], [0, "two@example.com"]],
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ...}


def unpack(packed: Any, version: bytes = b"\x01") -> Session:
    text = packed if isinstance(packed, bytes) else json.dumps(packed).encode()
    return Session.unpack(version + text)


def test_the_plaintext_is_pinned() -> None:
    """A change here is a change of the format: readers must be released before writers."""
    made = Session("01916a3e-7b2c-7000-8000-0c6f3c3b4a0f", 1, 2, "default", "k7q")
    made.token_for("email", "jü\0@example.com")
    made.token_for("phone", "+49")
    made.token_for("email", "b")
    assert made.pack() == (
        '\x01{"id":"01916a3e-7b2c-7000-8000-0c6f3c3b4a0f","iat":1,"exp":2,"pol":"default","tag":"k7q",'
        '"typ":["email","phone"],"ent":[[0,"jü\\u0000@example.com"],[1,"+49"],[0,"b"]]}'.encode()
    )


def test_a_plaintext_comes_back_as_the_session_it_was() -> None:
    made = session(token_style="tagged")
    given = [
        made.token_for(name, value) for name, value in [("email", VALUE), ("phone", "\0\u2028😀"), ("passport", "")]
    ]
    back = Session.unpack(made.pack())
    assert [back.value_of(token) for token in given] == [("email", VALUE), ("phone", "\0\u2028😀"), ("passport", "")]
    assert back.pack() == made.pack()
    assert back.token_style == "tagged"


def test_tokens_follow_from_the_order_of_the_entries() -> None:
    back = unpack(document())
    assert back.value_of("{{email:e_002}}") == ("email", "two@example.com")
    assert back.token_for("phone", "new") == "{{phone:p_002}}"


def test_unknown_optional_fields_are_ignored() -> None:
    back = unpack(document(later={"a": [1.5, None]}, ent=[[0, VALUE, {"later": True}]], crit=[]))
    assert back.value_of("{{email:e_001}}") == ("email", VALUE)


def test_a_critical_field_that_is_known_is_no_reason_to_refuse() -> None:
    assert len(unpack(document(crit=["typ", "ent"]))) == 3


@pytest.mark.parametrize("crit", [["later"], ["ent", "later"], ["later", "later"], [""]])
def test_unknown_critical_fields_are_refused(crit: list[str]) -> None:
    with pytest.raises(SessionExpiredError) as failure:
        unpack(document(crit=crit, ent="in a form of the future"))
    assert failure.value.reason == "critical"


@pytest.mark.parametrize("version", [b"\x00", b"\x02", b"{", b"\xff"])
def test_another_plaintext_version_is_refused_as_critical(version: bytes) -> None:
    with pytest.raises(SessionExpiredError) as failure:
        unpack(document(), version)
    assert failure.value.reason == "critical"


def test_the_reason_of_a_refused_plaintext_comes_with_the_kid() -> None:
    assert reason(sealing.seal(NEW.session_key(), 1, b"\x02{}")) == ("critical", 1)
    assert reason(sealing.seal(NEW.session_key(), 1, b"\x01{}")) == ("authentication", 1)
    assert reason(sealing.seal(NEW.session_key(), 1, b"")) == ("authentication", 1)


MALFORMED = [
    b"", b"\xff", b"\xed\xa0\x80", b"null", b"1", b"[]", b'""', b"{", b"{}x", b"\xef\xbb\xbf{}", b"[" * 500_000,
    b'{"a":' * 200_000, b"1" * 5000, b'{"iat":' + b"9" * 5000 + b"}", b'{"id":1,"id":2}', b"NaN",
    document(id=...), document(id=1), document(id="x"), document(id="01916A3E-7B2C-7000-8000-0C6F3C3B4A0F"),
    document(id="01916a3e-7b2c-4000-8000-0c6f3c3b4a0f"), document(id="01916a3e-7b2c-7000-8000-0c6f3c3b4a0f\n"),
    document(iat=...), document(iat=-1), document(iat=1.5), document(iat=True), document(iat="1"),
    document(iat=2**53),
    document(exp=...), document(exp=NOW_MS - 1), document(exp=None), document(exp=10**400),
    document(exp=float("nan")),
    document(exp=float("inf")),
    document(pol=...), document(pol=""), document(pol="a b"), document(pol="x" * 65), document(pol=None),
    document(pol="\ud800"),
    document(tag=""), document(tag="K7Q"), document(tag="k7qq"), document(tag=1), document(tag=["k7q"]),
    document(typ=...), document(typ={}), document(typ=["email", "email"]), document(typ=["email", 1]),
    document(typ=["E"]),
    document(typ=["email", ""]), document(typ=["email", "x" * 33]), document(typ=["email", "\ud800"]),
    document(ent=...), document(ent={}), document(ent=None), document(ent=[1]), document(ent=[[]]),
    document(ent=[[0]]),
    document(ent=[{}]), document(ent=["ab"]), document(ent=[["0", "x"]]), document(ent=[[0, 1]]),
    document(ent=[[0, None]]),
    document(ent=[[-1, "x"]]), document(ent=[[2, "x"]]), document(ent=[[True, "x"]]), document(ent=[[0.0, "x"]]),
    document(ent=[[10**30, "x"]]), document(ent=[[0, "\ud800"]]), document(ent=[[0, "\udc00\ud800"]]),
    document(ent=[[0, "x"], [0, "x"]]),
    document(crit=None), document(crit="ent"), document(crit=[1]), document(crit={"ent": 1}),
    document(crit=[["ent"]]),
]  # fmt: skip


@pytest.mark.parametrize("packed", MALFORMED, ids=lambda packed: repr(packed)[:60])
def test_a_malformed_plaintext_fails_as_authentication_does(packed: Any) -> None:
    with pytest.raises(SessionExpiredError) as failure:
        unpack(packed)
    assert failure.value.reason == "authentication"


def test_escaped_surrogate_pairs_and_backslashes_are_text() -> None:
    back = unpack(document(ent=[[0, "😀"], [0, r"\ud800"]]))  # json.dumps writes the first as an escaped pair
    assert back.value_of("{{email:e_001}}") == ("email", "😀")
    assert back.value_of("{{email:e_002}}") == ("email", r"\ud800")


# --- documentation ---

DOCUMENT = Path(__file__).parents[2] / "docs" / "sealed-sessions.md"


@pytest.mark.parametrize("style", ["plain", "tagged"])
def test_the_documented_decoder_opens_what_is_sealed(style: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is our own page
    made = session(token_style=style)
    expected = {
        made.token_for(name, value): value for name, value in [("email", VALUE), ("phone", "ü"), ("passport", "x")]
    }
    assert names["decode"](sealed(made), b"the~New^secret*of(the)tests[with]entropy") == expected


def test_the_documented_plaintext_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    back = unpack(example.encode())
    assert back.value_of("{{email:e_002.k7q}}") == ("email", "b@example.com")
    assert back.value_of("{{phone:p_001.k7q}}") == ("phone", "+49 30 901820")
