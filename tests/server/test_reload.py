"""A reload switches every worker in place, or changes nothing and says why."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

from oguardai.keyring import generate_secret
from tests.server.harness import TEXT, RunningServer, kid_of, send, wait_for, yaml_of


class Client(threading.Thread):
    """Transforms and rehydrates all the time, over kept-alive and new connections, and notes what went wrong."""

    def __init__(self, server: RunningServer, *, keep_alive: bool) -> None:
        super().__init__()
        self.server, self.keep_alive = server, keep_alive
        self.done = threading.Event()
        self.errors: list[str] = []
        self.turns = 0

    def run(self) -> None:
        connection = self.server.connect()
        while not self.done.is_set():
            try:
                status, sealed = send(connection, "POST", "/v1/transform", {"input": TEXT})
                assert status == 200, sealed
                body = {"output": sealed["safe_text"], "session_state": sealed["session_state"]}
                status, opened = send(connection, "POST", "/v1/rehydrate", body)
                assert (status, opened.get("restored_text")) == (200, TEXT), opened
            except (AssertionError, OSError, http.client.HTTPException) as error:
                self.errors.append(repr(error))
                connection.close()
            if not self.keep_alive:
                connection.close()
            self.turns += 1
        connection.close()


class Load:
    """Some clients for the time of a `with`; none of them may have seen an error at its end."""

    def __init__(self, server: RunningServer, clients: int = 8) -> None:
        self.clients = [Client(server, keep_alive=number % 2 == 0) for number in range(clients)]

    def __enter__(self) -> Load:
        for client in self.clients:
            client.start()
        wait_for(lambda: all(client.turns for client in self.clients), "every client to have begun")
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.done.set()
        for client in self.clients:
            client.join()
        errors = [error for client in self.clients for error in client.errors]
        assert not errors, f"{len(errors)} errors, such as {errors[0]}"


def test_many_reloads_under_load_fail_no_request_and_end_no_worker(server: RunningServer) -> None:
    server.start()
    pids = server.worker_pids()
    assert len(pids) == 2
    with Load(server):
        for turn in range(1, 41):
            kid = turn % 6 + 1
            server.write_keys(server.key(0), *(server.key(one) for one in range(1, 7) if one != kid), server.key(kid))
            done = server.reload()
            assert done.returncode == 0, done.stderr
            assert kid_of(server.transform()) == kid, "every answer after the reload uses the new key"
    assert server.worker_pids() == pids
    counts = server.diagnostics()["reload"]["counts"]
    assert counts["ok"] == 40


def test_old_sessions_open_after_a_rotation_and_new_ones_use_the_new_key(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    new = server.transform()
    assert (kid_of(old), kid_of(new)) == (0, 1)
    assert server.opens(old)
    assert server.opens(new)
    continued = server.transform("again to a.person@example.com", session_state=old["session_state"])
    assert kid_of(continued) == 1
    assert continued["session_id"] == old["session_id"]
    assert server.opens(continued, "again to a.person@example.com")


def test_a_bad_file_keeps_the_old_keyring_and_names_the_line(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    server.write_yaml(yaml_of([server.key(0), server.key(0)], server.extra))
    failed = server.reload()
    assert failed.returncode == 1
    assert "oguardai.yaml:7" in failed.stderr
    assert server.secrets[0] not in failed.stderr + failed.stdout + server.log()
    assert "oguardai.yaml:7" in server.log()
    assert server.opens(old)
    assert kid_of(server.transform()) == 0
    assert server.get("/v1/health")[1]["status"] == "degraded"
    assert "oguardai_config_last_reload_successful 0.0" in server.get("/metrics")[1]
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    assert server.get("/v1/health")[1]["status"] == "healthy"
    assert "oguardai_config_last_reload_successful 1.0" in server.get("/metrics")[1]


def test_a_worker_that_comes_up_later_has_the_configuration_in_force_though_the_file_is_bad(
    server: RunningServer,
) -> None:
    server.start()
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    server.write_yaml("session: [")
    assert server.reload().returncode == 1
    for pid in server.worker_pids():
        os.kill(pid, signal.SIGKILL)
    before = server.process
    wait_for(lambda: len(server.diagnostics()["workers"]) == 2, "two new workers")
    assert server.process is before
    for _ in range(10):
        assert kid_of(server.transform()) == 1


def test_kill_9_of_a_worker_in_the_middle_of_a_reload(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    for turn in range(1, 8):
        server.write_keys(*(server.key(kid) for kid in range(turn + 1)))
        victim = sorted(server.worker_pids())[turn % 2]
        done: list[int] = []
        reload = threading.Thread(target=lambda done=done: done.append(server.reload().returncode))
        reload.start()
        time.sleep(0.03 * turn)
        os.kill(victim, signal.SIGKILL)
        reload.join()
        assert done == [0], "the dead cannot hold up the living"
        wait_for(lambda: len(server.worker_pids()) == 2, "the worker to be replaced")
        for _ in range(6):
            assert kid_of(retried(server)) == turn
    assert server.opens(old)


def retried(server: RunningServer) -> dict[str, object]:
    """Transform; a connection that the killed worker had accepted may be lost, that is all."""

    def attempt() -> dict[str, object] | None:
        try:
            return server.transform()
        except (OSError, http.client.HTTPException):
            return None

    return wait_for(attempt, "an answer")


def test_a_sighup_to_every_process_does_no_harm(server: RunningServer) -> None:
    server.start()
    pids = server.worker_pids()
    assert server.process is not None
    with Load(server, clients=4):
        for _ in range(50):
            for pid in [*pids, server.process.pid]:
                os.kill(pid, signal.SIGHUP)
            time.sleep(0.01)
    assert server.worker_pids() == pids
    assert server.process.poll() is None


def test_a_worker_that_does_not_answer_is_named(server: RunningServer) -> None:
    server.start()
    victim = min(server.worker_pids())
    os.kill(victim, signal.SIGSTOP)
    server.write_keys(server.key(0), server.key(1))
    partial = server.reload()
    assert partial.returncode == 1
    assert str(victim) in partial.stderr
    os.kill(victim, signal.SIGCONT)
    assert server.reload().returncode == 0
    assert victim in server.worker_pids()


def test_a_worker_that_does_not_answer_is_replaced_when_a_key_was_revoked(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    victim = min(server.worker_pids())
    os.kill(victim, signal.SIGSTOP)
    server.write_keys(server.key(0, state="revoked"), server.key(1))
    assert server.reload().returncode == 1
    wait_for(lambda: victim not in server.worker_pids() and len(server.worker_pids()) == 2, "a new worker")
    for _ in range(6):
        assert not server.opens(old)
    assert "SessionExpired reason=revoked kid=0" in server.log()


def test_a_file_cut_at_a_line_end_is_refused_unless_forced(server: RunningServer) -> None:
    server.write_keys(server.key(0), server.key(1))
    server.start()
    new = server.transform()
    server.write_keys(server.key(0))
    refused = server.reload()
    assert refused.returncode == 1
    assert "kid 1" in refused.stderr
    assert "--force" in refused.stderr
    assert server.opens(new)
    assert server.reload("--force").returncode == 0
    assert not server.opens(new)
    assert "SessionExpired reason=unknown_kid kid=1" in server.log()
    server.write_keys(server.key(2))
    assert server.reload().returncode == 1, "force is used up"


def test_a_key_is_not_removed_before_its_sessions_have_expired(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    server.write_keys(server.key(0), server.key(1))
    assert server.reload().returncode == 0
    server.write_keys(server.key(1))
    early = server.reload()
    assert early.returncode == 1
    assert "kid 0" in early.stderr
    assert server.opens(old)


def test_a_key_is_removed_when_its_sessions_have_expired(server: RunningServer) -> None:
    short = yaml_of([server.key(0)], server.extra).replace("ttl_seconds: 3600", "ttl_seconds: 1")
    server.write_yaml(short)
    server.start()
    assert kid_of(server.transform()) == 0
    server.write_yaml(yaml_of([server.key(0), server.key(1)], server.extra).replace("3600", "1"))
    assert server.reload().returncode == 0
    server.write_yaml(yaml_of([server.key(1)], server.extra).replace("3600", "1"))
    wait_for(lambda: server.reload().returncode == 0, "the key to be safe to remove")


def test_a_listed_kid_cannot_get_another_secret(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    server.write_yaml(yaml_of([{"kid": 0, "secret": generate_secret()}], server.extra))
    refused = server.reload()
    assert refused.returncode == 1
    assert "another secret" in refused.stderr
    assert server.opens(old)


def test_a_revoked_key_stops_opening_at_once(server: RunningServer) -> None:
    server.start()
    old = server.transform()
    server.write_keys(server.key(0, state="revoked"), server.key(1))
    assert server.reload().returncode == 0
    assert not server.opens(old)
    assert "SessionExpired reason=revoked kid=0" in server.log()


def test_a_staged_key_opens_and_does_not_seal(server: RunningServer) -> None:
    server.write_keys(server.key(0), server.key(1))
    server.start()
    sealed = server.transform()
    assert kid_of(sealed) == 1
    server.write_keys(server.key(0), server.key(1, state="staged"))
    assert server.reload().returncode == 0
    assert kid_of(server.transform()) == 0
    assert server.opens(sealed)


def test_a_key_seals_from_its_not_before_on_without_a_reload(server: RunningServer) -> None:
    server.start()
    soon = datetime.now(UTC) + timedelta(seconds=3)
    server.write_keys(server.key(0), server.key(1, not_before=soon.isoformat()))
    assert server.reload().returncode == 0
    first = server.transform()
    if datetime.now(UTC) < soon:
        assert kid_of(first) == 0
    wait_for(lambda: kid_of(server.transform()) == 1, "the key's time to come")
    assert datetime.now(UTC) >= soon
    wait_for(lambda: "ActiveKeyChanged" in server.log(), "the main process to note it")
    states = {key["kid"]: key["state"] for key in server.diagnostics()["keyring"]["keys"]}
    assert states == {0: "standby", 1: "ACTIVE"}


def test_settings_that_need_a_restart_are_named_and_others_change(server: RunningServer) -> None:
    server.start()
    server.extra += "  threads: 2\n  max_body_bytes: 2000\n"
    server.write_keys(server.key(0))
    assert server.reload().returncode == 0
    assert "setting=server.threads" in server.log()
    assert "setting=server.max_body_bytes" not in server.log()
    assert server.post("/v1/transform", input="x" * 3000)[0] == 413


def test_reload_says_when_no_server_runs(server: RunningServer) -> None:
    absent = server.reload()
    assert absent.returncode == 69
    assert str(server.root / "run") in absent.stderr


def test_reload_json_reports_what_happened(server: RunningServer) -> None:
    server.start()
    server.write_keys(server.key(0), server.key(1))
    report = json.loads(server.reload("--json").stdout)
    assert report["outcome"] == "ok"
    assert report["active_kid"] == 1
    assert set(report["workers"]) == server.worker_pids()
