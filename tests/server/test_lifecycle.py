"""Starting, being ready, stopping: what systemd, load balancers and the next start rely on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from oguardai.keyring import generate_secret
from tests.server.harness import RunningServer, kid_of, send, wait_for


@contextlib.contextmanager
def notify_socket(path: Path) -> Iterator[Callable[[], list[str]]]:
    """Stand in for systemd's end of sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        channel.setblocking(False)
        messages: list[str] = []

        def received() -> list[str]:
            with contextlib.suppress(BlockingIOError):
                while True:
                    messages.append(channel.recv(65536).decode())
            return messages

        yield received


def test_ready_is_told_to_systemd_only_when_the_workers_serve(server: RunningServer, tmp_path: Path) -> None:
    with notify_socket(tmp_path / "notify") as received:
        server.start(wait=False, environ={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})
        wait_for(lambda: any("READY=1" in message for message in received()), "READY=1")
        server.transform()
        assert len(server.worker_pids()) == 2
        assert sum("READY=1" in message for message in received()) == 1
        wait_for(lambda: "WATCHDOG=1" in received(), "the watchdog to be fed")
        server.write_yaml("session: [")
        server.reload()
        reloading = next(message for message in wait_for(received, "messages") if "RELOADING=1" in message)
        assert "MONOTONIC_USEC=" in reloading
        failed = wait_for(
            lambda: [one for one in received() if "STATUS=Reload failed" in one], "the status line to say why"
        )
        assert "oguardai.yaml:" in failed[0]
        assert failed[0].count("\n") == 1
        server.stop()
        assert any("STOPPING=1" in message for message in received())


def test_the_watchdog_is_not_fed_while_every_worker_hangs(server: RunningServer, tmp_path: Path) -> None:
    with notify_socket(tmp_path / "notify") as received:
        server.start(environ={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})
        for pid in server.worker_pids():
            os.kill(pid, signal.SIGSTOP)
        silent_since, count = time.monotonic(), -1

        def silent() -> bool:
            nonlocal silent_since, count
            now = received().count("WATCHDOG=1")
            if now != count:
                silent_since, count = time.monotonic(), now
            return time.monotonic() - silent_since > 4

        wait_for(silent, "the watchdog to stay hungry")


def test_on_sigterm_ready_turns_503_and_requests_are_served_until_the_end(server: RunningServer) -> None:
    server.extra = server.extra.replace("drain_seconds: 0", "drain_seconds: 3")
    server.write_keys(server.key(0))
    server.start()
    kept = server.connect()
    assert send(kept, "GET", "/v1/ready")[0] == 200
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    _, answer = wait_for(lambda: (found := send(kept, "GET", "/v1/ready"))[0] == 503 and found, "/v1/ready to turn 503")
    assert answer["code"] == "GUARDAI_OVERLOADED"
    assert server.opens(server.transform())
    assert server.process.wait(30) == 0
    kept.close()


def test_a_request_in_flight_is_finished_when_the_server_stops(server: RunningServer) -> None:
    server.start()
    body = json.dumps({"input": "text " * 100_000 + "me@example.com"}).encode()
    head = b"POST /v1/transform HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as one:
        one.sendall(head % len(body) + body[:-1])
        time.sleep(0.1)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        one.sendall(body[-1:])
        data = b""
        while more := one.recv(65536):
            data += more
    assert data.startswith(b"HTTP/1.1 200")
    assert b"{{email:e_001}}" in data
    assert server.process.wait(30) == 0


def test_nothing_is_left_behind_but_the_state(server: RunningServer) -> None:
    server.start()
    run = server.root / "run"
    assert (run / "oguardai.pid").read_text().strip() == str(server.process.pid if server.process else "")
    assert oct((run / "admin.sock").stat().st_mode)[-3:] == "600"
    assert server.stop() == 0
    assert list(run.iterdir()) == []
    assert {path.name for path in (server.root / "state").iterdir()} == {"keys.json", "lock"}


def test_a_second_server_with_the_same_configuration_is_refused(server: RunningServer) -> None:
    server.start()
    second = server.run("serve", "--port", "1")
    assert second.returncode == 1
    assert str(server.process.pid if server.process else "") in second.stderr
    server.transform()


def test_after_kill_9_of_the_main_process_the_workers_end_and_the_server_starts_again(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    pids = server.worker_pids()
    server.stop(signal.SIGKILL)
    server.start()
    assert server.opens(old)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the old workers to end")


def test_a_bad_configuration_ends_the_start_with_78_and_every_problem(server: RunningServer) -> None:
    server.write_yaml("session:\n  ttl_seconds: soon\n  colour: red\n")
    server.start(wait=False)
    assert server.process is not None
    assert server.process.wait(30) == 78
    log = server.log()
    assert "oguardai.yaml:2" in log
    assert "oguardai.yaml:3" in log
    assert "GUARDAI_SESSION_SECRET" in log
    assert "Traceback" not in log


def test_a_port_that_is_taken_is_said_clearly(server: RunningServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        server.start(wait=False)
        assert server.process is not None
        assert server.process.wait(30) == 1
    assert f"port {server.port}" in server.log()
    assert "Address already in use" in server.log()
    assert "Traceback" not in server.log()


ACTIVATE = """
import os, socket, sys
listener = socket.socket(socket.AF_INET6)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
listener.bind(("::", int(sys.argv[1])))
listener.listen(100)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "oguardai", "serve", *sys.argv[2:]])
"""


def test_an_inherited_socket_is_served_and_decides_the_address(server: RunningServer) -> None:
    environ = server.environ()
    del environ["GUARDAI_PORT"], environ["GUARDAI_HOST"]

    def start(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", ACTIVATE, str(server.port), "--config-dir", str(server.config_dir), *words]
        with server.log_path.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environ)

    server.process = start("--port", "1")
    assert server.process.wait(30) == 78
    assert "ListenStream=1," in server.log()
    server.process = start("--host", "127.0.0.1", "--port", str(server.port))
    assert server.process.wait(30) == 78, "the socket is open to more than that"
    assert f"[::]:{server.port}" in server.log()
    assert f"ListenStream=127.0.0.1:{server.port}," in server.log()
    server.process = start()
    wait_for(server.is_ready, "the server to be ready")
    assert server.opens(server.transform())
    assert server.get("/v1/diagnostics")[0] == 200, "::ffff:127.0.0.1 is loopback"


def test_a_restart_sees_the_keyring_of_the_file_and_says_what_looks_like_an_accident(server: RunningServer) -> None:
    server.write_keys(server.key(0), server.key(1))
    server.start()
    old = server.transform()
    server.stop()
    server.write_keys(server.key(0))
    server.start()
    assert kid_of(server.transform()) == 0
    assert not server.opens(old)
    assert "event=KeyringSuspicious" in server.log()
    assert "kid 1" in server.log()


def test_what_is_known_of_the_keys_survives_a_restart(server: RunningServer) -> None:
    server.start()
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    server.stop()
    server.start()
    server.write_keys(server.key(1))
    early = server.reload()
    assert early.returncode == 1
    assert "kid 0" in early.stderr


def test_a_state_directory_that_is_lost_or_broken_keeps_nobody_from_serving(server: RunningServer) -> None:
    server.start()
    server.stop()
    (server.root / "state" / "keys.json").write_text("{")
    server.start()
    server.transform()
    assert "event=StateUnreadable" in server.log()


def test_option_a_changes_the_single_secret(make_server: Callable[..., RunningServer]) -> None:
    server = make_server()
    server.write_yaml(server.extra + "session:\n  ttl_seconds: 3600\n")
    server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[0]}\n")
    server.start()
    old = server.transform()
    subprocess.run(
        ["sed", "-i", f"s/^GUARDAI_SESSION_SECRET=.*/GUARDAI_SESSION_SECRET={generate_secret()}/",
         str(server.config_dir / "oguardai.env")],
        check=True,
    )  # fmt: skip
    assert server.reload().returncode == 0
    assert not server.opens(old)
    assert "SessionExpired reason=authentication kid=0" in server.log()
    assert server.opens(server.transform())


def test_option_a_is_refused_where_it_would_change_nothing(server: RunningServer) -> None:
    server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[0]}\n")
    server.start()
    old = server.transform()
    server.write_env(f"GUARDAI_SESSION_SECRET={generate_secret()}\n")
    refused = server.reload()
    assert refused.returncode == 1
    assert "GUARDAI_SESSION_SECRET" in refused.stderr
    assert "oguardai keyring rotate" in refused.stderr
    assert server.opens(old)
    server.stop()
    server.start(wait=False)
    assert server.process is not None
    assert server.process.wait(30) == 78
    assert "oguardai keyring rotate" in server.log()
    server.write_env("")
    server.start()
    assert server.opens(old)


def test_the_env_secret_moves_into_a_keyring_without_losing_a_session(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server()
    server.write_yaml(server.extra)
    server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[0]}\n")
    server.start()
    old = server.transform()
    server.write_keys(server.key(1))
    assert server.reload().returncode == 1, "the key in use would be gone"
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    assert kid_of(server.transform()) == 1
    assert server.opens(old)


def test_the_admin_socket_is_an_admin_wherever_the_network_is(server: RunningServer) -> None:
    server.extra += "  admin_networks: []\n"
    server.write_keys(server.key(0))
    server.start()
    assert server.get("/v1/diagnostics")[0] == 403
    done = server.run("keyring", "status", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["active_kid"] == 0
    assert server.secrets[0] not in done.stdout


def test_workers_can_be_added_and_taken_away(server: RunningServer) -> None:
    server.start()
    assert server.process is not None
    server.process.send_signal(signal.SIGTTIN)
    wait_for(lambda: len(server.diagnostics()["workers"]) == 3, "a third worker")
    server.write_keys(server.key(0), server.key(1))
    report = json.loads(server.reload("--json").stdout)
    assert len(report["workers"]) == 3
    server.process.send_signal(signal.SIGTTOU)
    wait_for(lambda: len(server.diagnostics()["workers"]) == 2, "two workers")
