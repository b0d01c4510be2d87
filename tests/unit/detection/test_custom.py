"""What an operator declares under ``detection.detectors`` is checked, found, and weighed as built-in types are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai.config import DetectionSettings, Settings
from oguardai.detection import ENTITY_TYPES, Entity, custom, detection_of
from oguardai.detection.custom import FIELDS, MAX_DETECTORS, VALIDATORS, check, find_validator, load
from oguardai.detection.detector import Finder
from oguardai.detection.linear import PatternError, check_pattern

from .samples import wide

PAGE = (Path(__file__).parents[3] / "docs" / "detectors.md").read_text(encoding="utf-8")
EMPLOYEE = {"name": "employee", "type": "employee_id", "pattern": r"\bEMP-[0-9]{6}\b"}


def finder(**fields: Any) -> Finder:
    _, (made,) = load([json.dumps({**EMPLOYEE, **fields})])
    return made


def found(text: str, **fields: Any) -> list[Entity]:
    one = Settings(detection=DetectionSettings(detectors=(json.dumps({**EMPLOYEE, **fields}),)))
    return list(detection_of(one).detect(text, types=[fields.get("type", "employee_id")], threshold=0.1).entities)


def confidence(text: str, **fields: Any) -> float:
    (entity,) = found(text, **fields)
    return entity.confidence


# --- finding -------------------------------------------------------------------------------------------------


def test_a_declared_type_is_found() -> None:
    (entity,) = found("ask EMP-123456, not EMP-12345")
    assert (entity.type, entity.value, entity.detector) == ("employee_id", "EMP-123456", "employee")


def test_text_is_normalised_first() -> None:
    (entity,) = found(f"ask {wide('EMP-123456')} today")
    assert entity.value == wide("EMP-123456")


def test_case_counts_unless_it_is_declared_not_to() -> None:
    assert found("ask emp-123456") == []
    assert len(found("ask emp-123456 and EmP-123456", ignore_case=True)) == 2


def test_a_built_in_type_can_be_given_another_detector() -> None:
    types, _ = load([json.dumps({**EMPLOYEE, "type": "phone", "pattern": r"\bx[0-9]{4}\b"})])
    assert types == ()
    (entity,) = found("call x1234", type="phone", pattern=r"\bx[0-9]{4}\b")
    assert (entity.type, entity.detector) == ("phone", "employee")


def test_the_confidence_is_that_of_the_pattern_the_check_digit_and_the_context() -> None:
    assert confidence("see EMP-123456 there") == 0.6
    assert confidence("EMP-123456") == 0.99
    assert confidence("see EMP-123456 there", confidence=0.3) == 0.3
    fields = {"pattern": r"\b[0-9]{16}\b", "confidence": 0.1}
    assert confidence("see 4111111111111111 there", **fields, validator="luhn") == 0.35
    assert confidence("the badge 4111111111111111 is", **fields, validator="luhn", context=["badge"]) == 0.75
    assert confidence('"4111111111111111"', **fields, validator="luhn") == 0.75
    assert confidence('"4111111111111112"', **fields) == 0.1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Personalnummer 123456", True),
        ("PERSONAL-NR. 123456", True),
        ("staff number: 123456", True),
        ("123456 (staff)", True),
        ("staff " + "x" * 60 + " 123456", False),
        ("123456 " + "x" * 40 + " staff", False),
        ("123456. Staff meets", False),
        ("the staffing of 123456", False),
    ],
)
def test_context_counts_near_the_value_only(text: str, named: bool) -> None:
    fields = {"pattern": r"\b[0-9]{6}\b", "context": ["staff", "Personal*"], "confidence": 0.2}
    assert confidence(f"so {text} so", **fields) == (0.6 if named else 0.2)
    assert len(found(f"so {text} so", **fields, needs_context=True)) == named


def test_why_it_was_found_is_said_without_a_part_of_the_text() -> None:
    one = finder(pattern=r"\b[0-9]{16}\b", validator="luhn", context=["badge*"])
    (seen,) = one.find("Badges: 4111111111111111")
    assert seen.why == "declared pattern, luhn, context: badge*"


def test_an_invalid_value_is_not_found() -> None:
    fields = {"pattern": r"\b[0-9]{16}\b", "validator": "luhn"}
    assert [one.value for one in found("4111111111111112 4111111111111111", **fields)] == ["4111111111111111"]


@pytest.mark.parametrize(("level", "expected"), [(None, 2), (1, 1), (3, 3)])
def test_a_new_type_has_its_level(level: int | None, expected: int) -> None:
    (kind,), _ = load([json.dumps({**EMPLOYEE, "level": level})])
    assert (kind.name, kind.level, kind.default) == ("employee_id", expected, True)


def test_of_several_levels_for_a_type_the_strictest_counts() -> None:
    rows = [{**EMPLOYEE, "name": f"n{level or 0}", "level": level} for level in (None, 3, 1, 2)]
    (kind,), finders = load([json.dumps(row) for row in rows])
    assert kind.level == 1
    assert [one.name for one in finders] == ["n0", "n3", "n1", "n2"]


# --- validators ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "valid", "invalid"),
    [
        ("luhn", "7992-7398713", "79927398710"),
        ("verhoeff", "2363", "2364"),
        ("damm", "5724", "5723"),
        ("iban", "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
        ("mod97", "79444", "79445"),
        ("mod11", "0000-0001-2345-6789", "0000-0001-2345-6788"),
        ("mod11_10", "79469", "79462"),
        ("mod37", "G123489654321Y", "G123489654321X"),
        ("mod37_36", "A12425GABC1234002M", "A12425GABC1234002N"),
        ("stdnum.nl.bsn", "1112.22.333", "1112.52.333"),
        ("stdnum.isin", "US0378331005", "US0378331004"),
    ],
)
def test_a_validator_tells_check_digits(name: str, valid: str, invalid: str) -> None:
    validator = find_validator(name)
    assert validator.passes(valid)
    assert not validator.passes(invalid)
    assert not validator.passes("?")
    assert not validator.passes("0" * 1000)


def test_every_validator_of_the_table_is_tried_above() -> None:
    (mark,) = test_a_validator_tells_check_digits.pytestmark  # type: ignore[attr-defined]
    assert VALIDATORS.keys() <= {row[0] for row in mark.args[1]}


@pytest.mark.parametrize(
    "name",
    ["", "md5", "os", "os.path", "stdnum", "stdnum.util", "stdnum.nl", "stdnum.nl.bsn2", "stdnum..nl", "stdnum.Nl"],
)
def test_a_validator_comes_from_the_table_or_from_stdnum(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected one of|no such module"):
        find_validator(name)


def test_a_value_is_believed_when_its_check_fails() -> None:
    def broken(_: str) -> bool:
        raise ZeroDivisionError

    assert custom.Validator(broken, 0.0, "").passes("x")


# --- what is refused -----------------------------------------------------------------------------------------


def test_a_good_declaration_has_nothing_wrong() -> None:
    full = {
        **EMPLOYEE, "context": ["staff", "personal*", "*nummer", "*社員*", "employee id"], "needs_context": True,
        "confidence": 0.4, "level": 1, "validator": "stdnum.nl.bsn", "ignore_case": True,
    }  # fmt: skip
    assert check(full, ENTITY_TYPES) == []
    assert full.keys() == set(FIELDS)
    assert MAX_DETECTORS == 100


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "name: is missing"),
        ({"type": None}, "type: is missing"),
        ({"pattern": ""}, "pattern: is missing"),
        ({"name": "Employee"}, "name: expected a name"),
        ({"name": "x" * 33}, "name: expected a name"),
        ({"name": "email"}, "name: is the name of a built-in detector"),
        ({"type": "1st"}, "type: expected a name"),
        ({"type": "literal"}, "type: is what text that looks like a token"),
        ({"type": "iban", "level": 3}, "level: the built-in type has level 1"),
        ({"needs_context": True}, "needs_context: needs words"),
        ({"context": ["7x"]}, "context: expected words that begin with a letter"),
        ({"context": [""]}, "context: expected words that begin with a letter"),
        ({"context": ["a*"]}, "context: .*at least two letters"),
        ({"context": ["x" * 51]}, "context: expected at most"),
        ({"context": ["xx"] * 51}, "context: expected at most"),
        ({"pattern": "(a+)+"}, "pattern: has a repeat within which"),
        ({"pattern": "(a"}, "pattern: is not a regular expression"),
        ({"pattern": "a*"}, "pattern: matches the empty text"),
        ({"validator": "md5"}, "validator: expected one of luhn"),
    ],
)
def test_a_wrong_declaration_is_refused(fields: dict[str, Any], problem: str) -> None:
    row = {**EMPLOYEE, **fields}
    (said,) = check(row, ENTITY_TYPES)
    with pytest.raises(ValueError, match=problem) as refused:
        load([json.dumps(row)])
    assert str(refused.value) == said


def test_all_that_is_wrong_is_told_at_once() -> None:
    row = {**EMPLOYEE, "name": "A", "pattern": "(", "validator": "x", "context": ["1"]}
    assert [said.partition(":")[0] for said in check(row, ENTITY_TYPES)] == ["name", "pattern", "context", "validator"]


def test_a_built_in_type_may_be_declared_with_its_own_level() -> None:
    assert check({**EMPLOYEE, "type": "iban", "level": 1}, ENTITY_TYPES) == []


# --- RE2 -----------------------------------------------------------------------------------------------------


def _matches(pattern: str, text: str, **fields: Any) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in finder(pattern=pattern, **fields).find(text)]


@pytest.mark.parametrize("ignore_case", [False, True])
@settings(deadline=None, max_examples=60)
@given(
    pattern=st.sampled_from(
        [
            r"\b[a-b]+-", r"[^a]b", r"a.b", r"(?:ab|a)b{0,2}", r"a{1,3}?b", r"-[ab]{2,}", r"A|B\b", r"(?m)^a", r"a$",
            r"\Aa", r"\s[ab]", r"(?<![a-z])a", r"ä{1,3}b", r"[ä-ü]b", r"\w\W", r"a{,2}b", r"\Ba", r"(?P<x>a)-",
            r"a\x0bb", r"a\Z",
        ]
    ),
    text=st.text("abAB-ä🙂 \n\v\ud800", max_size=30),
)  # fmt: skip
def test_finds_are_the_same_with_re2_and_without(ignore_case: bool, pattern: str, text: str) -> None:
    with_re2 = _matches(pattern, text, ignore_case=ignore_case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(custom, "_automaton", lambda _: None)
        assert _matches(pattern, text, ignore_case=ignore_case) == with_re2


def test_re2_runs_what_it_reads_alike() -> None:
    pytest.importorskip("re2")
    read = {p: custom._automaton(custom.Declaration(pattern=p)) is not None for p in (r"\bEMP-\d{6}\b", "a$", "a(?=b)")}
    assert read == {r"\bEMP-\d{6}\b": True, "a$": False, "a(?=b)": False}


# --- what the page for operators says ------------------------------------------------------------------------


def _column(number: int) -> list[str]:
    """Return the patterns in a column of the table of what is refused and what is taken."""
    table = PAGE.partition("| refused | why | taken |\n|---|---|---|\n")[2].partition("\n\n")[0]
    cells = [re.split(r"(?<!\\)\|", row)[number] for row in table.splitlines()]
    return [pattern.replace(r"\|", "|") for cell in cells for pattern in re.findall("`([^`]+)`", cell)]


@pytest.mark.parametrize("pattern", _column(1))
def test_what_the_page_calls_refused_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [one for one in _column(3) if one != r"\b"])
def test_what_the_page_calls_taken_is_taken(pattern: str) -> None:
    check_pattern(pattern)


def test_the_page_has_every_field_and_every_validator() -> None:
    assert all(f"| `{name}` |" in PAGE for name in (*FIELDS, *VALIDATORS))


def test_the_detectors_of_the_page_are_sound() -> None:
    (block,) = re.findall(r"```yaml\n(detection:\n  detectors:\n.*?)```", PAGE, re.DOTALL)
    rows = yaml.safe_load(block)["detection"]["detectors"]
    types, finders = load([json.dumps(row) for row in rows])
    assert {kind.name for kind in types} == {"employee_id", "loyalty_card"}
    assert len(finders) == len(rows) == 3


def test_the_plug_in_of_the_page_finds() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    assert [one[:4] for one in names["finder"].find("Aurora, Aurora")] == [
        (0, 6, "project", 0.9),
        (8, 14, "project", 0.9),
    ]
