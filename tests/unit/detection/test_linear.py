"""What patterns of operators are taken: those that are plainly linear, in the number of steps and not by the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai.detection.linear import MOST_CHARACTERS, PatternError, check_pattern

ORDINARY = (
    r"\bEMP-\d{6}\b",
    r"\b[A-Z]{2,10}-\d+\b",
    r"acme_[A-Za-z0-9]{20,}",
    r"https?://\S+",
    r"\w{1,20}@example\.com",
    r"\b\w+@example\.com",
    r"<[^<>]+>",
    r'"[^"]+"',
    r"(?<!\S)\S+",
    r"(?<![A-Z0-9])[A-Z0-9]+-\d",
    r"(?:\d[ -]?){13,19}",
    r"\b[0-9a-f]{128}\b",
    r"(?i)employee\s{0,4}(?:id|no)\.?\s{0,4}:?\s{0,4}\d{5,8}",
    r"^[a-z]+:",
    r"(?m)^[a-z]+:",
    r"[A-Z]{1,3}[- ]?\d{1,4}[- ]?[A-Z]{0,2}",
    r"\b(?:[A-Z]\d){3}\b",
    r"Projekt[- ][A-ZÄÖÜ][a-zäöüß]{2,20}",
    r"BEGIN.{0,32}?END",
    r"PNR\d{6}(?!\d)",
    r"[A-Z0-9]{5,10}[0-9]{3}",
    r"x[a-w]*z",
    r"\bAB(?:-\d+)?\b",
    r"(?P<year>\d{4})-(?:0[1-9]|1[0-2])",
    r"\d{1,3}+-\d",
)
CATASTROPHIC = (
    r"(a+)+$",
    r"(a*)*b",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"([a-zA-Z]+)*x",
    r"(.*a){20}",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r'("[^"]*")*$',
    r"(?:a{1,60}){1,60}!",
    r"([a-z]{1,60}x?){1,60}",
    r"(?:a?){30}a{30}",
    r"x[a-z]*[a-z0-9]*!",
    r"-(?:ab|a|b)*!",
    r"-(?:a|ab?)*!",
)
QUADRATIC = (
    r"\s+$",
    r"\s*#",
    r"\w+@",
    r"[a-z]+\d",
    r".*x",
    r"x.*y",
    r"x\d+\d+y",
    r"<[^>]*>",
    r"foo[a-z]*x",
    r"foo[a-z]+\b",
    r"\b[a-z.]+@",
    r"a(?=.*b)",
    r"a(?!.*b)",
    r"(?:foo|bar)+baz",
    r"(?:x[a-z]*!|x)",
    r"x(?:[a-z]*!)?",
    r"[a-z]{200}!",
    r"-[a-z]*[0-9]*[a-z]*!",
)


@pytest.mark.parametrize("pattern", ORDINARY)
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    assert check_pattern(pattern).pattern == pattern


@pytest.mark.parametrize("pattern", CATASTROPHIC + QUADRATIC)
def test_patterns_that_may_take_more_than_linear_time_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"repeat|too many ways|looks over"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "the empty text"),
        ("a*", "the empty text"),
        ("x?|y", "the empty text"),
        (r"\b", "the empty text"),
        ("[a", "not a regular expression: unterminated character set at character 1"),
        ("[z-a]", "bad character range at"),
        ("a{1", None),
        (r"\q", "not a regular expression: bad escape"),
        ("[a--b]", "reads alike"),
        (r"(?u)x\w", "reads alike"),
        ("(?u:x)", "flag|reads alike|not a regular"),
        (r"(\w)\1", "back-references"),
        (r"(a)?(?(1)b|c)", "back-references"),
        (r"(?P<n>a)(?P=n)", "back-references"),
        ("(?>a+)b", "atomic"),
        ("(?:ab)++c", "possessive repeat of a group"),
        ("(" * 100 + "a" + ")" * 100, None),
        ("(" * 490 + "a" + ")" * 490, "nested too deeply"),
        ("a" * (MOST_CHARACTERS + 1), "at most 1000"),
        ("a{99999999999}", "reads alike"),
    ],
)
def test_what_is_wrong_is_said(pattern: str, reason: str | None) -> None:
    if reason is None:
        check_pattern(pattern)
        return
    with pytest.raises(PatternError, match=reason):
        check_pattern(pattern)


def test_a_refusal_quotes_nothing_of_the_pattern() -> None:
    for pattern in (r"(?<Aurora>x)", r"Aurora(", r"(?P<Aurora>x)(?P<Aurora>y)", r"(?P=Aurora)", r"Aurora*Aurora{3,2}"):
        with pytest.raises(PatternError) as refused:
            check_pattern(pattern)
        assert "Aurora" not in str(refused.value)


# --- steps ---------------------------------------------------------------------------------------------------


class Steps:
    """Match as a plain backtracking engine does, and count the characters that it looks at."""

    def __init__(self, pattern: str) -> None:
        parser: Any = import_module("re._parser")
        self.tree = parser.parse(pattern, re.ASCII)
        self.count = 0

    def search_all(self, text: str) -> int:
        at = self.count = 0
        while at <= len(text):
            end = next(self._sequence(list(self.tree), text, at), None)
            at = at + 1 if end is None else max(end, at + 1)
        return self.count

    def _sequence(self, items: list[Any], text: str, at: int) -> Iterator[int]:
        if not items:
            yield at
            return
        for end in self._item(*items[0], text, at):
            yield from self._sequence(items[1:], text, end)

    def _item(self, code: Any, value: Any, text: str, at: int) -> Iterator[int]:
        self.count += 1
        match str(code):
            case "MAX_REPEAT" | "MIN_REPEAT":
                yield from self._repeat(*value, text, at, lazy=str(code) == "MIN_REPEAT")
            case "BRANCH":
                for branch in value[1]:
                    yield from self._sequence(list(branch), text, at)
            case "SUBPATTERN":
                yield from self._sequence(list(value[3]), text, at)
            case "AT":
                if bool(at > 0 and text[at - 1].isalnum()) != bool(at < len(text) and text[at].isalnum()):
                    yield at
            case _:
                if at < len(text) and self._fits(str(code), value, ord(text[at])):
                    yield at + 1

    def _repeat(self, low: int, high: int, body: Any, text: str, at: int, *, lazy: bool) -> Iterator[int]:
        stack = [(at, 0, self._sequence(list(body), text, at))]
        if lazy and low == 0:
            yield at
        while stack:
            here, count, ends = stack[-1]
            end = next(ends, None) if count < high else None
            if end is not None:
                stack.append((end, count + 1, self._sequence(list(body), text, end)))
                if lazy and count + 1 >= low:
                    yield end
                continue
            stack.pop()
            if not lazy and count >= low:
                yield here

    @staticmethod
    def _fits(code: str, value: Any, char: int) -> bool:
        if code == "ANY":
            return char != 10
        if code == "IN":
            inside = any(
                item == char if str(kind) == "LITERAL" else item[0] <= char <= item[1]
                for kind, item in value
                if str(kind) != "NEGATE"
            )
            return inside != (str(value[0][0]) == "NEGATE")
        return (value == char) != (code == "NOT_LITERAL")


def growth(pattern: str, text: str) -> tuple[int, int]:
    """Return the steps for a text of 150 characters, and for one of 300 like it."""
    steps = Steps(pattern)
    few, many = ((text * 300)[:size] for size in (150, 300))
    return steps.search_all(few), steps.search_all(many)


def is_linear(few: int, many: int) -> bool:
    return many <= 2.4 * few + 1000


_ONE = st.sampled_from(["a", "b", "-", "[ab]", "[a-]", "[^a]", "[^-]", "."])
_TIMES = st.sampled_from(["", "*", "+", "?", "{1,3}", "{2}", "*?", "{2,}", "{0,4}"])
_PATTERNS = st.recursive(
    st.builds(str.__add__, _ONE, _TIMES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.builds("(?:{})?".format, inner),
        st.builds("(?:{}){}".format, inner, _TIMES),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds(r"\b{}".format, inner),
        st.builds(r"{}\b".format, inner),
    ),
    max_leaves=7,
)


@settings(deadline=None, max_examples=400)
@given(pattern=_PATTERNS, unit=st.text("ab-", min_size=1, max_size=4))
def test_whatever_is_taken_takes_steps_in_proportion_to_the_text(pattern: str, unit: str) -> None:
    try:
        check_pattern(pattern)
    except PatternError:
        return
    few, many = growth(pattern, unit)
    assert is_linear(few, many), (few, many)


@pytest.mark.parametrize(
    ("pattern", "text"), [("a+b", "a"), ("-[a-z-]*!", "-"), ("<[^>]*>", "<"), ("a[ab]*-", "ab"), (r"\b[a-b-]+!", "a-")]
)
def test_the_count_of_steps_tells_quadratic_patterns(pattern: str, text: str) -> None:
    assert not is_linear(*growth(pattern, text))
    with pytest.raises(PatternError):
        check_pattern(pattern)
