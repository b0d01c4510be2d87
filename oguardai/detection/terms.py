"""Find the terms that a caller or the configuration gives: names of people and projects, words that must not leave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from oguardai.detection.codes import writes_spaces
from oguardai.detection.confidence import MOST
from oguardai.detection.detector import Finder, Found
from oguardai.detection.normalize import lower, normalize

TYPE = "term"
MAX_TERMS = 1000
PATTERN = r"[^ \t\r\n][\s\S]{0,198}[^ \t\r\n]"
"""2 to 200 characters that neither begin nor end with white space."""

_WORD = re.compile(r"\w+")
_SPACES = re.compile(r"\s+")


def check_term(term: str) -> str | None:
    """Return what is wrong with a term, or None."""
    if re.fullmatch(PATTERN, term):
        return None
    return "must have 2 to 200 characters, no white space at either end"


def terms_finder(terms: Iterable[str]) -> Finder:
    """Return a finder of terms: whole words, in any case, with one white space or several between them.

    Its time is that of reading the text's words, whatever the number of terms; those in scripts without spaces between
    words are searched for one by one.
    """
    by_word: dict[str, list[tuple[int, re.Pattern[str]]]] = {}
    anywhere: list[str] = []
    for term in terms:
        plain = lower(normalize(term))
        first = _WORD.search(plain)
        if first is not None and all(not char.isalpha() or writes_spaces(char) for char in plain):
            by_word.setdefault(first[0], []).append((first.start(), _pattern(plain, first.start())))
        else:
            anywhere.append(plain)

    def find(text: str) -> Iterator[Found]:
        low = lower(text)
        for word in _WORD.finditer(low):
            for lead, pattern in by_word.get(word[0], ()):
                match = pattern.match(low, word.start())
                if match:
                    yield Found(match.start() - lead, match.end(), TYPE, MOST, TYPE, "a given term")
        for plain in anywhere:
            yield from _everywhere(low, plain)

    return Finder(TYPE, frozenset({TYPE}), find)


def _pattern(plain: str, lead: int) -> re.Pattern[str]:
    """Compile a term from its first word on, with a look at the signs before it."""
    before, rest = plain[:lead], plain[lead:]
    spaced = r"\s{1,8}".join(map(re.escape, _SPACES.split(rest)))
    behind = r"(?!\w)" if rest[-1].isalnum() else ""
    return re.compile((f"(?<={re.escape(before)})" if before else r"(?<!\w)") + spaced + behind)


def _everywhere(low: str, plain: str) -> Iterator[Found]:
    at = low.find(plain)
    while at >= 0:
        yield Found(at, at + len(plain), TYPE, MOST, TYPE, "a given term")
        at = low.find(plain, at + len(plain))
