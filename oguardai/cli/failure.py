"""How commands fail: exit statuses after sysexits.h, and one line a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit statuses of all commands."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BAD_DATA = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    CANNOT_CREATE = 73
    IO_ERROR = 74
    NO_PERMISSION = 77
    CONFIG = 78
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANING = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed; the reasons are on standard error",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.BAD_DATA: "the input is not UTF-8 text, or the session cannot be opened",
    ExitCode.NO_INPUT: "an input file is missing",
    ExitCode.UNAVAILABLE: "no server runs with this configuration, or it does not answer",
    ExitCode.SOFTWARE: "a bug in this program",
    ExitCode.CANNOT_CREATE: "an output file cannot be written",
    ExitCode.IO_ERROR: "reading or writing failed",
    ExitCode.NO_PERMISSION: "this user may not do that",
    ExitCode.CONFIG: "the configuration is bad",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.BROKEN_PIPE: "the reader of the output went away",
}


class Failure(Exception):
    """Ends a command with an exit status; each of ``reasons`` becomes a line on standard error."""

    def __init__(self, reasons: str | Iterable[str], code: ExitCode = ExitCode.FAILED) -> None:
        self.reasons = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        self.code = code
        super().__init__("\n".join(self.reasons))


def describe_codes(codes: Sequence[ExitCode] = tuple(ExitCode)) -> str:
    r"""Return the epilog of a ``--help`` page; ``\b`` keeps click from wrapping it."""
    lines = [f"{code:>5}  {MEANING[code]}" for code in codes]
    return "\n".join(["\b", "Exit status:", *lines])
