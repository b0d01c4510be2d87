"""The commands for keys against real servers: what they promise holds while clients are served."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from oguardai.keyring import generate_secret
from tests.server.harness import TEXT, RunningServer, kid_of, send, wait_for

Make = Callable[..., RunningServer]
NAME = "GUARDAI_SESSION_SECRET"
TIMER = ("rotate", "--if-older-than", "90d", "--adopt", "--activate-in", "1s", "--reload")


def fleet(make: Make, count: int) -> list[RunningServer]:
    """Start servers that hold the same two keys."""
    servers = [make(workers=1) for _ in range(count)]
    for one in servers:
        one.secrets = servers[0].secrets
        one.write_keys(one.key(0), one.key(1))
        one.start()
    return servers


def url(server: RunningServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def keyring(server: RunningServer, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = server.run("keyring", *words)
    shown = done.stdout + done.stderr
    assert done.returncode == code, shown
    assert not any(secret in shown for secret in server.secrets)
    assert "Traceback" not in shown
    return done


class Opener(threading.Thread):
    """Opens one session again and again, and notes when each answer was asked for and came."""

    def __init__(self, server: RunningServer, sealed: dict[str, Any]) -> None:
        super().__init__()
        self.server = server
        self.body = {"output": sealed["safe_text"], "session_state": sealed["session_state"]}
        self.done = threading.Event()
        self.answers: list[tuple[float, float, int]] = []
        self.errors: list[str] = []

    def run(self) -> None:
        connection = self.server.connect()
        while not self.done.is_set():
            asked = time.monotonic()
            try:
                status, _ = send(connection, "POST", "/v1/rehydrate", self.body)
                self.answers.append((asked, time.monotonic(), status))
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(repr(error))
                connection.close()
        connection.close()


def test_after_a_revocation_nothing_opens_with_the_key(server: RunningServer) -> None:
    server.write_keys(server.key(0), server.key(1))
    server.start()
    exposed = server.transform()
    clients = [Opener(server, exposed) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        wait_for(lambda: all(len(client.answers) > 20 for client in clients), "every client to have begun")
        began = time.monotonic()
        done = keyring(server, "revoke", "1")
        ended = time.monotonic()
        counts = [len(client.answers) for client in clients]
        wait_for(
            lambda: all(len(one.answers) > count + 20 for one, count in zip(clients, counts, strict=True)),
            "answers after the command",
        )
    finally:
        for client in clients:
            client.done.set()
        for client in clients:
            client.join()
    assert not [error for client in clients for error in client.errors]
    answers = [answer for client in clients for answer in client.answers]
    assert {status for *_, status in answers} == {200, 410}
    assert {status for asked, _, status in answers if asked > ended} == {410}
    last = max(came for _, came, status in answers if status == 200)
    print(f"last open {last - began:.3f} s after the command began, which took {ended - began:.3f} s")
    assert "reloaded: kid 2 seals, 2 workers switched" in done.stdout
    assert kid_of(server.transform()) == 2
    assert server.opens(server.transform())


def test_a_whole_rotation_and_back_loses_no_session(server: RunningServer) -> None:
    server.start()
    sealed = [server.transform()]
    keyring(server, "rotate", "--reload")
    sealed.append(server.transform())
    keyring(server, "add", "--staged", "--reload")
    keyring(server, "activate", "2", "--reload")
    sealed.append(server.transform())
    keyring(server, "rollback", "--reload")
    sealed.append(server.transform())
    keyring(server, "rollback", "--reload")
    sealed.append(server.transform())
    assert [kid_of(one) for one in sealed] == [0, 1, 2, 1, 2]
    assert all(server.opens(one) for one in sealed)
    refused = keyring(server, "remove", "0", code=1)
    assert "may be valid until" in refused.stderr
    assert "nothing to do" in keyring(server, "prune").stdout
    keyring(server, "remove", "0", "--force", "--reload")
    assert not server.opens(sealed[0])
    keyring(server, "rollback", "--reload")
    assert all(server.opens(one) for one in sealed)


def test_an_edit_waits_until_the_server_has_the_last_one(server: RunningServer) -> None:
    server.start()
    keyring(server, "rotate")
    assert "oguardai reload" in keyring(server, "rotate", code=1).stderr
    assert "oguardai reload" in keyring(server, "status").stderr
    assert "kid 0 seals" not in keyring(server, "revoke", "0").stdout  # but this one does not wait
    assert kid_of(server.transform()) == 1


def test_the_status_of_a_fleet(make_server: Make) -> None:
    servers = fleet(make_server, 2)
    urls = [word for one in servers for word in ("--url", url(one))]
    sealed = servers[0].transform()
    assert servers[1].opens(sealed)

    def counted() -> bool:
        told = json.loads(keyring(servers[0], "status", *urls, "--json").stdout)
        return (told["keys"][1]["sealed"], told["keys"][1]["opened"]) == (1, 1)

    wait_for(counted, "the counters of both")
    done = keyring(servers[0], "status", *urls)
    assert "DIFFER" not in done.stdout
    assert done.stdout.count("running (process") == 2
    rows = [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert [row[:2] for row in rows] == [["0", "standby"], ["1", "ACTIVE"]]

    servers[0].write_keys(servers[0].key(0), servers[0].key(1), servers[0].key(2, not_before="2101-01-01T00:00:00Z"))
    assert servers[0].reload().returncode == 0
    done = keyring(servers[0], "status", *urls, code=1)
    assert "THE KEYRINGS DIFFER" in done.stdout
    assert "it lacks kid 2" in done.stdout
    assert "pending until 2101-01-01T00:00:00Z" in done.stdout

    servers[1].write_keys(servers[0].key(0), servers[0].key(1), {"kid": 2, "secret": generate_secret()})
    assert servers[1].reload().returncode == 0
    done = keyring(servers[0], "status", *urls, code=1)
    assert "kid 2 HAS DIFFERENT SECRETS" in done.stdout
    told = json.loads(keyring(servers[0], "status", *urls, "--json", code=1).stdout)
    assert (told["fingerprint"], told["active_kid"]) == (None, None)
    assert told["keys"][2]["fingerprint"] == "DIFFERENT"
    assert len(told["instances"]) == 2


def test_an_instance_that_refuses_and_one_that_is_away(make_server: Make) -> None:
    (server,) = fleet(make_server, 1)
    closed = make_server(workers=1)
    closed.extra = "server:\n  drain_seconds: 0\n  admin_networks: ['192.0.2.0/24']\n"
    closed.write_keys(closed.key(0))
    closed.start()
    for words in (["status"], ["remove", "0"], ["prune"]):
        done = keyring(server, *words, "--url", url(server), "--url", url(closed), code=77)
        assert "admin_networks" in done.stdout + done.stderr
        assert "yes: " not in done.stdout
        done = keyring(server, *words, "--url", url(server), "--url", "http://127.0.0.1:1", code=69)
        assert "http://127.0.0.1:1: cannot be reached" in done.stdout + done.stderr
    assert [key["kid"] for key in server.diagnostics()["keyring"]["keys"]] == [0, 1]


def test_a_key_that_another_instance_needs_stays(make_server: Make) -> None:
    here, there = fleet(make_server, 2)
    there.write_keys(there.key(1), there.key(0))
    assert there.reload().returncode == 0
    before = (here.config_dir / "oguardai.yaml").read_bytes()
    done = keyring(here, "remove", "0", "--url", url(there), code=1)
    assert f"the keyring of the file is not in use yet on {url(there)}: reload there" in done.stderr
    done = keyring(here, "prune", "--url", url(there))
    assert "kid 0 stays" in done.stdout
    assert "nothing to do" in done.stdout
    assert (here.config_dir / "oguardai.yaml").read_bytes() == before


def test_a_key_that_no_instance_needs_goes(make_server: Make) -> None:
    servers = [make_server(workers=1) for _ in range(2)]
    for one in servers:
        one.secrets = servers[0].secrets
        one.write_keys(one.key(0), one.key(1))
        text = (one.config_dir / "oguardai.yaml").read_text()
        one.write_yaml(text.replace("ttl_seconds: 3600", "ttl_seconds: 1"))
        one.start()
    here, there = servers

    def pruned() -> bool:
        return "kid 0 is out of" in keyring(here, "prune", "--reload", "--url", url(there)).stdout

    wait_for(pruned, "kid 0 to be safe to remove on both")
    assert [key["kid"] for key in here.diagnostics()["keyring"]["keys"]] == [1]
    assert here.secrets[0] not in (here.config_dir / "oguardai.yaml.bak").read_text()
    there.write_yaml((here.config_dir / "oguardai.yaml").read_text())
    assert there.reload().returncode == 0


def test_a_secret_that_is_set_takes_effect_at_once(server: RunningServer) -> None:
    server.write_yaml("session:\n  backend: sealed\n" + server.extra)
    server.write_env(f"{NAME}={server.secrets[0]}\n")
    server.start()
    old = server.transform()
    done = server.run("secret", "set", "--reload")
    assert (done.returncode, done.stderr) == (0, "")
    assert "reloaded" in done.stdout
    assert not server.opens(old)
    assert server.opens(server.transform())
    made = (server.config_dir / "oguardai.env").read_text().strip().partition("=")[2]
    assert made not in done.stdout + server.log()


def test_a_key_that_was_adopted_rotates_and_a_secret_in_the_old_place_is_noticed(server: RunningServer) -> None:
    server.write_yaml("session:\n  backend: sealed\n" + server.extra)
    server.write_env(f"{NAME}={server.secrets[0]}\n")
    server.start()
    old = server.transform()
    keyring(server, "adopt", "--reload")
    assert server.opens(old)
    keyring(server, "rotate", "--reload")
    assert kid_of(server.transform()) == 1
    assert server.opens(old)
    kept = (server.config_dir / "oguardai.env").read_text()
    server.write_env(kept.replace(f"{NAME}=", f"{NAME}={server.secrets[1]}"))
    done = server.reload()
    assert done.returncode == 1
    assert NAME in done.stderr
    assert "oguardai keyring rotate" in done.stderr
    assert server.secrets[1] not in done.stderr
    assert server.opens(old)
    assert server.stop() == 0
    server.start(wait=False)
    assert server.process is not None
    assert server.process.wait(60) != 0
    assert "oguardai keyring rotate" in server.log()
    server.write_env(kept)
    server.start()
    assert server.opens(old)
    body = {"input": TEXT, "session_state": old["session_state"]}
    assert server.request("POST", "/v1/transform", body)[0] == 200


def scheduled(server: RunningServer, *words: str) -> str:
    """Run a keyring command as the unit of a timer does: no home, no terminal, nothing of a user's environment."""
    own = {name: value for name, value in server.environ().items() if name.startswith("GUARDAI_")}
    command = [*server.command("keyring", *words), "--config-dir", str(server.config_dir)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=own | {"PATH": os.defpath},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert not any(secret in done.stdout for secret in server.secrets)
    return done.stdout


def let_pass(server: RunningServer, days: int) -> None:
    """Restart the server with everything that it remembers that many days further back."""
    assert server.stop() == 0
    path = server.root / "state" / "keys.json"
    state = json.loads(path.read_text())
    for record in state["keys"].values():
        for name in ("listed_since", "sealing_from", "sealed_until", "seen_expiry"):
            if record[name] is not None:
                record[name] -= days * 86_400
    path.write_text(json.dumps(state))
    server.start()


def fresh_install(server: RunningServer) -> None:
    """Start a server with a single secret, and one for revocations."""
    server.write_yaml("session:\n  backend: sealed\n" + server.extra)
    server.write_env(f"{NAME}={server.secrets[0]}\nGUARDAI_REVOCATION_SECRET={server.secrets[7]}\n")
    server.start()


def test_the_first_run_of_the_timer_adopts_and_knows_the_age_of_the_key(server: RunningServer) -> None:
    fresh_install(server)
    sealed = server.transform()
    lines = scheduled(server, *TIMER).splitlines()
    assert f"is the key of {NAME} (oguardai.env:1) now" in lines[0]
    assert lines[1] == "reloaded: kid 0 seals, 2 workers switched"
    assert lines[2].startswith("kid 0 seals, and was first seen here ")
    assert lines[2].endswith(" ago: nothing to do")
    assert server.opens(sealed)
    assert server.diagnostics()["keyring"]["keys"][0]["source"] == "keyring"
    assert "nothing to do" in scheduled(server, "prune", "--reload")
    assert scheduled(server, *TIMER).endswith(" ago: nothing to do\n")


def test_the_timer_rotates_a_key_that_is_due_and_prunes_it_when_no_session_needs_it(server: RunningServer) -> None:
    fresh_install(server)
    let_pass(server, days=91)
    old = server.transform()
    printed = scheduled(server, *TIMER)
    assert printed.count("reloaded: ") == 2
    assert printed.index(f"is the key of {NAME}") < printed.index("reloaded: ") < printed.index("kid 1 is in ")
    wait_for(lambda: kid_of(server.transform()) == 1, "kid 1 to seal")
    assert server.opens(old)
    refused = scheduled(server, "prune", "--reload")
    assert "kid 0 stays: " in refused
    assert refused.endswith("no key can go yet: nothing to do\n")
    assert server.opens(old)
    let_pass(server, days=1)
    assert "kid 0 is out of" in scheduled(server, "prune", "--reload")
    assert [key["kid"] for key in server.diagnostics()["keyring"]["keys"]] == [1]
    assert scheduled(server, *TIMER) == "kid 1 seals, and was first seen here 24 h ago: nothing to do\n"
    assert server.opens(server.transform())
    assert server.secrets[7] in (server.config_dir / "oguardai.env").read_text()
    assert not any(secret in server.log() + json.dumps(server.diagnostics()) for secret in server.secrets)


def test_the_timer_of_a_fleet_changes_nothing(server: RunningServer) -> None:
    fresh_install(server)
    server.write_yaml("session:\n  shared: true\n" + server.extra)
    assert server.reload().returncode == 0
    assert "RestartNeeded" not in server.log()
    let_pass(server, days=91)
    before = {path.name: path.read_bytes() for path in server.config_dir.iterdir()}
    done = keyring(server, *TIMER, code=78)
    assert "session.shared is true (oguardai.yaml:2)" in done.stderr
    assert {path.name: path.read_bytes() for path in server.config_dir.iterdir()} == before
    assert [key["source"] for key in server.diagnostics()["keyring"]["keys"]] == ["env"]
