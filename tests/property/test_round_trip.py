"""Transform, then rehydrate, gives back every text exactly: whatever it looks like, in one turn or over several."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from oguardai import tokens
from oguardai.config import Settings
from oguardai.detection import Detected, Entity
from oguardai.keyring import Key, Keyring, generate_secret
from oguardai.rehydrate import RehydrateRequest, rehydrate
from oguardai.transform import TransformRequest, TransformResult, transform

NOW = 1_800_000_000.0
SETTINGS = Settings()
RING = Keyring((Key.from_secret(0, generate_secret()),))
EMAIL = re.compile(r"[a-z]+@[a-z]+")

# Crumbs of tokens in all their forms: most texts made of them hold almost-tokens, tokens in tokens, finds in tokens.
CRUMBS = st.sampled_from(
    [
        "{", "}", "{{", "}}", "{{{", "[", "]", "[[", "]]", "<", ">", "(", ")", "((", "))", "\\", "\\{", "\\}", "\\_",
        "&#123;", "&#125;", "&lt;", "&gt;", "\uff5b", "\uff5d", "【", "】", "email", "Email", "phone",
        "literal", "credit_card",
        "credit card", ":", "\uff1a", "=", "-", "_", " ", "e", "E", "l", "e_", "e_001", "e_002", "l_001",
        "E-001", "001", "1000",
        "000", ".", ".k7q", "k7q", "{{email:e_001}}", "{{literal:l_001}}", "{{literal:l_002}}", "{{email:e_001.k7q}}",
        "{ email:e_001 }", "[email:e_001]", "\\{\\{email:e\\_001\\}\\}", "a@b", "julia@example", "a@", "\r\n",
        "\0", "\u2028",
        "\u200b", "\ufeff", "\u00a0", "e\u0301", "😀", "\U0010ffff", "\u212a", "\u0131", "`", "\x1c",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(CRUMBS, max_size=25).map("".join),
    st.lists(CRUMBS | st.text(max_size=3), max_size=25).map("".join),
    st.text(max_size=60),
    st.text("{}[]()e:_01.\\ @", max_size=40),
)
STYLES = st.sampled_from(["plain", "tagged"])


def find(text: str, **_: object) -> Detected:
    return Detected(
        [Entity("email", match.start(), match.end(), match[0], 0.9, "test") for match in EMAIL.finditer(text)]
    )


def run(text: str, detector: Any = find, **fields: Any) -> TransformResult:
    request = TransformRequest(text, **fields)
    return transform(request, settings=SETTINGS, keyrings=lambda: RING, now=NOW, detector=detector)


def back(safe_text: str, state: str, repair: str) -> str:
    request = RehydrateRequest(safe_text, state, repair=repair)
    result = rehydrate(request, settings=SETTINGS, keyrings=lambda: RING, now=NOW)
    assert result.unknown_tokens == ()
    assert result.repaired == ()
    return result.restored_text


def assert_restores(text: str, result: TransformResult, state: str) -> None:
    assert back(result.safe_text, state, "strict") == text
    assert back(result.safe_text, state, "lenient") == text


@settings(max_examples=3000, deadline=None)
@given(TEXTS, STYLES)
@example("{{email:a@b}}", "plain")
@example("{{{email:e_001}}}a@b", "plain")
@example("{{email:{{email:e_001}}e_001}}", "plain")
def test_every_text_comes_back_exactly(text: str, style: str) -> None:
    result = run(text, token_style=style)
    assert_restores(text, result, result.session_state)


@settings(max_examples=1500, deadline=None)
@given(TEXTS, TEXTS, STYLES)
def test_every_turn_comes_back_with_the_last_session(first: str, second: str, style: str) -> None:
    one = run(first, token_style=style)
    two = run(second, session_state=one.session_state)
    assert_restores(first, one, two.session_state)
    assert_restores(second, two, two.session_state)


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_safe_text_can_be_made_safe_again(text: str) -> None:
    """Tokens of an earlier transform are text like any other to a new session."""
    once = run(text)
    twice = run(once.safe_text)
    assert_restores(once.safe_text, twice, twice.session_state)


@settings(max_examples=1500, deadline=None)
@given(TEXTS, TEXTS, STYLES)
def test_kept_history_comes_back_as_the_values(first: str, second: str, style: str) -> None:
    one = run(first, token_style=style)
    two = run(one.safe_text + "|" + second, session_state=one.session_state, input_tokens="keep")
    expected = back(one.safe_text, one.session_state, "strict") + "|"
    for repair in ("strict", "lenient"):
        restored = back(two.safe_text, two.session_state, repair)
        assert restored.startswith(expected)


@settings(max_examples=1000, deadline=None)
@given(TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 15)), max_size=6))
def test_finds_anywhere_are_restored(text: str, places: list[tuple[int, int]]) -> None:
    """Wherever finds begin and end, also within tokens and brackets."""
    found, position = [], 0
    for start, length in sorted(places):
        end = min(start + length, len(text))
        if start >= position and start < end:
            found.append(Entity("phone", start, end, text[start:end], 0.9, "test"))
            position = end
    result = run(text, detector=lambda text, **_: Detected(found))
    assert_restores(text, result, result.session_state)
    for entity in found:
        assert (entity.start, entity.end) in {(one.start, one.end) for one in result.entities}


@settings(max_examples=1000, deadline=None)
@given(TEXTS, STYLES, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=4))
def test_finds_across_kept_tokens_lose_nothing(text: str, style: str, places: list[tuple[int, int]]) -> None:
    one = run("a@b julia@example", token_style=style)
    history = f"{one.safe_text}{text}{one.safe_text}"
    found, position = [], 0
    for start, length in sorted(places):
        end = min(start + length, len(history))
        if start >= position and start < end:
            found.append(Entity("phone", start, end, history[start:end], 0.9, "test"))
            position = end
    two = run(history, session_state=one.session_state, input_tokens="keep", detector=lambda text, **_: Detected(found))
    # What is expected: the session's own tokens replaced, everything else as it was.
    by_strict_rules = rehydrate(
        RehydrateRequest(history, one.session_state), settings=SETTINGS, keyrings=lambda: RING, now=NOW
    ).restored_text
    assert_restores(by_strict_rules, two, two.session_state)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_nothing_in_the_safe_text_but_its_tokens_looks_like_one(text: str) -> None:
    result = run(text)
    given_out = {entity.token for entity in result.entities}
    pieces, position = [], 0
    for match in tokens.find_tokens(result.safe_text):
        assert match[0] in given_out
        pieces.append(result.safe_text[position : match.start()])
        position = match.end()
    pieces.append(result.safe_text[position:])
    assert not any(map(tokens.has_token_like, pieces))


@settings(max_examples=500, deadline=None)
@given(
    TEXTS
    | st.lists(CRUMBS | st.sampled_from(["julia@example.com", "+49 30 901820", "4111 1111 1111 1111"])).map("".join)
)
def test_every_text_comes_back_with_the_real_detector(text: str) -> None:
    result = run(text, detector=None)
    assert_restores(text, result, result.session_state)
