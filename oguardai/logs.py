"""Log events: one line each, logfmt or JSON, that nothing from outside can break or fake.

A line holds the names that the code gives and values that the code chose: never a value of a user's, a blob, an
input or a query string. Whatever else reaches it (a path in an error message, say) is escaped down to printable
ASCII. Exceptions are logged as their type and places in the code, without their message, which might quote input.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

PACKAGE = "oguardai"
MAX_VALUE = 2000  # characters of one field: a line stays below what the journal and pipes take whole
MAX_FRAMES = 16

_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}  # sd-daemon(3)
_BARE = re.compile(r"[A-Za-z0-9_.:/@+,*-]+").fullmatch
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")  # anything but printable ASCII, and the quote and the backslash
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def log_event(logger: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log one event; ``event`` is a CamelCase constant, ``fields`` are written in the order given."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={"fields": fields})


def log_exception(logger: logging.Logger, event: str, error: BaseException, **fields: object) -> None:
    """Log an unexpected exception as its types and places in the code: no message, no local, no source line."""
    log_event(logger, logging.ERROR, event, **exception_fields(error), **fields)


def exception_fields(error: BaseException) -> dict[str, object]:
    """Return ``exception`` (its type, then its causes') and ``at`` (``file:line`` of each frame, outermost first)."""
    types: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(types) < 5:
        types.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return {"exception": types, "at": _places(error.__traceback__)}


def _places(traceback: TracebackType | None) -> list[str]:
    places: list[str] = []
    while traceback is not None:
        parts = traceback.tb_frame.f_code.co_filename.split(os.sep)
        # The path within our package, or the last two parts of a library's: where it is installed says nothing.
        start = len(parts) - 1 - parts[::-1].index(PACKAGE) if PACKAGE in parts[:-1] else max(len(parts) - 2, 0)
        places.append(f"{'/'.join(parts[start:])}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return places[-MAX_FRAMES:]


# --- formats -----------------------------------------------------------------------------------------------


class EventFormatter(logging.Formatter):
    """Format a record as one line of ASCII in logfmt or JSON.

    Args:
        style: ``logfmt`` or ``json``.
        journal: True when the line goes to the systemd journal: a ``<priority>`` in front, no timestamp.
    """

    def __init__(self, style: str = "logfmt", *, journal: bool = False) -> None:
        super().__init__()
        self._render = _json_line if style == "json" else _logfmt_line
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its newline."""
        level = record.levelname.lower()
        fields: dict[str, object] = {} if self._journal else {"time": _timestamp(record.created)}
        fields["level"] = level
        own = getattr(record, "fields", None)
        if isinstance(own, Mapping):
            fields["event"] = record.msg
            fields.update((name, value) for name, value in own.items() if name not in fields)
        else:  # a record of a library: its logger and its message, escaped like everything
            fields.update(event="Log", logger=record.name, message=_message(record))
            if record.exc_info and record.exc_info[1] is not None:
                fields.update(exception_fields(record.exc_info[1]))
        line = self._render(fields)
        return f"<{_PRIORITIES.get(level, 6)}>{line}" if self._journal else line


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # a library's broken format string must not lose the line
        return str(record.msg)


def _timestamp(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(milliseconds // 1000))}.{milliseconds % 1000:03d}Z"


def _logfmt_line(fields: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_logfmt_value(value)}" for name, value in fields.items())


def _logfmt_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ",".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)
    if len(text) > MAX_VALUE:
        text = text[:MAX_VALUE] + "..."
    if _BARE(text):
        return text
    return f'"{_UNSAFE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_line(fields: Mapping[str, object]) -> str:
    return json.dumps({name: _json_value(value) for name, value in fields.items()}, separators=(",", ":"))


def _json_value(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    text = str(value)
    # DEL is the one character that json leaves as it is and terminals do not.
    return (text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "...").replace("\x7f", "?")


# --- set-up ------------------------------------------------------------------------------------------------


class EventHandler(logging.StreamHandler[TextIO]):
    """The handler that :func:`configure_logging` installs: a class of its own, so that it finds it again."""


def configure_logging(style: str = "logfmt", level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send every log record of the process to ``stream`` (default: stdout) as one line.

    May be called again, at a reload: it replaces what it installed before and nothing else.
    """
    stream = sys.stdout if stream is None else stream
    handler = EventHandler(stream)
    handler.setFormatter(EventFormatter(style, journal=is_journal(stream)))
    root = logging.getLogger()
    root.addHandler(handler)
    for old in [one for one in root.handlers if isinstance(one, EventHandler) and one is not handler]:
        root.removeHandler(old)
    root.setLevel(level.upper())


def is_journal(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether a stream is the journal's: JOURNAL_STREAM names its device and inode (systemd.exec(5)).

    The variable alone does not do: every program started from a service inherits it, with or without its output.
    """
    device, _, inode = (os.environ if environ is None else environ).get("JOURNAL_STREAM", "").partition(":")
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return (str(stat.st_dev), str(stat.st_ino)) == (device, inode)
