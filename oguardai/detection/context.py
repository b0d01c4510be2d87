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
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

REACH = 50
"""Characters before a match in which a word counts."""
BEHIND = 30
"""Characters behind a match in which a word counts, within its sentence."""

_BLOCK = 512
_CELL = 64  # divides a block
_LETTER = r"[^\W\d_]"
_TOKEN = re.compile(f"{_LETTER}+")
_SHORTEST_STEM = 2  # letters
_HEAD = 2  # characters by which phrases are looked up
_STOP = "\0"  # ends a whole word
_TAIL = re.compile(
    r" ?(?:numbers?|nummer|numero|número|no|num|nr|ids?|code|card)(?![^\W\d_])\.?(?: is)?| is(?![^\W\d_])"
)
_TAIL_HEADS = "nic"
_END = re.compile(r"[\n\r;]|[.!?](?=\s)")
_SPACES = str.maketrans("_-", "  ")

# start, end, bits of the tuples that name it
Word = tuple[int, int, int]
# what a phrase goes on with behind its first word, whether letters may follow, bits
_Phrase = tuple[str, bool, int]


def alternatives(words: set[str]) -> str:
    """Write words as one pattern in which what they begin with is shared, so that each place is looked at once."""
    heads: dict[str, set[str]] = {}
    for word in words:
        heads.setdefault(word[:1], set()).add(word[1:])
    if "" in heads:  # a stem ends here, whatever follows
        return ""
    parts = []
    for head, tails in sorted(heads.items()):
        rest = r"(?![^\W\d_])" if head == _STOP else re.escape(head) + alternatives(tails)
        parts.append(rest)
    return parts[0] if len(parts) == 1 else "(?:" + "|".join(parts) + ")"


class ByScript:
    """Hold a pattern for all texts, and the same for texts of ASCII characters, in which it is faster."""

    __slots__ = ("_any", "_ascii")

    def __init__(self, pattern: str) -> None:
        self._any = re.compile(pattern)
        self._ascii = re.compile(pattern, re.ASCII)

    def of(self, text: str) -> re.Pattern[str]:
        """Return the one for a text."""
        return self._ascii if text.isascii() else self._any


class _Entry(NamedTuple):
    """What the index holds under one of its beginnings.

    ``bits`` are of what begins so, ``stems`` the longer beginnings, ``words`` the whole words, ``phrases`` what goes on
    with something else, by its first word and by the two characters behind that.
    """

    bits: int
    stems: tuple[tuple[str, int], ...]
    words: dict[str, int]
    phrases: dict[str, dict[str, list[_Phrase]]]


def _under(words: list[str], begin: str) -> list[str]:
    """Return the words, of a sorted list, that begin so."""
    low = bisect_left(words, begin)
    return words[low : bisect_left(words, begin + chr(0x10FFFF), low)]


def _with_tail(low: str, end: int) -> int:
    """Return where the nouns behind a word end."""
    first = low[end : end + 1]
    if first == " ":
        first = low[end + 1 : end + 2]
    if first and first in _TAIL_HEADS:
        tail = _TAIL.match(low, end)
        if tail:
            return tail.end()
    return end


class Index:
    """Hold the words of all tuples."""

    def __init__(self, tuples: Iterable[tuple[str, ...]]) -> None:
        self._bits: dict[tuple[str, ...], int] = {}
        self._exact: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._inside: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._phrases: dict[str, dict[str, list[_Phrase]]] = {}
        for words in tuples:
            if words and words not in self._bits:
                bit = self._bits[words] = 1 << len(self._bits)
                for word in words:
                    self._add(word, bit)
        whole = self._exact.keys() | self._phrases.keys()
        begins = whole | self._stems.keys()
        heads = re.escape("".join(sorted({begin[0] for begin in begins})))
        trie = alternatives({word + _STOP for word in whole} | self._stems.keys())
        self._begins = ByScript(rf"\b(?=[{heads}])({trie}){_LETTER}*+" if begins else "(?!)")
        self._entries = self._make_entries(begins)
        self._parts = [(word, bit, False) for word, bit in self._inside.items() if word.isascii()]
        self._parts += [(word, bit, True) for word, bit in self._ends.items()]
        self._foreign = [word for word in self._inside if not word.isascii()]

    def _add(self, word: str, bit: int) -> None:
        body = word.strip("*").translate(_SPACES)
        first = _TOKEN.match(body)
        if first is None:
            raise ValueError(f"context word {word!r} does not begin with a letter")
        if first.end() < len(body):
            rest = body[first.end() :]
            phrases = self._phrases.setdefault(first[0], {})
            phrases.setdefault(rest[:_HEAD], []).append((rest, word.endswith("*"), bit))
        elif word.startswith("*"):
            parts = self._inside if word.endswith("*") else self._ends
            parts[body] = parts.get(body, 0) | bit
        elif word.endswith("*"):
            if len(body) < _SHORTEST_STEM:
                raise ValueError(f"context word {word!r} is too short for a prefix")
            self._stems[body] = self._stems.get(body, 0) | bit
        else:
            self._exact[body] = self._exact.get(body, 0) | bit

    def _make_entries(self, begins: set[str]) -> dict[str, _Entry]:
        """Return what stands under each beginning."""
        stems, words, phrases = (sorted(table) for table in (self._stems, self._exact, self._phrases))
        return {
            begin: _Entry(
                self._stems.get(begin, 0),
                tuple((stem, self._stems[stem]) for stem in _under(stems, begin) if stem != begin),
                {word: self._exact[word] for word in _under(words, begin)},
                {word: self._phrases[word] for word in _under(phrases, begin)},
            )
            for begin in begins
        }

    def bit(self, words: tuple[str, ...]) -> int:
        """Return the bit of a tuple of words; 0 for the empty one."""
        return self._bits[words] if words else 0

    def words(self, low: str, start: int, end: int) -> list[Word]:
        """Return the known words that begin between two places of a text in lower case, spaces for dashes."""
        found: list[Word] = []
        end = min(end, len(low))
        if start >= end:
            return found
        stop = end
        if low[end - 1].isalpha():
            whole = _TOKEN.match(low, end, end + REACH)
            stop = whole.end() if whole else end
        for begun in self._begins.of(low).finditer(low, start, stop):
            at = begun.start()
            if at < end:
                self._take(found, low, begun)
        count = len(found)
        self._take_parts(found, low, start, stop)
        if self._foreign and not low.isascii():
            self._take_foreign(found, low, start, end)
        if len(found) > count:
            found.sort()
        return found

    def _take(self, found: list[Word], low: str, begun: re.Match[str]) -> None:
        bits, stems, words, phrases = self._entries[begun[1]]
        at, after = begun.span()
        if stems or words or phrases:
            word = begun[0]
            for stem, more in stems:
                if word.startswith(stem):
                    bits |= more
            bits |= words.get(word, 0)
            rests = phrases.get(word)
            if rests:
                end = after
                for rest, open_, bit in (*rests.get(low[end : end + _HEAD], ()), *rests.get(low[end : end + 1], ())):
                    further = end + len(rest)
                    if low.startswith(rest, end) and (open_ or not low[further : further + 1].isalpha()):
                        bits |= bit
                        after = max(after, further)
        if bits:
            found.append((at, _with_tail(low, after), bits))

    def _take_parts(self, found: list[Word], low: str, start: int, stop: int) -> None:
        for part, bit, ends in self._parts:
            at = low.find(part, start, stop)
            while at >= 0:
                after = _TOKEN.match(low, at + len(part) - 1)
                close = after.end() if after else at + len(part)
                if not ends or close == at + len(part):
                    found.append((at, _with_tail(low, close), bit))
                at = low.find(part, close, stop)

    def _take_foreign(self, found: list[Word], low: str, start: int, end: int) -> None:
        """Take words of scripts in which marks between letters cut words into pieces, and words stand unspaced."""
        for word in self._foreign:
            at = low.find(word, start, end + len(word) - 1)
            if at >= 0:
                found.append((at, at + len(word), self._inside[word]))

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

    __slots__ = ("_blocks", "_cells", "_index", "low", "text")

    def __init__(self, index: Index, low: str) -> None:
        self.text = low
        self.low = low.translate(_SPACES) if ("_" in low or "-" in low) else low
        self._index = index
        self._blocks: dict[int, tuple[int, list[Word]]] = {}
        self._cells: dict[int, int] = {}

    def _block(self, number: int) -> tuple[int, list[Word]]:
        """Return the words that begin in a block, and all their bits."""
        found = self._blocks.get(number)
        if found is None:
            start = number * _BLOCK
            words = self._index.words(self.low, start, start + _BLOCK)
            bits = 0
            for at, _, bit in words:
                bits |= bit
                self._cells[at // _CELL] = self._cells.get(at // _CELL, 0) | bit
            found = self._blocks[number] = bits, words
        return found

    def last(self, bit: int, start: int) -> Word | None:
        """Return the nearest word of a tuple in the reach before a place."""
        least = start - REACH
        number = start // _BLOCK
        while number >= 0 and (number + 1) * _BLOCK > least:
            bits, words = self._block(number)
            if bits & bit:
                for word in reversed(words):
                    if word[2] & bit and word[1] <= start:
                        return word if word[0] >= least else None
            number -= 1
        return None

    def around(self, start: int, end: int) -> int:
        """Return the bits of all words in the reach before and behind a match, and of some further away."""
        low, high = max(0, start - REACH), end + BEHIND
        self._block(low // _BLOCK)
        self._block(high // _BLOCK)
        bits = 0
        for cell in range(low // _CELL, high // _CELL + 1):
            bits |= self._cells.get(cell, 0)
        return bits

    def any(self, bit: int, start: int, end: int) -> bool:
        """Tell whether a word of a tuple begins between two places."""
        for number in range(max(0, start) // _BLOCK, end // _BLOCK + 1):
            bits, words = self._block(number)
            if bits & bit and any(start <= word[0] <= end and word[2] & bit for word in words):
                return True
        return False

    def next(self, bit: int, end: int, reach: int = BEHIND) -> Word | None:
        """Return the first word of a tuple that begins within reach behind a place, in the same sentence."""
        for number in range(end // _BLOCK, (end + reach) // _BLOCK + 1):
            bits, words = self._block(number)
            if bits & bit:
                for word in words:
                    if end <= word[0] <= end + reach and word[2] & bit:
                        return None if _END.search(self.text, end, word[0]) else word
        return None
