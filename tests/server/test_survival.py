"""What goes wrong around the server does not end it, and does not lose what it promised."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable

from oguardai.keyring import generate_secret
from tests.server.harness import RunningServer, kid_of, wait_for, yaml_of
from tests.server.test_slow_clients import HEAD, clients, read_answer


def test_a_look_at_a_file_full_of_other_keys_takes_what_there_is_room_for(server: RunningServer) -> None:
    server.write_yaml(yaml_of([{"kid": kid, "secret": generate_secret()} for kid in range(40)], server.extra))
    server.start()
    sealed = server.transform()
    others = [{"kid": kid, "secret": generate_secret()} for kid in range(100, 140)]
    server.write_yaml(yaml_of(others, server.extra))
    body = sealed["session_state"].split(".")[2]
    assert server.post("/v1/rehydrate", output="x", session_state=f"og1.139.{body}")[0] == 410
    wait_for(lambda: "event=NewKidsTaken" in server.log(), "the look")
    assert server.opens(sealed)
    assert server.opens(server.transform())


def test_a_wrong_file_of_any_size_leaves_the_server_running(server: RunningServer) -> None:
    server.start()
    server.write_env("".join(f"UNKNOWN_NAME_{number}=x\n" for number in range(12_000)))
    failed = server.reload()
    assert failed.returncode == 1
    assert "oguardai.env:1" in failed.stderr
    server.write_env("".join(f"GUARDAI_LOG_LEVEL=info\n# {number}\n" for number in range(6_000)))
    assert server.reload().returncode == 0
    server.write_env("")
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    assert kid_of(server.transform()) == 1


def test_a_runtime_directory_that_somebody_removed_ends_nothing(server: RunningServer) -> None:
    server.start()
    shutil.rmtree(server.root / "run")
    victim = min(server.worker_pids())
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(server.worker_pids()) == 2 and victim not in server.worker_pids(), "a new worker")
    for _ in range(10):
        assert server.opens(server.transform())
    pids = server.worker_pids()
    assert server.stop() == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_a_sighup_while_the_server_comes_up_is_a_reload(server: RunningServer) -> None:
    server.start(wait=False)
    assert server.process is not None
    pid_file = server.root / "run" / "oguardai.pid"
    wait_for(lambda: pid_file.exists() and pid_file.read_text().strip(), "the process id")
    for _ in range(5):
        server.process.send_signal(signal.SIGHUP)
    wait_for(server.is_ready, "the server to be ready")
    wait_for(lambda: "event=Reloaded" in server.log(), "the reload")


def test_requests_that_wait_their_turn_do_not_count_as_stuck(make_server: Callable[..., RunningServer]) -> None:
    server = make_server(workers=1)
    server.extra += "  worker_timeout_seconds: 5\n  threads: 1\n"
    server.write_keys(server.key(0))
    server.start()
    [pid] = server.worker_pids()
    text = "mail a.person@example.com, call +49 30 901820, card 4111 1111 1111 1111. " * 12_000
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(server.post("/v1/detect", input=text)[0])) for _ in range(14)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 14
    assert server.worker_pids() == {pid}


def test_answers_that_nobody_reads_are_given_up_before_they_fill_the_memory(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server(workers=1)
    server.write_keys(server.key(0))
    server.start()
    sealed = server.transform("https://example.com/" + "a" * 700)
    body = {"output": sealed["safe_text"] * 13_000, "session_state": sealed["session_state"]}
    raw = json.dumps(body).encode()
    request = HEAD.replace(b"transform", b"rehydrate") + b"Content-Length: %d\r\n\r\n" % len(raw) + raw
    with clients(server, 40) as deaf:
        for one in deaf:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(request)
        wait_for(lambda: "event=AnswerDropped" in server.log(), "the greatest answers to be given up")
        assert server.opens(server.transform())


def test_empty_lines_cost_nobody_else_anything(server: RunningServer) -> None:
    server.start()
    with clients(server, 1) as (one,):
        one.sendall(b"\r\n" * 1000)
        assert read_answer(one)[0] == 400
    assert server.opens(server.transform())


def test_a_server_that_takes_over_from_one_that_stops_can_be_found(server: RunningServer) -> None:
    server.extra = server.extra.replace("drain_seconds: 0", "drain_seconds: 1")
    server.write_keys(server.key(0))
    server.start()
    first = server.process
    assert first is not None
    first.send_signal(signal.SIGTERM)
    server.start(wait=False)  # waits for the lock
    assert first.wait(30) == 0
    wait_for(server.is_ready, "the second server")
    assert server.reload().returncode == 0


def test_a_request_that_came_while_the_server_was_told_to_stop_is_answered(server: RunningServer) -> None:
    server.start()
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(contextlib.closing(server.connect())) for _ in range(8)]
        for connection in kept:
            connection.request("GET", "/v1/health")
            connection.getresponse().read()
        for connection in kept:
            connection.request("GET", "/v1/health")
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        for connection in kept:
            with contextlib.closing(connection.getresponse()) as response:
                assert response.status == 200
    assert server.process.wait(30) == 0


def test_a_stalled_client_does_not_hold_up_new_ones_when_the_server_stops(server: RunningServer) -> None:
    server.start()
    with clients(server, 1, HEAD + b"Content-Length: 100\r\n\r\n{"):
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)

        def refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=30).close()
            except ConnectionRefusedError:
                return True
            return False

        wait_for(refused, "connections to be refused at once")
        assert server.process.poll() is None, "the one that has begun is still waited for"


def test_insisting_counts_for_one_reload_only_whatever_becomes_of_it(server: RunningServer) -> None:
    server.write_keys(server.key(0), server.key(1))
    server.start()
    server.write_keys(server.key(0))
    digest = json.loads(server.reload("--json").stdout)["digest"]
    (server.root / "run" / "force").write_text(digest)
    server.write_yaml("session: [")
    assert server.reload().returncode == 1
    server.write_keys(server.key(0))
    assert server.reload().returncode == 1, "the insistence was used up"
    assert kid_of(server.transform()) == 1
