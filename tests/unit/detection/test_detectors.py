from __future__ import annotations

import re
from pathlib import Path

import pytest

from oguardai.detection import ENTITY_TYPES, detect, reference, terms
from oguardai.detection.detector import Code, Prefix
from oguardai.detection.entity import EntityType
from oguardai.detection.normalize import normalize
from oguardai.detection.registry import CODES, DETECTORS, FINDERS

from .samples import FOUND, NOT_FOUND

BY_NAME = {detector.name: detector for detector in DETECTORS}
TYPE_OF = {row.name: row.type for row in (*DETECTORS, *CODES)}


def _ids(rows: tuple[tuple[str, ...], ...]) -> list[str]:
    return [f"{row[0]}-{number}" for number, row in enumerate(rows)]


@pytest.mark.parametrize(("detector", "before", "value", "after"), FOUND, ids=_ids(FOUND))
def test_valid_sample_is_found_with_its_exact_span(detector: str, before: str, value: str, after: str) -> None:
    kind = TYPE_OF[detector]
    found = detect(before + value + after, types=[kind])
    assert [(e.type, e.start, e.value) for e in found] == [(kind, len(before), value)]
    # Another row of the same type may be as good, and have more context.
    assert found[0].detector == detector or kind == "phone"


@pytest.mark.parametrize(("kind", "text"), NOT_FOUND, ids=_ids(NOT_FOUND))
def test_invalid_sample_is_not_found(kind: str, text: str) -> None:
    assert [e.detector for e in detect(text, types=[kind])] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_every_detector_has_a_sample_that_it_finds_itself(name: str) -> None:
    texts = [before + value + after for detector, before, value, after in FOUND if detector == name]
    if not texts:
        pytest.skip("its module has tests of its own")
    assert any(e.detector == name for text in texts for e in detect(text, types=[BY_NAME[name].type])), (
        f"no sample for {name}"
    )


@pytest.mark.parametrize("name", BY_NAME)
def test_pattern_finds_the_same_with_re2(name: str) -> None:
    re2 = pytest.importorskip("re2")
    detector = BY_NAME[name]
    options = re2.Options()
    options.max_mem = 64 << 20
    compiled = re2.compile(detector.pattern, options)
    plain = re.compile(detector.pattern, re.ASCII)
    samples = ["".join(row[1:]) for row in FOUND] + [text for _, text in NOT_FOUND]
    for text in (*samples, "\n".join(samples)):
        folded = normalize(text)
        assert [m.span() for m in compiled.finditer(folded)] == [m.span() for m in plain.finditer(folded)]


@pytest.mark.parametrize("name", BY_NAME)
def test_row_is_sound(name: str) -> None:
    detector = BY_NAME[name]
    assert detector.type in ENTITY_TYPES
    assert 0 < detector.confidence <= 0.99
    assert not re.compile(detector.pattern).match("")
    assert detector.context or not detector.needs_context
    if detector.retry:
        assert not re.search(r"(?<!\\)[*+](?![^\[]*\])|,\}", detector.pattern)
    if isinstance(detector.trigger, Prefix):
        values = [detector.sample, *(value for row, _, value, _ in FOUND if row == name)]
        matches = [re.search(detector.pattern, normalize(value), re.ASCII) for value in values]
        assert all(match and match[0].startswith(detector.trigger.words) for match in matches)


def test_names_are_unique() -> None:
    assert len(TYPE_OF) == len(DETECTORS) + len(CODES)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_sample_of_a_code_is_found_beside_a_word_that_names_it(code: Code) -> None:
    word = code.context[0].strip("*") if code.context else "number"
    text = f"{word}: {code.sample}"
    found = detect(text, types=[code.type])
    assert [(e.type, e.value) for e in found] == [(code.type, code.sample)]


@pytest.mark.parametrize("kind", ENTITY_TYPES.values(), ids=lambda kind: kind.name)
def test_type_is_documented(kind: EntityType) -> None:
    assert kind.level in {1, 2, 3}
    assert kind.source
    assert re.fullmatch("[a-z][a-z0-9_]{1,31}", kind.name)


def test_every_type_has_a_detector() -> None:
    found = {row.type for row in (*DETECTORS, *CODES)}.union(*(finder.types for finder in FINDERS))
    assert found | {terms.TYPE} == set(ENTITY_TYPES)


def test_the_reference_in_the_docs_is_that_of_the_table() -> None:
    """If this fails: python -m oguardai.detection.reference > docs/entity-types.md"""
    page = Path(__file__).parents[3] / "docs" / "entity-types.md"
    if not page.exists():
        pytest.skip("installed without docs")
    assert page.read_text(encoding="utf-8") == reference.render()
