"""What commands print: text as UTF-8 bytes, JSON, tables; colour for people only."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

import click

from oguardai.cli.failure import ExitCode, Failure

UNKNOWN = "-"


def write(text: str) -> None:
    """Write text to standard output exactly, as UTF-8 whatever the locale says."""
    if sys.stdout is None:  # started with it closed
        raise Failure("standard output is closed", ExitCode.IO_ERROR)
    try:
        sys.stdout.flush()
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        while left:  # with PYTHONUNBUFFERED a write may take a part only
            left = left[sys.stdout.buffer.write(left) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise Failure(f"standard output: {error.strerror}", ExitCode.IO_ERROR) from None


def drop_output() -> None:
    """Send what is still buffered nowhere, or the interpreter complains at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_json(value: Mapping[str, Any]) -> None:
    """Write one JSON object and a newline: a line of its own, or indented for people."""
    indent = 2 if is_terminal(sys.stdout) else None
    write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def say(message: str) -> None:
    """Write one line to standard error."""
    if sys.stderr is not None:
        print(one_line(message), file=sys.stderr, flush=True)


def complain(message: str, *, priority: int = 3) -> None:
    """Write one line to standard error, under the program's name; to the journal with its priority (sd-daemon(3))."""
    prefix = ""
    if "JOURNAL_STREAM" in os.environ and sys.stderr is not None:
        from oguardai.logs import is_journal  # noqa: PLC0415

        prefix = f"<{priority}>" if is_journal(sys.stderr) else ""
    say(f"{prefix}oguardai: {message}")


def warn(message: str) -> None:
    """Write one line to standard error about something that does not keep the command from working."""
    complain(message if message.startswith("warning:") else f"warning: {message}", priority=4)


def one_line(text: str) -> str:
    """Escape what would break a line or move a terminal's cursor."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether people read this stream."""
    return stream is not None and stream.isatty()


def is_coloured() -> bool:
    """Tell whether standard output takes colour: a terminal, and no NO_COLOR (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(sys.stdout) and not plain


def emphasise(text: str) -> str:
    """Make a text stand out where there is colour."""
    return click.style(text, bold=True, fg="green") if is_coloured() else text


def emphasise_alarm(text: str) -> str:
    """Make a text that must not be missed stand out where there is colour."""
    return click.style(text, bold=True, fg="red") if is_coloured() else text


def format_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, marked: int | None = None) -> str:
    """Lay out rows in columns under their headers; the row with index ``marked`` stands out."""
    table = [list(headers), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    if marked is not None:
        lines[marked + 1] = emphasise(lines[marked + 1])
    return "".join(f"{line}\n" for line in lines)


def format_time(moment: float | None) -> str:
    """Write unix seconds as RFC 3339 in UTC; a dash for what is not known."""
    if moment is None:
        return UNKNOWN
    try:
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return UNKNOWN


def format_distance(moment: float, now: float | None = None) -> str:
    """Write how far a moment is from now: ``in 59 min``, ``2 h ago``."""
    seconds = moment - (time.time() if now is None else now)
    text = format_age(abs(seconds))
    return f"in {text}" if seconds >= 0 else f"{text} ago"


def format_age(seconds: float) -> str:
    """Write a time in the unit that people use for one as long: ``59 min``, ``2 h``."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(max(seconds, 0))} s"
