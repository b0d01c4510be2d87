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


class AlreadyRunningError(OGuardAIError):
    """Another server has this runtime directory."""


class NotRunningError(OGuardAIError):
    """No server runs with this configuration."""


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

    # -- for the server ---------------------------------------------------------------------------------

    def claim(self) -> None:
        """Make it ours and clear what a dead server left.

        The lock is inherited by the workers, so after a kill of the main process it is free once they have ended.

        Raises:
            AlreadyRunningError: somebody else has it, also after a few seconds.
            ConfigError: the directory is not safe to use.
        """
        ensure_private_dir(self.path)
        descriptor = os.open(self._pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        deadline = time.monotonic() + _TAKE_OVER_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    pid = os.read(descriptor, 32).decode(errors="replace").strip()
                    raise AlreadyRunningError(
                        f"{self.path}: a server with this configuration runs already (process {pid or 'unknown'})"
                    ) from None
                time.sleep(0.05)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor
        shutil.rmtree(self.metrics, ignore_errors=True)
        self.metrics.mkdir(mode=0o700)
        for leftover in (self.admin_socket, self._force_file, self._reload_file):
            leftover.unlink(missing_ok=True)

    def release(self) -> None:
        """Remove what only makes sense while the server runs."""
        shutil.rmtree(self.metrics, ignore_errors=True)
        for leftover in (self.admin_socket, self._force_file, self._reload_file, self._pid_file):
            with contextlib.suppress(OSError):
                leftover.unlink()

    def write_reload(self, report: Mapping[str, Any]) -> None:
        """Say how far a reload is, for the command that waits for it; written whole or not at all."""
        temporary = self._reload_file.with_suffix(".new")
        temporary.write_text(json.dumps(report))
        temporary.replace(self._reload_file)

    def take_force(self) -> str | None:
        """Return and consume the digest of the files that the operator insists on; None when there is none."""
        try:
            digest = self._force_file.read_text().strip()
        except OSError:
            return None
        self._force_file.unlink(missing_ok=True)
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
                    return int(file.read().strip())
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
