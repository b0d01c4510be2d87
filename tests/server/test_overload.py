"""More than the server can do at once is refused at once, a worker that is stuck is replaced, and both can be seen."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.server.harness import RunningServer, send, wait_for


def start_slow(make_server: Callable[..., RunningServer], **settings: int) -> RunningServer:
    """Start one worker with one thread that sleeps as long as the path says."""
    server = make_server(workers=1)
    server.extra += "".join(f"  {name}: {value}\n" for name, value in {"threads": 1, **settings}.items())
    server.write_keys(server.key(0))
    with server.log_path.open("ab") as log:
        server.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("slow_app.py")), str(server.config_dir)],
            stdout=log, stderr=log, env=server.environ() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
    wait_for(lambda: "event=Serving" in server.log(), "the server to serve")
    return server


def test_a_full_queue_is_answered_at_once_and_says_when_to_come_again(
    make_server: Callable[..., RunningServer],
) -> None:
    server = start_slow(make_server, max_queued=1)
    with contextlib.ExitStack() as stack:
        busy = [stack.enter_context(contextlib.closing(server.connect())) for _ in range(2)]
        for connection in busy:
            connection.request("GET", "/3")

        def refused() -> http.client.HTTPResponse | None:
            with contextlib.closing(server.connect()) as connection:
                connection.request("GET", "/0", headers={"X-Request-ID": "mine-1"})
                response = connection.getresponse()
                body = response.read()
                if response.status != 503:
                    return None
                assert response.headers["Retry-After"] == "1"
                assert response.headers["X-Request-ID"] == "mine-1"
                assert json.loads(body)["code"] == "GUARDAI_OVERLOADED"
                return response

        wait_for(refused, "a request to be refused")
        assert [connection.getresponse().status for connection in busy] == [200, 200]


def test_a_worker_that_is_stuck_in_a_request_is_replaced(make_server: Callable[..., RunningServer]) -> None:
    server = start_slow(make_server, worker_timeout_seconds=5)
    [stuck] = server.worker_pids()
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", "/3600")
        wait_for(lambda: server.worker_pids() not in (set(), {stuck}), "another worker")
    assert "event=WorkerStuck" in server.log()
    assert server.get("/0") == (200, "ok")


def test_an_idle_connection_is_closed_after_its_time(server: RunningServer) -> None:
    server.extra += "  keepalive_seconds: 1\n"
    server.write_keys(server.key(0))
    server.start()
    with contextlib.closing(server.connect()) as connection:
        assert send(connection, "GET", "/v1/health")[0] == 200
        assert connection.sock is not None
        assert connection.sock.recv(1) == b"", "closed by the server"
    server.extra = server.extra.replace("keepalive_seconds: 1", "keepalive_seconds: 0")
    server.write_keys(server.key(0))
    assert server.reload().returncode == 0
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", "/v1/health")
        with contextlib.closing(connection.getresponse()) as response:
            assert response.headers["Connection"] == "close"


def test_metrics_are_those_of_all_workers_also_after_one_was_killed(server: RunningServer) -> None:
    server.start()
    for _ in range(20):
        server.transform()
    os.kill(min(server.worker_pids()), signal.SIGKILL)
    wait_for(lambda: len(server.diagnostics()["workers"]) == 2, "the worker to be replaced")
    for _ in range(10):
        server.transform()
    status, _ = server.request("POST", "/v1/transform", {"input": 1})
    assert status == 400
    metrics = server.get("/metrics")[1]
    assert re.search(r'^oguardai_sessions_sealed_total\{kid="0"\} 30\.0$', metrics, re.MULTILINE), metrics
    assert re.search(r'endpoint="/v1/transform",method="POST",status="200"\} 30\.0$', metrics, re.MULTILINE)
    with contextlib.closing(server.connect()) as connection:
        connection.putrequest("GET", "/v1/health", skip_host=True)
        connection.endheaders()
        assert connection.getresponse().status == 400
    again = server.get("/metrics")[1]
    assert re.search(r'endpoint="unmatched",method="other",status="400"\} 1\.0$', again, re.MULTILINE)


def test_the_form_of_the_log_changes_with_a_reload_in_every_process(server: RunningServer) -> None:
    server.start()
    server.extra += "log:\n  format: json\n  requests: true\n"
    server.write_keys(server.key(0))
    assert server.reload().returncode == 0
    for _ in range(10):
        server.get("/v1/health")
    lines = [line for line in server.log().splitlines() if "/v1/health" in line]
    assert len(lines) == 10
    assert all(json.loads(line)["event"] == "Request" for line in lines)
