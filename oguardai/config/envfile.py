"""oguardai.env: dotenv syntax, a line a variable, nothing expanded, every value with its line.

The file is cut into lines before python-dotenv parses them, as ``sed`` sees it: a quote that someone forgot
spoils its own line, not the rest of the file. A value that spans lines is therefore refused; no setting needs
one.
"""

from __future__ import annotations

import difflib
import io
import re
from dataclasses import dataclass, field

from dotenv.parser import parse_stream

from oguardai.config.files import FileContent, decode_text
from oguardai.config.registry import BY_ENV, CONFIG_DIR_ENV, ENV_PREFIX, REVOCATION_ENV, SECRET_ENV
from oguardai.errors import Problem, Severity

_MAX_LINE = 16 * 1024  # characters; dotenv's regular expressions are quadratic on long runs of blanks
_LINE_END = re.compile(r"\r\n|\n|\r")
_ECHO = re.compile(r"(?:GUARDAI|OGUARDAI)_[A-Z0-9_]{1,31}")  # shorter than any secret that is accepted
_BLANK = r"[^\S\r\n]*"
_HEAD = re.compile(rf"\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=\#\s]+){_BLANK}=({_BLANK})")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_REST = re.compile(rf"{_BLANK}(?:#.*)?")


@dataclass(frozen=True, slots=True)
class EnvValue:
    """The value of a variable in the file and the line on which it stands."""

    value: str = field(repr=False)
    line: int


def known_names() -> tuple[str, ...]:
    """Return every name that the file may hold."""
    return (SECRET_ENV, REVOCATION_ENV, *BY_ENV)


_GUESSES = 20  # wrong names that get a guess: it takes time, and the wrong file has thousands


def printable_name(name: str) -> bool:
    """Tell whether a name can be shown in a message, because it cannot be a misplaced secret."""
    return bool(_ECHO.fullmatch(name))


def suggest(name: str, candidates: tuple[str, ...]) -> str:
    """Return ``; did you mean X?`` for a name that is close to one of the candidates, else nothing."""
    close = difflib.get_close_matches(name[:100], candidates, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def parse_env(content: FileContent) -> tuple[dict[str, EnvValue], list[Problem]]:
    """Read the variables of the file; the last of several lines wins.

    Returns:
        The values by name, of known names only, and all problems. No message holds a value, nor a name that
        could be a misplaced one.

    Raises:
        ProblemFound: the file is not UTF-8 text.
    """
    file = str(content.path)
    known = known_names()
    values: dict[str, EnvValue] = {}
    problems: list[Problem] = []

    def problem(message: str, line: int, key: str | None = None, severity: Severity = Severity.ERROR) -> None:
        problems.append(Problem(message, file=file, line=line, key=key, severity=severity))

    for number, line in enumerate(_LINE_END.split(decode_text(content)), start=1):
        try:
            found = _parse_line(line)
        except _BadLine as error:
            problem(str(error), number)
            continue
        if found is None:
            continue
        name, value = found
        if name not in known:
            problem(_unknown(name, guess=len(problems) < _GUESSES), number, name if printable_name(name) else None)
        elif value is None:
            problem("expected NAME=value", number, name)
        else:
            if name in values:
                problem(
                    f"is given twice, in lines {values[name].line} and {number}; line {number} counts",
                    number,
                    name,
                    Severity.WARNING,
                )
            values[name] = EnvValue(value, number)
    return values, problems


class _BadLine(Exception):
    pass


def _parse_line(line: str) -> tuple[str, str | None] | None:
    """Return name and value of a line; None for a blank one or a comment."""
    if "\0" in line:
        raise _BadLine("holds a NUL character")
    if len(line) > _MAX_LINE:
        raise _BadLine(f"is too long: at most {_MAX_LINE} characters are taken")
    bindings = list(parse_stream(io.StringIO(_settle(line), newline="")))
    if any(binding.error for binding in bindings):
        raise _BadLine("cannot be understood; expected NAME=value, the value bare or in quotes")
    named = [(binding.key, binding.value) for binding in bindings if binding.key is not None]
    return named[0] if named else None


def _settle(line: str) -> str:
    """Bring a line into the form that python-dotenv 0.21 and 1.2 read alike.

    They differ in ``NAME= # comment`` (0.21 takes the comment for the value) and in a backslash in front of
    the closing quote; the newer reading is taken.
    """
    head = _HEAD.match(line)
    if head is None:
        return line
    rest = line[head.end() :]
    if rest.startswith("#") and head[1]:
        return line[: head.end()]
    if rest.startswith(("'", '"')):
        quoted = _QUOTED.match(rest)
        if quoted is None:
            raise _BadLine("has a quote that is not closed on the same line")
        if not _REST.fullmatch(rest, quoted.end()):
            raise _BadLine("has text after the closing quote")
        return line[: head.end()] + quoted[0]
    return line


def _unknown(name: str, *, guess: bool) -> str:
    if name == CONFIG_DIR_ENV:
        return "counts in the process environment only: it says where this file is"
    what = "is not a setting" if printable_name(name) else "holds a name that is not a setting"
    if not guess:
        return what
    prefixed = f"{ENV_PREFIX}{name.upper()}"
    return f"{what}{suggest(prefixed if prefixed in BY_ENV else name, known_names())}"
