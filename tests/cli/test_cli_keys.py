"""`keyring status`: which key seals, which may go and why, from the server, from the files, or of a fleet."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from oguardai.cli import remote
from oguardai.keyring import generate_secret
from oguardai.keystatus import describe_keyring
from oguardai.server import control
from oguardai.server.runtime import NotRunningError, RuntimeDirectory
from oguardai.state import State, save
from tests.cli.harness import Host

NOW = 1_800_000_000.0


def describe(host: Host) -> dict[str, Any]:
    told: dict[str, Any] = describe_keyring(host.config().keyring, now=time.time(), ttl=3600)
    return told


def rows_of(out: bytes) -> dict[str, str]:
    return {line.split()[0]: line for line in out.decode().splitlines() if line[:1].isdigit()}


def test_without_a_server_the_files_are_shown(host: Host) -> None:
    host.write_keys("0", "1", "2, state: staged")
    directory = host.root / "state"
    directory.mkdir(mode=0o700)
    ring, then = host.config().keyring, time.time() - 7200
    state = State().accept(ring, now=then, ttl=60, env_file_secret=None)
    save(directory, state.settle(ring, now=then))
    done = host.run("keyring", "status")
    assert (done.code, done.err) == (0, "")
    head = done.out.decode().splitlines()[0]
    assert head.startswith("this host: no server runs, this is what its files say, keyring ")
    assert host.config().keyring.fingerprint in head
    rows = rows_of(done.out)
    assert rows["0"].split()[1] == "standby"
    assert rows["0"].split()[3:7] == ["2", "h", "-", "-"]
    assert "yes: no session under it is valid since 20" in rows["0"]
    assert rows["1"].split()[1] == "ACTIVE"
    assert rows["1"].endswith("no: it seals")
    assert rows["2"].split()[1] == "staged"
    assert "with --url before a key goes" in done.out.decode()
    assert not any(secret in done.out.decode() for secret in host.secrets)


def test_a_key_that_waits_is_shown_with_its_time(host: Host) -> None:
    host.write_keys("0", "1, not_before: 2101-01-01T00:00:00Z")
    done = host.run("keyring", "status")
    row = rows_of(done.out)["1"]
    assert "pending until 2101-01-01T00:00:00Z" in row
    assert row.endswith("no: it seals from 2101-01-01T00:00:00Z")


def test_json_has_a_verdict_for_each_key(host: Host) -> None:
    host.write_keys("0", "1")
    answer = json.loads(host.run("keyring", "status", "--json").out)
    (instance,) = answer["instances"]
    assert (instance["instance"], instance["running"], instance["pid"]) == ("this host", False, None)
    assert (answer["active_kid"], answer["ttl_seconds"], answer["differences"]) == (1, 3600, [])
    assert answer["fingerprint"] == instance["fingerprint"] == host.config().keyring.fingerprint
    old, new = answer["keys"]
    assert (old["state"], old["safe_to_remove"], old["safe_to_remove_at"]) == ("standby", False, None)
    assert "does not know" in old["safe_to_remove_because"]
    assert (new["state"], new["safe_to_remove"]) == ("ACTIVE", False)


def test_the_key_of_the_environment_is_shown(host: Host) -> None:
    answer = json.loads(host.run("keyring", "status", "--json").out)
    assert [(key["kid"], key["source"], key["state"]) for key in answer["keys"]] == [(0, "env", "ACTIVE")]


def test_a_state_file_that_is_broken_is_a_warning(host: Host) -> None:
    (host.root / "state").mkdir(mode=0o700)
    (host.root / "state" / "keys.json").write_text("{")
    done = host.run("keyring", "status")
    assert done.code == 0
    assert "keys.json: cannot be read" in done.err


@pytest.fixture
def running(host: Host, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A server that answers with what the test puts here."""
    told = {"pid": 4711, "keyring": describe(host)}
    monkeypatch.setattr(RuntimeDirectory, "running_pid", lambda _self: 4711)
    monkeypatch.setattr(control, "ask_admin", lambda _runtime, _path: json.loads(json.dumps(told)))
    return told


def test_a_running_server_is_asked(host: Host, running: dict[str, Any]) -> None:
    running["keyring"]["keys"][0].update(sealed=12, opened=34, last_seal=NOW, last_open=NOW + 60)
    done = host.run("keyring", "status")
    assert (done.code, done.err) == (0, "")
    assert b"this host: running (process 4711), keyring " in done.out
    (row,) = [line.split() for line in done.out.decode().splitlines() if "ACTIVE" in line]
    assert row[4:7] == ["12", "34", "2027-01-15T08:01:00Z"]


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

    host.write_keys("0", "1")
    before = host.yaml.stat().st_mtime_ns
    monkeypatch.setattr(Path, "open", refuse)
    for words in (["keyring", "status"], ["keyring", "rotate"], ["keyring", "prune"], ["reload"]):
        done = host.run(*words)
        assert done.code == 77, done.err
    assert host.yaml.stat().st_mtime_ns == before


# --- a fleet -----------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(host: Host, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Instances a and b with the keyring of the host, by URL; what is an exception is raised."""
    host.write_keys("0", "1")
    told: dict[str, Any] = {f"http://{name}": {"pid": 1, "keyring": describe(host)} for name in "ab"}

    def ask(instance: remote.Instance) -> Any:
        if isinstance(told[instance.url], Exception):
            raise told[instance.url]
        return told[instance.url]

    monkeypatch.setattr(remote.Instance, "diagnostics", ask)
    return told


URLS = ("--url", "http://a", "--url", "http://b")


def test_a_fleet_is_one_table(host: Host, fleet: dict[str, Any]) -> None:
    for number, told in enumerate(fleet.values(), 1):
        safe = {"safe_to_remove": True, "safe_to_remove_because": "yes", "safe_to_remove_at": NOW + number}
        counts = {"sealed": number, "opened": None, "last_seal": NOW + number, "listed_since": NOW - number}
        told["keyring"]["keys"][0].update(safe, **counts)
    answer = json.loads(host.run("keyring", "status", "--json", *URLS).out)
    old, new = answer["keys"]
    assert (old["sealed"], old["opened"], old["last_seal"], old["listed_since"]) == (3, None, NOW + 2, NOW - 2)
    assert (old["safe_to_remove"], old["safe_to_remove_at"]) == (True, NOW + 2)
    assert (new["state"], new["safe_to_remove"]) == ("ACTIVE", False)
    assert [one["instance"] for one in answer["instances"]] == ["http://a", "http://b"]
    fleet["http://b"]["keyring"]["keys"][0].update(safe_to_remove=False, safe_to_remove_because="I need it")
    done = host.run("keyring", "status", *URLS)
    assert (done.code, done.err) == (0, "")
    assert rows_of(done.out)["0"].endswith("no: I need it (http://b)")
    assert b"this host" not in done.out


def test_differences_are_loud(host: Host, fleet: dict[str, Any]) -> None:
    host.secrets[1] = generate_secret()
    host.write_keys("0", "1")
    fleet["http://b"]["keyring"] = describe(host)
    done = host.run("keyring", "status", *URLS)
    assert done.code == 1
    assert "THE KEYRINGS DIFFER" in done.out.decode()
    assert "DIFFERENT" in rows_of(done.out)["1"]
    assert "no: the instances do not use the same keyring" in rows_of(done.out)["1"]
    answer = json.loads(host.run("keyring", "status", "--json", *URLS).out)
    assert (answer["fingerprint"], answer["active_kid"], bool(answer["differences"])) == (None, None, True)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (remote.AdminRefused("http://b", 403, "/v1/diagnostics"), 77, "add the address of this host"),
        (remote.Unreachable("http://b", "cannot be reached"), 69, "http://b: cannot be reached"),
    ],
)
def test_an_instance_that_does_not_answer(
    host: Host, fleet: dict[str, Any], error: Exception, code: int, words: str
) -> None:
    fleet["http://a"]["keyring"]["keys"][0] |= {"safe_to_remove": True, "safe_to_remove_because": "nobody needs it"}
    assert "yes: nobody needs it" in host.run("keyring", "status", "--url", "http://a").out.decode()
    fleet["http://b"] = error
    done = host.run("keyring", "status", *URLS)
    assert done.code == code
    assert words in done.out.decode() + done.err
    assert "yes: " not in done.out.decode()
    assert "no: not every instance could be asked" in done.out.decode()


@pytest.mark.parametrize(
    "keyring",
    [
        {},
        {"fingerprint": "f", "active_kid": 0, "keys": [{"kid": 0}]},
        {"fingerprint": "f", "active_kid": "x", "keys": []},
        {"fingerprint": "f", "active_kid": 0, "ttl_seconds": float("-inf"), "keys": []},
    ],
)
def test_what_is_no_keyring_of_this_release_is_told_as_that(
    host: Host, fleet: dict[str, Any], keyring: dict[str, Any]
) -> None:
    fleet["http://b"]["keyring"] = keyring
    done = host.run("keyring", "status", *URLS)
    assert done.code == 69
    assert "is not what this release understands" in done.out.decode() + done.err


def test_what_a_server_says_does_not_reach_the_terminal_as_it_is(host: Host, fleet: dict[str, Any]) -> None:
    fleet["http://b"]["keyring"]["fingerprint"] = "\x1b[2Jf"
    fleet["http://b"]["keyring"]["keys"][0]["safe_to_remove"] = "false"
    out = host.run("keyring", "status", *URLS).out.decode()
    assert "\x1b" not in out
    assert "yes: " not in out


def test_a_wrong_url_is_a_usage_error(host: Host) -> None:
    assert host.run("keyring", "status", "--url", "host:8080").code == 2
