"""Look for words near a match that say what it is."""

from __future__ import annotations

import re

REACH = 40
"""Characters before a match in which a word counts."""

# A veto word means the thing it names also with one of these behind it: "account number is".
_TAIL = r"(?:[ _-]?(?:numbers?|nummer|no|num|nr|ids?|code|card)\b)?(?: is)?"


def _alternatives(words: tuple[str, ...]) -> str:
    bounded: list[str] = []
    free: list[str] = []
    for word in words:
        body = re.escape(word.strip("*"))
        # Letters follow at will, or none may.
        body += r"[^\W\d_]*" if word.endswith("*") else r"(?![^\W\d_])"
        (free if word.startswith("*") else bounded).append(body)
    parts = free
    if bounded:
        parts.append(r"(?<![^\W\d_])(?:" + "|".join(bounded) + ")")
    return "|".join(parts)


def compile_context(words: tuple[str, ...]) -> re.Pattern[str]:
    """Compile words to one pattern for lower-case text; ``*`` at an end of a word stands for more letters."""
    return re.compile(_alternatives(words))


def compile_veto(words: tuple[str, ...]) -> re.Pattern[str]:
    """Compile words that speak against a match, each with the nouns that may follow it."""
    return re.compile(f"(?:{_alternatives(words)}){_TAIL}")


def compile_behind(words: tuple[str, ...]) -> re.Pattern[str]:
    """Compile words that stand directly behind a match, with at most three characters between."""
    return re.compile(f"[-:,(\\\\ ]{{1,3}}(?:{_alternatives(words)})")


class Nearby:
    """Find the last word of a pattern in the reach before each of several matches.

    Between rising starts every character is read once: a match starts where no word runs on, so that no word of
    the context can lie across the start of an earlier one.
    """

    __slots__ = ("_end", "_low", "_pattern", "_read", "_start")

    def __init__(self, pattern: re.Pattern[str], low: str) -> None:
        self._pattern = pattern
        self._low = low
        self._read = self._start = self._end = -1

    def last_end(self, start: int) -> int:
        """Return where the last word in the reach before ``start`` ends, or -1."""
        begin = start - REACH if start > REACH else 0
        if self._start < begin or self._read > start:
            self._start = self._end = -1
        if begin < self._read <= start:
            begin = self._read
        self._read = start
        if begin == start:
            return self._end
        for found in self._pattern.finditer(self._low, begin, start):
            self._start, self._end = found.span()
        return self._end
