"""`keyring rotate`: one key more and not a byte else, or nothing at all and the reason."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from oguardai.cli.keyedit import NotEditableError, append_key
from oguardai.keyring import KeyState
from oguardai.server import control
from oguardai.server.runtime import RuntimeDirectory
from tests.cli.harness import Host

FIELDS = {"kid": "7", "secret": "NEW"}

LAYOUTS = {
    "as_in_the_runbook": "session:\n  backend: sealed\n  keyring:\n  - kid: 0\n    secret: OLD\n",
    "indented": "session:\n    keyring:\n        - kid: 0\n          secret: OLD\n",
    "not_at_the_end": "session:\n  keyring:\n    - kid: 0\n      secret: OLD\n  ttl_seconds: 60\nlog:\n  level: info\n",
    "comments": "# a\nsession:\n  keyring:  # b\n    - kid: 0  # c\n      secret: OLD  # d\n    # e\n\n  # f\n",
    "no_newline_at_the_end": "session:\n  keyring:\n    - kid: 0\n      secret: OLD",
    "crlf": "session:\r\n  keyring:\r\n    - kid: 0\r\n      secret: OLD\r\nlog:\r\n  level: info\r\n",
    "wide_dash": "session:\n  keyring:\n    -   kid: 0\n        secret: OLD\n",
    "dash_on_its_own_line": "session:\n  keyring:\n    -\n      kid: 0\n      secret: OLD\n",
    "kid_last": "session:\n  keyring:\n    - secret: 'OLD'\n      kid: 0 # x\n",
    "quoted": 'session:\n  keyring:\n    - "kid": 0\n      "secret": "OLD"\n      state: "revoked"\n',
    "block_text": "session:\n  keyring:\n    - kid: 0\n      secret: |\n        OLD\nlog: {}\n",
    "block_text_at_the_end": "session:\n  keyring:\n    - kid: 0\n      secret: >-\n        OLD",
    "two": "session:\n  keyring:\n    - kid: 0\n      secret: OLD\n\n    - kid: 1\n      secret: B\n",
    "document_marks": "---\nsession:\n  keyring:\n    - kid: 0\n      secret: OLD\n...\n",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_a_key_is_added_and_not_a_byte_else_changes(text: str) -> None:
    edited = append_key(text, FIELDS)
    before, after = yaml.safe_load(text), yaml.safe_load(edited)
    assert after["session"]["keyring"][-1] == {"kid": 7, "secret": "NEW"}
    after["session"]["keyring"].pop()
    assert after == before
    added = [line for line in edited.splitlines() if "kid: 7" in line or "NEW" in line]
    assert len(added) == 2
    rest = [line for line in edited.splitlines() if line not in added]
    assert rest == text.splitlines()
    assert ("\r\n" in edited) == ("\r\n" in text)
    assert edited.count("\n") - edited.count("\r\n") == 0 or "\r\n" not in text


@pytest.mark.parametrize(
    "text",
    [
        "session:\n  keyring: [{kid: 0, secret: OLD}]\n",
        "session:\n  keyring:\n    - {kid: 0, secret: OLD}\n",
        "session: {keyring: []}\n",
        "session:\n  ttl_seconds: 1\n",
        "",
    ],
)
def test_what_has_no_lines_to_add_to_is_refused(text: str) -> None:
    with pytest.raises(NotEditableError):
        append_key(text, FIELDS)


# --- the command -------------------------------------------------------------------------------------------


def test_the_new_key_seals_and_the_old_one_opens(host: Host) -> None:
    host.write_keys("0", "1")
    _, state = host.seal("jane.roe@example.com")
    before, old = host.yaml.read_text(), host.config().keyring.keys
    done = host.run("keyring", "rotate")
    assert (done.code, done.err) == (0, "")
    assert f"kid 2 is in {host.yaml}" in done.out.decode()
    assert "oguardai reload --config-dir" in done.out.decode()
    keys = host.config().keyring.keys
    assert keys[:2] == old
    assert (keys[2].kid, keys[2].state, keys[2].not_before) == (2, KeyState.IN_USE, None)
    new = yaml.safe_load(host.yaml.read_text())["session"]["keyring"][-1]["secret"]
    assert host.yaml.read_text().replace(f"    - kid: 2\n      secret: {new}\n", "") == before
    assert host.run("session", "inspect", stdin=state).code == 0
    assert new not in done.out.decode()


def test_mode_and_owner_stay_and_nothing_is_left_behind(host: Host) -> None:
    host.write_keys("0")
    host.yaml.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(host.yaml, 0, 65534)
    before, names = host.yaml.stat(), sorted(os.listdir(host.config_dir))
    assert host.run("keyring", "rotate").code == 0
    after = host.yaml.stat()
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino  # replaced whole, not written over
    assert sorted(os.listdir(host.config_dir)) == names


def test_a_byte_order_mark_and_a_secret_file_survive(host: Host) -> None:
    host.write(host.config_dir / "old.secret", host.secrets[0])
    host.write_yaml("  keyring:\n    - kid: 5\n      secret_file: old.secret\n")
    host.yaml.write_bytes(b"\xef\xbb\xbf" + host.yaml.read_bytes())
    assert host.run("keyring", "rotate").code == 0
    assert host.yaml.read_bytes().startswith(b"\xef\xbb\xbfsession:")
    assert [key.kid for key in host.config().keyring.keys] == [5, 6]


def test_a_key_for_a_fleet_waits_for_its_time(host: Host) -> None:
    host.write_keys("0")
    assert host.run("keyring", "rotate", "--activate-in", "10m").code == 0
    key = host.config().keyring.keys[-1]
    assert key.not_before is not None
    assert host.config().keyring.active(key.not_before - 1).kid == 0
    assert host.config().keyring.active(key.not_before).kid == 1
    before = host.yaml.read_bytes()
    again = host.run("keyring", "rotate")
    assert (again.code, host.yaml.read_bytes()) == (1, before)
    assert "kid 1 is waiting to seal from 20" in again.err


@pytest.mark.parametrize("time", ["", "10", "-1m", "10 m", "1y"])
def test_a_time_that_is_none_is_a_usage_error(host: Host, time: str) -> None:
    host.write_keys("0")
    assert host.run("keyring", "rotate", f"--activate-in={time}").code == 2


def test_the_secret_of_the_environment_must_move_first(host: Host) -> None:
    before = host.yaml.read_bytes()
    done = host.run("keyring", "rotate")
    assert (done.code, done.out, host.yaml.read_bytes()) == (1, b"", before)
    assert "GUARDAI_SESSION_SECRET (oguardai.env:1)" in done.err
    assert "- kid: 0" in done.err
    assert host.secrets[0] not in done.err


def test_a_file_that_cannot_be_edited_is_left_alone(host: Host) -> None:
    host.write(host.yaml, f"session:\n  keyring: [{{kid: 0, secret: {host.secrets[0]}}}]\n")
    before = host.yaml.read_bytes()
    done = host.run("keyring", "rotate")
    assert (done.code, host.yaml.read_bytes()) == (1, before)
    assert "written with brackets" in done.err


def test_a_full_keyring_is_left_alone(host: Host) -> None:
    from oguardai.keyring import MAX_KEYS, generate_secret  # noqa: PLC0415

    entries = "".join(f"    - kid: {kid}\n      secret: {generate_secret()}\n" for kid in range(MAX_KEYS))
    host.write_yaml(f"  keyring:\n{entries}")
    before, names = host.yaml.read_bytes(), sorted(os.listdir(host.config_dir))
    done = host.run("keyring", "rotate")
    assert (done.code, host.yaml.read_bytes()) == (1, before)
    assert f"{host.yaml}:2: session.keyring: lists" in done.err
    assert sorted(os.listdir(host.config_dir)) == names


def test_a_change_by_somebody_else_is_not_lost(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from oguardai.cli import rotation  # noqa: PLC0415

    host.write_keys("0")
    check = rotation._check_edit

    def interfere(*args: Any) -> None:
        check(*args)
        host.write_keys("0", "1")

    monkeypatch.setattr(rotation, "_check_edit", interfere)
    done = host.run("keyring", "rotate")
    assert done.code == 1
    assert "changed by somebody else" in done.err
    assert [key.kid for key in host.config().keyring.keys] == [0, 1]


@pytest.fixture
def running(host: Host, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A server that uses the keyring with the fingerprint that the test puts here."""
    host.write_keys("0")
    told = {"fingerprint": host.config().keyring.fingerprint}
    monkeypatch.setattr(control, "ask_admin", lambda _runtime, _path: {"keyring": told})
    return told


def test_two_rotations_without_a_reload_between_are_refused(host: Host, running: dict[str, Any]) -> None:
    assert host.run("keyring", "rotate").code == 0
    before = host.yaml.read_bytes()
    done = host.run("keyring", "rotate")
    assert (done.code, host.yaml.read_bytes()) == (1, before)
    assert "oguardai reload" in done.err
    running["fingerprint"] = host.config().keyring.fingerprint
    assert host.run("keyring", "rotate").code == 0


def test_the_server_can_be_reloaded_at_once(
    host: Host, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def reload_server(runtime: RuntimeDirectory, *, force: bool = False) -> dict[str, Any]:
        asked.append(runtime.path)
        assert not force
        return {"outcome": "ok", "warnings": [], "active_kid": 1, "workers": [1]}

    monkeypatch.setattr(control, "reload_server", reload_server)
    done = host.run("keyring", "rotate", "--reload")
    assert (done.code, done.err) == (0, "")
    assert done.out.decode().splitlines()[-1] == "reloaded: kid 1 seals, 1 worker switched"
    assert asked == [host.root / "run"]
