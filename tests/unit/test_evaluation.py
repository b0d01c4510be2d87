"""Labelled files are read as documented, and scores are what a reader of the figures thinks they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oguardai.detection import ENTITY_TYPES
from oguardai.evaluation import ALIASES, Corpus, Kind, Row, Score, Value, find_kind, read_corpus, score_rows, total

KNOWN = ("email", "phone", "ip", "date", "date_of_birth", "passport", "de_passport", "us_ssn", "location", "address")
OWN = Path(__file__).parents[1] / "accuracy"
TEXT = "Mail jo@example.com or call 555 0100."
MAIL, PHONE = [5, 19, "email"], [28, 36, "phone"]


def read(*rows: Any, all_types: bool = False) -> Corpus:
    corpus = read_corpus([json.dumps(row) for row in rows], KNOWN, all_types=all_types)
    assert corpus.wrong == ()
    return corpus


def score(row: Mapping[str, Any], *finds: tuple[int, int, str]) -> dict[str, Score]:
    """Score one row that is a file of its own."""
    found = [Value(start, end, Kind.of(kind)) for start, end, kind in finds]
    return score_rows(read(row).rows, lambda _row: found)


# --- scoring -------------------------------------------------------------------------------------------------


def test_what_is_found_exactly_is_right_and_does_not_leak() -> None:
    scores = score({"text": TEXT, "spans": [MAIL]}, (5, 19, "email"))
    assert scores["email"].as_dict() == {
        "labelled": 1,
        "found": 1,
        "right": 1,
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "f2": 1.0,
        "exact_precision": 1.0,
        "exact_recall": 1.0,
        "leaks": 0.0,
    }


def test_a_part_is_right_but_not_exact_and_leaks() -> None:
    email = score({"text": TEXT, "spans": [MAIL]}, (8, 19, "email"))["email"]
    assert (email.precision, email.recall, email.exact_precision, email.exact_recall, email.leaks) == (1, 1, 0, 0, 1)


def test_more_than_the_value_is_right_but_not_exact_and_does_not_leak() -> None:
    email = score({"text": TEXT, "spans": [MAIL]}, (0, 22, "email"))["email"]
    assert (email.recall, email.exact_recall, email.leaks) == (1, 0, 0)


def test_a_find_that_only_touches_a_label_is_wrong() -> None:
    email = score({"text": TEXT, "spans": [MAIL]}, (0, 5, "email"), (19, 22, "email"))["email"]
    assert (email.found, email.right, email.recall) == (2, 0, 0)


def test_two_finds_in_one_label_are_one_value_found() -> None:
    email = score({"text": TEXT, "spans": [MAIL]}, (5, 7, "email"), (8, 19, "email"))["email"]
    assert (email.labelled, email.recall, email.found, email.precision, email.leaks) == (1, 1, 2, 1, 1)


def test_one_find_over_two_labels_finds_both() -> None:
    scores = score({"text": TEXT, "spans": [MAIL, [20, 36, "email"]]}, (5, 36, "email"))
    assert (scores["email"].recall, scores["email"].found, scores["email"].precision) == (1, 1, 1)


def test_a_find_of_another_type_is_wrong_but_keeps_the_value_from_leaking() -> None:
    scores = score({"text": TEXT, "spans": [MAIL, PHONE]}, (5, 19, "phone"))
    assert (scores["email"].recall, scores["email"].leaks) == (0, 0)
    assert (scores["phone"].found, scores["phone"].right, scores["phone"].leaks) == (1, 0, 1)


def test_finds_of_types_that_are_not_labelled_do_not_count() -> None:
    assert set(score({"text": TEXT, "spans": [MAIL]}, (28, 36, "phone"))) == {"email"}


def test_a_row_may_say_what_it_labels() -> None:
    scores = score({"text": TEXT, "spans": [MAIL], "types": ["phone"]}, (5, 19, "email"), (0, 4, "phone"))
    assert (scores["email"].right, scores["phone"].found, scores["phone"].right) == (1, 1, 0)


def test_any_find_is_wrong_where_all_is_labelled_and_nothing_is_there() -> None:
    scores = score({"text": TEXT, "spans": [], "types": "all"}, (5, 19, "email"), (28, 36, "phone"))
    assert {name: (one.found, one.right, one.labelled) for name, one in scores.items()} == {
        "email": (1, 0, 0),
        "phone": (1, 0, 0),
    }


def test_a_row_that_does_not_say_what_it_labels_labels_what_its_file_does() -> None:
    corpus = read({"text": TEXT, "spans": [MAIL]}, {"text": TEXT, "spans": [PHONE]}, {"text": "555", "spans": []})
    finds = {TEXT: [Value(5, 19, Kind.of("email"))], "555": [Value(0, 3, Kind.of("phone"))]}
    scores = score_rows(corpus.rows, lambda row: finds[row.text])
    assert (scores["email"].found, scores["email"].right) == (2, 1)
    assert (scores["phone"].found, scores["phone"].right) == (1, 0)


def test_nothing_labelled_and_nothing_found_have_no_share() -> None:
    assert {value for name, value in Score().as_dict().items() if name not in {"labelled", "found", "right"}} == {None}


def test_f2_weighs_recall_more_than_f1_does() -> None:
    many = Score(labelled=10, hit=9, found=30, right=9)
    assert many.f(1) == pytest.approx(2 * 0.3 * 0.9 / 1.2)
    assert many.f(2) == pytest.approx(5 * 0.3 * 0.9 / (4 * 0.3 + 0.9))
    assert Score(labelled=3).f(2) == 0


def test_the_total_is_of_all_values_not_the_mean_of_the_types() -> None:
    everything = total([Score(labelled=9, hit=9), Score(labelled=1)])
    assert everything.recall == pytest.approx(0.9)


spans = st.tuples(st.integers(0, 19), st.integers(1, 6), st.sampled_from(["email", "phone"])).map(
    lambda span: (span[0], min(span[0] + span[1], 20), span[2])
)


@given(st.lists(spans, max_size=5), st.lists(spans, max_size=5))
def test_no_count_is_greater_than_what_it_is_a_share_of(labels: list[Any], finds: list[Any]) -> None:
    for one in score({"text": "x" * 20, "spans": [list(label) for label in labels]}, *finds).values():
        assert 0 <= one.hit <= one.labelled
        assert 0 <= one.right <= one.found
        assert 0 <= one.exact <= one.hit
        assert 0 <= one.leaked <= one.placed


# --- rows of other forms ---------------------------------------------------------------------------------------


def test_a_row_that_tests_one_type_looks_for_that_type_alone() -> None:
    row = {"text": TEXT, "spans": [MAIL, PHONE], "tested_type": "email"}
    assert read(row).rows[0].wanted == frozenset({"email"})
    assert read(row, all_types=True).rows[0].wanted is None
    assert set(score(row, (5, 19, "email"), (28, 36, "phone"))) == {"email"}


def test_a_tested_type_that_is_not_there_is_never_found() -> None:
    corpus = read({"text": TEXT, "spans": [[5, 19, "TEAPOT"]], "tested_type": "TEAPOT"})
    assert corpus.rows[0].wanted == frozenset()
    assert corpus.unknown == {"TEAPOT": 2}
    assert score_rows(corpus.rows, lambda _row: [])["teapot"].recall == 0


@pytest.mark.parametrize(
    ("count", "found", "expected"), [(2, 2, (2, 2, 2)), (2, 1, (2, 1, 1)), (1, 3, (1, 3, 1)), (0, 1, (0, 1, 0))]
)
def test_a_count_stands_for_places(count: int, found: int, expected: tuple[int, int, int]) -> None:
    finds = [(place, place + 1, "email") for place in range(found)]
    one = score({"text": TEXT, "type": "EMAIL_ADDRESS", "count": count}, *finds)["email"]
    assert (one.labelled, one.found, one.right) == expected
    assert (one.exact_precision, one.exact_recall, one.leaks) == (None, None, None)


def test_a_row_that_contains_a_type_wants_at_least_one() -> None:
    row = {"text": TEXT, "spans": [], "contains_type": "EMAIL_ADDRESS"}
    assert score(row)["email"].recall == 0
    one = score(row, (0, 1, "email"), (2, 3, "email"))["email"]
    assert (one.recall, one.precision) == (1, 1)


def test_a_value_is_a_text_of_its_own() -> None:
    rows = read(
        {"value": "536-90-4399", "type": "US_SSN", "valid": True},
        {"value": "536-90-4390", "type": "US_SSN", "valid": False},
        {"value": "536-90-4399", "type": "US_SSN", "valid": None},
        {"value": "536-90-4399", "type": None, "valid": True},
    )
    assert [(row.text, [label[:2] for label in row.labels]) for row in rows.rows] == [
        ("536-90-4399", [(0, 11)]),
        ("536-90-4390", []),
    ]
    assert rows.skipped == 2


# --- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "accepts"),
    [
        ("email", {"email"}),
        ("passport", {"passport"}),
        ("US_SSN", {"us_ssn"}),
        ("IPV4", {"ip"}),
        ("PASSPORT", {"passport", "de_passport"}),
        ("DATE_TIME", {"date", "date_of_birth"}),
        ("LOCATION", {"location", "address"}),
        ("NOT_YET", {"not_yet"}),
    ],
)
def test_names_of_other_sets_are_understood(name: str, accepts: set[str]) -> None:
    kind = find_kind(name, KNOWN)
    assert kind is not None
    assert kind.accepts == accepts


def test_one_of_several_types_is_enough() -> None:
    row = {"text": "C01X00T47", "spans": [[0, 9, "PASSPORT"]]}
    assert score(row, (0, 9, "de_passport"))["passport"].recall == 1


def test_a_wrong_find_counts_for_the_type_of_its_name() -> None:
    row = {"text": TEXT, "spans": [[0, 1, "LOCATION"], [2, 3, "address"]]}
    scores = score(row, (30, 32, "address"))
    assert (scores["address"].found, scores["location"].found) == (1, 0)


def test_what_is_no_matter_of_ours_is_left_out_and_said() -> None:
    corpus = read({"text": TEXT, "spans": [[0, 4, "MISC"], MAIL]})
    assert corpus.left_out == {"MISC": 1}
    assert [label.kind.name for label in corpus.rows[0].labels] == ["email"]


def test_every_alias_leads_to_a_type() -> None:
    kinds = {name: find_kind(name, ENTITY_TYPES) for name in ALIASES}
    assert [name for name, kind in kinds.items() if kind and kind.accepts.isdisjoint(ENTITY_TYPES)] == []


def test_every_national_number_is_a_type() -> None:
    assert set(ALIASES["NATIONAL_ID"]) - set(ENTITY_TYPES) == {"national_id"}


# --- lines that are wrong --------------------------------------------------------------------------------------

WRONG = {
    "no json": ("expected a JSON object on one line", "{"),
    "no object": ("expected a JSON object", "[1]"),
    "deep": ("expected a JSON object on one line", "[" * 100_000),
    "no text": ("expected `text`: a string", "{}"),
    "number": ("expected `text`: a string", '{"text": 1, "spans": []}'),
    "surrogate": ("expected `text`: a string without lone surrogates", '{"text": "\\ud800", "spans": []}'),
    "no spans": ('expected `spans`: a list of [start, end, "type"]', '{"text": "a"}'),
    "flat": ('span 1: expected [start, end, "type"], start and end whole numbers', '{"text": "a", "spans": [0]}'),
    "float": (
        'span 1: expected [start, end, "type"], start and end whole numbers',
        '{"text": "a", "spans": [[0, 1.0, "ip"]]}',
    ),
    "true": (
        'span 1: expected [start, end, "type"], start and end whole numbers',
        '{"text": "a", "spans": [[false, true, "ip"]]}',
    ),
    "behind": (
        "span 2: expected 0 <= start < end <= 3, the text's length",
        '{"text": "abc", "spans": [[0, 3, "ip"], [1, 4, "ip"]]}',
    ),
    "empty": ("span 1: expected 0 <= start < end <= 3, the text's length", '{"text": "abc", "spans": [[1, 1, "ip"]]}'),
    "no type": ("expected the name of a type", '{"text": "abc", "spans": [[0, 1, null]]}'),
    "types": ('expected `types`: "all" or a list of names', '{"text": "abc", "spans": [], "types": "ip"}'),
    "count": ("expected `count`: a whole number", '{"text": "abc", "type": "ip", "count": -1}'),
    "valid": ("expected `valid`: true, false or null", '{"value": "abc", "type": "ip", "valid": 1}'),
}


@pytest.mark.parametrize(("reason", "line"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_is_named_with_what_was_expected(reason: str, line: str) -> None:
    corpus = read_corpus(["", line, '{"text": "abc", "spans": []}'], KNOWN)
    assert corpus.wrong == ((2, reason),)
    assert [row.line for row in corpus.rows] == [3]


def test_a_row_does_not_show_its_text() -> None:
    assert "jo@example" not in repr(Row(1, TEXT, (), ()))


# --- the project's own set ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(OWN.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_projects_own_rows_are_right(path: Path) -> None:
    corpus = read_corpus(path.read_text(encoding="utf-8").split("\n"), ENTITY_TYPES)
    assert corpus.wrong == ()
    assert (corpus.left_out, corpus.skipped) == ({}, 0)
    assert len({row.text for row in corpus.rows}) == len(corpus.rows)
    for row in corpus.rows:
        assert row.kinds is None, row.line
        values = [row.text[label.start : label.end] for label in row.labels]
        assert values == [value.strip() for value in values], row.line
        assert all(one.end <= other.start for one, other in zip(row.labels, row.labels[1:], strict=False)), row.line
