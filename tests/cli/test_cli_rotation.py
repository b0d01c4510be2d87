"""`keyring rotate`, `add`, `activate`, `rollback`, `adopt`: a new key, no session lost, or nothing and the reason."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from oguardai.cli import editor, files
from oguardai.keyring import MAX_KEYS, KeyState, generate_secret
from oguardai.keystatus import describe_keyring
from oguardai.server import control
from oguardai.server.runtime import RuntimeDirectory
from oguardai.state import KeyRecord, State, save
from tests.cli.harness import Host, Outcome

FIRST = "a.person@example.com"


def backup(host: Host) -> Path:
    return host.yaml.with_name("oguardai.yaml.bak")


def keyring(host: Host, *words: str, code: int = 0) -> Outcome:
    """Run a keyring command; whatever comes of it, no secret is shown."""
    held = {host.yaml: host.yaml.read_text(), backup(host): backup(host).read_text() if backup(host).exists() else ""}
    done = host.run("keyring", *words)
    shown = done.out.decode() + done.err
    for text in (*held.values(), host.yaml.read_text()):
        entries = ((yaml.safe_load(text) or {}).get("session") or {}).get("keyring", [])
        assert not any(entry["secret"] in shown for entry in entries)
    assert not any(secret in shown for secret in host.secrets)
    assert done.code == code, shown
    return done


def states(host: Host) -> list[tuple[int, str]]:
    now = time.time()
    ring = host.config().keyring
    told = []
    for key in ring.keys:
        pending = key.state is KeyState.IN_USE and not key.can_seal(now)
        told.append((key.kid, "ACTIVE" if key.kid == ring.active_kid(now) else "pending" if pending else key.state))
    return told


def opens(host: Host, state: str) -> bool:
    return host.run("session", "inspect", stdin=state).code == 0


def remember(host: Host, **fields: Any) -> None:
    """Leave the state of a server that ran here and stopped."""
    (host.root / "state").mkdir(mode=0o700, exist_ok=True)
    keys = {
        key.kid: KeyRecord(key.fingerprint, "keyring", **{"listed_since": time.time(), **fields})
        for key in host.config().keyring.keys
    }
    save(host.root / "state", State(keys, host.config().keyring.active_kid(time.time())))


# --- rotate and add ----------------------------------------------------------------------------------------


def test_the_new_key_seals_and_the_old_one_opens(host: Host) -> None:
    host.write_keys("0", "1")
    _, state = host.seal(FIRST)
    before, old = host.yaml.read_text(), host.config().keyring.keys
    done = keyring(host, "rotate")
    assert done.err == ""
    assert f"kid 2 is in {host.yaml}" in done.out.decode()
    assert "oguardai reload --config-dir" in done.out.decode()
    assert host.config().keyring.keys[:2] == old
    assert states(host) == [(0, "in_use"), (1, "in_use"), (2, "ACTIVE")]
    new = yaml.safe_load(host.yaml.read_text())["session"]["keyring"][-1]["secret"]
    after = host.yaml.read_text().replace("'", "")  # a secret that begins with - is quoted
    assert after.replace(f"    - kid: 2\n      secret: {new}\n", "") == before
    assert opens(host, state)
    assert new not in done.out.decode()
    assert host.kept() == before


def test_mode_owner_and_a_single_backup(host: Host) -> None:
    host.write_keys("0")
    host.yaml.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(host.yaml, 12, 65534)
    before, names = host.yaml.stat(), sorted(os.listdir(host.config_dir))
    for _ in range(3):
        text = host.yaml.read_text()
        keyring(host, "rotate")
        for path in (host.yaml, backup(host)):
            after = path.stat()
            assert stat.S_IMODE(after.st_mode) == 0o604
            assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
        assert host.kept() == text
        assert sorted(os.listdir(host.config_dir)) == sorted([*names, "oguardai.yaml.bak"])


def test_a_link_stays_a_link(host: Host) -> None:
    host.write_keys("0")
    (host.root / "elsewhere").mkdir()
    target = host.yaml.rename(host.root / "elsewhere" / "conf.yaml")
    host.yaml.symlink_to("../elsewhere/conf.yaml")
    before = target.read_text()
    keyring(host, "rotate")
    assert host.yaml.is_symlink()
    assert [key.kid for key in host.config().keyring.keys] == [0, 1]
    assert (target.read_text() != before, host.kept()) == (True, before)
    assert os.listdir(target.parent) == ["conf.yaml"]
    keyring(host, "rollback")
    assert host.yaml.is_symlink()


def test_a_byte_order_mark_and_a_secret_file_survive(host: Host) -> None:
    host.write(host.config_dir / "old.secret", host.secrets[0])
    host.write_yaml("  keyring:\n    - kid: 5\n      secret_file: old.secret\n")
    host.yaml.write_bytes(b"\xef\xbb\xbf" + host.yaml.read_bytes())
    assert host.run("keyring", "rotate").code == 0
    assert host.yaml.read_bytes().startswith(b"\xef\xbb\xbfsession:")
    assert [key.kid for key in host.config().keyring.keys] == [5, 6]


@pytest.mark.parametrize("command", ["rotate", "add"])
def test_a_key_for_a_fleet_waits_for_its_time(host: Host, command: str) -> None:
    host.write_keys("0")
    done = keyring(host, command, "--activate-in", "10m")
    assert b"it seals from 20" in done.out
    key = host.config().keyring.keys[-1]
    assert key.not_before is not None
    assert host.config().keyring.active_kid(key.not_before - 1) == 0
    assert host.config().keyring.active_kid(key.not_before) == 1
    before = host.yaml.read_bytes()
    assert "kid 1 is waiting to seal from 20" in keyring(host, "rotate", code=1).err
    assert host.yaml.read_bytes() == before


def test_a_staged_key_opens_until_it_is_activated(host: Host) -> None:
    host.write_keys("0")
    assert b"oguardai keyring activate 1" in keyring(host, "add", "--staged").out
    assert states(host) == [(0, "ACTIVE"), (1, "staged")]
    keyring(host, "activate", "1")
    assert states(host) == [(0, "in_use"), (1, "ACTIVE")]
    before = host.yaml.read_bytes()
    assert b"nothing to do" in keyring(host, "activate", "1").out
    keyring(host, "activate", "0")
    assert states(host) == [(1, "in_use"), (0, "ACTIVE")]
    keyring(host, "activate", "7", code=1)
    keyring(host, "add", "--activate-in", "1h")
    keyring(host, "activate", "2")
    assert states(host) == [(1, "in_use"), (0, "in_use"), (2, "ACTIVE")]
    assert host.yaml.read_bytes() != before


def test_a_revoked_key_is_not_activated(host: Host) -> None:
    host.write_keys("0", "1, state: revoked")
    before = host.yaml.read_bytes()
    assert "stays so" in keyring(host, "activate", "1", code=1).err
    assert host.yaml.read_bytes() == before


@pytest.mark.parametrize("words", [["add", "--staged", "--activate-in", "1m"], ["activate"], ["activate", "x"]])
def test_a_wrong_command_line_is_a_usage_error(host: Host, words: list[str]) -> None:
    host.write_keys("0")
    keyring(host, *words, code=2)


@pytest.mark.parametrize("duration", ["", "10", "-1m", "10 m", "1y"])
def test_a_time_that_is_none_is_a_usage_error(host: Host, duration: str) -> None:
    host.write_keys("0")
    keyring(host, "rotate", f"--activate-in={duration}", code=2)
    keyring(host, "rotate", f"--if-older-than={duration}", code=2)


def test_rotation_by_a_timer_waits_until_the_key_is_old(host: Host) -> None:
    host.write_keys("0")
    before = host.yaml.read_bytes()
    assert "does not know how old kid 0 is" in keyring(host, "rotate", "--if-older-than", "90d", code=1).err
    remember(host, listed_since=time.time() - 89 * 86_400)
    assert b"89 days ago: nothing to do" in keyring(host, "rotate", "--if-older-than", "90d").out
    assert (host.yaml.read_bytes(), backup(host).exists()) == (before, False)
    remember(host, listed_since=time.time() - 91 * 86_400)
    keyring(host, "rotate", "--if-older-than", "90d")
    assert states(host) == [(0, "in_use"), (1, "ACTIVE")]
    assert "does not know how old kid 1" in keyring(host, "rotate", "--if-older-than", "90d", code=1).err


@pytest.mark.parametrize(
    "words", [["rotate"], ["add"], ["activate", "0"], ["rollback"], ["revoke", "0"], ["remove", "0"], ["prune"]]
)
def test_the_secret_of_the_environment_must_move_first(host: Host, words: list[str]) -> None:
    before, names = host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))
    done = keyring(host, *words, code=1)
    assert (done.out, host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))) == (b"", before, names)
    assert "GUARDAI_SESSION_SECRET (oguardai.env:1)" in done.err
    assert "oguardai keyring adopt" in done.err
    assert "oguardai secret set" in done.err


# --- nothing is written ------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_edited_is_left_alone(host: Host) -> None:
    host.write(host.yaml, f"session:\n  keyring: [{{kid: 0, secret: {host.secrets[0]}}}]\n")
    before = host.yaml.read_bytes()
    assert "written with brackets" in keyring(host, "rotate", code=1).err
    assert (host.yaml.read_bytes(), backup(host).exists()) == (before, False)


def test_a_full_keyring_is_left_alone(host: Host) -> None:
    entries = "".join(f"    - kid: {kid}\n      secret: {generate_secret()}\n" for kid in range(MAX_KEYS))
    host.write_yaml(f"  keyring:\n{entries}")
    before, names = host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))
    assert f"{host.yaml}:2: session.keyring: lists" in keyring(host, "rotate", code=1).err
    assert (host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))) == (before, names)


def test_the_highest_kid_and_a_bad_file_are_left_alone(host: Host) -> None:
    host.write_yaml(f"  keyring:\n    - kid: {2**31 - 1}\n      secret: {host.secrets[0]}\n")
    assert "the highest kid" in keyring(host, "rotate", code=1).err
    host.write(host.yaml, "session:\n  keyring:\n    - kid: 0\n      secret: tiny-tiny\n")
    before = host.yaml.read_bytes()
    for words in (["rotate"], ["rollback"], ["revoke", "0"], ["prune"], ["adopt"]):
        keyring(host, *words, code=78)
    assert host.yaml.read_bytes() == before


def test_a_change_by_somebody_else_is_not_lost(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.write_keys("0")
    check = editor.Editor._check

    def interfere(*args: Any) -> None:
        check(*args)
        host.write_keys("0", "1")

    monkeypatch.setattr(editor.Editor, "_check", interfere)
    assert "changed by somebody else" in keyring(host, "rotate", code=1).err
    assert [key.kid for key in host.config().keyring.keys] == [0, 1]
    assert not backup(host).exists()


@pytest.mark.parametrize("words", [["keyring", "rotate"], ["keyring", "revoke", "0"], ["secret", "set"]])
def test_two_commands_at_once_are_one_too_many(host: Host, words: list[str]) -> None:
    host.write_keys("0")
    before = host.yaml.read_bytes(), host.env.read_bytes()
    descriptor = os.open(host.config_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = host.run(*words)
    finally:
        os.close(descriptor)
    assert (done.code, done.out) == (1, b"")
    assert "is being changed by another command; try again" in done.err
    assert (host.yaml.read_bytes(), host.env.read_bytes()) == before


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_loses_nothing(host: Host, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    host.write_keys("0")
    before, names = host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))

    def fail(*_args: Any, **_more: Any) -> Any:
        raise OSError(28, "No space left on device")

    if call == "write":
        monkeypatch.setattr(files.os, "fdopen", _Full)
    else:
        monkeypatch.setattr(files.os, call, fail)
    done = keyring(host, "rotate", code=73)
    assert "No space left on device" in done.err
    assert (host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))) == (before, names)


class _Full:
    """A file on a full disk."""

    def __init__(self, descriptor: int, _mode: str) -> None:
        self.descriptor = descriptor

    def __enter__(self) -> _Full:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def write(self, _data: bytes) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_another_user_is_told_so_in_one_line(host: Host, tmp_path: Path) -> None:
    host.write_keys("0")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == 0 and path.name.startswith(("pytest", "test")):
            path.chmod(path.stat().st_mode | 0o011)
    before = host.yaml.read_bytes()
    for mode, code, words in ((0o750, 77, "may not|cannot be read|Permission"), (0o755, 77, "cannot be read")):
        host.config_dir.chmod(mode)
        done = as_nobody(host, "keyring", "rotate")
        assert (done.code, done.out) == (code, b""), done.err
        assert any(word in done.err for word in words.split("|")), done.err
        assert "bug" not in done.err
    for path in (host.yaml, host.env):
        path.chmod(0o644)
    done = as_nobody(host, "keyring", "rotate")
    assert done.code == 77, done.err
    assert "Permission denied" in done.err
    assert host.yaml.read_bytes() == before


def as_nobody(host: Host, *words: str) -> Outcome:
    """Run a command in a child of this process that has become another user."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            done = host.run(*words)
            os.write(write, f"{done.code}\n{done.out.decode()}\0{done.err}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        code, _, shown = answer.read().decode().partition("\n")
    os.waitpid(child, 0)
    out, _, err = shown.partition("\0")
    return Outcome(int(code), out.encode(), err)


# --- with a server -----------------------------------------------------------------------------------------


@pytest.fixture
def running(host: Host, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A server that uses the keyring with the fingerprint that the test puts here."""
    host.write_keys("0")
    told = describe_keyring(host.config().keyring, now=time.time(), ttl=60.0)
    monkeypatch.setattr(RuntimeDirectory, "running_pid", lambda _self: 4711)
    monkeypatch.setattr(control, "ask_admin", lambda _runtime, _path: {"pid": 4711, "keyring": told})
    return told


def test_two_rotations_without_a_reload_between_are_refused(host: Host, running: dict[str, Any]) -> None:
    keyring(host, "rotate")
    before = host.yaml.read_bytes()
    assert "oguardai reload" in keyring(host, "rotate", code=1).err
    assert "oguardai reload" in keyring(host, "activate", "0", code=1).err
    assert host.yaml.read_bytes() == before
    running["fingerprint"] = host.config().keyring.fingerprint
    keyring(host, "rotate")


def test_the_server_can_be_reloaded_at_once(
    host: Host, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def reload_server(runtime: RuntimeDirectory, *, force: bool = False) -> dict[str, Any]:
        asked.append(runtime.path)
        assert not force
        return {"outcome": "ok", "warnings": [], "active_kid": 1, "workers": [1]}

    monkeypatch.setattr(control, "reload_server", reload_server)
    done = keyring(host, "rotate", "--reload")
    assert done.err == ""
    assert done.out.decode().splitlines()[-1] == "reloaded: kid 1 seals, 1 worker switched"
    assert asked == [host.root / "run"]
