"""A server of our own: in a directory that goes away, on a free port of the loopback, ended by its process id."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from bench.client import Client
from oguardai.keyring import generate_secret
from oguardai.server.runtime import RuntimeDirectory

HOST = "127.0.0.1"
_PATIENCE = 30.0
_PROJECT = Path(__file__).resolve().parent.parent


class BenchServer:
    """One server process, for use with ``with``.

    Args:
        app: ``oguardai``, or ``echo`` for the bare Flask application of :mod:`bench.serve`.
        session, server: settings of these sections; limits are raised so that the largest texts pass.
    """

    def __init__(
        self,
        app: str = "oguardai",
        *,
        workers: int = 1,
        session: Mapping[str, object] | None = None,
        server: Mapping[str, object] | None = None,
    ) -> None:
        self.app = app
        self.port = _free_port()
        self.root = Path(tempfile.mkdtemp(prefix="bench-"))
        self.config_dir = self.root / "etc"
        self.runtime = RuntimeDirectory(self.root / "run")
        self._workers = workers
        self._secrets: dict[int, str] = {}
        self._session = {"max_entities": 100_000, "max_blob_bytes": 16 << 20, **(session or {})}
        self._server = {
            "runtime_dir": self.runtime.path,
            "state_dir": self.root / "state",
            "drain_seconds": 0,
            "max_body_bytes": 32 << 20,
            **(server or {}),
        }
        self.config_dir.mkdir()
        self.write_keys(0)

    def write_keys(self, *kids: int) -> None:
        """Write the configuration with these keys in this order: a new file over the old name."""
        lines = ["session:", *(f"  {name}: {value}" for name, value in self._session.items()), "  keyring:"]
        for kid in kids:
            secret = self._secrets.setdefault(kid, generate_secret())
            lines += (f"    - kid: {kid}", f"      secret: {secret}")
        lines += ("server:", *(f"  {name}: {value}" for name, value in self._server.items()))
        new = self.config_dir / ".new"
        new.write_text("\n".join(lines) + "\n")
        new.chmod(0o640)
        new.replace(self.config_dir / "oguardai.yaml")

    def __enter__(self) -> BenchServer:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GUARDAI_")}
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.serve", self.app, self.config_dir, str(self.port), str(self._workers)],
                cwd=_PROJECT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self) -> str:
        """Return what the server logged."""
        return (self.root / "log").read_text(errors="replace")

    def worker_pids(self) -> list[int]:
        """Return the worker processes' ids."""
        pid = self._process.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def cpu_seconds(self) -> float:
        """Return the processor time that the workers have used, in user and system mode."""
        total = 0
        for pid in self.worker_pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended:\n{self.log()[-3000:]}")
            with contextlib.suppress(OSError, ValueError), Client(self.port) as client:
                if client.get("/v1/ready")[0] == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server did not come up:\n{self.log()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
