"""Speak to the running server from a command: reload it and wait, ask its admin socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from typing import Any

from oguardai.server.runtime import NotRunningError, RuntimeDirectory

_POLL_SECONDS = 0.01
_RESEND_SECONDS = 1.0
_WAIT_SECONDS = 30.0


def reload_server(runtime: RuntimeDirectory, *, force: bool = False) -> dict[str, Any]:
    """Make the running server read its files again and wait until every worker has switched, or it says why not.

    With ``force`` a configuration that is valid but was refused is taken, exactly as it was read when it was refused.

    Returns:
        The server's report: ``outcome`` (ok, failed, refused, partial), ``reasons``, ``warnings``, ``active_kid``,
        ``workers`` (process ids), ``generation``.

    Raises:
        NotRunningError: no server runs, or it ended, or it does not answer.
        PermissionError: this user may not signal it.
    """
    report = _reload_once(runtime)
    if force and report["outcome"] == "refused":
        runtime.write_force(report["digest"])
        try:
            report = _reload_once(runtime)
        finally:
            runtime.clear_force()
    return report


def _reload_once(runtime: RuntimeDirectory) -> dict[str, Any]:
    pid = runtime.running_pid()
    before = int(runtime.read_reload().get("started", 0))
    deadline = time.monotonic() + _WAIT_SECONDS
    resend = 0.0
    while time.monotonic() < deadline:
        report = runtime.read_reload()
        if report.get("finished", 0) > before:
            return report
        # A signal can be lost in the main process's queue; asking twice does no harm.
        if time.monotonic() >= resend and report.get("started", 0) <= before:
            resend = time.monotonic() + _RESEND_SECONDS
            try:
                os.kill(pid, signal.SIGHUP)
            except ProcessLookupError:
                raise NotRunningError(f"the server (process {pid}) ended while it was reloading") from None
        time.sleep(_POLL_SECONDS)
        runtime.running_pid()
    raise NotRunningError(f"the server (process {pid}) did not finish reloading within {_WAIT_SECONDS:.0f} seconds")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, *, timeout: float = 10.0) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask_admin(runtime: RuntimeDirectory, path: str) -> dict[str, Any]:
    """GET a JSON page from the running server's admin socket.

    Raises:
        NotRunningError: no server runs, or it does not answer.
    """
    runtime.running_pid()
    connection = UnixConnection(str(runtime.admin_socket))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise NotRunningError(f"the server answered {response.status} to {path}")
        answer: dict[str, Any] = json.loads(body)
        return answer
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotRunningError(f"{runtime.admin_socket}: no answer ({type(error).__name__})") from error
    finally:
        connection.close()
