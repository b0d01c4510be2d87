"""Tokens: how they are written, found in text, and recognised when a model has garbled them.

A token is ``{{type:x_NNN}}``, or ``{{type:x_NNN.tag}}`` in a tagged session. ``x`` is the first letter of the type,
``NNN`` a counter of the session for that letter (001 … 999, 1000 …), so ``x_NNN`` is unique within a session.

Both scanners look at nothing but the characters of a match itself (no look-around beyond it), repeat everything a
bounded number of times and take time linear in the text. So a match in a piece of a text is a match in the whole.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

LITERAL = "literal"  # the type of text that looked like a token before any token was put in
MAX_TYPE_CHARS = 32
MAX_COUNTER = 9_999_999
TAG_CHARS = 3

_TAG_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # base32 in lower case (RFC 4648 §6)
_TYPE = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_TYPE_CHARS - 1}}}")
_TAG = re.compile(rf"[a-z2-7]{{{TAG_CHARS}}}")
_COUNTER = r"(?!000)(?:[1-9][0-9]{3,6}|[0-9]{3})"

_STRICT = re.compile(
    rf"\{{\{{(?P<first>[a-z])[a-z0-9_]{{0,{MAX_TYPE_CHARS - 1}}}"
    rf":(?P=first)_{_COUNTER}(?:\.[a-z2-7]{{{TAG_CHARS}}})?\}}\}}"
)


def format_token(type_name: str, counter: int, tag: str | None = None) -> str:
    """Write the token of a type's letter and a counter: ``{{email:e_001}}``, with a tag ``{{email:e_001.k7q}}``."""
    suffix = f".{tag}" if tag else ""
    return f"{{{{{type_name}:{type_name[0]}_{counter:03d}{suffix}}}}}"


def is_type_name(text: str) -> bool:
    """Tell whether a text can be the type in a token: ``[a-z][a-z0-9_]*``, at most 32 characters."""
    return _TYPE.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Tell whether a text can be the tag of a session: three of ``a``-``z`` and ``2``-``7``."""
    return _TAG.fullmatch(text) is not None


def new_tag() -> str:
    """Draw a random tag (15 bits: it tells sessions apart, it is no secret and no authentication)."""
    return "".join(secrets.choice(_TAG_ALPHABET) for _ in range(TAG_CHARS))


def find_tokens(text: str) -> Iterator[re.Match[str]]:
    """Find tokens as this product writes them, of any session, from left to right."""
    return _STRICT.finditer(text)


# --- what models do to tokens --------------------------------------------------------------------------------

# A space as models put it in: also no-break, zero-width, byte-order mark; at most a few.
_SPACE = "[\\s\u200b\u200c\u200d\u2060\ufeff]"
_ESCAPED = r"\\{0,2}"
_DASHES = "\\-\u2010-\u2014"
_COLON = "(?:[:\uff1a=]|&#58;)"
_TAIL = rf"(?:{_SPACE}?{_ESCAPED}\.{_SPACE}?[A-Za-z2-7]{{{TAG_CHARS}}})?{_SPACE}{{0,4}}"
_WORD = rf"(?P<first%d>[A-Za-z])(?:[A-Za-z0-9_]|[ {_DASHES}](?=[A-Za-z0-9])|\\{{1,2}}_){{0,{MAX_TYPE_CHARS + 8}}}"
_SAME_LETTER = "(?ai:(?P=first%d))"  # ASCII: no Kelvin sign for k

# Braces, and any doubled bracket, say "token": colon and underscore may have become spaces, dashes or nothing.
_LOOSE = (
    rf"{_SPACE}{{0,4}}+{_WORD}(?:{_COLON}|[\s_|.\\{_DASHES}]){{1,6}}+{_SAME_LETTER}"
    rf"(?:[\s_\\{_DASHES}]|&#95;){{0,4}}+{_COUNTER}{_TAIL}"
)
# A single bracket of prose, as in "(Airbus A380)", needs both.
_TIGHT = (
    rf"{_SPACE}{{0,4}}+{_WORD}{_SPACE}{{0,2}}{_ESCAPED}{_COLON}{_SPACE}{{0,2}}{_SAME_LETTER}"
    rf"{_SPACE}?(?:{_ESCAPED}_|&#95;){_SPACE}?{_COUNTER}{_TAIL}"
)


@dataclass(frozen=True, slots=True)
class _Brackets:
    """A way to write the brackets of a token: how it opens (starting with a literal, see below), and closes."""

    opening: str
    core: str
    closing: str


_BRACE = r"(?:\\{0,2}\{|&(?:#123|#x7[bB]|lcub|lbrace);)"
_BRACE_END = r"(?:\\{0,2}\}|&(?:#125|#x7[dD]|rcub|rbrace);)"
_BRACE_CLOSING = rf"{_BRACE_END}(?:{_SPACE}?{_BRACE_END})?"
# Every opening starts with one literal character: sre then skips to these characters at the speed of a scan.
_STYLES = (
    _Brackets(rf"\{{(?:{_SPACE}?{_BRACE})?", _LOOSE, _BRACE_CLOSING),
    _Brackets(rf"\\\\?\{{(?:{_SPACE}?{_BRACE})?", _LOOSE, _BRACE_CLOSING),
    _Brackets(rf"&(?:#123|#x7[bB]|lcub|lbrace);(?:{_SPACE}?{_BRACE})?", _LOOSE, _BRACE_CLOSING),
    _Brackets("\uff5b(?:\\s?\uff5b)?", _LOOSE, "\uff5d(?:\\s?\uff5d)?"),
    _Brackets(r"\[\s?\[", _LOOSE, r"\](?:\s?\])?"),
    _Brackets(r"\\\\?\[(?:\\{0,2}\[)?", _TIGHT, r"\\{0,2}\](?:\\{0,2}\])?"),
    _Brackets(r"\[", _TIGHT, r"\]"),
    _Brackets("<\\s?<", _LOOSE, ">(?:\\s?>)?"),
    _Brackets("<", _TIGHT, ">"),
    _Brackets("&lt;(?:&lt;)?", _TIGHT, "&gt;(?:&gt;)?"),
    _Brackets(r"\(\s?\(", _LOOSE, r"\)(?:\s?\))?"),
    _Brackets(r"\(", _TIGHT, r"\)"),
    _Brackets("\uff3b", _TIGHT, "\uff3d"),
    _Brackets("\uff08", _TIGHT, "\uff09"),
    _Brackets("\uff1c", _TIGHT, "\uff1e"),
    _Brackets("\u3010", _TIGHT, "\u3011"),
)
_LENIENT = re.compile(
    "|".join(
        style.opening + style.core.replace("%d", str(number)) + style.closing for number, style in enumerate(_STYLES)
    )
)
_ENTITIES = {"&#58;": ":", "&#95;": "_"}
_CORE = re.compile(
    rf"(?P<type>{_WORD.replace('%d', '')})[^A-Za-z0-9]+(?P<letter>{_SAME_LETTER.replace('%d', '')})"
    rf"[^A-Za-z0-9]*(?P<counter>{_COUNTER})(?:[^A-Za-z0-9.]*\.[^A-Za-z0-9]*(?P<tag>[A-Za-z2-7]{{{TAG_CHARS}}}))?"
)
_NOT_TYPE = re.compile(r"[^a-z0-9]+")
_HTML = re.compile(r"&(#?[A-Za-z0-9]{2,6});")


def find_garbled(text: str) -> Iterator[tuple[int, int, str]]:
    """Find what may be a garbled token, of any session: (start, end, the token it would be).

    It finds every well-formed token too. Changed may be: brackets (single, another kind, full-width, HTML entities),
    backslashes, case, spaces, and the colon and the underscore between the parts. Never changed is the id: its
    letter (that of the type) and its digits must stand there as they are, as must the words of the type.
    """
    for match in _LENIENT.finditer(text):
        yield match.start(), match.end(), _intended(match[0])


def without_tokens(text: str) -> str:
    """Replace each well-formed token by a NUL, which is part of no token however garbled."""
    return _STRICT.sub("\0", text)


def has_token_like(text: str) -> bool:
    """Tell whether either scanner could take any part of a text for a token; if not, nor in any piece of it."""
    return _LENIENT.search(text) is not None


def token_like_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of a text that either scanner could take for a token, in order, none overlapping.

    What lies between them holds nothing that either would find, also when it stands alone.
    """
    spans: list[tuple[int, int]] = []
    pending = [(0, len(text))]
    while pending:  # once more over what is left: a cut must not uncover another
        low, high = pending.pop()
        position = low
        for match in _LENIENT.finditer(text[low:high]):
            spans.append((low + match.start(), low + match.end()))
            pending.append((position, low + match.start()))
            position = low + match.end()
        if position > low:
            pending.append((position, high))
    return sorted(spans)


def _intended(found: str) -> str:
    """Write a garbled token as it should have been."""
    for entity, char in _ENTITIES.items():
        found = found.replace(entity, char)
    match = _CORE.search(_HTML.sub("", found))
    if not match:  # pragma: no cover  (the scanner found it by the same parts)
        return ""
    type_name = _NOT_TYPE.sub("_", match["type"].lower()).strip("_")
    tag = match["tag"]
    return format_token(type_name, int(match["counter"]), tag.lower() if tag else None)
