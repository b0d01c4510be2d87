"""`keyring rotate --if-older-than --adopt`, for a timer, and a keyring that others share, which refuses it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from oguardai.keystatus import describe_keyring
from oguardai.server import control
from oguardai.server.runtime import RuntimeDirectory
from oguardai.state import State, load, save
from tests.cli.harness import Host, Outcome

DAY = 86_400.0
SECRET = "GUARDAI_SESSION_SECRET"
TIMER = ("rotate", "--if-older-than", "90d", "--adopt", "--activate-in", "10m")


def keyring(host: Host, *words: str, code: int = 0) -> Outcome:
    """Run a keyring command; whatever comes of it, no secret is shown."""
    done = host.run("keyring", *words)
    shown = done.out.decode() + done.err
    assert not any(secret in shown for secret in host.secrets)
    assert done.code == code, shown
    return done


def states(host: Host) -> dict[int, str]:
    told = describe_keyring(host.config().keyring, now=time.time(), ttl=1.0)
    return {entry["kid"]: entry["state"] for entry in told["keys"]}


def remember(host: Host, *, ago: float) -> None:
    """Leave the state of a server that began to use the keys of the files ``ago`` seconds back, and stopped."""
    directory = host.root / "state"
    directory.mkdir(mode=0o700, exist_ok=True)
    config, began = host.config(), time.time() - ago
    state = load(directory) or State()
    state = state.accept(config.keyring, now=began, ttl=10.0, env_file_secret=config.env_file_secret)
    save(directory, state.settle(config.keyring, now=began))


def contents(host: Host) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in host.config_dir.iterdir()}


@pytest.fixture
def reloads(host: Host, monkeypatch: pytest.MonkeyPatch) -> list[dict[int, str]]:
    """Let every reload succeed, and note the keys that the server would read then."""
    seen: list[dict[int, str]] = []

    def reload_server(_runtime: RuntimeDirectory, *, force: bool = False) -> dict[str, Any]:
        assert not force
        seen.append(states(host))
        return {"outcome": "ok", "warnings": [], "active_kid": 0, "workers": [1]}

    monkeypatch.setattr(control, "reload_server", reload_server)
    return seen


# --- a host that is alone ----------------------------------------------------------------------------------


def test_the_timer_adopts_as_the_command_does_although_no_rotation_is_due(
    host: Host, reloads: list[dict[int, str]]
) -> None:
    remember(host, ago=DAY)
    before = contents(host)
    adopted = keyring(host, "adopt").out.decode().splitlines()[0]
    wanted = contents(host)
    (host.config_dir / "oguardai.yaml.bak").unlink()
    for name, data in before.items():
        (host.config_dir / name).write_bytes(data)
    done = keyring(host, *TIMER, "--reload")
    assert contents(host) == wanted
    assert done.out.decode().splitlines() == [
        adopted,
        "reloaded: kid 0 seals, 1 worker switched",
        "kid 0 seals, and was first seen here 24 h ago: nothing to do",
    ]
    assert done.err == ""
    assert reloads == [{0: "ACTIVE"}]


def test_a_due_rotation_makes_a_key_after_the_server_has_the_adopted_one(
    host: Host, reloads: list[dict[int, str]]
) -> None:
    remember(host, ago=91 * DAY)
    _, sealed = host.seal("a.person@example.com")
    lines = keyring(host, *TIMER, "--reload").out.decode().splitlines()
    assert reloads == [{0: "ACTIVE"}, {0: "ACTIVE", 1: "pending"}]
    assert [line.partition(" ")[0] for line in lines] == ["kid", "reloaded:", "kid", "reloaded:"]
    assert f"is the key of {SECRET}" in lines[0]
    assert "once the server has it, it seals from 20" in lines[2]
    assert host.config().env_file_secret is None
    assert host.run("session", "inspect", stdin=sealed).code == 0


def test_without_reload_it_says_how_after_each_step(host: Host) -> None:
    remember(host, ago=91 * DAY)
    lines = keyring(host, "rotate", "--if-older-than", "90d", "--adopt").out.decode().splitlines()
    assert [line.startswith("for the server to use it: oguardai reload") for line in lines] == [False, True] * 2
    assert states(host) == {0: "standby", 1: "ACTIVE"}


def test_no_key_is_made_when_the_server_does_not_take_the_adopted_one(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(host, ago=91 * DAY)
    report = {"outcome": "refused", "reasons": ["the disk is full"], "warnings": []}
    monkeypatch.setattr(control, "reload_server", lambda _runtime, **_more: report)
    done = keyring(host, *TIMER, "--reload", code=1)
    assert f"is the key of {SECRET}" in done.out.decode()
    assert "the disk is full" in done.err
    assert states(host) == {0: "ACTIVE"}


def test_without_a_server_the_adopted_key_is_there_and_the_status_says_so(host: Host) -> None:
    remember(host, ago=91 * DAY)
    done = keyring(host, *TIMER, "--reload", code=69)
    assert f"is the key of {SECRET}" in done.out.decode()
    assert (states(host), host.config().env_file_secret) == ({0: "ACTIVE"}, None)


def test_where_no_server_has_run_the_key_is_adopted_and_its_age_is_not_known(host: Host) -> None:
    assert "does not know how old kid 0 is: no server has run" in keyring(host, *TIMER, code=1).err
    assert states(host) == {0: "ACTIVE"}
    remember(host, ago=0.0)
    assert b"nothing to do" in keyring(host, *TIMER).out


@pytest.mark.parametrize("words", [("--if-older-than", "0s"), ("--if-older-than", "90d", "--reload")])
def test_without_adopt_the_secret_of_the_environment_must_move_first(host: Host, words: tuple[str, ...]) -> None:
    remember(host, ago=91 * DAY)
    before = contents(host)
    done = keyring(host, "rotate", *words, code=1)
    assert f"{SECRET} (oguardai.env:1)" in done.err
    assert "oguardai keyring adopt" in done.err
    assert contents(host) == before


def test_adopt_without_a_schedule_rotates_at_once(host: Host) -> None:
    keyring(host, "rotate", "--adopt")
    assert states(host) == {0: "standby", 1: "ACTIVE"}
    keyring(host, "rotate", "--adopt")
    assert states(host) == {0: "standby", 1: "standby", 2: "ACTIVE"}


def test_a_secret_that_the_server_does_not_have_is_not_adopted(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    told = describe_keyring(host.config().keyring, now=time.time(), ttl=60.0) | {"fingerprint": "f" * 16}
    monkeypatch.setattr(RuntimeDirectory, "running_pid", lambda _self: 4711)
    monkeypatch.setattr(control, "ask_admin", lambda _runtime, _path: {"pid": 4711, "keyring": told})
    before = contents(host)
    assert "in its own environment" in keyring(host, *TIMER, code=1).err
    assert contents(host) == before


def test_a_secret_of_the_process_environment_is_to_be_taken_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.write(host.env, "GUARDAI_THREADS=2\n")
    monkeypatch.setenv(SECRET, host.secrets[1])
    done = keyring(host, "rotate", "--adopt")
    assert "take it out of the environment as well" in done.out.decode()
    assert states(host) == {0: "standby", 1: "ACTIVE"}
    assert host.env.read_text() == "GUARDAI_THREADS=2\n"


def test_a_secret_that_came_back_beside_a_keyring_is_left_for_a_person(host: Host) -> None:
    host.write_keys("0")
    host.write(host.env, f"{SECRET}={host.secrets[2]}\n")
    remember(host, ago=DAY)
    before = contents(host)
    assert b"nothing to do" in keyring(host, *TIMER).out
    assert contents(host) == before


def test_a_key_that_waits_for_its_time_is_a_rotation_under_way(host: Host) -> None:
    host.write_keys("0", "1, not_before: 2101-01-01T00:00:00Z")
    remember(host, ago=91 * DAY)
    before = contents(host)
    done = keyring(host, *TIMER)
    assert (
        done.out == b"kid 1 is waiting to seal from 2101-01-01T00:00:00Z, so a rotation is under way: nothing to do\n"
    )
    assert contents(host) == before
    assert "wait for it, or go back on it" in keyring(host, "rotate", "--adopt", code=1).err
    assert contents(host) == before


# --- a keyring that others share ---------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["oguardai.yaml:2", "oguardai.env:2", "environment"])
@pytest.mark.parametrize("is_adopted", [True, False])
@pytest.mark.parametrize("words", [TIMER, (*TIMER, "--reload"), ("rotate", "--if-older-than", "0s")])
def test_a_host_of_a_fleet_makes_no_key_by_itself(
    host: Host, monkeypatch: pytest.MonkeyPatch, place: str, is_adopted: bool, words: tuple[str, ...]
) -> None:
    ring = f"  keyring:\n    - kid: 0\n      secret: {host.secrets[0]}\n" if is_adopted else ""
    host.write_yaml(ring if place != "oguardai.yaml:2" else f"  shared: true\n{ring}")
    if place == "oguardai.env:2":
        host.write(host.env, f"{host.env.read_text()}GUARDAI_SESSION_SHARED=true\n")
    elif place == "environment":
        monkeypatch.setenv("GUARDAI_SESSION_SHARED", "true")
    remember(host, ago=91 * DAY)
    before = contents(host)
    done = keyring(host, *words, code=78)
    assert f"session.shared is true ({place})" in done.err
    assert "must not invent a key of its own" in done.err
    assert 'docs/key-rotation.md, "Rotate a fleet"' in done.err
    assert (done.out, contents(host)) == (b"", before)


def test_the_page_that_a_host_of_a_fleet_is_sent_to_is_there() -> None:
    page = Path(__file__).parents[2] / "docs" / "key-rotation.md"
    assert "\n## Rotate a fleet\n" in page.read_text()


@pytest.mark.parametrize("words", [["add"], ["add", "--staged"], ["rotate"], ["activate", "0"], ["rollback"]])
@pytest.mark.parametrize("is_reloaded", [True, False])
def test_who_changes_a_shared_keyring_is_reminded_of_the_others_in_one_line(
    host: Host, reloads: list[dict[int, str]], words: list[str], is_reloaded: bool
) -> None:
    end = ["--reload"] if is_reloaded else []
    told = {}
    for shared in ("false", "true"):
        host.write_keys("0", "1", session=f"  shared: {shared}\n")
        if words == ["rollback"]:
            keyring(host, "activate", "0")
        lines = keyring(host, *words, *end).out.decode().splitlines()
        told[shared] = [line for line in lines if "every other instance" in line]
    reminder = f"session.shared is true (oguardai.yaml:2): bring {host.yaml} to every other instance, then reload each"
    assert told == {"false": [], "true": [reminder]}


def test_who_changes_nothing_is_not_reminded(host: Host) -> None:
    host.write_keys("0", "1", session="  shared: true\n")
    assert keyring(host, "activate", "1").out == b"kid 1 seals already: nothing to do\n"


def test_the_setting_is_shown_with_where_it_comes_from(host: Host) -> None:
    host.write_keys("0", session="  shared: true\n")
    (row,) = [line for line in host.run("config", "show").out.decode().splitlines() if "session.shared" in line]
    assert row.split() == ["session.shared", "true", "oguardai.yaml:2"]
