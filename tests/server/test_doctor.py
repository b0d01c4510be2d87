"""`oguardai doctor` against real servers: what is well, what differs, what is refused."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.server.harness import RunningServer

Make = Callable[..., RunningServer]
REMOTE_ONLY = "server:\n  drain_seconds: 0\n  admin_networks: ['192.0.2.0/24']\n"


def fleet(make: Make, count: int) -> list[RunningServer]:
    """Start servers that hold the same key."""
    servers = [make(workers=1) for _ in range(count)]
    for one in servers:
        one.secrets = servers[0].secrets
        one.write_keys(one.key(0))
        one.start()
    return servers


def url(server: RunningServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def doctor(servers: list[RunningServer], *words: str) -> subprocess.CompletedProcess[str]:
    """Ask all of them by their URLs."""
    options = [word for one in servers for word in ("--url", url(one))]
    done = servers[0].run("doctor", *options, *words)
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    assert "og1." not in shown
    assert not any(secret in shown for one in servers for secret in one.secrets)
    return done


def checks(done: subprocess.CompletedProcess[str], name: str) -> list[dict[str, Any]]:
    """Return the checks of that name from what --json printed."""
    return [check for check in json.loads(done.stdout)["checks"] if check["name"] == name]


def statuses(done: subprocess.CompletedProcess[str], name: str) -> list[str]:
    return [check["status"] for check in checks(done, name)]


def test_a_fleet_that_is_well(make_server: Make) -> None:
    servers = fleet(make_server, 3)
    done = doctor(servers)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "no check of 15 failed"
    for line in (
        "version     all",
        "on all 3, kid 0 seals",
        "differs from each other by",
        "opens what every instance seals",
    ):
        assert line in done.stdout
    assert all(line.startswith("ok ") for line in done.stdout.splitlines()[1:-1])
    done = doctor(servers, "--json")
    assert json.loads(done.stdout)["ok"] is True
    assert statuses(done, "round-trip") == ["ok"] * 3


def test_the_server_of_this_host(make_server: Make) -> None:
    (server,) = fleet(make_server, 1)
    done = server.run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "this host  hold the keyring that the server uses" in done.stdout
    by_socket = server.run("doctor", "--url", f"unix:{server.root}/run/admin.sock", "--json")
    assert by_socket.returncode == 0
    assert statuses(by_socket, "keyring") == ["ok"]

    server.write_keys(server.key(0), server.key(1))
    done = server.run("doctor", "--json")
    assert done.returncode == 0
    (files,) = checks(done, "files")
    assert files["status"] == "warning"
    assert "oguardai reload" in files["message"]

    server.write_yaml("session: [")
    done = server.run("doctor", "--json")
    assert done.returncode == 0
    assert statuses(done, "files") == ["warning"]

    assert server.stop() == 0
    assert server.run("doctor").returncode == 78, "the bad file first: it may say where the server is"
    server.write_keys(server.key(0))
    done = server.run("doctor")
    assert (done.returncode, done.stdout) == (69, "")
    assert "no server with this configuration runs" in done.stderr


def test_a_keyring_that_lacks_the_new_key(make_server: Make) -> None:
    servers = fleet(make_server, 2)
    servers[0].write_keys(servers[0].key(0), servers[0].key(1))
    assert servers[0].reload().returncode == 0
    done = doctor(servers, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False
    messages = [check["message"] for check in checks(done, "keyring")]
    assert messages[0].startswith("THE KEYRINGS DIFFER")
    assert messages[1].endswith("kid 1 seals")
    assert messages[2].endswith("kid 0 seals, and it lacks kid 1")
    failed = [check for check in checks(done, "round-trip") if check["status"] == "failed"]
    assert [check["instance"] for check in failed] == [url(servers[1])]
    assert f"does not open what {url(servers[0])} sealed with kid 1 (410)" in failed[0]["message"]
    assert "of 13 checks failed" in done.stderr


def test_one_kid_with_two_secrets(make_server: Make) -> None:
    servers = [make_server(workers=1) for _ in range(2)]
    for one in servers:
        one.write_keys(one.key(0))
        one.start()
    done = doctor(servers, "--json")
    assert done.returncode == 1
    worst = checks(done, "keyring")[1]["message"]
    assert worst.startswith("kid 0 HAS DIFFERENT SECRETS")
    assert all(f"on {url(one)}" in worst for one in servers)
    failed = [check["message"] for check in checks(done, "round-trip")]
    assert len(failed) == 2
    assert all("seems to have another secret there" in message for message in failed)


def test_one_instance_that_is_down(make_server: Make) -> None:
    servers = fleet(make_server, 2)
    assert servers[1].stop() == 0
    done = doctor(servers, "--json")
    assert done.returncode == 1
    up, down = checks(done, "health")
    assert (up["status"], down["status"]) == ("ok", "failed")
    assert "connection refused" in down["message"]
    assert statuses(done, "round-trip") == ["ok"]
    assert doctor(servers[1:]).returncode == 69


def test_a_reload_that_was_refused(make_server: Make) -> None:
    servers = fleet(make_server, 1)
    servers[0].write_keys(servers[0].key(1))
    assert servers[0].reload().returncode == 1
    done = doctor(servers, "--json")
    assert done.returncode == 1
    assert "degraded: the last reload ended as 'refused'" in checks(done, "health")[0]["message"]
    (reload,) = checks(done, "reload")
    assert reload["status"] == "failed"
    assert "is gone from the file" in reload["message"]


def test_an_instance_that_refuses_administrators(make_server: Make) -> None:
    servers = fleet(make_server, 2)
    servers[1].extra = REMOTE_ONLY
    servers[1].write_keys(servers[1].key(0))
    assert servers[1].reload().returncode == 0
    token = servers[0].root / "token"
    token.write_text("t0ken-of-nobody\n")
    token.chmod(0o600)
    baseline = servers[0].root / "baseline"
    done = doctor(servers, "--json", "--token-file", str(token), "--save", str(baseline))
    assert done.returncode == 77
    assert "t0ken" not in done.stdout + done.stderr
    skipped = [check for check in checks(done, "keyring") if check["status"] == "skipped"]
    assert [check["instance"] for check in skipped] == [url(servers[1])]
    for advice in ("answers 403", "server.admin_networks", "--token-file", "on that host"):
        assert advice in skipped[0]["message"]
    assert statuses(done, "round-trip") == ["ok", "ok"]
    assert statuses(done, "failures") == ["skipped"]
    # What it could tell was kept; and what it could not is said again.
    done = doctor(servers, "--json", "--baseline", str(baseline))
    assert done.returncode == 77
    assert statuses(done, "baseline") == ["ok", "ok"]
    assert sorted(statuses(done, "failures")) == ["ok", "skipped"]


def test_an_instance_that_refuses_clients(make_server: Make) -> None:
    servers = fleet(make_server, 1)
    servers[0].extra = "server:\n  drain_seconds: 0\n  allow_networks: ['192.0.2.0/24']\n"
    servers[0].write_keys(servers[0].key(0))
    assert servers[0].reload().returncode == 0
    done = doctor(servers, "--json")
    assert done.returncode == 77
    (trip,) = checks(done, "round-trip")
    assert trip["status"] == "skipped"
    assert "server.allow_networks" in trip["message"]


# --- before and after --------------------------------------------------------------------------------------


def test_a_rotation_between_save_and_baseline(make_server: Make) -> None:
    servers = fleet(make_server, 2)
    baseline = servers[0].root / "baseline"
    done = doctor(servers, "--save", str(baseline))
    assert done.returncode == 0
    assert done.stderr == f"kept for --baseline: {baseline}\n"
    assert stat.S_IMODE(baseline.stat().st_mode) == 0o600
    for one in servers:
        one.write_keys(one.key(0), one.key(1, state="staged"))
        assert one.reload().returncode == 0
    for one in servers:
        one.write_keys(one.key(0), one.key(1))
        assert one.reload().returncode == 0
    done = doctor(servers, "--json", "--baseline", str(baseline))
    assert (done.returncode, done.stderr) == (0, "")
    assert statuses(done, "baseline") == ["ok", "ok"]
    assert statuses(done, "failures") == ["ok", "ok"]
    assert "kid 1 seals" in checks(done, "keyring")[0]["message"]
    # A restart loses the counters, not the sessions; an instance that was not there is only skipped.
    assert servers[0].stop() == 0
    servers[0].start()
    another = make_server(workers=1)
    another.secrets = servers[0].secrets
    another.write_keys(another.key(0), another.key(1))
    another.start()
    done = doctor([*servers, another], "--json", "--baseline", str(baseline))
    assert done.returncode == 0
    assert statuses(done, "baseline") == ["ok"] * 3
    restarted, _, new = checks(done, "failures")
    assert "since its restart" in restarted["message"]
    assert new["status"] == "skipped"


def test_a_key_that_was_taken_out_too_soon(make_server: Make) -> None:
    servers = fleet(make_server, 1)
    sealed = servers[0].transform()
    blob = servers[0].root / "s.blob"
    blob.write_text(sealed["session_state"] + "\n")
    assert doctor(servers, "--session", str(blob)).returncode == 0
    servers[0].write_keys(servers[0].key(1))
    assert servers[0].reload("--force").returncode == 0
    done = doctor(servers, "--session", str(blob), "--json")
    assert done.returncode == 1
    (session,) = checks(done, "session")
    assert session["status"] == "failed"
    for part in ("sealed with kid 0", "past its time", "not in its keyring"):
        assert part in session["message"]


def test_a_revoked_key_makes_sessions_fail_above_the_baseline(make_server: Make) -> None:
    servers = fleet(make_server, 1)
    baseline = servers[0].root / "baseline"
    old = servers[0].transform()
    assert servers[0].opens(old)
    assert doctor(servers, "--save", str(baseline)).returncode == 0
    servers[0].write_keys(servers[0].key(0, state="revoked"), servers[0].key(1))
    assert servers[0].reload().returncode == 0
    assert not any(servers[0].opens(old) for _ in range(6))
    done = doctor(servers, "--json", "--baseline", str(baseline))
    assert done.returncode == 1
    (failures,) = checks(done, "failures")
    assert failures["status"] == "failed"
    assert "6 of 7 sessions since" in failures["message"]  # the one is what --save itself opened after counting
    assert "(revoked 6): 85.7%, before 0.0%" in failures["message"]
    (kept,) = checks(done, "baseline")
    assert kept["status"] == "failed"
    assert "that kid is revoked there" in kept["message"]


def test_the_baseline_is_replaced_whole_or_not_at_all(make_server: Make, tmp_path: Path) -> None:
    servers = fleet(make_server, 1)
    done = doctor(servers, "--save", str(tmp_path / "missing" / "baseline"))
    assert done.returncode == 73
    assert "cannot be written" in done.stderr
