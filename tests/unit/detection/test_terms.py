from __future__ import annotations

import pytest

from oguardai.config import DetectionSettings, DetectorSettings
from oguardai.detection import detect
from oguardai.detection.configured import Detection
from oguardai.detection.terms import check_term, terms_finder

from .samples import wide


def found(text: str, *terms: str) -> list[str]:
    return [e.value for e in detect(text, types=["term"], finders=[terms_finder(terms)])]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("about Project Aurora, please", "Project Aurora"),
        ("about project aurora.", "Project Aurora"),
        ("PROJECT\n  AURORA", "Project Aurora"),
        ("the #aurora channel", "#aurora"),
        ("see C++ there", "C++"),
        ("Müller's", "müller"),
        ("鈴木さんへ", "鈴木"),
        (wide("Aurora"), "aurora"),
        ("--- ***", "***"),
    ],
)
def test_a_term_is_found_in_any_case_and_spacing(text: str, term: str) -> None:
    assert len(found(text, term)) == 1


@pytest.mark.parametrize(
    ("text", "term"), [("auroras", "aurora"), ("xaurora", "aurora"), ("the aurora channel", "#aurora"), ("aurora", "b")]
)
def test_a_term_is_a_whole_word(text: str, term: str) -> None:
    assert found(text, term) == []


def test_every_term_is_found_at_every_place() -> None:
    assert found("a-one b-two a-one", "a-one", "b-two", "one") == ["a-one", "b-two", "a-one"]


@pytest.mark.parametrize("term", ["", "x", " x1", "x1 ", "x" * 201, "\n\n"])
def test_a_term_that_finds_too_much_is_refused(term: str) -> None:
    assert check_term(term)


def test_terms_of_a_request_are_found_with_its_other_types() -> None:
    detection = Detection(DetectionSettings(), DetectorSettings())
    kinds = [e.type for e in detection.detect("Aurora: jane@example.com", terms=["aurora"]).entities]
    assert kinds == ["term", "email"]
