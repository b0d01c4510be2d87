"""Write roff for man(7): escape text, and turn the Markdown of the registry and of docstrings into macros.

What comes out is ASCII, one paragraph a line: troff fills lines, so that no width is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# What troff would turn into typographic characters, which a shell does not take when they are pasted.
_EVERYWHERE = {"\\": r"\e", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
_LITERAL = {**_EVERYWHERE, "-": r"\-", "'": r"\(aq"}

_SPAN = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*\*(?P<strong>[^*]+)\*\*"
    r"|\*(?P<emphasis>[^*\s][^*]*)\*"
    r"|(?P<option>(?<![\w-])--?[a-z][a-z-]*)"
)
_INNER_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_EMPTY_PARAGRAPH = re.compile(r"^(\.S[HS] .*\n)\.PP\n", re.MULTILINE)  # a heading begins one by itself
_ITEM = re.compile(r"(?:(?P<number>\d+\.)|-) (?P<text>.*)")


def page(parts: Iterable[str]) -> str:
    """Join the parts of a page."""
    return _EMPTY_PARAGRAPH.sub(r"\1", "".join(parts))


def title(name: str, section: int, manual: str, *, version: str, date: str) -> str:
    """Return the first lines of a page; ``date`` may be empty."""
    # One blank after a sentence wherever its line ends; not hyphenated and ragged, because names of settings and
    # variables are long, and must not be broken or spread.
    return f'.TH {literal(name.upper())} {section} "{date}" "OGuardAI {version}" "{manual}"\n.ss 12 0\n.nh\n.ad l\n'


def heading(text: str) -> str:
    """Begin a section."""
    return f".SH {text.upper()}\n"


def subheading(text: str) -> str:
    """Begin a part of a section."""
    return f".SS {literal(text)}\n"


def paragraph(text: str) -> str:
    """Return a paragraph of roff."""
    return f".PP\n{_line(text)}"


def item(tag: str, *paragraphs: str) -> str:
    """Return a hanging item of a list, tag and paragraphs in roff."""
    return f".TP\n{_line(tag)}" + ".IP\n".join(_line(text) for text in paragraphs)


def example(text: str) -> str:
    """Return lines that are shown as they are, indented."""
    lines = "".join(_line(literal(line)) for line in text.rstrip("\n").splitlines())
    return f".PP\n.RS 4\n.EX\n{lines}.EE\n.nh\n.RE\n"  # .EE begins to hyphenate again


def with_line_below(text: str, below: str) -> str:
    """Return one paragraph of roff that begins a new line in the middle."""
    return f"{text}\n.br\n{below}"


def blocks(text: str) -> str:
    """Turn Markdown into paragraphs and lists; an item is one line."""
    return "".join(_block(block) for block in re.split(r"\n{2,}", text.strip("\n")))


def _block(block: str) -> str:
    items = [_ITEM.fullmatch(line) for line in block.splitlines()]
    if not all(items):
        return paragraph(inline(block))
    first, *others = (f".IP {match['number'] or '-'} 4\n{_line(inline(match['text']))}" for match in items if match)
    return f"{first}.PD 0\n{''.join(others)}.PD\n"


def inline(text: str) -> str:
    """Turn a paragraph of Markdown into roff; options stand out without backticks as well."""
    result, position = [], 0
    text = " ".join(text.split())
    for match in _SPAN.finditer(text):
        result.append(_prose(text[position : match.start()]))
        position = match.end()
        if match["emphasis"]:
            result.append(italic(match["emphasis"]))
        else:
            result.append(bold(match["code"] or match["strong"] or match["option"]))
    return "".join([*result, _prose(text[position:])])


def bold(text: str) -> str:
    """Return text that is typed as it stands."""
    return rf"\fB{literal(text)}\fR"


def italic(text: str) -> str:
    """Return text that stands for something else, or is stressed."""
    return rf"\fI{literal(text)}\fR"


def literal(text: str) -> str:
    """Escape text that may be copied from the page and pasted into a shell."""
    return _escape(text, _LITERAL)


def references(pages: Iterable[str]) -> str:
    """Return a list of other pages, given as ``name(8)``."""
    parts = (page.rstrip(")").split("(") for page in pages)
    return paragraph(", ".join(f"{bold(name)}({section})" for name, section in parts))


def _prose(text: str) -> str:
    parts = _INNER_HYPHEN.split(text)
    return "-".join(_escape(part, {**_EVERYWHERE, "-": r"\-"}) for part in parts)


def _escape(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) if char.isascii() else rf"\[u{ord(char):04X}]" for char in text)


def _line(text: str) -> str:
    """End a line, and keep its first character from being taken for the beginning of a macro."""
    guard = r"\&" if text.startswith((".", "'")) else ""
    return f"{guard}{text}\n"
