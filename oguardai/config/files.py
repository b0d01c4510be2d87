"""Read a file as it is at one moment, with what the loader must know about it."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

from oguardai.errors import Problem, Severity

MAX_FILE_BYTES = 1024 * 1024  # of yaml and env file: more is a mistake, such as a path to a disk image
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class FileContent:
    """The bytes of a file, its identity and its mode.

    Attributes:
        stamp: (st_dev, st_ino, st_size, st_mtime_ns): differs when the file was edited or replaced.
    """

    path: Path
    data: bytes = field(repr=False)
    mode: int
    stamp: tuple[int, ...]


class ProblemFound(Exception):
    """Carries a problem out of a helper to the loader, which goes on and collects the others."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_file(path: Path, limit: int, key: str | None = None) -> FileContent | None:
    """Read a regular file; None when there is none.

    It is opened by path each time (``sed -i`` and Kubernetes replace the inode) and looked at before and
    after, so that a file in the middle of being written is not taken.

    Args:
        limit: most bytes to take.
        key: the setting that named the file, for the problem.

    Raises:
        ProblemFound: not readable, not a regular file, too large, or changing all the time.
    """

    def refuse(message: str) -> ProblemFound:
        return ProblemFound(Problem(message, file=str(path), key=key))

    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        try:
            before = os.stat(path)
            if not stat.S_ISREG(before.st_mode):
                raise refuse("is not a regular file")
            if before.st_size > limit:
                raise refuse(f"is too large: {before.st_size} bytes, at most {limit} are taken")
            with open(path, "rb") as stream:
                data = stream.read(limit + 1)
            after = os.stat(path)
        except FileNotFoundError:
            if os.path.islink(path):
                raise refuse("is a link that leads nowhere") from None
            if attempt == 0 or attempt == _ATTEMPTS - 1:
                return None
            continue  # it was there a moment ago: an editor is replacing it
        except OSError as error:
            hint = "; run this as root or as the server's user" if isinstance(error, PermissionError) else ""
            raise refuse(f"cannot be read: {os.strerror(error.errno or 0)}{hint}") from None
        if len(data) > limit:
            raise refuse(f"is too large: at most {limit} bytes are taken")
        if _stamp(before) == _stamp(after):
            return FileContent(path, data, stat.S_IMODE(after.st_mode), _stamp(after))
    raise refuse("changes all the time while it is read; try again when it is complete")


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def decode_text(content: FileContent) -> str:
    """Decode UTF-8 without a byte-order mark; raises ProblemFound with the line of the first bad byte."""
    data = content.data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = count_lines(data[: error.start].decode())
        raise ProblemFound(Problem("is not UTF-8 text", file=str(content.path), line=line)) from None


def count_lines(before: str) -> int:
    """Return the number of the line that follows the text, where CR LF, LF and CR end a line."""
    return 1 + before.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def exposure_warning(content: FileContent, key: str | None = None) -> Problem | None:
    """Return the warning about a file that everybody on the host can read or write."""
    if not content.mode & 0o007:
        return None
    what = "written" if content.mode & 0o002 else "read"
    return Problem(
        f"can be {what} by everybody on this host (mode {content.mode:04o}); run: chmod 0640 {content.path}",
        file=str(content.path),
        key=key,
        severity=Severity.WARNING,
    )
