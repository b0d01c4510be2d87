"""Tell generated strings from words: by how often the kind of character changes, which needs no list of words."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

_READ = 96  # characters that are read of a value
_KEY = re.compile(r"[A-Za-z0-9+/_.~%=:-]+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_PIECES = re.compile(r"[A-Za-z0-9]+")
# What is read as one: a word, capitalised or not, an abbreviation, a number.
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
# More consonants than words have in a row; one random string in small letters in three has as many.
_NO_WORD = re.compile("[bcdfghjklmnpqrstvwxz]{6,}|[BCDFGHJKLMNPQRSTVWXZ]{6,}")
_VARIED = 4  # different ones of these
# Parts for each letter or digit. Random hexadecimal has 0.47 of them, base32 0.4, base64 0.5, its letters alone 0.37;
# names in any case have 0.25 at most.
_WITH_DIGITS = 0.2
_LETTERS = 0.33


def shannon(value: str) -> float:
    """Return the entropy of a value's characters in bits a character (Shannon 1948, section 6)."""
    size = len(value)
    return -sum(n / size * log2(n / size) for n in Counter(value).values())


def changes(value: str) -> float:
    """Return how often, for each letter or digit, a value goes on with another kind of character.

    Signs between letters and digits begin anew, so that ``us-east-1`` has no changes.
    """
    pieces = _PIECES.findall(value[:_READ])
    size = sum(map(len, pieces))
    return sum(len(_PARTS.findall(piece)) - 1 for piece in pieces) / size if size else 0.0


def is_random(value: str, least: int = 20) -> bool:
    """Tell whether a value is base64, base64url, base32, hexadecimal or a UUID that something generated."""
    if len(value) < least or not _KEY.fullmatch(value):
        return False
    if _UUID.fullmatch(value):
        return len(set(value)) >= 8
    head = value[:_READ]
    digits = sum(map(str.isdigit, head))
    if digits == sum(map(str.isalnum, head)) or len(set(head)) < min(8, least - 4) or shannon(head) < 2.5:
        return False
    if digits and any(len(set(run)) >= _VARIED for run in _NO_WORD.findall(head)):
        return True
    return changes(head) >= (_WITH_DIGITS if digits > 1 else _LETTERS)
