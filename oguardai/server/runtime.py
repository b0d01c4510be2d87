"""The runtime directory: how commands on this host find the running server, and hear what it says."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oguardai.config import ensure_private_dir
from oguardai.errors import OGuardAIError

_TAKE_OVER_SECONDS = 5.0
_REPORT_BYTES = 64 * 1024


class AlreadyRunningError(OGuardAIError):
    """Another server has this runtime directory."""


class NotRunningError(OGuardAIError):
    """No server runs with this configuration."""


def lock_state(directory: Path) -> int:
    """Keep other servers from using this state directory, whose records each would overwrite; return the lock.

    It is inherited by the workers, and ends with the last of these processes.

    Raises:
        AlreadyRunningError: another server has it, also after a few seconds.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + _TAKE_OVER_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise AlreadyRunningError(
                    f"{directory}: another server keeps its state there; give each its own server.state_dir"
                ) from None
        time.sleep(0.05)


class RuntimeDirectory:
    """Process id (with a lock that ends with the process), outcome of the last reload, metrics, admin socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.admin_socket = path / "admin.sock"
        self.metrics = path / "metrics"
        self._pid_file = path / "oguardai.pid"
        self._reload_file = path / "reload.json"
        self._force_file = path / "force"
        self._lock: int | None = None
        self._report: int | None = None

    # -- for the server ---------------------------------------------------------------------------------

    def claim(self) -> None:
        """Make it ours and clear what a dead server left.

        The lock is inherited by the workers, so after a kill of the main process it is free once they have ended.

        Raises:
            AlreadyRunningError: somebody else has it, also after a few seconds.
            ConfigError: the directory is not safe to use.
        """
        ensure_private_dir(self.path)
        self._lock = self._take_lock()
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        shutil.rmtree(self.metrics, ignore_errors=True)
        self.metrics.mkdir(mode=0o700, exist_ok=True)
        for leftover in (self.admin_socket, self._force_file, self._reload_file):
            leftover.unlink(missing_ok=True)
        # Its room is taken now: on a full disk a reload must still be able to say how it ended.
        self._report = os.open(self._reload_file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.posix_fallocate(self._report, 0, _REPORT_BYTES)

    def _take_lock(self) -> int:
        deadline = time.monotonic() + _TAKE_OVER_SECONDS
        while True:
            descriptor = os.open(self._pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_same_file(descriptor, self._pid_file):  # else the one before us has just removed it
                    return descriptor
            except BlockingIOError:
                if time.monotonic() > deadline:
                    pid = os.read(descriptor, 32).decode(errors="replace").strip()
                    os.close(descriptor)
                    raise AlreadyRunningError(
                        f"{self.path}: a server with this configuration runs already (process {pid or 'unknown'})"
                    ) from None
            os.close(descriptor)
            time.sleep(0.05)

    def release(self) -> None:
        """Remove what only makes sense while the server runs."""
        shutil.rmtree(self.metrics, ignore_errors=True)
        for leftover in (self.admin_socket, self._force_file, self._reload_file, self._pid_file):
            with contextlib.suppress(OSError):
                leftover.unlink()

    def write_reload(self, report: Mapping[str, Any]) -> None:
        """Say how far a reload is, for the command that waits for it (ASCII, in room that was taken at the start)."""
        text = json.dumps(report).encode()
        if len(text) > _REPORT_BYTES:
            text = json.dumps({**report, "reasons": ["see the log"], "warnings": []}).encode()
        if self._report is not None:
            os.pwrite(self._report, text.ljust(_REPORT_BYTES), 0)

    def take_force(self) -> str | None:
        """Return and consume the digest of the files that the operator insists on; None when there is none."""
        try:
            digest = self._force_file.read_text(errors="replace").strip()
            self._force_file.unlink()
        except OSError:  # what cannot be consumed does not count
            return None
        return digest

    # -- for commands -----------------------------------------------------------------------------------

    def running_pid(self) -> int:
        """Return the main process's id.

        Raises:
            NotRunningError: there is none; the message says where it was looked for.
        """
        try:
            with self._pid_file.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    pid = int(file.read().strip())
                    if pid > 1:  # 0 and below are groups to kill(2)
                        return pid
        except FileNotFoundError:
            pass
        except PermissionError:
            raise NotRunningError(f"{self.path}: may not be read by this user; try with sudo") from None
        except ValueError:
            pass
        raise NotRunningError(f"no server with this configuration runs (looked in {self.path})")

    def read_reload(self) -> dict[str, Any]:
        """Return what :meth:`write_reload` wrote last; empty when nothing was."""
        try:
            report: dict[str, Any] = json.loads(self._reload_file.read_text())
        except (OSError, ValueError):
            return {}
        return report

    def write_force(self, digest: str) -> None:
        """Insist on the files with this digest, once."""
        descriptor = os.open(self._force_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "w") as file:
            file.write(digest)

    def clear_force(self) -> None:
        """Stop insisting, whether the server has taken note or not."""
        with contextlib.suppress(OSError):
            self._force_file.unlink()


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
