"""Strict YAML with positions: mappings, lists and literal text, nothing that its reader does not see.

PyYAML's constructors take duplicate keys silently and read ``no``, ``0777`` or ``2026-12-01`` as other types,
so only its events are used here: every scalar stays the text that stands in the file, and the schema decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from oguardai.config.files import FileContent, ProblemFound, count_lines, decode_text
from oguardai.errors import Problem

_MAX_DEPTH = 16  # the schema needs 4; deeper nesting is an attack on recursion or a broken file
_ECHO = re.compile(r"[a-z][a-z0-9_]{0,30}")  # shorter than any secret that is accepted
_NO_ANCHORS = "anchors and aliases (& and *) are not taken; quote a value that begins so"
_NO_TAGS = "tags (!) are not taken; quote a value that begins so"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written; ``plain`` when it stands without quotes."""

    text: str = field(repr=False)
    plain: bool
    line: int

    @property
    def is_empty(self) -> bool:
        """Whether the file says nothing here: ``key:``, ``key: ~`` or ``key: null``."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: list[Node]
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value; ``line`` is the key's."""

    key: str = field(repr=False)
    value: Node
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, keys in the order of the file."""

    entries: dict[str, Entry]
    line: int


Node = Scalar | Sequence | Mapping


def printable_key(key: str) -> str | None:
    """Return a key if it can be shown in a message: a plain word too short to be a misplaced secret."""
    return key if _ECHO.fullmatch(key) else None


def parse_yaml(content: FileContent) -> tuple[Mapping, list[Problem]]:
    """Parse a file into nodes; an empty one is an empty mapping.

    Returns:
        The top-level mapping and the problems after which reading could go on (duplicate keys, tags).

    Raises:
        ProblemFound: not UTF-8, not YAML, several documents, or no mapping at the top. No message holds text
            of the file, which may be a secret.
    """
    return _Reader(str(content.path), decode_text(content)).read()


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Problem] = []
        self.loader: Any = yaml.SafeLoader("")  # Any: the stubs do not type the events

    def read(self) -> tuple[Mapping, list[Problem]]:
        try:
            return self._document(), self.problems
        except yaml.reader.ReaderError as error:
            line = count_lines(self.text[: error.position])
            raise self._found("holds a control character, which YAML does not allow", line) from None
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from None
        except (ValueError, OverflowError):
            # PyYAML lets chr() and int() fail on "\UFFFFFFFF" and on a version of 5,000 digits.
            message = "is not valid YAML: an escape or a number is out of range"
            raise self._found(message, int(self.loader.line) + 1) from None

    def _document(self) -> Mapping:
        self.loader = yaml.SafeLoader(self.text)
        self._next()  # the start of the stream
        if isinstance(self._peek(), yaml.StreamEndEvent):
            return Mapping({}, 1)
        self._next()  # the start of the document
        top = self._node(0)
        self._next()  # the end of the document
        if not isinstance(following := self._peek(), yaml.StreamEndEvent):
            raise self._found("holds a second document: remove the line ---", _line(following))
        if isinstance(top, Scalar) and top.is_empty:
            return Mapping({}, top.line)
        if not isinstance(top, Mapping):
            raise self._found("expected sections such as session: and server: at the top", top.line)
        return top

    def _node(self, depth: int) -> Node:
        event = self._next()
        line = _line(event)
        if depth > _MAX_DEPTH:
            raise self._found("is nested too deeply", line)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._found(_NO_ANCHORS, line)
        if event.tag is not None:
            self._problem(_NO_TAGS, line)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, not event.style, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(self._peek(), yaml.SequenceEndEvent):
                items.append(self._node(depth + 1))
            self._next()
            return Sequence(items, line)
        entries: dict[str, Entry] = {}
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            key = self._node(depth + 1)
            value = self._node(depth + 1)
            self._add(entries, key, value)
        self._next()
        return Mapping(entries, line)

    def _add(self, entries: dict[str, Entry], key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            self._problem("expected a plain word as the key", key.line)
        elif key.plain and key.text == "<<":
            self._problem("merge keys (<<) are not taken: write the settings out", key.line)
        elif (earlier := entries.get(key.text)) is not None:
            self._problem(
                f"is given twice, in lines {earlier.line} and {key.line}: remove one",
                key.line,
                printable_key(key.text),
            )
        else:
            entries[key.text] = Entry(key.text, value, key.line)

    def _peek(self) -> Any:
        return self.loader.peek_event()

    def _next(self) -> Any:
        return self.loader.get_event()

    def _problem(self, message: str, line: int, key: str | None = None) -> None:
        self.problems.append(Problem(message, file=self.file, line=line, key=key))

    def _found(self, message: str, line: int) -> ProblemFound:
        return ProblemFound(Problem(message, file=self.file, line=line))

    def _syntax(self, error: yaml.MarkedYAMLError) -> ProblemFound:
        mark = error.problem_mark or error.context_mark
        message = _explain(error.problem or "", error.context or "")
        if "quote" in message and error.context_mark is not None:
            mark = error.context_mark  # PyYAML reports the end of the file, the reader wants the quote
        return self._found(f"is not valid YAML: {message}", mark.line + 1 if mark else 1)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _explain(problem: str, context: str) -> str:
    """Put PyYAML's words for a syntax error into ours, which never quote the file."""
    if "'\\t'" in problem or '"\\t"' in problem:
        return "a tab where a space is needed"
    known = {
        "mapping values are not allowed": "a colon where none is expected; check the indentation or quote it",
        "could not find expected ':'": "a line without a colon; check the indentation",
        "found unexpected end of stream": "a quote that is not closed",
        "found unexpected document separator": "a quote that is not closed",
        "cannot start any token": "a value begins with a character that YAML reserves; quote the value",
        "unknown escape character": 'a backslash in double quotes; use single quotes, or write it as "\\\\"',
        "escape sequence": 'a backslash in double quotes; use single quotes, or write it as "\\\\"',
        "expected <block end>": "the indentation does not fit the lines above",
        "sequence entries are not allowed": "a list entry where none is expected; check the indentation",
        "block sequence": "a list entry where none is expected; check the indentation",
        "expected ',' or": "a bracket that is not closed, or a comma that is missing",
        "undefined tag handle": _NO_TAGS,
        "incompatible YAML document": "only YAML 1 is read; remove the line %YAML",
    }
    for part, words in known.items():
        if part in problem:
            return words
    if "alias" in context or "anchor" in context:
        return _NO_ANCHORS
    return "check the indentation and the quotes"
