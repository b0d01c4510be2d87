"""Find entities with the standard library's ``re``, in time linear in the text.

Steps: normalise; for each row of the table find where it can match at all (its trigger), run its pattern only
there; check the neighbours, narrow, validate; weigh; resolve overlaps.

**Confidence** is a number from 0 to 0.99 and has one model for all detectors. A row states the confidence of
a match that passed its checks (about 0.95 for a check digit or an issuer's prefix, 0.8 for an exact syntax,
0.5 to 0.7 for a shape that other things have too). A context word in the 40 characters before, or for some rows
directly behind, adds 0.2. Rows that need context are dropped without it. A veto word nearer than the context
word drops the match. The sum is capped at 0.99: a pattern is never certain.

Which rows are run is asked of ``prefilter`` first; without it, rows are left out of whose characters the text has none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

from oguardai.detection import context, prefilter
from oguardai.detection.detector import Detector, Digit, Digits, Near, Prefix, Span, Trigger
from oguardai.detection.entity import DetectionError, Entity
from oguardai.detection.normalize import lower, normalize
from oguardai.detection.registry import DEFAULT_TYPES, DETECTORS, ENTITY_TYPES
from oguardai.errors import PayloadTooLargeError

CONTEXT_BONUS = 0.2
MAX_CONFIDENCE = 0.99

# Possessive, so that a megabyte of digits leaves no backtracking points behind.
_GAP = 3
_CLUSTER = re.compile(rf"(?:[0-9]++[^0-9]{{0,{_GAP}}}+)++")
_RUN = re.compile(r"[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class _Row:
    """Hold a detector with its patterns compiled.

    ``order`` is its place in the table, ``confident`` its confidence with context. A match that ends within ``slack``
    characters of its segment's end may go on behind it. Every match holds at least one
    of ``signs``, if there are any. Equal triggers are the same object.
    """

    detector: Detector
    order: int
    signs: str
    trigger: Trigger
    digit: re.Pattern[str] | None
    slack: int
    confident: float
    pattern: re.Pattern[str]
    context: re.Pattern[str] | None
    behind: re.Pattern[str] | None
    veto: re.Pattern[str] | None


def _signs(detector: Detector) -> str:
    """Return characters of which every match holds at least one: the least common ones of the trigger's literals."""
    if isinstance(detector.trigger, Digit | Digits) or detector.holds_digit:
        return "0123456789"
    # Characters that are no letters come first, then capitals.
    rarest = {min(word, key=lambda c: (c.isalpha(), c.islower())) for word in detector.trigger.words}
    folded = isinstance(detector.trigger, Near) and detector.trigger.fold
    return "" if folded and any(map(str.isalpha, rarest)) else "".join(rarest)


_TRIGGERS: dict[Trigger, Trigger] = {}
_ROWS = tuple(
    _Row(
        detector=detector,
        order=order,
        signs=_signs(detector),
        trigger=_TRIGGERS.setdefault(detector.trigger, detector.trigger),
        digit=re.compile(detector.trigger.pattern) if isinstance(detector.trigger, Digit) else None,
        slack=_GAP if isinstance(detector.trigger, Digits) and detector.trigger.tail else 0,
        confident=round(min(MAX_CONFIDENCE, detector.confidence + CONTEXT_BONUS), 2),
        pattern=re.compile(detector.pattern, re.ASCII),
        context=context.compile_context(detector.context) if detector.context else None,
        behind=context.compile_behind(detector.context_behind) if detector.context_behind else None,
        veto=context.compile_veto(detector.veto) if detector.veto else None,
    )
    for order, detector in enumerate(DETECTORS)
)

_SIGNS = "".join(sorted({sign for row in _ROWS for sign in row.signs}))

# start, end, confidence, order in the table
_Find = tuple[int, int, float, int]


class _Scan:
    """Hold one normalised text and what is computed of it at most once."""

    __slots__ = ("_clusters", "_low", "_nearby", "_segments", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._low: str | None = None
        self._clusters: list[Span] | None = None
        self._nearby: dict[int, context.Nearby] = {}
        self._segments: dict[int, list[Span]] = {}

    @property
    def low(self) -> str:
        if self._low is None:
            self._low = lower(self.text)
            if len(self._low) != len(self.text):
                raise DetectionError("lower case has another length than the text")
        return self._low

    def last_end(self, words: re.Pattern[str], start: int) -> int:
        """Return where the last of the words within reach before ``start`` ends, or -1."""
        # By identity: a pattern's hash reads its whole program each time.
        nearby = self._nearby.get(id(words))
        if nearby is None:
            nearby = self._nearby[id(words)] = context.Nearby(words, self.low)
        return nearby.last_end(start)

    def segments(self, trigger: Near | Digits) -> list[Span]:
        """Return the disjoint stretches of text, in order, in which a match can lie."""
        # By identity, as below.
        found = self._segments.get(id(trigger))
        if found is None:
            found = self._near(trigger) if isinstance(trigger, Near) else self._digits(trigger)
            self._segments[id(trigger)] = found
        return found

    def _digits(self, trigger: Digits) -> list[Span]:
        if self._clusters is None:
            self._clusters = [found.span() for found in _CLUSTER.finditer(self.text)]
        before, after = trigger.before, trigger.after
        spans = [(start - before, end + after) for start, end in self._clusters if end - start >= trigger.span]
        if not spans or not (before or after):
            return spans
        spans[0] = (max(0, spans[0][0]), spans[0][1])
        return _join(spans)

    def _near(self, trigger: Near) -> list[Span]:
        text = self.low if trigger.fold else self.text
        spans: list[Span] = []
        for word in trigger.words:
            spans.extend(_around(text, word, trigger.before, trigger.after))
        if len(trigger.words) > 1:
            spans.sort()
        return _join(spans)


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


def _at_prefixes(scan: _Scan, row: _Row, words: tuple[str, ...]) -> Iterator[_Find]:
    text = scan.text
    not_before = row.detector.not_before
    for word in words:
        at = text.find(word)
        while at >= 0:
            resume = at + 1
            # Looked at before the match: a run of a key's own characters has one start, not many.
            if not at or text[at - 1] not in not_before:
                match = row.pattern.match(text, at)
                if match:
                    found = _judge(scan, row, *match.span())
                    if found:
                        yield found
                    resume = max(match.end(), resume)
            at = text.find(word, resume)


def _at_digits(scan: _Scan, row: _Row, digit: re.Pattern[str], back: tuple[int, ...]) -> Iterator[_Find]:
    text = scan.text
    not_before = row.detector.not_before
    done = 0
    for hit in digit.finditer(text):
        for distance in back:
            start = hit.start() - distance
            if start < done or (start and text[start - 1] in not_before):
                continue
            match = row.pattern.match(text, start)
            if match:
                found = _judge(scan, row, start, match.end())
                run = _RUN.match(text, start, match.end()) if row.detector.retry and not found else None
                done = found[1] if found else run.end() if run else match.end()
                if found:
                    yield found
                break


def _in_segments(scan: _Scan, row: _Row, segments: list[Span]) -> Iterator[_Find]:
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
            found = _judge(scan, row, start, end)
            if found:
                yield found
                at = found[1]
            else:
                at = end
                run = _RUN.match(text, start, end) if retry else None
                if run:
                    at = run.end()
            done = at
            if at >= high:
                break


def _candidates(scan: _Scan, row: _Row) -> Iterator[_Find]:
    trigger = row.trigger
    if isinstance(trigger, Prefix):
        return _at_prefixes(scan, row, trigger.words)
    if isinstance(trigger, Digit):
        return _at_digits(scan, row, row.digit, trigger.back) if row.digit else iter(())
    segments = scan.segments(trigger)
    return _in_segments(scan, row, segments) if segments else iter(())


def _judge(scan: _Scan, row: _Row, start: int, end: int) -> _Find | None:
    text = scan.text
    detector = row.detector
    if start and text[start - 1] in detector.not_before:
        return None
    if detector.refine is not None:
        span = detector.refine(text, start, end)
        if span is None:
            return None
        start, end = span
        if not 0 <= start < end <= len(text):
            raise DetectionError(f"detector {detector.name} left the text")
    if end < len(text) and text[end] in detector.not_after:
        return None
    if detector.validate is not None and not detector.validate(text[start:end]):
        return None
    confidence = detector.confidence
    said = scan.last_end(row.context, start) if row.context else -1
    if said < 0 and row.behind and row.behind.match(scan.low, end):
        said = start
    if said >= 0:
        confidence = row.confident
    elif detector.needs_context:
        return None
    if row.veto:
        against = scan.last_end(row.veto, start)
        # The nearer word decides: "account, phone" speaks for a number, "phone, account" against it.
        if against >= 0 and against >= said:
            return None
    return start, end, confidence, row.order


def _resolve(finds: list[_Find], size: int) -> list[_Find]:
    """Keep of overlapping finds the longest, then the most certain, then the first of the table."""
    finds.sort()
    if all(left[1] <= right[0] for left, right in pairwise(finds)):
        return finds
    taken = bytearray(size)
    kept = []
    for find in sorted(finds, key=lambda f: (f[0] - f[1], -f[2], f[3], f[0])):
        start, end, _, _ = find
        # What was taken is at least as long, so it cannot lie strictly between the ends.
        if not taken[start] and not taken[end - 1]:
            taken[start:end] = b"\x01" * (end - start)
            kept.append(find)
    kept.sort()
    return kept


@lru_cache(maxsize=64)
def _rows_of(types: frozenset[str]) -> tuple[_Row, ...]:
    return tuple(row for row in _ROWS if row.detector.type in types)


def _rows_for(text: str, types: frozenset[str]) -> Sequence[_Row]:
    """Return the rows of the types that can find something in the text."""
    automata = prefilter.shared()
    possible = automata.possible(text) if automata else None
    if possible is not None:
        return [row for order in possible if (row := _ROWS[order]).detector.type in types]
    absent = {sign for sign in _SIGNS if sign not in text}
    return [row for row in _rows_of(types) if not row.signs or not absent.issuperset(row.signs)]


def _find_all(text: str, types: frozenset[str], threshold: float, limit: int | None) -> list[_Find]:
    plain = normalize(text)
    if len(plain) != len(text):
        raise DetectionError("normalised text has another length than the text")
    scan = _Scan(plain)
    finds: list[_Find] = []
    for row in _rows_for(plain, types):
        try:
            found = _candidates(scan, row)
            finds += found if limit is None else islice(found, limit - len(finds) + 1)
        except (DetectionError, MemoryError):
            raise
        except Exception as error:
            # The original message may quote the text.
            raise DetectionError(f"detector {row.detector.name} failed: {type(error).__name__}") from None
        if limit is not None and len(finds) > limit:
            raise PayloadTooLargeError(f"the text holds more than {limit} finds (detection.max_finds)")
    return _resolve([find for find in finds if find[2] >= threshold], len(text))


def detect(
    text: str, *, types: Collection[str] | None = None, threshold: float = 0.5, limit: int | None = None
) -> list[Entity]:
    """Find the entities in a text.

    ``types`` are names of ``ENTITY_TYPES``; none given means those that are on by default. Finds below
    ``threshold`` are left out, before overlaps are resolved. The result is sorted by start and does not
    overlap: of overlapping finds the longer wins, then the more certain, then the order of the table. Spans
    count code points, end exclusive.

    Raises PayloadTooLargeError for more than ``limit`` finds, overlapping and weak ones counted, ValueError for an
    unknown type, DetectionError when a detector fails: the text must then not be
    passed on as if nothing had been found.
    """
    if types is None:
        wanted = DEFAULT_TYPES
    else:
        wanted = frozenset(types)
        unknown = wanted - ENTITY_TYPES.keys()
        if unknown:
            raise ValueError(f"unknown entity type; known are {', '.join(ENTITY_TYPES)}")
    return [
        Entity(
            type=DETECTORS[order].type,
            start=start,
            end=end,
            value=text[start:end],
            confidence=confidence,
            detector=DETECTORS[order].name,
        )
        for start, end, confidence, order in _find_all(text, wanted, threshold, limit)
    ]
