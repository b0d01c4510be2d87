from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.texts import prose
from oguardai.detection import ENTITY_TYPES, Entity, detect, engine, prefilter, warm
from oguardai.detection.detector import Digits
from oguardai.detection.normalize import normalize
from oguardai.detection.registry import DETECTORS
from oguardai.detection.scan import Scan, Shapes, compile_rows

from .samples import FOUND, NOT_FOUND
from .test_engine import TEXTS

SAMPLES = ["".join(row[1:]) for row in FOUND] + [text for _, text in NOT_FOUND]


@pytest.fixture(autouse=True)
def _afresh():
    prefilter.shared.cache_clear()
    yield
    prefilter.shared.cache_clear()


def _find_without(text: str) -> list[Entity]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefilter, "shared", lambda: None)
        return detect(text, types=ENTITY_TYPES)


@pytest.mark.parametrize("text", [*SAMPLES, "\n".join(SAMPLES), "", "\0", "x\ud800 jane@example.com"])
def test_finds_of_samples_are_the_same_without(text: str) -> None:
    assert detect(text, types=ENTITY_TYPES) == _find_without(text)


@pytest.mark.parametrize("seed", range(20))
def test_finds_of_prose_are_the_same_without(seed: int) -> None:
    text = prose(2000, seed)
    found = _find_without(text)
    assert detect(text, types=ENTITY_TYPES) == found
    assert len(found) >= 10


@settings(deadline=None)
@given(TEXTS | st.lists(st.sampled_from(SAMPLES)).map(" ".join))
def test_finds_of_any_text_are_the_same_without(text: str) -> None:
    assert detect(text, types=ENTITY_TYPES) == _find_without(text)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_sample_of_the_table_matches_its_pattern(detector) -> None:
    assert re.compile(detector.pattern, re.ASCII).search(detector.sample)


def test_relaxed_pattern_matches_what_the_pattern_matches() -> None:
    for detector in DETECTORS:
        relaxed = re.compile(prefilter._relax(detector.pattern), re.ASCII)
        for text in map(normalize, SAMPLES):
            assert relaxed.search(text) or not re.search(detector.pattern, text, re.ASCII)


def test_shape_of_a_cluster_tells_every_row_that_matches_in_it() -> None:
    rows = [row for row in compile_rows(DETECTORS, engine._INDEX) if isinstance(row.trigger, Digits)]
    shapes = Shapes(rows)
    matched = set()
    for text in map(normalize, [*SAMPLES, *(row.detector.sample for row in rows)]):
        scan = Scan(text, engine._INDEX, engine._BEGINNINGS, shapes)
        for row in rows:
            for found in row.pattern.finditer(text):
                assert any(low <= found.start() < high for low, high in scan.clusters(row))
                matched.add(row.detector.name)
    assert matched == {row.detector.name for row in rows}


def test_it_is_not_used_where_re2_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    assert not warm()
    assert [entity.type for entity in detect("mail jane@example.com")] == ["email"]


def test_rows_that_cannot_match_are_left_out() -> None:
    pytest.importorskip("re2")
    assert warm()
    automata = prefilter.shared()
    assert automata is not None
    assert automata.possible("plain prose, without a value" * 3) == []
    assert [DETECTORS[i].name for i in automata.possible("write to jane@example.info, " * 3) or ()] == ["email"]
    assert automata.possible("\ud800") is None


class _Set:
    """Stand in for RE2's set: out of memory, it reports nothing."""

    @classmethod
    def SearchSet(cls, options: object) -> _Set:
        return cls()

    def Add(self, pattern: str) -> int:
        return 0

    def Compile(self) -> None:
        pass

    def Match(self, text: bytes) -> None:
        return None


def test_set_that_reports_nothing_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    re2 = pytest.importorskip("re2")
    monkeypatch.setattr(re2, "Set", _Set)
    assert not warm()
    assert [record.message for record in caplog.records] == ["PrefilterNotUsed"]
    assert [entity.type for entity in detect("mail jane@example.com")] == ["email"]


def test_set_that_fails_later_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("re2")
    automata = prefilter.shared()
    assert automata is not None
    monkeypatch.setattr(automata._words, "_match", lambda text: None)
    assert automata.possible("jane@example.com") is None
    assert [entity.type for entity in detect("mail jane@example.com")] == ["email"]
