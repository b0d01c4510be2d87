from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai.detection import ENTITY_TYPES, DetectionError, Entity, detect, engine
from oguardai.detection.normalize import lower, normalize

from .samples import FOUND, wide

ALL = tuple(ENTITY_TYPES)
SNIPPETS = [value for _, _, value, _ in FOUND] + [
    "tel ",
    "born ",
    "@",
    "://",
    " ",
    "\n",
    "1",
    "-",
    ".",
    "+",
    "{{",
    "é",
    "\U0001d7d9",
]
TEXTS = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=8)).map("".join)


def _types(text: str, **options: object) -> list[str]:
    return [entity.type for entity in detect(text, **options)]  # type: ignore[arg-type]


def test_table_of_types_is_read_only() -> None:
    with pytest.raises(TypeError):
        ENTITY_TYPES["x"] = ENTITY_TYPES["email"]  # type: ignore[index]


def test_unknown_type_is_refused_without_a_word_of_the_text() -> None:
    with pytest.raises(ValueError, match="unknown entity type") as caught:
        detect("jane@example.com", types=["email", "nonsense"])
    assert "jane" not in str(caught.value)


def test_value_is_in_no_representation() -> None:
    (entity,) = detect("jane@example.com")
    assert "jane" not in repr(entity) + str(entity) + f"{[entity]}"


def test_no_types_find_nothing() -> None:
    assert detect("jane@example.com", types=[]) == []


def test_longer_find_wins() -> None:
    (entity,) = detect("https://10.0.0.1/jane@example.com")
    assert entity.type == "url"


def test_narrower_type_is_found_when_the_longer_is_not_asked_for() -> None:
    assert _types("https://10.0.0.1/x", types=["ip"]) == ["ip"]


def test_of_equal_length_the_more_certain_wins() -> None:
    (entity,) = detect("ssn 123-45-6780")
    assert entity.type == "us_ssn"
    assert engine._resolve([(0, 5, 0.6, 1), (0, 5, 0.7, 2), (0, 5, 0.7, 3)], 5) == [(0, 5, 0.7, 2)]


def test_overlap_is_resolved_by_length_over_all() -> None:
    finds = [(0, 4, 0.9, 0), (3, 10, 0.5, 1), (9, 12, 0.9, 0), (12, 14, 0.5, 0)]
    assert engine._resolve(finds, 20) == [(3, 10, 0.5, 1), (12, 14, 0.5, 0)]


def test_touching_finds_are_both_kept() -> None:
    assert engine._resolve([(4, 8, 0.5, 0), (0, 4, 0.5, 0)], 8) == [(0, 4, 0.5, 0), (4, 8, 0.5, 0)]


def test_find_below_the_threshold_shadows_nothing() -> None:
    text = "tel 4960664"
    assert _types(text, threshold=0.61) == []
    assert _types(text, threshold=0.6) == ["phone"]
    assert [e.type for e in detect("see www.10.example.com/jane@example.com", threshold=0.9)] == ["email"]


def test_context_word_raises_confidence_and_is_capped() -> None:
    (plain,) = detect("10.0.0.1")
    (named,) = detect("host 10.0.0.1")
    (card,) = detect("card 4111111111111111")
    assert (plain.confidence, named.confidence, card.confidence) == (0.8, 0.99, 0.99)


def test_context_word_out_of_reach_does_not_count() -> None:
    assert _types("tel " + "x " * 40 + "4960664") == []


def test_context_word_is_a_whole_word() -> None:
    assert _types("hotel 4960664") == []


def test_context_word_counts_for_several_numbers() -> None:
    assert _types("tel 4960664, 4960665, 4960666") == ["phone"] * 3


@pytest.mark.parametrize("lead", ["😀😀 ", "\U0001d7d9 ", "\r\n", "\0", "é ", f"{wide('12')} "])
def test_span_counts_code_points(lead: str) -> None:
    text = f"{lead}mail jane@example.com"
    (entity,) = detect(text)
    assert text[entity.start : entity.end] == entity.value == "jane@example.com"


def test_value_keeps_the_original_characters() -> None:
    number = wide("4111") + "\u00a01111" * 3
    (entity,) = detect("😀 " + number)
    assert entity.value == number


def test_find_longer_than_its_window_is_whole() -> None:
    url = "https://example.com/" + "a/" * 5000 + "end"
    (entity,) = detect(f"see {url} there")
    assert entity.value == url


def test_failure_of_a_detector_is_an_error_and_says_nothing_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("jane@example.com")

    monkeypatch.setattr(engine, "_judge", fail)
    with pytest.raises(DetectionError) as caught:
        detect("jane@example.com")
    assert "jane" not in str(caught.value)
    assert "email" in str(caught.value)


def test_normalisation_keeps_every_length() -> None:
    every = "".join(chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i <= 0xDFFF)
    folded = normalize(every)
    assert len(lower(folded)) == len(folded) == len(every)
    assert all(a == b for a, b in zip(every[:128], folded[:128], strict=True))


def test_ascii_is_not_copied() -> None:
    text = "plain text"
    assert normalize(text) is text


def _check(text: str, found: list[Entity]) -> None:
    end = 0
    for entity in found:
        assert end <= entity.start < entity.end <= len(text)
        assert entity.value == text[entity.start : entity.end]
        assert 0.5 <= entity.confidence <= 0.99
        assert ENTITY_TYPES[entity.type]
        end = entity.end


@settings(deadline=None)
@given(TEXTS)
def test_any_text_gives_sorted_disjoint_exact_spans(text: str) -> None:
    _check(text, detect(text, types=ALL))


@pytest.mark.parametrize("text", ["M123A4567 and M456B7890", "M123A4567, M456B7890", "M123A4567\nM456B7890"])
def test_values_that_are_all_of_a_text_are_found_where_their_type_is_asked_for(text: str) -> None:
    assert [entity.value for entity in detect(text, types=["kr_passport"])] == ["M123A4567", "M456B7890"]
    assert detect(f"see {text}", types=["kr_passport"]) == []
    assert detect(text) == []


def test_of_two_numbers_behind_a_word_for_a_telephone_both_are_found() -> None:
    text = "try one of these phones 052 5552606 074-7111234"
    assert [entity.value for entity in detect(text)] == ["052 5552606", "074-7111234"]


def test_a_value_does_not_follow_itself() -> None:
    found = detect(
        "A12345678 was seen", types=["passport", "kr_passport", "us_driver_license"], threshold=0, explain=True
    )
    assert found
    assert "follows" not in {evidence.kind for entity in found for evidence in entity.explanation}


@pytest.mark.parametrize(
    ("text", "kind"), [("NHS 000 000 0000", "uk_nhs"), ("NIP: 111-111-11-11", "pl_nip"), ("000000000", "pl_regon")]
)
def test_a_number_of_one_digit_is_nobodys_though_its_check_digit_is_right(text: str, kind: str) -> None:
    assert detect(text, types=[kind]) == []
