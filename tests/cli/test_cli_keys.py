"""`keyring status`: which key seals, which may go and why, from the server or from the files."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from oguardai.cli.keytable import ACTIVE, describe_keyring, judge_removal
from oguardai.keyring import Key, Keyring, KeyState, generate_secret
from oguardai.server import control
from oguardai.server.runtime import NotRunningError, RuntimeDirectory
from oguardai.state import State, save
from tests.cli.harness import Host

NOW = 1_800_000_000.0
TTL = 3600.0


def ring(*states: KeyState, not_before: float | None = None) -> Keyring:
    keys = [Key.from_secret(kid, generate_secret(), state=state) for kid, state in enumerate(states)]
    if not_before is not None:
        keys.append(Key.from_secret(len(keys), generate_secret(), not_before=not_before))
    return Keyring(tuple(keys))


def entry(**fields: Any) -> dict[str, Any]:
    return {
        "kid": 0,
        "state": "standby",
        "not_before": None,
        "listed_since": NOW - 90_000,
        "safe_to_remove_at": NOW - 10,
        **fields,
    }


# --- may a key go ------------------------------------------------------------------------------------------


def test_a_key_whose_sessions_have_expired_may_go() -> None:
    removal = judge_removal(entry(), now=NOW, ttl=TTL)
    assert (removal.safe, removal.at) == (True, NOW - 10)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": ACTIVE}, "it seals"),
        ({"state": "pending", "not_before": NOW + 60}, "it seals from 2027-01-15T08:01:00Z"),
        ({"listed_since": None}, "does not know"),
        ({"safe_to_remove_at": None}, "may still seal"),
        ({"safe_to_remove_at": NOW + 60}, "valid until 2027-01-15T08:01:00Z"),
    ],
)
def test_a_key_stays_for_a_reason(fields: dict[str, Any], words: str) -> None:
    removal = judge_removal(entry(**fields), now=NOW, ttl=TTL)
    assert not removal.safe
    assert words in removal.because


@pytest.mark.parametrize("state", ["standby", "staged", "revoked"])
def test_a_key_that_was_just_listed_may_have_sealed_before(state: str) -> None:
    removal = judge_removal(entry(state=state, safe_to_remove_at=0.0, listed_since=NOW - 60), now=NOW, ttl=TTL)
    assert (removal.safe, removal.at) == (False, NOW - 60 + TTL)
    assert judge_removal(entry(state=state, safe_to_remove_at=0.0), now=NOW, ttl=TTL).safe


def test_keys_of_the_files_are_described_as_the_server_does() -> None:
    keys = ring(KeyState.IN_USE, KeyState.STAGED, KeyState.REVOKED, KeyState.IN_USE, not_before=NOW + 60)
    told = describe_keyring(keys, None, NOW)
    assert told["active_kid"] == 3
    assert [one["state"] for one in told["keys"]] == ["standby", "staged", "revoked", ACTIVE, "pending"]
    assert all(one["listed_since"] is None for one in told["keys"])


def test_a_record_of_another_key_under_the_same_kid_does_not_count() -> None:
    state = State().accept(ring(KeyState.IN_USE), now=NOW, ttl=TTL, env_file_secret=None)
    (told,) = describe_keyring(ring(KeyState.IN_USE), state, NOW)["keys"]
    assert told["listed_since"] is None


# --- the command -------------------------------------------------------------------------------------------


def test_without_a_server_the_files_are_shown(host: Host) -> None:
    host.write_keys("0", "1", "2, state: staged")
    directory = host.root / "state"
    directory.mkdir(mode=0o700)
    now = time.time()
    state = State().accept(host.config().keyring, now=now, ttl=3600, env_file_secret=None)
    save(directory, state.settle(host.config().keyring, now=now))
    done = host.run("keyring", "status")
    assert (done.code, done.err) == (0, "")
    head, _, header, *rows = done.out.decode().splitlines()[0:7]
    assert head.startswith("server: not running")
    assert "keyring fingerprint" in done.out.decode()
    active = [line for line in done.out.decode().splitlines() if "ACTIVE" in line]
    assert len(active) == 1
    assert active[0].split()[0] == "1"
    assert active[0].endswith("no: it seals")
    assert header or rows


def test_json_has_a_verdict_for_each_key(host: Host) -> None:
    host.write_keys("0", "1")
    answer = json.loads(host.run("keyring", "status", "--json").out)
    assert (answer["running"], answer["pid"], answer["active_kid"]) == (False, None, 1)
    assert answer["fingerprint"] == host.config().keyring.fingerprint
    old, new = answer["keys"]
    assert (old["state"], old["safe_to_remove"], old["safe_to_remove_at"]) == ("standby", False, None)
    assert "does not know" in old["safe_to_remove_because"]
    assert (new["state"], new["safe_to_remove"]) == ("ACTIVE", False)


@pytest.fixture
def running(host: Host, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A server that answers with what the test puts here."""
    told = {"pid": 4711, "keyring": describe_keyring(host.config().keyring, None, time.time())}
    monkeypatch.setattr(RuntimeDirectory, "running_pid", lambda _self: 4711)
    monkeypatch.setattr(control, "ask_admin", lambda _runtime, _path: json.loads(json.dumps(told)))
    return told


def test_a_running_server_is_asked(host: Host, running: dict[str, Any]) -> None:
    running["keyring"]["keys"][0].update(sealed=12, opened=34, last_seal=NOW, last_open=NOW + 60)
    done = host.run("keyring", "status")
    assert (done.code, done.err) == (0, "")
    assert b"server: running (process 4711)" in done.out
    (row,) = [line.split() for line in done.out.decode().splitlines() if "ACTIVE" in line]
    assert row[3:6] == ["12", "34", "2027-01-15T08:01:00Z"]


def test_files_that_differ_from_the_server_are_pointed_out(host: Host, running: dict[str, Any]) -> None:
    host.write_keys("0", "1")
    done = host.run("keyring", "status")
    assert done.code == 0
    assert "another keyring than the server uses" in done.err
    assert "oguardai reload --config-dir" in done.err


def test_a_bad_configuration_does_not_hide_a_running_server(host: Host, running: dict[str, Any]) -> None:
    host.write(host.yaml, "session: [\n")
    done = host.run("keyring", "status")
    assert (done.code, b"4711" in done.out) == (0, True)
    assert "not valid" in done.err


def test_a_server_that_does_not_answer_is_unavailable(
    host: Host, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_runtime: RuntimeDirectory, _path: str) -> dict[str, Any]:
        raise NotRunningError("admin.sock: no answer")

    monkeypatch.setattr(control, "ask_admin", fail)
    done = host.run("keyring", "status")
    assert (done.code, done.out) == (69, b"")


def test_a_runtime_directory_of_another_user_is_a_matter_of_permission(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_args: Any, **_extra: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert host.run("keyring", "status").code == 77
    assert host.run("reload").code == 77
