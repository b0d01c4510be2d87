from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai.detection.codes import Layouts, compact
from oguardai.detection.detector import Code

CODES = (
    Code("grouped", "a", ("999|99|9999",), "123-45-6789", 0.5),
    Code("glued", "b", ("AA999999A",), "AB123456C", 0.5),
    Code("led", "c", ("AA 99 99 99 A",), "AB 12 34 56 C", 0.5),
    Code("either", "d", ("9X9",), "1A2", 0.5),
    Code("loose", "e", ("AXXXX9",), "A1B2C3", 0.5),
    Code("dotted", "f", ("99.999.999-X",), "12.345.678-K", 0.5),
)
LAYOUTS = Layouts(CODES)


def found(text: str) -> list[tuple[str, str]]:
    return [(CODES[place].name, text[m.start : m.end]) for m in LAYOUTS.matches(text) for place in m.places]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("123-45-6789", "grouped", "123-45-6789"),
        ("no 123 45 6789.", "grouped", "123 45 6789"),
        ("(123456789)", "grouped", "123456789"),
        ("id:123456789,", "grouped", "123456789"),
        ('"n":"123456789"', "grouped", "123456789"),
        ("x=123456789;", "grouped", "123456789"),
        ("nino AB123456C", "glued", "AB123456C"),
        ("ab123456c!", "glued", "ab123456c"),
        ("my AB 12 34 56 C is", "led", "AB 12 34 56 C"),
        ("AB 12 34 56 C", "led", "AB 12 34 56 C"),
        ("1A2", "either", "1A2"),
        ("123", "either", "123"),
        ("A1B2C3", "loose", "A1B2C3"),
        ("12.345.678-9", "dotted", "12.345.678-9"),
        ("12.345.678-K", "dotted", "12.345.678-K"),
        ("番号は123-45-6789です", "grouped", "123-45-6789"),
        ("여권번호는 AB123456C입니다", "glued", "AB123456C"),
    ],
)
def test_what_is_written_like_a_code_is_proposed(text: str, name: str, value: str) -> None:
    assert (name, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "123-45 6789",  # two separators
        "123-45-67890",
        "0123-45-6789",
        "123-45-6789-1",
        "1-123-45-6789",
        "1.123456789",
        "123456789.5",
        "123456789.pdf",
        "a/123456789/b",
        "user_123456789",
        "123456789_x",
        "$123456789",
        "123456789%",
        "é123456789",
        "123456789é",
        "99 123 45 6789",
        "123 45 6789 99",
        "ABC123456C",
        "AB123456CD",
    ],
)
def test_a_part_of_something_longer_is_not(text: str) -> None:
    assert not [name for name, _ in found(text) if name in {"grouped", "glued"}]


def test_the_compact_form_is_upper_case_without_separators() -> None:
    assert compact("ab-12 34.5/6:7_x") == "AB1234567X"


@settings(deadline=None)
@given(st.text(alphabet="0123456789ABCab -./:_é", max_size=80))
def test_every_match_fits_the_layout_of_its_code(text: str) -> None:
    for match in LAYOUTS.matches(text):
        shape = "".join("9" if c in "0123456789" else "A" if c.isalpha() else c for c in text[match.start : match.end])
        for place in match.places:
            layouts = [
                written
                for layout in CODES[place].layouts
                for separator in ("", *CODES[place].separators)
                for written in [layout.replace("|", separator)]
            ]
            assert any(
                len(shape) == len(written) and all(w in (s, "X") for w, s in zip(written, shape, strict=True))
                for written in layouts
            )
