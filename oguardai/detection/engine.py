"""Find entities with the standard library's ``re``, in time linear in the text.

Steps: normalise; let the rows of the table, the codes' layouts and the finders propose (a row's pattern is run only
where its trigger says that it can match); check the neighbours, narrow, validate; weigh (see ``confidence``); resolve
overlaps.

Which rows are run is asked of ``prefilter`` first; without it, rows are left out of whose characters the text has none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple, NoReturn

from oguardai.detection import confidence, context, prefilter
from oguardai.detection.codes import Layouts, compact
from oguardai.detection.confidence import (
    ALONE,
    CHECKED,
    CONTEXT,
    FOLLOWS,
    NAMED,
    NEGATIVE,
    OTHER,
    PARTNER,
    PARTNERED,
    SIBLING,
    WHOLE,
)
from oguardai.detection.detector import NONE, Code, Digits, Finder, Found, Span
from oguardai.detection.entity import DetectionError, Entity
from oguardai.detection.normalize import normalize
from oguardai.detection.registry import CODES, DEFAULT_TYPES, DETECTORS, ENTITY_TYPES, FINDERS, PARTNERS
from oguardai.detection.scan import Beginnings, Find, Row, Scan, Shapes, candidates, compile_rows
from oguardai.errors import PayloadTooLargeError

# What says that a code is something else, for those that say nothing of their own.
_OTHER_THINGS = (
    "order*", "invoice*", "ticket*", "tracking", "parcel", "shipment", "serial*", "sku", "version", "build", "isbn",
    "issn", "commit", "revision", "article", "batch", "lot", "bug", "timestamp", "bestell*", "rechnung*", "auftrag*",
    "commande*", "facture*", "pedido*", "factura*", "ordine", "fattura*", "page", "pages", "seite", "line", "port",
)  # fmt: skip
_GAP = 8  # characters between two codes of a list
_CHECKED_TYPES = frozenset(code.type for code in CODES if code.checksum > NONE)
_CERTAIN = 0.5  # confidence of a pattern that is believed without further evidence
_OF_ITS_OWN = 0.3  # confidence of a layout that plain numbers do not have
_NEAR = 60  # characters between finds that come together
_LONGEST_PARTNER = 60  # characters of a find that others come with
_MOST_PARTNERS = 20  # that are looked at for one find: bounds the work
_PARTNER_TYPES = frozenset(kind for kinds in PARTNERS.values() for kind in kinds)

_INDEX = context.Index(
    (
        _OTHER_THINGS,
        *(words for row in DETECTORS for words in (row.context, row.context_behind, row.veto)),
        *(words for code in CODES for words in (code.context, code.veto)),
    )
)
_ROWS = compile_rows(DETECTORS, _INDEX)
_BEGINNINGS = Beginnings(DETECTORS)
_SHAPES = Shapes(_ROWS)
_BY_SHAPE = tuple(row.order for row in _ROWS if isinstance(row.detector.trigger, Digits))
_SIGNS = "".join(sorted({sign for row in _ROWS for sign in row.signs}))
_LAYOUTS = Layouts(CODES)
_FIRST_CODE = len(DETECTORS)
_FIRST_FINDER = _FIRST_CODE + len(CODES)
_NAMES = tuple(_INDEX.bit(code.context) for code in CODES)
_OTHERS = tuple(_INDEX.bit(code.veto or _OTHER_THINGS) for code in CODES)
# By how much the threshold may be missed where a partner may stand near.
_SLACK = tuple(PARTNER if code.type in PARTNERS else 0.0 for code in CODES)
# What a code weighs where nothing is near it.
_ALONE_WEIGHTS = tuple(code.confidence + code.checksum for code in CODES)
_TYPE_OF = (*(row.type for row in DETECTORS), *(code.type for code in CODES))
_NAME_OF = (*(row.name for row in DETECTORS), *(code.name for code in CODES))


# --- rows ----------------------------------------------------------------------------------------------------


def _judge(scan: Scan, row: Row, start: int, end: int) -> Find | None:
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
            raise DetectionError(f"detector {detector.name} left the text", detector.name)
    if end < len(text) and text[end] in detector.not_after:
        return None
    if detector.validate is not None and not _is_valid(scan, row, text[start:end]):
        return None
    said = _said(scan, row, start, end)
    if (
        said < 0
        and scan.asked
        and detector.confidence >= _OF_ITS_OWN
        # The confidence of what is nearly certain in context presupposes the word.
        and not (detector.needs_context and detector.confidence >= _CERTAIN)
        and scan.is_alone(start, end)
    ):
        return start, end, confidence.total(detector.confidence + ALONE), row.order, WHOLE
    if said < 0 and detector.needs_context:
        return None
    if row.veto:
        against = scan.nearby.last(row.veto, start)
        # The nearer word decides: "account, phone" speaks for a number, "phone, account" against it.
        if against is not None and against[1] >= said:
            return None
    if said < 0:
        return start, end, confidence.total(detector.confidence), row.order, 0
    return start, end, confidence.total(detector.confidence + CONTEXT), row.order, NAMED


def _is_valid(scan: Scan, row: Row, value: str) -> bool:
    detector = row.detector
    if detector.most_checks:
        scan.checks[row.order] += 1
        if scan.checks[row.order] > detector.most_checks:
            return True
    return detector.validate is None or detector.validate(value)


def _said(scan: Scan, row: Row, start: int, end: int) -> int:
    """Return where the word that names a match ends, or -1."""
    if row.context:
        word = scan.nearby.last(row.context, start)
        if word is not None:
            return word[1]
    return start if row.behind and scan.nearby.next(row.behind, end, 3) else -1


@lru_cache(maxsize=64)
def _rows_of(types: frozenset[str]) -> tuple[Row, ...]:
    return tuple(row for row in _ROWS if row.detector.type in types)


def _rows_for(text: str, types: frozenset[str]) -> Sequence[Row]:
    """Return the rows of the types that can find something in the text."""
    automata = prefilter.shared()
    possible = automata.possible(text) if automata else None
    if possible is not None:
        return [row for order in (*possible, *_BY_SHAPE) if (row := _ROWS[order]).detector.type in types]
    absent = {sign for sign in _SIGNS if sign not in text}
    return [row for row in _rows_of(types) if not row.signs or not absent.issuperset(row.signs)]


# --- codes ---------------------------------------------------------------------------------------------------


class _Possible(NamedTuple):
    """What a match of a layout may be.

    ``names`` are the bits of all words that name one of the codes, ``most`` what one of them weighs at most where
    nothing is near, a partner excepted; ``codes`` are those that can reach the threshold: place in the table, the bits
    of its words, its type, whether it needs help.
    """

    names: int
    most: float
    codes: tuple[tuple[int, int, str, bool], ...]


@lru_cache(maxsize=10_000)
def _possible(places: tuple[int, ...], types: frozenset[str], threshold: float) -> _Possible:
    names, most, codes = 0, -1.0, []
    for place in places:
        weight = _ALONE_WEIGHTS[place] + _SLACK[place]
        if CODES[place].type in types and weight + CONTEXT >= threshold:
            codes.append((place, _NAMES[place], CODES[place].type, weight < threshold))
            names |= _NAMES[place]
            most = max(most, weight)
    return _Possible(names, most, tuple(codes))


def _in_codes(scan: Scan, types: frozenset[str], threshold: float) -> Iterator[Find]:
    text = scan.text
    ends: dict[str, int] = {}  # of the last certain find of each type
    last = -_GAP - 1  # of all of them
    for start, end, places in _LAYOUTS.matches(text):
        value = ""
        possible = _possible(places, types, threshold)
        around = scan.nearby.around(start, end) if possible.codes else 0
        whole = scan.is_alone(start, end)
        follows = [kind for kind, at in ends.items() if 0 <= start - at <= _GAP] if start - last <= _GAP else ()
        # Most matches can be told apart by what is not near them.
        if not (whole or follows or around & possible.names or possible.most >= threshold):
            continue
        for place, names, kind, needs_help in possible.codes:
            if needs_help and not (whole or around & names or kind in follows):
                continue
            code = CODES[place]
            weight, evidence = _weigh_code(scan, place, (start, end), kind in follows, around)
            if weight + _SLACK[place] < threshold:
                continue
            if code.validate is not None:
                value = value or compact(text[start:end])
                # Many check digits are right where all are alike: the number of nobody, in forms and tests.
                if (code.checksum and value == value[0] * len(value)) or not code.validate(value):
                    continue
            if code.upper and not _is_written_right(text[start:end], bool(evidence & NAMED)):
                continue
            if weight >= threshold:
                ends[kind] = end
                last = max(last, end)
            yield start, end, confidence.total(weight), _FIRST_CODE + place, evidence


def _is_written_right(value: str, named: bool) -> bool:
    """Tell whether letters are of one case: capitals, or small ones beside a word that names the code."""
    return value.isupper() or (named and value.islower())


def _weigh_code(scan: Scan, place: int, span: Span, follows: bool, around: int) -> tuple[float, int]:
    """Weigh a code on the assumption that it is valid; ``around`` are the bits of the words near it."""
    code = CODES[place]
    start, end = span
    weight = code.confidence + code.checksum
    evidence = CHECKED if code.checksum else 0
    bit = around & _NAMES[place]
    nearby = scan.nearby
    word = nearby.last(bit, start) if bit else None
    if word is not None or (bit and nearby.next(bit, end)):
        weight += CONTEXT
        evidence |= NAMED
    elif scan.is_alone(start, end) and (
        (scan.asked and code.type not in _CHECKED_TYPES) or code.checksum > NONE or code.confidence >= _OF_ITS_OWN
    ):
        weight += ALONE
        evidence |= WHOLE
    elif follows:
        weight += FOLLOWS
        evidence |= SIBLING
    bit = around & _OTHERS[place]
    other = nearby.last(bit, start) if bit else None
    if other is not None and (word is None or other[1] > word[1]):
        weight += NEGATIVE
        evidence |= OTHER
    return weight, evidence


# --- finders -------------------------------------------------------------------------------------------------


def _in_finder(text: str, finder: Finder, order: int, types: frozenset[str]) -> Iterator[Find]:
    for found in finder.find(text):
        if found.type not in finder.types or not 0 <= found.start < found.end <= len(text):
            raise DetectionError(f"detector {finder.name} left the text or its types", finder.name)
        if found.type in types:
            yield found.start, found.end, confidence.total(found.confidence), order, found


# --- all together --------------------------------------------------------------------------------------------


def _with_partners(finds: list[Find], threshold: float) -> list[Find]:
    """Raise what is nearly certain and stands near what it usually comes with, then drop what is not certain."""
    certain = [find for find in finds if find[2] >= threshold]
    if len(certain) == len(finds):
        return finds
    partners = sorted((find[0], find[1], _type_of(find)) for find in certain if _type_of(find) in _PARTNER_TYPES)
    for start, end, weight, order, source in finds:
        if weight < threshold and isinstance(source, int) and partners:
            wanted = PARTNERS.get(_TYPE_OF[order], ())
            first = bisect_left(partners, (start - _NEAR - _LONGEST_PARTNER,))
            for left, right, kind in islice(partners, first, first + _MOST_PARTNERS):
                if kind in wanted and right + _NEAR >= start and left <= end + _NEAR:
                    certain.append((start, end, confidence.total(weight + PARTNER), order, source | PARTNERED))
                    break
    return certain


def _type_of(find: Find) -> str:
    source = find[4]
    return _TYPE_OF[find[3]] if isinstance(source, int) else source.type


def _resolve(finds: list[Find], size: int) -> list[Find]:
    """Keep of overlapping finds the longest, then the most certain, then the first of the table."""
    finds.sort()
    if all(left[1] <= right[0] for left, right in pairwise(finds)):
        return finds
    taken = bytearray(size)
    kept = []
    for find in sorted(finds, key=lambda f: (f[0] - f[1], -f[2], f[3], f[0])):
        start, end = find[:2]
        # What was taken is at least as long, so it cannot lie strictly between the ends.
        if not taken[start] and not taken[end - 1]:
            taken[start:end] = b"\x01" * (end - start)
            kept.append(find)
    kept.sort()
    return kept


def _failed(name: str, error: Exception) -> NoReturn:
    if isinstance(error, DetectionError):
        raise error
    # The original message may quote the text.
    raise DetectionError(f"detector {name} failed: {type(error).__name__}", name) from None


class _Collector:
    """Collect finds up to a limit."""

    def __init__(self, limit: int | None) -> None:
        self.finds: list[Find] = []
        self._limit = limit

    def add(self, name: str, found: Iterable[Find]) -> None:
        """Take what a detector finds; raises DetectionError when it fails."""
        limit = self._limit
        try:
            self.finds += found if limit is None else islice(found, limit - len(self.finds) + 1)
        except MemoryError:
            raise
        except Exception as error:
            _failed(name, error)
        if limit is not None and len(self.finds) > limit:
            raise PayloadTooLargeError(f"the text holds more than {limit} finds (detection.max_finds)")


def _find_all(  # noqa: PLR0917 - the parameters of ``detect``
    text: str, types: frozenset[str], threshold: float, limit: int | None, finders: Sequence[Finder], builtin: bool
) -> tuple[list[Find], Scan]:
    plain = normalize(text)
    if len(plain) != len(text):
        raise DetectionError("normalised text has another length than the text")
    scan = Scan(plain, _INDEX, _BEGINNINGS, _SHAPES, asked=types != DEFAULT_TYPES)
    collected = _Collector(limit)
    if builtin:
        for row in _rows_for(plain, types):
            collected.add(row.detector.name, candidates(scan, row, _judge))
        collected.add("codes", _in_codes(scan, types, threshold))
        finders = (*finders, *FINDERS)
    for order, finder in enumerate(finders, _FIRST_FINDER):
        if not finder.types.isdisjoint(types):
            collected.add(finder.name, _in_finder(plain, finder, order, types))
    return _resolve(_with_partners(collected.finds, threshold), len(text)), scan


def detect(
    text: str,
    *,
    types: Collection[str] | None = None,
    threshold: float = 0.5,
    limit: int | None = None,
    finders: Sequence[Finder] = (),
    builtin: bool = True,
    explain: bool = False,
) -> list[Entity]:
    """Find the entities in a text.

    ``types`` are names of ``ENTITY_TYPES`` or of the ``finders`` given, which come to those built in; none given means
    those that are on by default, and all of the finders'. Finds below ``threshold`` are left out, before overlaps are
    resolved. Without ``builtin`` nothing but the finders given finds. The result is sorted by start and does not
    overlap: of overlapping finds the longer wins, then the more certain, then the order of the table. Spans count code
    points, end exclusive. With ``explain`` every entity holds the evidence that its confidence is the sum of.

    Raises PayloadTooLargeError for more than ``limit`` finds, overlapping and weak ones counted, ValueError for an
    unknown type, DetectionError when a detector fails: the text must then not be passed on as if nothing had been
    found.
    """
    added: frozenset[str] = frozenset().union(*(finder.types for finder in finders))
    if types is None:
        wanted = DEFAULT_TYPES | added if added else DEFAULT_TYPES
    else:
        wanted = frozenset(types)
        if not wanted <= ENTITY_TYPES.keys() | added:
            raise ValueError(f"unknown entity type; known are {', '.join((*ENTITY_TYPES, *sorted(added)))}")
    finds, scan = _find_all(text, wanted, threshold, limit, finders, builtin)
    return [_entity(text, find, scan if explain else None) for find in finds]


def _entity(text: str, find: Find, scan: Scan | None) -> Entity:
    start, end, weight, order, source = find
    return Entity(
        type=_type_of(find),
        start=start,
        end=end,
        value=text[start:end],
        confidence=weight,
        detector=source.detector if isinstance(source, Found) else _NAME_OF[order],
        explanation=_explain(find, scan) if scan else (),
    )


def _explain(find: Find, scan: Scan) -> tuple[confidence.Evidence, ...]:
    """Say what a find's confidence is the sum of."""
    start, end, _, order, source = find
    if isinstance(source, Found):
        return (confidence.Evidence("pattern", source.confidence, source.why or source.detector),)
    row = DETECTORS[order] if order < _FIRST_CODE else CODES[order - _FIRST_CODE]
    named = other = ""
    if source & (NAMED | OTHER):
        veto = row.veto or _OTHER_THINGS
        bit = _INDEX.bit(row.context)
        word = scan.nearby.last(bit, start) or scan.nearby.next(bit, end)
        named = _INDEX.named(row.context, scan.nearby.low, word) if word else ""
        word = scan.nearby.last(_INDEX.bit(veto), start)
        other = _INDEX.named(veto, scan.nearby.low, word) if word else ""
    checksum = row.checksum if isinstance(row, Code) else 0.0
    pattern = confidence.Evidence("pattern", row.confidence, row.name)
    return (pattern, *confidence.explain(checksum, source, named, other))
