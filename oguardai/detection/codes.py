"""Find the codes of the table: identifiers known by how their digits and letters are grouped.

A text's groups of letters and digits are reduced to their layout (``9`` for a digit, ``A`` for a letter) and looked up
in one dictionary that has the layouts of all codes. What is done for a text is bounded by its length: a group is joined
with at most seven following ones, and only as long as some layout begins so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from oguardai.detection.detector import Code

_SEPARATORS = frozenset(" -./:_")
_SHAPE = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "9" * 10 + "A" * 52)
_EITHER = str.maketrans("9A", "XX")
_COMPACT = str.maketrans("", "", "".join(_SEPARATORS))
_MOST_EXPANDED = 2  # X of a layout that become 9 and A each

# A digit, what touches it, and groups behind single separators that have a digit soon, or are short.
_CLUSTER = re.compile(
    r"[0-9][0-9A-Za-z]*+(?:[ \-./:_](?:(?=[A-Za-z]{0,4}[0-9])[0-9A-Za-z]++|[A-Za-z]{1,3}(?![0-9A-Za-z])))*"
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LEADS = frozenset(_LETTERS + " -./")
_REACH = 24  # characters before the first digit in which a code begins
_MOST_GROUPS = 8
_GLUED = " is"  # as in "my code is030594W903B"
# Layouts of texts are remembered, which hold nothing of a text but where it has digits: most come again and again.
_MOST_REMEMBERED = 48  # characters
_MOST_SHAPES = 20_000
_MOST_LETTERS = 4  # of a group without digits before the first one
_JOINTS = (" ", "-", ".", "/")
_GROUP = re.compile("[0-9A-Za-z]+")
# Signs of amounts, paths, variables and mail addresses.
_NOT_BEFORE = frozenset("_@$€£¥%&+*~^\\")
_NOT_AFTER = frozenset("_@%€£¥*~^")
_JOINS = frozenset("-./:")


Fit = tuple[int, int, tuple[int, ...]]
"""Start, end and places in the table of what a shape can hold."""


class Match(NamedTuple):
    """A stretch of the text that is written like the codes at ``places`` of the table."""

    start: int
    end: int
    places: tuple[int, ...]


def _expand(layout: str, separators: str) -> Iterator[str]:
    """Write a layout with each separator, and without."""
    if "|" not in layout:
        yield layout
        return
    for separator in ("", *separators):
        yield layout.replace("|", separator)


def _pieces(layout: str) -> Iterator[str]:
    """Return a layout's beginnings that end where a group does."""
    for found in _GROUP.finditer(layout):
        yield layout[: found.end()]


class Layouts:
    """Hold the layouts of all codes."""

    def __init__(self, codes: Sequence[Code]) -> None:
        exact: dict[str, list[int]] = {}
        loose: dict[str, list[tuple[int, str]]] = {}
        for place, code in enumerate(codes):
            for written in dict.fromkeys(w for layout in code.layouts for w in _expand(layout, code.separators)):
                count = written.count("X")
                if count <= _MOST_EXPANDED:
                    for kinds in product("9A", repeat=count):
                        fill = iter(kinds)
                        key = "".join(next(fill) if char == "X" else char for char in written)
                        exact.setdefault(key, []).append(place)
                else:
                    loose.setdefault(written.translate(_EITHER), []).append((place, written))
        self._exact = {key: tuple(dict.fromkeys(places)) for key, places in exact.items()}
        self._loose = {key: tuple(rows) for key, rows in loose.items()}
        self._beginnings = frozenset(piece for key in exact for piece in _pieces(key))
        self._known: dict[str, list[Fit]] = {}
        self._windows: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
        self._loose_beginnings = frozenset(piece for key in loose for piece in _pieces(key))

    def matches(self, text: str) -> Iterator[Match]:
        """Find what is written like a code, from left to right; what overlaps is given too."""
        known = self._known
        for found in _CLUSTER.finditer(text):
            low, high = found.span()
            if low and text[low - 1] in _LEADS and text[low - 3 : low] != _GLUED:
                low = _lead(text, low)
            shape = text[low:high].translate(_SHAPE)
            fits = known.get(shape)
            if fits is None:
                fits = self._fits(shape)
                if len(shape) <= _MOST_REMEMBERED and len(known) < _MOST_SHAPES:
                    known[shape] = fits
            for start, end, places in fits:
                if _stands_alone(text, low + start, low + end):
                    yield Match(low + start, low + end, places)

    def _fits(self, shape: str) -> list[Fit]:
        """Return where codes can stand in a row of groups."""
        fits = []
        groups = [group.span() for group in _GROUP.finditer(shape)]
        for first, (start, _) in enumerate(groups):
            window = shape[start : groups[min(first + _MOST_GROUPS, len(groups)) - 1][1]]
            beginning = self._windows.get(window)
            if beginning is None:
                beginning = self._beginning(window)
                if len(window) <= _MOST_REMEMBERED and len(self._windows) < _MOST_SHAPES:
                    self._windows[window] = beginning
            fits += [(start, start + end, places) for end, places in beginning]
        return fits

    def _beginning(self, window: str) -> list[tuple[int, tuple[int, ...]]]:
        """Return the codes that a row of groups can begin with, by where they end."""
        fits = []
        either = window.translate(_EITHER) if "A" in window else ""
        exact, loose = True, bool(either)
        for group in _GROUP.finditer(window):
            end = group.end()
            places: tuple[int, ...] = ()
            if exact:
                key = window[:end]
                places = self._exact.get(key, ())
                exact = key in self._beginnings
            if loose:
                key = either[:end]
                places += self._fitting(key, window[:end])
                loose = key in self._loose_beginnings
            if places:
                fits.append((end, tuple(dict.fromkeys(places))))
            if not (exact or loose):
                break
        return fits

    def _fitting(self, key: str, shape: str) -> tuple[int, ...]:
        return tuple(
            dict.fromkeys(
                place
                for place, written in self._loose.get(key, ())
                if all(want in ("X", have) for want, have in zip(written, shape, strict=True))
            )
        )


def _lead(text: str, low: int) -> int:
    """Return where what may belong to a code begins before its first digit: letters, and up to two short groups."""
    if low > _MOST_LETTERS + 1 and text[low - 1] in _SEPARATORS:
        letters = text[low - _MOST_LETTERS - 2 : low - 1]
        if letters.isalpha() or not letters[-1].isalpha():
            return low  # behind a word, or a sign
    before = text[max(0, low - _REACH) : low]
    rest = before.rstrip(_LETTERS)
    for _ in range(2):
        if rest[-1:] not in _JOINTS:
            break
        shorter = rest[:-1].rstrip(_LETTERS)
        if not 1 < len(rest) - len(shorter) <= _MOST_LETTERS + 1 or shorter[-1:].isalnum():
            break
        rest = shorter
    return low - len(before) + len(rest)


def compact(value: str) -> str:
    """Return a code as validators get it: upper case, without separators."""
    return value.translate(_COMPACT).upper()


def writes_spaces(char: str) -> bool:
    """Tell whether a letter is of a script that puts spaces between words: Thai, CJK and Hangul glue particles."""
    return not ("\u0e00" <= char <= "\u0eff" or char >= "\u2e80")


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether a stretch is no part of something longer."""
    spaced = " " in text[start:end]
    if start:
        before = text[start - 1]
        if before in _NOT_BEFORE or (before.isalpha() and writes_spaces(before) and text[start - 3 : start] != _GLUED):
            return False
        if start > 1:
            further = text[start - 2]
            if before in _JOINS and further.isalnum() and (before in "-/" or further.isdigit()):
                return False
            if spaced and before == " " and further.isdigit():
                return False
    if end < len(text):
        after = text[end]
        if after in _NOT_AFTER or (after.isalpha() and writes_spaces(after)):
            return False
        if end + 1 < len(text):
            further = text[end + 1]
            if after in _JOINS and further.isalnum():
                return False
            if spaced and after == " " and further.isdigit():
                return False
    return True
