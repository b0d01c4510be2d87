"""Find where the rows of the table match in one text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from oguardai.detection import context
from oguardai.detection.detector import Detector, Digit, Digits, Found, Near, Prefix, Span, Starts, Trigger
from oguardai.detection.entity import DetectionError
from oguardai.detection.normalize import lower

# Possessive, so that a megabyte of digits leaves no backtracking points behind.
_GAP = 3
_CLUSTER = re.compile(rf"[0-9]++[^0-9]{{0,{_GAP}}}+(?:[0-9]++[^0-9]{{0,{_GAP}}}+)*+")
_RUN = re.compile(r"[0-9A-Za-z]+")
# Clusters are known by their shape, which holds nothing of a text but where it has digits: most come again and again.
_SHAPE = str.maketrans("012345678ABCDEFGHIJKLMNOPQRSUVWXYabcdefghijklmnopqrstuvwxyz", "9" * 9 + "a" * 50)
_DIGIT_OR_COUNT = re.compile(r"\{[0-9,]+\}|\[[0-9-]+\]|[0-9]")
_MOST_REMEMBERED = 48  # characters
_MOST_SHAPES = 20_000
_FEW = 16  # literals of ``Starts`` triggers that are looked for one by one, before all are at once
_EDGES = " \t\r\n\"'"
FIELD = 64
"""Characters of a text that may be one value, as a form field has it."""
_LIST = 400  # characters of a text that may be a list of values
_ITEM = re.compile(r"(?=[^\s,;]*[0-9])[0-9A-Za-z./-]+")
_LISTED = re.compile(rf"{_ITEM.pattern}(?:(?:[,;]?\s|[,;]|\s(?:and|or|und|oder|et|ou|y|o|e)\s)\s?{_ITEM.pattern})+")

Within = tuple[int, int, int]
"""Row, and by how many characters its matches go beyond a cluster, before and behind."""

# start, end, confidence, place in the order of types, evidence (see ``confidence``) or what a finder found
Find = tuple[int, int, float, int, int | Found]


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a detector with its patterns compiled.

    ``order`` is its place in the table; ``context``, ``behind`` and ``veto`` are the bits of its words. A match that
    ends within ``slack`` characters of its segment's end may go on behind it. Every match holds at least one of
    ``signs``, if there are any. Equal triggers are the same object.
    """

    detector: Detector
    order: int
    signs: str
    trigger: Trigger
    digit: re.Pattern[str] | None
    slack: int
    pattern: re.Pattern[str]
    context: int
    behind: int
    veto: int


def _signs(detector: Detector) -> str:
    """Return characters of which every match holds at least one: the least common ones of the trigger's literals."""
    if isinstance(detector.trigger, Digit | Digits) or detector.holds_digit:
        return "0123456789"
    if isinstance(detector.trigger, Starts):
        return ""
    # Characters that are no letters come first, then capitals.
    rarest = {min(word, key=lambda c: (c.isalpha(), c.islower())) for word in detector.trigger.words}
    folded = isinstance(detector.trigger, Near) and detector.trigger.fold
    return "" if folded and any(map(str.isalpha, rarest)) else "".join(rarest)


def compile_rows(detectors: tuple[Detector, ...], index: context.Index) -> tuple[Row, ...]:
    """Compile a table."""
    triggers: dict[Trigger, Trigger] = {}
    return tuple(
        Row(
            detector=detector,
            order=order,
            signs=_signs(detector),
            trigger=triggers.setdefault(detector.trigger, detector.trigger),
            digit=re.compile(detector.trigger.pattern) if isinstance(detector.trigger, Digit) else None,
            slack=_GAP if isinstance(detector.trigger, Digits) and detector.trigger.tail else 0,
            pattern=re.compile(detector.pattern, re.ASCII),
            context=index.bit(detector.context),
            behind=index.bit(detector.context_behind),
            veto=index.bit(detector.veto),
        )
        for order, detector in enumerate(detectors)
    )


def loosen(pattern: str) -> str:
    """Return a pattern that matches in the shape of every text in which the given one matches."""
    return _DIGIT_OR_COUNT.sub(lambda found: found[0] if found[0][0] == "{" else "9", pattern)


class Shapes:
    """Tell the rows with a ``Digits`` trigger that can match in a cluster of digits."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(row for row in rows if isinstance(row.trigger, Digits))
        self._all = tuple(map(_within, self._rows))
        self._loose = tuple(re.compile(loosen(row.detector.pattern), re.ASCII) for row in self._rows)
        self._known: dict[str, tuple[Within, ...]] = {}

    def fitting(self, text: str, start: int, end: int) -> tuple[Within, ...]:
        """Return the rows for a cluster."""
        if end - start > _MOST_REMEMBERED:
            return self._all
        shape = text[max(0, start - 1) : end + 1].translate(_SHAPE)
        fitting = self._known.get(shape)
        if fitting is None:
            fitting = tuple(within for within, loose in zip(self._all, self._loose, strict=True) if loose.search(shape))
            if shape.isascii() and len(self._known) < _MOST_SHAPES:
                self._known[shape] = fitting
        return fitting


def _within(row: Row) -> Within:
    if not isinstance(row.trigger, Digits):
        raise TypeError(f"detector {row.detector.name} has no Digits trigger")
    return row.order, row.trigger.before, row.trigger.after


class Beginnings:
    """Find where the literals of all ``Starts`` triggers stand at the beginning of a word."""

    def __init__(self, detectors: tuple[Detector, ...]) -> None:
        words = {word for row in detectors if isinstance(row.trigger, Starts) for word in row.trigger.words}
        self._by_head: dict[str, list[str]] = {}
        for word in words:
            self._by_head.setdefault(word[:2], []).append(word)
        heads = re.escape("".join(sorted({word[0] for word in words})))
        self._pattern = context.ByScript(rf"\b(?=[{heads}])(?={context.alternatives(words)})")

    def find(self, text: str) -> dict[str, list[int]]:
        """Return the places of each literal, in order."""
        places: dict[str, list[int]] = {}
        for found in self._pattern.of(text).finditer(text):
            at = found.start()
            for word in self._by_head[text[at : at + 2]]:
                if text.startswith(word, at):
                    places.setdefault(word, []).append(at)
        return places


def _word_starts(text: str, words: tuple[str, ...]) -> list[int]:
    places = []
    for word in words:
        at = text.find(word)
        while at >= 0:
            if not at or not (text[at - 1].isalnum() or text[at - 1] == "_"):
                places.append(at)
            at = text.find(word, at + 1)
    return sorted(set(places))


class Scan:
    """Hold one normalised text and what is computed of it at most once.

    ``asked`` tells whether the types were asked for by name.
    """

    __slots__ = (
        "_asked",
        "_beginnings",
        "_clusters",
        "_digits",
        "_index",
        "_items",
        "_low",
        "_nearby",
        "_segments",
        "_shapes",
        "_starts",
        "asked",
        "checks",
        "text",
        "whole",
    )

    def __init__(
        self, text: str, index: context.Index, beginnings: Beginnings, shapes: Shapes, asked: bool = False
    ) -> None:
        self.text = text
        self._beginnings = beginnings
        self._shapes = shapes
        self._starts: dict[str, list[int]] | None = None
        self._asked = 0
        # What the text is but for white space and quotes.
        self.whole: Span = (len(text) - len(text.lstrip(_EDGES)), len(text.rstrip(_EDGES + ".,;")))
        self.asked = asked
        self._items: tuple[set[int], set[int]] | None = None
        self.checks: Counter[int] = Counter()  # validations by row, of those that are counted
        self._index = index
        self._low: str | None = None
        self._nearby: context.Nearby | None = None
        self._clusters: dict[int, list[Span]] | None = None
        self._digits: dict[int, list[int]] = {}
        self._segments: dict[int, list[Span]] = {}

    @property
    def low(self) -> str:
        if self._low is None:
            self._low = lower(self.text)
            if len(self._low) != len(self.text):
                raise DetectionError("lower case has another length than the text")
        return self._low

    @property
    def nearby(self) -> context.Nearby:
        if self._nearby is None:
            self._nearby = context.Nearby(self._index, self.low)
        return self._nearby

    def is_alone(self, start: int, end: int) -> bool:
        """Tell whether a span is the whole text; where types were asked for, one of the values that are all of it."""
        if self.whole == (start, end):
            return True
        if not self.asked:
            return False
        if self._items is None:
            low, high = self.whole
            self._items = set(), set()
            if high - low <= _LIST and _LISTED.fullmatch(self.text, low, high):
                for item in _ITEM.finditer(self.text, low, high):
                    self._items[0].add(item.start())
                    self._items[1].add(item.end())
        return start in self._items[0] and end in self._items[1]

    def starts(self, words: tuple[str, ...]) -> list[int]:
        """Return where one of the literals begins a word."""
        self._asked += len(words)
        if self._starts is None:
            if self._asked <= _FEW:
                return _word_starts(self.text, words)
            self._starts = self._beginnings.find(self.text)
        places = {at for word in words for at in self._starts.get(word, ())}
        return sorted(places)

    def digits(self, row: Row) -> list[int]:
        """Return where a row with a ``Digit`` trigger has to look."""
        found = self._digits.get(id(row.trigger))
        if found is None:
            assert row.digit is not None  # noqa: S101 - it has one
            found = self._digits[id(row.trigger)] = [digit.start() for digit in row.digit.finditer(self.text)]
        return found

    def clusters(self, row: Row) -> list[Span]:
        """Return the disjoint stretches of text, in order, in which a match of a row with ``Digits`` can lie."""
        if self._clusters is None:
            self._clusters = {}
            for found in _CLUSTER.finditer(self.text):
                start, end = found.span()
                for order, before, after in self._shapes.fitting(self.text, start, end):
                    self._clusters.setdefault(order, []).append((max(0, start - before), end + after))
        return _join(self._clusters.get(row.order, []))

    def segments(self, trigger: Near) -> list[Span]:
        """Return the disjoint stretches of text, in order, in which a match can lie."""
        # By identity: a trigger's hash reads all its words each time.
        found = self._segments.get(id(trigger))
        if found is None:
            found = self._segments[id(trigger)] = self._near(trigger)
        return found

    def _near(self, trigger: Near) -> list[Span]:
        text = self.low if trigger.fold else self.text
        spans: list[Span] = []
        for word in trigger.words:
            spans.extend(_around(text, word, trigger.before, trigger.after))
        if len(trigger.words) > 1:
            spans.sort()
        return _join(spans)


Judge = Callable[[Scan, Row, int, int], Find | None]
"""Weigh a match by its span."""


def _around(text: str, word: str, before: int, after: int) -> Iterator[Span]:
    size = len(text)
    at = text.find(word)
    while at >= 0:
        start = max(0, at - before)
        reach = before + after + len(word)
        # Leap to the last literal within reach instead of visiting each one of a dense row.
        while (last := text.rfind(word, at + 1, at + reach)) >= 0:
            at = last
        yield start, min(size, at + len(word) + after)
        at = text.find(word, at + 1)


def _join(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            if end > joined[-1][1]:
                joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def candidates(scan: Scan, row: Row, judge: Judge) -> Iterator[Find]:
    """Run a row's pattern where it can match, and give what ``judge`` makes of the matches."""
    trigger = row.trigger
    if isinstance(trigger, Prefix):
        return _at_prefixes(scan, row, trigger.words, judge)
    if isinstance(trigger, Starts):
        return _at_starts(scan, row, trigger.words, judge)
    if isinstance(trigger, Digit):
        return _at_digits(scan, row, trigger.back, judge)
    if isinstance(trigger, Near):
        segments = scan.segments(trigger)
    else:
        segments = scan.clusters(row)
        if row.detector.needs_context and len(scan.text) > FIELD:
            # Their pattern is run only beside a word that names it.
            bits = row.context | row.behind
            segments = [span for span in segments if scan.nearby.any(bits, span[0] - context.REACH, span[1] + _GAP)]
    return _in_segments(scan, row, segments, judge) if segments else iter(())


def _at_prefixes(scan: Scan, row: Row, words: tuple[str, ...], judge: Judge) -> Iterator[Find]:
    text = scan.text
    not_before = row.detector.not_before
    match = row.pattern.match
    for word in words:
        at = text.find(word)
        while at >= 0:
            # Looked at before the match: a run of a key's own characters has one start, not many.
            matched = None if at and text[at - 1] in not_before else match(text, at)
            if matched:
                found = judge(scan, row, *matched.span())
                if found:
                    yield found
            at = text.find(word, matched.end() if matched else at + 1)


def _at_starts(scan: Scan, row: Row, words: tuple[str, ...], judge: Judge) -> Iterator[Find]:
    text = scan.text
    not_before = row.detector.not_before
    done = 0
    for at in scan.starts(words):
        if at < done or (at and text[at - 1] in not_before):
            continue
        match = row.pattern.match(text, at)
        if match:
            found = judge(scan, row, *match.span())
            done = match.end()
            if found:
                yield found


def _at_digits(scan: Scan, row: Row, back: tuple[int, ...], judge: Judge) -> Iterator[Find]:
    text = scan.text
    not_before = row.detector.not_before
    done = 0
    for hit in scan.digits(row):
        for distance in back:
            start = hit - distance
            if start < done or (start and text[start - 1] in not_before):
                continue
            match = row.pattern.match(text, start)
            if match:
                found = judge(scan, row, start, match.end())
                run = _RUN.match(text, start, match.end()) if row.detector.retry and not found else None
                done = found[1] if found else run.end() if run else match.end()
                if found:
                    yield found
                break


def _in_segments(scan: Scan, row: Row, segments: list[Span], judge: Judge) -> Iterator[Find]:
    text = scan.text
    pattern = row.pattern
    slack = row.slack
    retry = row.detector.retry
    done = 0
    for low, high in segments:
        at = max(low, done)
        while match := pattern.search(text, at, high):
            start, end = match.span()
            if end + slack >= high and high < len(text):
                # The segment's end may have cut the match short.
                whole = pattern.match(text, start)
                end = whole.end() if whole else end
            found = judge(scan, row, start, end)
            if found:
                yield found
                at = max(found[1], start + 1)
            else:
                at = end
                run = _RUN.match(text, start, end) if retry else None
                if run:
                    at = run.end()
            done = at
            if at >= high:
                break
