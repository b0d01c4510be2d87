"""What transform replaces, what it keeps, and what it tells."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from oguardai import tokens
from oguardai.config import DetectionSettings, SessionSettings, Settings
from oguardai.detection import Detected, Entity
from oguardai.errors import InvalidRequestError, PayloadTooLargeError, SessionExpiredError
from oguardai.keyring import Key, Keyring, generate_secret
from oguardai.rehydrate import RehydrateRequest, rehydrate
from oguardai.transform import TransformRequest, TransformResult, transform

NOW = 1_800_000_000.0
SETTINGS = Settings()
RING = Keyring((Key.from_secret(0, generate_secret()),))
EMAIL = re.compile(r"[a-z0-9.]+@[a-z0-9.]+[a-z0-9]")


def find(text: str, **_: object) -> Detected:
    """Find e-mail addresses, simply."""
    return Detected([Entity("email", m.start(), m.end(), m[0], 0.9, "test") for m in EMAIL.finditer(text)])


def finding(*spans: tuple[str, int, int]) -> Any:
    def detector(text: str, **_: object) -> Detected:
        return Detected([Entity(name, start, end, text[start:end], 0.9, "test") for name, start, end in spans])

    return detector


def run(
    text: str, *, detector: Any = find, settings: Settings = SETTINGS, now: float = NOW, **fields: Any
) -> TransformResult:
    request = TransformRequest(text, **fields)
    return transform(request, settings=settings, keyrings=lambda: RING, now=now, detector=detector)


def back(safe_text: str, state: str, repair: str = "strict") -> str:
    request = RehydrateRequest(safe_text, state, repair=repair)
    return rehydrate(request, settings=SETTINGS, keyrings=lambda: RING, now=NOW).restored_text


# --- replacing ---


def test_values_become_tokens() -> None:
    result = run("Ask a@x.org or b@x.org, not a@x.org.")
    assert result.safe_text == "Ask {{email:e_001}} or {{email:e_002}}, not {{email:e_001}}."
    assert back(result.safe_text, result.session_state) == "Ask a@x.org or b@x.org, not a@x.org."


def test_spans_are_those_of_the_input() -> None:
    text = "😀 a@x.org {{email:e_001}} b@x.org"
    for entity in run(text).entities:
        value = text[entity.start : entity.end]
        assert value in {"a@x.org", "b@x.org"} if entity.type == "email" else value == "{{email:e_001}}"


def test_context_holds_type_and_occurrences_only() -> None:
    assert run("a@x.org a@x.org [email:e_001]").entity_context == {
        "{{email:e_001}}": {"type": "email", "occurrences": 2},
        "{{literal:l_001}}": {"type": "literal", "occurrences": 1},
    }


def test_tagged_tokens_carry_one_tag() -> None:
    result = run("a@x.org {{email:e_001}}", token_style="tagged")
    tags = set(re.findall(r"_001\.(...)\}\}", result.safe_text))
    assert len(tags) == 1
    assert tokens.is_tag(tags.pop())


def test_a_text_without_finds_gives_a_session_too() -> None:
    result = run("")
    assert (result.safe_text, result.entities, result.warnings) == ("", (), ())
    assert back("", result.session_state) == ""


def test_finds_that_touch_are_two_tokens() -> None:
    result = run("abcdef", detector=finding(("email", 0, 3), ("phone", 3, 6)))
    assert result.safe_text == "{{email:e_001}}{{phone:p_001}}"


def test_representations_show_no_text() -> None:
    request = TransformRequest("a@x.org", session_state="og1.0.secret")
    assert "x.org" not in repr(request)
    assert "og1" not in repr(request)
    shown = repr(run("a@x.org private"))
    assert "private" not in shown
    assert "og1" not in shown


# --- token-like text ---


@pytest.mark.parametrize("repair", ["strict", "lenient"])
@pytest.mark.parametrize("style", ["plain", "tagged"])
@pytest.mark.parametrize(
    "text",
    [
        "{{email:e_001}} a@x.org",
        "{{literal:l_001}}",
        "{{literal:l_001}}{{literal:l_002}}{{email:e_001}}",
        r"\{\{email:e\_001\}\} a@x.org",
        "[email:e_001] a@x.org (email:e_001)",
        "{a@x.org}",
        "{{a@x.org}}",
        "{{email:a@x.org}}",
        "{{{{email:e_001}}}} a@x.org",
        "{{email:{{email:e_001}}e_001}} a@x.org",
        "{{a:a_{[email:e_001]}001}} a@x.org",
        "a@x.org_001}}",
        "{{e a@x.org_001}}",
        "\r\n\0{{email:e_001}}\u2028 a@x.org\x85",
        "{{email:e_001.k7q}} a@x.org",
        "&#123;email:e_001&#125; a@x.org",
    ],
)
def test_token_like_text_comes_back_as_it_was(text: str, style: str, repair: str) -> None:
    result = run(text, token_style=style)
    assert back(result.safe_text, result.session_state, repair) == text


def test_literals_are_listed_for_certain_whatever_was_asked_for() -> None:
    result = run("{{email:e_001}}", types=["phone"], threshold=1.0, detector=finding())
    assert [(found.type, found.confidence) for found in result.entities] == [("literal", 1.0)]


def test_a_value_in_token_like_text_is_hidden_all_the_same() -> None:
    text = "see {{url:u_001}}.example.com/julia now"
    result = run(text, detector=finding(("url", 4, 35)))
    assert result.safe_text == "see {{url:u_001}} now"
    assert back(result.safe_text, result.session_state) == text


# --- continuing ---


def test_a_value_keeps_its_token_over_turns() -> None:
    one = run("a@x.org")
    two = run("b@x.org a@x.org", session_state=one.session_state)
    assert two.safe_text == "{{email:e_002}} {{email:e_001}}"
    assert two.session_id == one.session_id
    assert (two.opened_kid, two.opened_expires_at) == (0, one.expires_at)
    assert back(one.safe_text, two.session_state) == "a@x.org"
    assert back(two.safe_text, two.session_state) == "b@x.org a@x.org"


def test_history_is_literal_unless_it_is_kept() -> None:
    one = run("a@x.org")
    two = run("{{email:e_001}}", session_state=one.session_state)
    assert two.safe_text == "{{literal:l_001}}"


def test_kept_tokens_stay_tokens() -> None:
    one = run("a@x.org")
    text = "{{email:e_001}} {{email:e_002}} { email:e_001 } b@x.org"
    two = run(text, session_state=one.session_state, input_tokens="keep")
    assert two.safe_text == "{{email:e_001}} {{literal:l_001}} {{literal:l_002}} {{email:e_002}}"
    assert back(two.safe_text, two.session_state, "lenient") == "a@x.org {{email:e_002}} { email:e_001 } b@x.org"
    assert [found.start for found in two.entities] == [16, 32, 48]
    assert two.entity_context["{{email:e_001}}"] == {"type": "email", "occurrences": 1}


def test_with_another_tag_nothing_is_kept() -> None:
    one, other = run("a@x.org", token_style="tagged"), run("a@x.org", token_style="tagged")
    if one.safe_text == other.safe_text:
        pytest.skip("both sessions drew one tag")
    two = run(other.safe_text, session_state=one.session_state, input_tokens="keep")
    assert two.safe_text.startswith("{{literal:l_001.")


@pytest.mark.parametrize(
    ("span", "safe"),
    [
        ((0, 25), "{{phone:p_001}}{{email:e_001}}{{phone:p_002}}"),
        ((0, 12), "{{phone:p_001}}{{email:e_001}} after"),
        ((12, 25), "before {{email:e_001}}{{phone:p_001}}"),
        ((8, 20), "before {{email:e_001}} after"),
    ],
)
def test_a_find_across_a_kept_token_is_hidden_on_both_sides(span: tuple[int, int], safe: str) -> None:
    one = run("a@x.org")
    text = "before {{email:e_001}} after"
    end = min(span[1] + 3, len(text)) if span[1] == 25 else span[1]
    two = run(text, session_state=one.session_state, input_tokens="keep", detector=finding(("phone", span[0], end)))
    assert two.safe_text == safe
    assert back(two.safe_text, two.session_state) == "before a@x.org after"


def test_several_finds_and_kept_tokens_keep_their_order() -> None:
    one = run("a@x.org")
    token = "{{email:e_001}}"
    text = f"{token}ab{token}cd{token}"
    spans = [("phone", 14, 16), ("phone", 16, 20), ("url", 33, 35)]
    two = run(text, session_state=one.session_state, input_tokens="keep", detector=finding(*spans))
    assert back(two.safe_text, two.session_state) == "a@x.orgaba@x.orgcda@x.org"
    assert two.safe_text.count(token) == 3
    assert "a{" not in two.safe_text


def test_an_early_expiry_is_warned_of() -> None:
    settings = Settings(session=SessionSettings(ttl_seconds=100, max_age_seconds=150))
    one = run("a@x.org", settings=settings)
    two = run("a@x.org", settings=settings, session_state=one.session_state, now=NOW + 50)
    assert two.warnings == ()
    three = run("a@x.org", settings=settings, session_state=two.session_state, now=NOW + 51)
    assert [warning.code for warning in three.warnings] == ["session_expires_early"]
    assert three.expires_at == int(NOW + 150) * 1000
    with pytest.raises(SessionExpiredError):
        run("a@x.org", settings=settings, session_state=three.session_state, now=NOW + 150)


# --- keys ---


def test_the_keyring_is_taken_anew_when_it_seals() -> None:
    second = Key.from_secret(1, generate_secret())
    one = run("a@x.org")
    rings = iter([RING, Keyring((*RING.keys, second))])
    result = transform(
        TransformRequest("a@x.org", session_state=one.session_state),
        settings=SETTINGS, keyrings=lambda: next(rings), now=NOW, detector=find,
    )  # fmt: skip
    assert (result.opened_kid, result.kid) == (0, 1)


def test_a_fresher_keyring_is_asked_for_an_unknown_kid() -> None:
    state = run("a@x.org").session_state
    other = Keyring((Key.from_secret(5, generate_secret()),))
    result = transform(
        TransformRequest("a@x.org", session_state=state),
        settings=SETTINGS, keyrings=lambda: other, now=NOW, detector=find, open_with=lambda kid: RING,
    )  # fmt: skip
    assert (result.opened_kid, result.kid) == (0, 5)


# --- the request ---


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input_tokens": "drop"}, "input_tokens"),
        ({"input_tokens": "keep"}, "input_tokens"),
        ({"policy": "no-such-policy"}, "policy"),
        ({"token_style": "fancy"}, "token_style"),
        ({"threshold": 1.01}, "threshold"),
        ({"threshold": -0.01}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"types": ["email", "no-such-type"]}, r"types\[1\]"),
        ({"types": ["literal"]}, r"types\[0\]"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{field}: ") as failure:
        run("text", **fields)
    assert not any(word in failure.value.detail for word in ("no-such", "drop", "fancy", "nan", "1.01"))


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"^input: "):
        run("a\ud800b")


def test_the_style_of_a_session_is_not_changed() -> None:
    state = run("a@x.org", token_style="tagged").session_state
    assert (
        ".".join(run("a@x.org", session_state=state, token_style="tagged").safe_text.split(".")[:1]) == "{{email:e_001"
    )
    with pytest.raises(InvalidRequestError, match=r"^token_style: "):
        run("a@x.org", session_state=state, token_style="plain")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["phone"]),
        ({"types": []}, ["phone"]),
        ({"types": ["email"]}, ["email"]),
        ({"threshold": 0.99}, []),
        ({"terms": ["Aurora"], "types": ["term"]}, ["term"]),
    ],
)
def test_what_is_not_asked_for_is_as_configured(fields: dict[str, Any], expected: list[str]) -> None:
    result = run(
        "Aurora: a@x.org, tel 4960664",
        detector=None,
        settings=Settings(detection=DetectionSettings(threshold=0.25, types=("phone",))),
        **fields,
    )
    assert [entity.type for entity in result.entities] == expected


def test_a_session_that_grows_too_large_names_the_limit() -> None:
    small = replace(SETTINGS, session=SessionSettings(max_entities=2))
    assert len(run("a@x.org b@x.org", settings=small).entities) == 2
    with pytest.raises(PayloadTooLargeError, match=r"session\.max_entities"):
        run("a@x.org b@x.org {{email:e_001}}", settings=small)
    with pytest.raises(PayloadTooLargeError, match=r"session\.max_blob_bytes"):
        run(f"{'a' * 2000}@x.org", settings=replace(SETTINGS, session=SessionSettings(max_blob_bytes=1024)))


def test_the_real_detector_is_the_default() -> None:
    request = TransformRequest("Write to julia@example.com")
    result = transform(request, settings=SETTINGS, keyrings=lambda: RING, now=NOW)
    assert result.safe_text == "Write to {{email:e_001}}"
