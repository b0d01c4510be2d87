"""Look for words near a match that say what it is.

The words of all rows are in one index, so that the text near a match is read once, whatever the number of rows. Each
distinct tuple of words has a bit; a word that is met gives the bits of all tuples that name it.

A word is written in lower case: ``word`` stands for itself, ``word*`` for what begins with it, ``*word`` for what
ends with it, ``*word*`` for what holds it. Words with anything but letters in them are phrases: they must
stand there as written, where an underscore or a dash of the text counts as a space. A word reaches over the nouns that
may follow it: "account number is".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

REACH = 50
"""Characters before a match in which a word counts."""
BEHIND = 30
"""Characters behind a match in which a word counts, within its sentence."""

_BLOCK = 64
_TOKEN = re.compile(r"[^\W\d_]+")
_HEAD = 3  # letters by which prefixes are looked up
_TAIL = re.compile(
    r" ?(?:numbers?|nummer|numero|número|no|num|nr|ids?|code|card)(?![^\W\d_])\.?(?: is)?| is(?![^\W\d_])"
)
_END = re.compile(r"[\n\r;]|[.!?](?=\s)")
_SPACES = str.maketrans("_-", "  ")

# start, end, bits of the tuples that name it
Word = tuple[int, int, int]
# what a phrase goes on with behind its first word, whether letters may follow, bits
_Phrase = tuple[str, bool, int]


class Index:
    """Hold the words of all tuples."""

    def __init__(self, tuples: Iterable[tuple[str, ...]]) -> None:
        self._bits: dict[tuple[str, ...], int] = {}
        self._exact: dict[str, int] = {}
        self._prefixes: dict[str, list[tuple[str, int]]] = {}
        self._short: dict[str, int] = {}
        self._inside: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._phrases: dict[str, list[_Phrase]] = {}
        for words in tuples:
            if words and words not in self._bits:
                bit = self._bits[words] = 1 << len(self._bits)
                for word in words:
                    self._add(word, bit)
        self._heads = {word[:_HEAD] for word in (*self._exact, *self._prefixes, *self._phrases)}
        self._within = (*self._inside, *self._ends)
        self._foreign = [word for word in self._inside if not word.isascii()]

    def _add(self, word: str, bit: int) -> None:
        body = word.strip("*").translate(_SPACES)
        first = _TOKEN.match(body)
        if first is None:
            raise ValueError(f"context word {word!r} does not begin with a letter")
        if first.end() < len(body):
            self._phrases.setdefault(first[0], []).append((body[first.end() :], word.endswith("*"), bit))
        elif word.startswith("*"):
            parts = self._inside if word.endswith("*") else self._ends
            parts[body] = parts.get(body, 0) | bit
        elif word.endswith("*"):
            if len(body) < _HEAD - 1:
                raise ValueError(f"context word {word!r} is too short for a prefix")
            if len(body) < _HEAD:
                self._short[body] = self._short.get(body, 0) | bit
            else:
                self._prefixes.setdefault(body[:_HEAD], []).append((body, bit))
        else:
            self._exact[body] = self._exact.get(body, 0) | bit

    def bit(self, words: tuple[str, ...]) -> int:
        """Return the bit of a tuple of words; 0 for the empty one."""
        return self._bits[words] if words else 0

    def words(self, low: str, start: int, end: int) -> list[Word]:
        """Return the known words that begin between two places of a text in lower case, spaces for dashes."""
        found: list[Word] = []
        if start and low[start - 1].isalpha():
            while start < end and low[start].isalpha():
                start += 1
        stop = end
        if low[end - 1 : end].isalpha():
            whole = _TOKEN.match(low, end, end + REACH)
            stop = whole.end() if whole else end
        heads, beginnings, bits_of = self._heads, self._short, self._bits_of
        piece = low[start:stop]
        within = any(part in piece for part in self._within)
        for token in _TOKEN.finditer(low, start, stop):
            word = token[0]
            if within or word[:_HEAD] in heads or word[:2] in beginnings:
                after = token.end()
                bits = bits_of(word) | (self._bits_inside(word) if within else 0)
                for rest, open_, bit in self._phrases.get(word, ()):
                    further = after + len(rest)
                    if low.startswith(rest, token.end()) and (open_ or not low[further : further + 1].isalpha()):
                        bits |= bit
                        after = max(after, further)
                if bits:
                    tail = _TAIL.match(low, after)
                    found.append((token.start(), tail.end() if tail else after, bits))
        # Marks between letters (Thai vowels) cut words into pieces.
        if self._foreign and not low.isascii():
            piece = low[start : end + REACH]
            for word in self._foreign:
                where = piece.find(word)
                if 0 <= where < end - start:
                    found.append((start + where, start + where + len(word), self._inside[word]))
            found.sort()
        return found

    def _bits_of(self, word: str) -> int:
        bits = self._exact.get(word, 0)
        for prefix, bit in self._prefixes.get(word[:_HEAD], ()):
            if word.startswith(prefix):
                bits |= bit
        return bits | self._short.get(word[:2], 0)

    def _bits_inside(self, word: str) -> int:
        bits = 0
        for part, bit in self._inside.items():
            if part in word:
                bits |= bit
        for part, bit in self._ends.items():
            if word.endswith(part):
                bits |= bit
        return bits

    def named(self, words: tuple[str, ...], low: str, word: Word) -> str:
        """Return which word of a tuple was met, as the table writes it."""
        text = low[word[0] : word[1]]
        for entry in words:
            body = entry.strip("*").translate(_SPACES)
            if (body in text) if entry.startswith("*") else text.startswith(body):
                return entry
        return words[0]


class Nearby:
    """Find the words near the matches in one text; each stretch of it is read at most once."""

    __slots__ = ("_before", "_blocks", "_index", "_start", "low", "text")

    def __init__(self, index: Index, low: str) -> None:
        self.text = low
        self.low = low.translate(_SPACES) if ("_" in low or "-" in low) else low
        self._index = index
        self._blocks: dict[int, list[Word]] = {}
        self._start = -1
        self._before: list[Word] = []

    def _block(self, number: int) -> list[Word]:
        found = self._blocks.get(number)
        if found is None:
            start = number * _BLOCK
            found = self._blocks[number] = self._index.words(self.low, start, start + _BLOCK)
        return found

    def before(self, start: int) -> list[Word]:
        """Return the known words in the reach before a place, the nearest first."""
        if start != self._start:
            least = start - REACH
            first = least // _BLOCK if least > 0 else 0
            words: list[Word] = []
            for number in range(start // _BLOCK, first - 1, -1):
                words += [word for word in reversed(self._block(number)) if word[1] <= start and word[0] >= least]
            self._start, self._before = start, words
        return self._before

    def last(self, bit: int, start: int) -> Word | None:
        """Return the nearest word of a tuple in the reach before a place."""
        for word in self.before(start):
            if word[2] & bit:
                return word
        return None

    def next(self, bit: int, end: int, reach: int = BEHIND) -> Word | None:
        """Return the first word of a tuple that begins within reach behind a place, in the same sentence."""
        for number in range(end // _BLOCK, (end + reach) // _BLOCK + 1):
            for word in self._block(number):
                if end <= word[0] <= end + reach and word[2] & bit:
                    return None if _END.search(self.text, end, word[0]) else word
        return None
