"""A real server, started and ended by the test that needs it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oguardai.keyring import generate_secret

TEXT = "mail a.person@example.com or call +49 30 901820"
_PATIENCE_SECONDS = 60.0  # for a condition that will come; never how long something takes


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the condition's first true value; fail when it does not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for: {what}")


def yaml_of(keys: list[dict[str, Any]], extra: str = "") -> str:
    """Write a configuration with these keys."""
    lines = ["session:", "  backend: sealed", "  ttl_seconds: 3600", "  keyring:"]
    for key in keys:
        prefix = "    - "
        for name, value in key.items():
            lines.append(f"{prefix}{name}: {value}")
            prefix = "      "
    return "\n".join(lines) + "\n" + extra


class RunningServer:
    """One server process with a configuration directory of its own."""

    def __init__(self, root: Path, *, workers: int = 2) -> None:
        self.root = root
        self.config_dir = root / "etc"
        self.config_dir.mkdir()
        self.workers = workers
        self.port = _free_port()
        self.log_path = root / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.extra = "server:\n  drain_seconds: 0\n"
        self.secrets = [generate_secret() for _ in range(8)]

    def key(self, kid: int, **fields: Any) -> dict[str, Any]:
        """Return an entry of the keyring; each kid has its secret."""
        return {"kid": kid, "secret": self.secrets[kid], **fields}

    def write_keys(self, *keys: dict[str, Any]) -> None:
        """Replace oguardai.yaml as `sed -i` does: a new file over the old name."""
        self.write_yaml(yaml_of(list(keys), self.extra))

    def write_yaml(self, text: str) -> None:
        new = self.config_dir / ".new"
        new.write_text(text)
        new.chmod(0o640)
        new.replace(self.config_dir / "oguardai.yaml")

    def write_env(self, text: str) -> None:
        path = self.config_dir / "oguardai.env"
        path.write_text(text)
        path.chmod(0o640)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "oguardai", *words]

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command against this server's configuration."""
        command = [*self.command(*words), "--config-dir", str(self.config_dir)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=self.environ(), **options
        )

    def environ(self) -> dict[str, str]:
        """Return an environment in which this server's configuration alone counts."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GUARDAI_")}
        return environ | {
            "GUARDAI_HOST": "127.0.0.1",
            "GUARDAI_PORT": str(self.port),
            "GUARDAI_WORKERS": str(self.workers),
            "GUARDAI_RUNTIME_DIR": str(self.root / "run"),
            "GUARDAI_STATE_DIR": str(self.root / "state"),
        }

    def start(self, *, wait: bool = True, **options: Any) -> None:
        environ = self.environ() | options.pop("environ", {})
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command("serve"), "--config-dir", str(self.config_dir)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environ, **options,
            )  # fmt: skip
        if wait:
            wait_for(self.is_ready, "the server to be ready")

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.log()}"
        try:
            return self.get("/v1/ready")[0] == 200
        except OSError:
            return False

    def stop(self, sig: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def reload(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("reload", *words)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = self.connect()
        try:
            return send(connection, method, path, body)
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, Any]:
        return self.request("GET", path)

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return self.request("POST", path, body)

    def transform(self, text: str = TEXT, **fields: Any) -> dict[str, Any]:
        status, answer = self.post("/v1/transform", input=text, **fields)
        assert status == 200, answer
        return answer

    def opens(self, sealed: dict[str, Any], text: str = TEXT) -> bool:
        """Tell whether a session can be opened; anything but the one answer for an expired one fails."""
        status, answer = self.post("/v1/rehydrate", output=sealed["safe_text"], session_state=sealed["session_state"])
        if status == 410:
            assert answer["code"] == "GUARDAI_SESSION_EXPIRED"
            return False
        assert (status, answer["restored_text"]) == (200, text)
        return True

    def worker_pids(self) -> set[int]:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(child) for child in children}

    def diagnostics(self) -> dict[str, Any]:
        status, answer = self.get("/v1/diagnostics")
        assert status == 200, answer
        return answer


def send(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Send one request on a connection and read its answer."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    is_json = "json" in response.headers.get("Content-Type", "")
    return response.status, json.loads(content) if is_json else content.decode()


def kid_of(sealed: dict[str, Any]) -> int:
    """Return the kid that a session was sealed with."""
    return int(sealed["session_state"].split(".")[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
