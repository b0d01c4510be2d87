"""Refuse patterns that may take more than linear time in a backtracking engine, by their syntax tree.

The rules are conservative: they refuse patterns that happen to be fast. A repeat is *long* when it can run over more
than ``LONG`` characters.

1. No long repeat within a repeat.
2. What can follow a long repeat begins with nothing that the repeat could go on with, and within any repeat that is
   long there is one way only to match a text. So, from one start, a text is read once.
3. Before a long repeat behind which the match can still fail stands something, back to the long repeat before it, that
   the repeat does not match (or the start of a word or a line). So few starts run into the same stretch of text.
4. Choices that remain (a short repeat that can give back, alternatives that begin alike) multiply; their number by
   the length of what is not long is at most ``MOST_EFFORT``.
5. No back-references, no conditions, no possessive groups (Python 3.11.2 mistakes them, python/cpython#106052), no
   flags but ``i``, ``m``, ``s`` and ``x``; nothing that is repeated or asserted is empty or long.

The tree is that of ``re._parser``, as Python 3.11 to 3.13 give it; what is not known is refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from typing import Any

LONG = 128
MOST_EFFORT = 2000
MOST_CHARACTERS = 1000

_PARSER: Any = import_module("re._parser")
_MANY = 1 << 40  # width of what has no bound
_WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_CATEGORIES: dict[str, frozenset[str]] = {
    "DIGIT": frozenset("0123456789"),
    "SPACE": frozenset(" \t\n\r\f\v"),
    "WORD": _WORD,
}
_TAKEN_FLAGS = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE


class PatternError(ValueError):
    """Report why a pattern is not taken; the message holds nothing of it."""


def check_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern that takes linear time on every text; raises PatternError for any other.

    ``flags`` are those of ``re``; ``re.ASCII`` is always set.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise PatternError(f"has {len(pattern)} characters, at most {MOST_CHARACTERS} are taken")
    try:
        compiled, tree = _compile(pattern, flags | re.ASCII)
        reader = _Reader(tree)
        node = reader.read(tree, tree.state.flags)
        if node.least == 0:
            raise PatternError("matches the empty text; it must match at least one character")
        _search((node,), (), False, reader)
        effort = _ways(node, 0) * max(1, _width(node))
    except RecursionError:
        raise PatternError("is nested too deeply") from None
    if effort > MOST_EFFORT:
        raise PatternError(
            "leaves too many ways to try (short repeats that can match what follows them, alternatives that begin "
            "alike, or a great length): bound the repeats more, or let each exclude what follows it"
        )
    return compiled


def _compile(pattern: str, flags: int) -> tuple[re.Pattern[str], Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python may read differently one day
            return re.compile(pattern, flags), _PARSER.parse(pattern, flags)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise PatternError(f"is not a regular expression: {_plain(error.msg)}{where}") from None
    except (ValueError, OverflowError, Warning):
        raise PatternError("is not a regular expression that every engine reads alike") from None


def _plain(message: str) -> str:
    """Leave out what an error of ``re`` quotes of the pattern."""
    return re.sub(r"(?:['\"<(?\\]|(?<=range)).*", "", message).strip() or "wrong syntax"


# --- the tree ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a pattern.

    Sets of characters are bits, see ``_Reader``. ``first`` is what it can begin with, ``chars`` all that it can match,
    ``least`` and ``most`` its length. ``sure``: it matches the empty text wherever it stands. ``guards``, of what has
    no length: sets, of each of which a character stands before it. ``times``, of a repeat: least and most.
    """

    kind: str
    parts: tuple[_Node, ...] = ()
    first: int = 0
    chars: int = 0
    least: int = 0
    most: int = 0
    sure: bool = False
    guards: tuple[int, ...] = ()
    times: tuple[int, int] = (1, 1)


def _is_long(node: _Node) -> bool:
    return node.kind == "repeat" and node.most > LONG


def _has_long(node: _Node) -> bool:
    return _is_long(node) or any(map(_has_long, node.parts))


class _Reader:
    """Read the tree of ``re._parser``; refuse what the rules do not know.

    A set of characters is a number with a bit for each ASCII character, and for each stretch of the others that no
    literal or range of the pattern divides.
    """

    def __init__(self, tree: Any) -> None:
        marks = set(range(129))
        _collect(tree, marks)
        self._starts = sorted(marks)
        self.all = (1 << len(self._starts)) - 1
        self.word = self._of(_WORD)

    def _of(self, chars: Iterable[str]) -> int:
        return sum(1 << self._starts.index(ord(char)) for char in chars)

    def _range(self, low: int, high: int) -> int:
        return sum(1 << place for place, start in enumerate(self._starts) if low <= start <= high)

    def _fold(self, chars: int, flags: int) -> int:
        if flags & re.IGNORECASE:
            for upper, lower in zip(range(65, 91), range(97, 123), strict=True):
                if chars & (1 << upper | 1 << lower):
                    chars |= 1 << upper | 1 << lower
        return chars

    def _category(self, name: str) -> int:
        kind = name.removeprefix("CATEGORY_")
        known = self._of(_CATEGORIES[kind.removeprefix("NOT_")])
        return self.all & ~known if kind.startswith("NOT_") else known

    def _in(self, items: Sequence[tuple[Any, Any]], flags: int) -> int:
        chars, negated = 0, False
        for code, value in items:
            match str(code):
                case "NEGATE":
                    negated = True
                case "LITERAL":
                    chars |= self._range(value, value)
                case "RANGE":
                    chars |= self._range(*value)
                case "CATEGORY":
                    chars |= self._category(str(value))
                case _:
                    raise PatternError("holds a class of characters that is not known here")
        chars = self._fold(chars, flags)
        return self.all & ~chars if negated else chars

    def read(self, tree: Iterable[tuple[Any, Any]], flags: int) -> _Node:
        """Return the node of a sequence."""
        parts = tuple(self._item(str(code), value, flags) for code, value in tree)
        return parts[0] if len(parts) == 1 else _sequence(parts)

    def _item(self, code: str, value: Any, flags: int) -> _Node:
        match code:
            case "LITERAL":
                return _chars(self._fold(self._range(value, value), flags))
            case "NOT_LITERAL":
                return _chars(self.all & ~self._fold(self._range(value, value), flags))
            case "ANY":
                return _chars(self.all if flags & re.DOTALL else self.all & ~self._of("\n"))
            case "IN":
                return _chars(self._in(value, flags))
            case "BRANCH":
                return _choice(tuple(self.read(branch, flags) for branch in value[1]))
            case "SUBPATTERN":
                _, added, removed, inner = value
                if (added | removed) & ~_TAKEN_FLAGS:
                    raise PatternError("sets a flag other than i, m, s and x")
                return self.read(inner, (flags | added) & ~removed)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeat(value, flags, possessive=code == "POSSESSIVE_REPEAT")
            case "ASSERT" | "ASSERT_NOT":
                return self._look(value[0] < 0, code == "ASSERT_NOT", self.read(value[1], flags))
            case "AT":
                return self._at(str(value), flags)
            case "GROUPREF" | "GROUPREF_EXISTS" | "GROUPREF_IGNORE":
                raise PatternError("refers back to a group; back-references are not taken")
            case "ATOMIC_GROUP":
                raise PatternError("holds an atomic group, (?>…), which is not taken")
        raise PatternError("holds something that is not known here")

    def _repeat(self, value: Any, flags: int, *, possessive: bool) -> _Node:
        low, high, inner = value
        body = self.read(inner, flags)
        if body.least == 0:
            raise PatternError("repeats something that can be empty")
        if possessive and body.kind != "chars":
            raise PatternError("holds a possessive repeat of a group, which is not taken")
        high = int(high) if high <= _MANY else _MANY  # re's own sign for "no bound" is larger
        if high > 1 and _has_long(body):
            raise PatternError(
                f"has a repeat within which another can run over more than {LONG} characters: bound the inner one"
            )
        return _Node(
            "repeat",
            (body,),
            body.first,
            body.chars,
            body.least * int(low),
            min(_MANY, body.most * high),
            low == 0,
            times=(int(low), high),
        )

    def _look(self, behind: bool, negated: bool, inner: _Node) -> _Node:
        if inner.most > LONG:
            raise PatternError(f"looks over more than {LONG} characters: bound what stands in (?=…) or (?!…)")
        guards: tuple[int, ...] = ()
        if behind and not negated:
            guards = tuple(part.chars for part in (inner.parts if inner.kind == "sequence" else (inner,)) if part.least)
        elif behind and inner.kind == "chars":
            guards = (self.all & ~inner.chars,)
        return _Node("look", (inner,), guards=guards)

    def _at(self, place: str, flags: int) -> _Node:
        match place:
            case "AT_BEGINNING_STRING":
                return _Node("look", guards=(0,))
            case "AT_BEGINNING":
                return _Node("look", guards=(self._of("\n"),) if flags & re.MULTILINE else (0,))
            case "AT_BOUNDARY":
                return _Node("boundary")
        return _Node("look")


def _chars(chars: int) -> _Node:
    return _Node("chars", first=chars, chars=chars, least=1, most=1)


def _sequence(parts: tuple[_Node, ...]) -> _Node:
    return _Node(
        "sequence",
        parts,
        _first(parts, 0),
        _union(part.chars for part in parts),
        sum(part.least for part in parts),
        min(_MANY, sum(part.most for part in parts)),
        all(part.sure for part in parts),
    )


def _choice(parts: tuple[_Node, ...]) -> _Node:
    return _Node(
        "choice",
        parts,
        _union(part.first for part in parts),
        _union(part.chars for part in parts),
        min(part.least for part in parts),
        max(part.most for part in parts),
        any(part.sure for part in parts),
    )


def _union(sets: Iterable[int]) -> int:
    union = 0
    for chars in sets:
        union |= chars
    return union


def _first(parts: Sequence[_Node], follow: int) -> int:
    """Return what a sequence can begin with, before something that begins with ``follow``."""
    chars = 0
    for part in parts:
        chars |= part.first
        if part.least:
            return chars
    return chars | follow


def _collect(tree: Any, marks: set[int]) -> None:
    """Note where the characters that are no ASCII are divided."""
    if isinstance(tree, tuple) and len(tree) == 2:
        code, value = tree
        if str(code) in {"LITERAL", "NOT_LITERAL"}:
            marks.update((value, value + 1))
            return
        if str(code) == "RANGE":
            marks.update((value[0], value[1] + 1))
            return
    if isinstance(tree, tuple | list) or hasattr(tree, "data"):
        for part in tree:
            _collect(part, marks)


# --- the rules -----------------------------------------------------------------------------------------------


def _ways(node: _Node, follow: int) -> int:
    """Return how many ways there are at most, from one start, to match a text; before what begins with ``follow``."""
    match node.kind:
        case "sequence":
            ways = 1
            for place, part in enumerate(node.parts):
                ways *= _ways(part, _first(node.parts[place + 1 :], follow))
        case "choice":
            starts = [part.first | (0 if part.least else follow) for part in node.parts]
            alike = any(one & other for one, other in combinations(starts, 2))
            alike = alike or sum(part.least == 0 for part in node.parts) > 1
            ways = (sum if alike else max)(_ways(part, follow) for part in node.parts)
        case "repeat":
            ways = _ways_of_repeat(node, follow)
        case "look":
            ways = _ways(node.parts[0], 0) if node.parts else 1
        case _:
            ways = 1
    return min(ways, MOST_EFFORT + 1)


def _ways_of_repeat(node: _Node, follow: int) -> int:
    (body,) = node.parts
    low, high = node.times
    inner = _ways(body, follow | (body.first if high > 1 else 0))
    gives_back = low != high and bool(body.first & follow)
    if _is_long(node) and high > 1:
        if inner > 1:
            raise PatternError(
                "repeats without bound what can match the same text in more than one way: let what is optional, or the "
                "alternatives, begin differently"
            )
        if gives_back:
            raise PatternError(
                "has a repeat without bound and behind it what the repeat matches as well: bound it, as in {0,20}, or "
                "exclude from it what follows, as in [^,]*,"
            )
        return 1
    if high > LONG or (inner > 1 and high > 16):
        return MOST_EFFORT + 1
    return (high - low + 1 if gives_back else 1) * int(inner**high)


def _width(node: _Node) -> int:
    """Return the length of what is not long."""
    if _is_long(node) and node.times[1] > 1:
        return 0
    match node.kind:
        case "sequence":
            return sum(map(_width, node.parts))
        case "choice":
            return max(map(_width, node.parts))
        case "repeat":
            return _width(node.parts[0]) * node.times[1]
        case "look":
            return sum(part.most for part in node.parts)
    return node.most


def _search(
    parts: Sequence[_Node], guards: tuple[int, ...], may_fail: bool, reader: _Reader, follow: int = 0
) -> tuple[int, ...]:
    """Check the long repeats of a sequence by the third rule; return what stands before its end.

    ``guards`` are sets, of each of which a character stands between the last long repeat and this place; ``may_fail``:
    behind the sequence the match can fail.
    """
    for place, part in enumerate(parts):
        rest = parts[place + 1 :]
        fails = may_fail or any(not other.sure for other in rest)
        if part.kind == "boundary":
            guards += _at_boundary(rest, follow, reader)
        elif part.kind == "look":
            guards += part.guards
        elif part.kind == "sequence":
            guards = _search(part.parts, guards, fails, reader, _first(rest, follow))
        elif not _has_long(part):
            guards += (part.chars,) if part.least else ()
        elif part.kind == "choice" or part.times in {(0, 1), (1, 1)}:
            for inner in part.parts:
                _search((inner,), guards, fails, reader, _first(rest, follow))
            guards = ()
        else:
            if (fails or part.least > LONG) and all(guard & part.chars for guard in guards):
                raise PatternError(
                    "has a repeat without bound that many places of a text can run into: bound it, as in {1,64}, begin "
                    r"with \b (before letters, digits and _ only), or put before it what it does not match"
                )
            guards = ()
    return guards


def _at_boundary(rest: Sequence[_Node], follow: int, reader: _Reader) -> tuple[int, ...]:
    """Return what stands before a ``\\b``, by what must stand behind it."""
    if not any(part.least for part in rest):
        return ()
    first = _first(rest, follow)
    if not first & ~reader.word:
        return (reader.all & ~reader.word,)
    return () if first & reader.word else (reader.word,)
