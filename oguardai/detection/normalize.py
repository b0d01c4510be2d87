"""Fold unusual spellings of ASCII to ASCII, one character to one character, so that offsets hold."""

from __future__ import annotations

import re
from types import MappingProxyType

# Zeros of the decimal digits that are met in practice (Unicode category Nd: runs of ten, in order).
_ZEROS = (
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0, 0x1810, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6,
)  # fmt: skip
# No-break, typographic and zero-width spaces, and the direction marks that address books put around numbers.
_SPACES = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2066\u2067\u2068\u2069\u3000\ufeff"
)
_DASHES = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
# The comma and the ideographic full stop are left out: they end sentences, and would prolong URLs.
_SYMBOLS = MappingProxyType(
    {
        "\uff20": "@",
        "\ufe6b": "@",
        "\uff0e": ".",
        "\u2024": ".",
        "\uff0b": "+",
        "\uff0f": "/",
        "\uff1a": ":",
        "\uff3f": "_",
        "\uff08": "(",
        "\uff09": ")",
        "\uff1d": "=",
        # RE2 folds these with ASCII letters where ``re.ASCII`` does not; the last lowers to two characters.
        "\u017f": "s",
        "\u212a": "K",
        "\u0130": "I",
    }
)


def _fold_table() -> dict[int, str]:
    table = {zero + i: str(i) for zero in _ZEROS for i in range(10)}
    table.update(dict.fromkeys(map(ord, _SPACES), " "))
    table.update(dict.fromkeys(map(ord, _DASHES), "-"))
    table.update((ord(odd), plain) for odd, plain in _SYMBOLS.items())
    for i in range(26):
        table[0xFF21 + i] = chr(0x41 + i)
        table[0xFF41 + i] = chr(0x61 + i)
    return table


_FOLDS = MappingProxyType(_fold_table())
_ODD = re.compile("[" + "".join(map(re.escape, map(chr, sorted(_FOLDS)))) + "]")


def normalize(text: str) -> str:
    """Fold spaces, dashes, digits and full-width forms to ASCII; the result has the same length.

    ASCII text, and text that has nothing to fold, is returned as it is, without a copy.
    """
    if text.isascii() or _ODD.search(text) is None:
        return text
    return text.translate(_FOLDS)


def lower(text: str) -> str:
    """Lower the case of a normalised text without changing its length.

    Only U+0130 lowers to two characters (SpecialCasing.txt), and ``normalize`` has replaced it.
    """
    return text.lower()
