"""Servers for the tests of this folder."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.harness import RunningServer


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Make servers; what still runs at the end is ended."""
    servers: list[RunningServer] = []

    def make(**options: Any) -> RunningServer:
        root = tmp_path / f"server{len(servers)}"
        root.mkdir()
        servers.append(RunningServer(root, **options))
        return servers[-1]

    yield make
    for server in servers:
        if server.process is not None and server.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.stop(signal.SIGINT)


@pytest.fixture
def server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server with keys 0 and its configuration written, not started yet."""
    one = make_server()
    one.write_keys(one.key(0))
    return one
