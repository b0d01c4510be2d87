"""Read what commands take and write what they leave behind."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
from pathlib import Path

from oguardai.cli.failure import ExitCode, Failure

STDIN = "-"


def read_bytes(path: str) -> bytes:
    """Read a file, or standard input for ``-``."""
    if path == STDIN:
        if sys.stdin is None:
            raise Failure("standard input is closed", ExitCode.NO_INPUT)
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except PermissionError:
        raise Failure(f"{path}: may not be read by this user", ExitCode.NO_PERMISSION) from None
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError) as error:
        raise Failure(f"{path}: {_reason(error)}", ExitCode.NO_INPUT) from None


def read_text(path: str) -> str:
    """Read UTF-8 text exactly as it is, line ends and byte-order mark included."""
    data = read_bytes(path)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        where = f"the byte at offset {error.start} (line {line}) does not belong there"
        raise Failure(f"{name_of(path)}: is not UTF-8 text: {where}", ExitCode.BAD_DATA) from None


def read_session(path: str) -> str | None:
    """Read a sealed session from a file; None when the file is empty.

    Raises:
        Failure: it is missing, or holds what no sealed session does.
    """
    try:
        return read_bytes(path).strip().decode("ascii") or None
    except UnicodeDecodeError:
        raise Failure(f"{name_of(path)}: does not hold a sealed session", ExitCode.BAD_DATA) from None


def read_own_session(path: str) -> str | None:
    """Read the session that a command is to continue; None when there is none yet.

    Raises:
        Failure: the file could not be replaced afterwards.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: {_reason(error)}", ExitCode.CANNOT_CREATE) from None
    if not stat.S_ISREG(status.st_mode):
        raise Failure(f"{path}: is not a regular file, so no session can be kept in it", ExitCode.CANNOT_CREATE)
    return read_session(path)


def replace_file(path: str, data: bytes, *, like: os.stat_result | None = None, follow: bool = True) -> None:
    """Write a file whole or not at all, also across a crash.

    The file gets mode 0600, or mode and owner of ``like``.

    Args:
        follow: write where a link leads; without it a link is replaced.

    Raises:
        Failure: it cannot be written; what was there is untouched.
    """
    target = os.path.realpath(path) if follow else path
    temporary = None
    try:
        folder, name = os.path.split(target)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            if like is not None:
                if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
        _flush_directory(folder)
    except (OSError, ValueError) as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        code, advice = ExitCode.CANNOT_CREATE, ""
        if isinstance(error, PermissionError):
            code, advice = ExitCode.NO_PERMISSION, "; run this as root or as the file's owner"
        elif isinstance(error, OSError) and error.errno == errno.EBUSY:
            advice = "; where a single file is mounted, mount its directory instead"
        raise Failure(f"{path}: cannot be written: {_reason(error)}{advice}", code) from None


def check_unchanged(path: Path, stamp: tuple[int, ...] | None) -> os.stat_result:
    """Return whose a file is, after a look whether it still is the one that was read.

    Args:
        stamp: (st_dev, st_ino, st_size, st_mtime_ns) as read; None: there was none, and a new one is to have the owner
            and group of its directory, and mode 0640.

    Raises:
        Failure: somebody else has changed it.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        found, mode = None, stat.S_IFREG | 0o640
        status = os.stat_result((mode, *os.stat(path.parent)[1:]))
    else:
        found = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if found != stamp:
        raise Failure(f"{path}: was changed by somebody else meanwhile; nothing was written, try again")
    return status


def _flush_directory(path: str) -> None:
    """Bring the new name to the disk as well: a key that was revoked must not be back after a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def name_of(path: str) -> str:
    """Return what to call an input in a message."""
    return "standard input" if path == STDIN else path


def _reason(error: Exception) -> str:
    return error.strerror or "failed" if isinstance(error, OSError) else "is not a path"
