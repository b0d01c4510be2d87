"""What an operator must be able to rely on when a secret was exposed, and when things are not as they seem."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.server.harness import RunningServer, kid_of, wait_for, yaml_of

Make = Callable[..., RunningServer]


def states(server: RunningServer) -> dict[int, str]:
    return {key["kid"]: key["state"] for key in server.diagnostics()["keyring"]["keys"]}


def test_the_key_is_revoked_although_nobody_reads_what_is_said(server: RunningServer) -> None:
    server.start()
    sealed = server.transform()
    command = [*server.command("keyring", "revoke", "0"), "--config-dir", str(server.config_dir)]
    reading, writing = os.pipe()
    os.close(reading)
    subprocess.run(command, stdout=writing, stderr=subprocess.DEVNULL, env=server.environ(), check=False, timeout=60)
    os.close(writing)
    assert states(server)[0] == "revoked"
    assert not server.opens(sealed)


def test_a_revocation_that_is_refused_says_that_the_key_still_opens(server: RunningServer) -> None:
    server.write_keys(server.key(0), server.key(1))
    server.start()
    sealed = server.transform()
    server.write_keys(server.key(0))  # somebody lost the active key meanwhile
    done = server.run("keyring", "revoke", "0")
    assert done.returncode == 1
    assert "kid 0 STILL OPENS on this server" in done.stderr
    assert server.opens(sealed)


def test_every_server_of_the_configuration_stops_opening(make_server: Make) -> None:
    one = make_server(workers=1)
    other = make_server(workers=1)
    other.config_dir.rmdir()
    other.config_dir, other.secrets = one.config_dir, one.secrets
    one.write_yaml(yaml_of([one.key(0), one.key(1)], one.extra))
    places = ("GUARDAI_RUNTIME_DIR", "GUARDAI_STATE_DIR")
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # the path of a socket has about 100 characters
        _revoke_on_both(one, other, {"XDG_RUNTIME_DIR": short, **dict.fromkeys(places, "")})


def _revoke_on_both(one: RunningServer, other: RunningServer, derived: dict[str, str]) -> None:
    for server in (one, other):
        server.start(environ=derived)
    sealed = one.transform()
    assert other.opens(sealed)
    done = subprocess.run(
        [*one.command("keyring", "revoke", "1"), "--config-dir", str(one.config_dir)],
        capture_output=True, text=True, env=one.environ() | derived, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("reloaded: kid 2 seals") == 2
    assert not one.opens(sealed)
    assert not other.opens(sealed)
    for server in (one, other):
        server.stop()


def test_a_look_that_failed_is_tried_again_when_its_cause_is_gone(make_server: Make) -> None:
    one, two = make_server(workers=1), make_server(workers=1)
    two.secrets = one.secrets
    for server in (one, two):
        server.write_keys(server.key(0))
        server.start()
    one.write_keys(one.key(0), one.key(1))
    assert one.reload().returncode == 0
    sealed = one.transform()
    assert kid_of(sealed) == 1
    two.write_keys(two.key(0), {"kid": 1, "secret_file": "late"})
    assert not two.opens(sealed), "the secret has not arrived"
    wait_for(lambda: "event=LookFailed" in two.log(), "the look")
    (two.config_dir / "late").write_text(two.secrets[1])
    wait_for(lambda: two.opens(sealed), "the session to open, although oguardai.yaml is what it was")


def test_a_secret_that_the_server_does_not_have_is_not_adopted(make_server: Make) -> None:
    server = make_server(workers=1)
    server.write_yaml("session:\n  backend: sealed\n" + server.extra)
    server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[1]}\n")
    server.start(environ={"GUARDAI_SESSION_SECRET": server.secrets[0]})
    before = (server.config_dir / "oguardai.yaml").read_bytes()
    done = server.run("keyring", "adopt")
    assert done.returncode == 1
    assert "in its own environment" in done.stderr
    assert (server.config_dir / "oguardai.yaml").read_bytes() == before


def test_a_secret_put_where_it_has_no_effect_is_noticed_also_the_first_time(server: RunningServer) -> None:
    server.start()
    server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[3]}\n")
    done = server.reload()
    assert done.returncode == 1
    assert "session.keyring wins over it" in done.stderr
    assert "oguardai keyring rotate" in done.stderr


def test_two_servers_cannot_share_what_they_remember(make_server: Make) -> None:
    one, other = make_server(workers=1), make_server(workers=1)
    shared = {"GUARDAI_STATE_DIR": str(one.root / "state")}
    for server in (one, other):
        server.write_keys(server.key(0))
    one.start()
    other.start(wait=False, environ=shared)
    assert other.process is not None
    assert other.process.wait(60) == 1
    assert "another server keeps its state there" in other.log()
    assert one.is_ready()


def test_a_number_is_not_given_again_after_a_key_was_removed_by_force(server: RunningServer) -> None:
    server.start()
    assert server.run("keyring", "add", "--staged", "--reload").returncode == 0
    assert server.run("keyring", "remove", "1", "--force", "--reload").returncode == 0
    assert server.run("keyring", "rotate", "--reload").returncode == 0
    assert states(server) == {0: "standby", 2: "ACTIVE"}


def test_one_server_by_two_names_is_no_fleet(server: RunningServer) -> None:
    server.start()
    urls = [f"--url=http://{host}:{server.port}" for host in ("127.0.0.1", "localhost")]
    done = server.run("doctor", *urls)
    assert done.returncode == 1
    assert "one and the same server" in done.stdout
    for words in (["status"], ["prune"]):
        done = server.run("keyring", *words, *urls)
        assert done.returncode == 1
        assert "one and the same server" in done.stdout + done.stderr


def test_a_timer_does_not_undo_a_rollback(server: RunningServer, tmp_path: Path) -> None:
    server.start()
    for words in (["rotate"], ["rollback"]):
        assert server.run("keyring", *words, "--reload").returncode == 0
    done = server.run("keyring", "rotate", "--if-older-than", "0s", "--reload")
    assert (done.returncode, "kid 1 is staged" in done.stdout) == (0, True)
    assert states(server) == {0: "ACTIVE", 1: "staged"}
