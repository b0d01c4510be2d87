"""`keyring rollback`, `revoke`, `remove`, `prune`: a key goes only when that is what was asked for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from oguardai.cli import keyedit, remote
from oguardai.keystatus import describe_keyring
from oguardai.state import KeyRecord, State, load, save
from tests.cli.harness import Host, Outcome

TTL = 86_400.0


@pytest.fixture
def ringed(host: Host) -> Host:
    """A host with keys 0 and 1 of which kid 1 seals, and an env file without a secret."""
    host.write(host.env, "GUARDAI_SESSION_SECRET=\n")
    host.write_keys("0", "1")
    return host


def backup(host: Host) -> Path:
    return host.yaml.with_name("oguardai.yaml.bak")


def keyring(host: Host, *words: str, code: int = 0) -> str:
    """Run a keyring command; whatever comes of it, no secret is shown."""
    texts = [path.read_text() for path in (host.yaml, backup(host)) if path.exists()]
    done: Outcome = host.run("keyring", *words)
    shown = done.out.decode() + done.err
    for text in (*texts, host.yaml.read_text()):
        assert not any(entry.get("secret", "-" * 99) in shown for entry in entries(text))
    assert done.code == code, shown
    return shown


def entries(text: str) -> list[dict[str, Any]]:
    session = (yaml.safe_load(text) or {}).get("session")
    return session.get("keyring", []) if isinstance(session, dict) else []


def states(host: Host) -> dict[int, str]:
    """Return the states in the order of the file."""
    told = describe_keyring(host.config().keyring, now=time.time(), ttl=1.0)
    return {entry["kid"]: entry["state"] for entry in told["keys"]}


def opens(host: Host, state: str) -> bool:
    return host.run("session", "inspect", stdin=state).code == 0


def remember(host: Host, *, ago: float = 0.0) -> None:
    """Leave the state of a server that began to use the keys of the files ``ago`` seconds back, and stopped."""
    directory = host.root / "state"
    directory.mkdir(mode=0o700, exist_ok=True)
    ring, now = host.config().keyring, time.time() - ago
    state = (load(directory) or State()).accept(ring, now=now, ttl=10.0, env_file_secret=None)
    save(directory, state.settle(ring, now=now))


# --- rollback ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "after", "back"),
    [
        (["rotate"], {0: "standby", 1: "standby", 2: "ACTIVE"}, {0: "standby", 1: "ACTIVE", 2: "staged"}),
        (["add", "--staged"], {0: "standby", 1: "ACTIVE", 2: "staged"}, None),
        (
            ["add", "--activate-in", "1h"],
            {0: "standby", 1: "ACTIVE", 2: "pending"},
            {0: "standby", 1: "ACTIVE", 2: "staged"},
        ),
        (["activate", "0"], {1: "standby", 0: "ACTIVE"}, {0: "standby", 1: "ACTIVE"}),
        (["remove", "0", "--force"], {1: "ACTIVE"}, {0: "standby", 1: "ACTIVE"}),
        (["remove", "1", "--force"], {0: "ACTIVE"}, {0: "standby", 1: "ACTIVE"}),
    ],
)
def test_going_back_loses_no_session(
    ringed: Host, words: list[str], after: dict[int, str], back: dict[int, str] | None
) -> None:
    _, first = ringed.seal("a.person@example.com")
    before = states(ringed)
    keyring(ringed, *words)
    assert list(states(ringed).items()) == list(after.items())
    sealed = [first] if 1 in after else []
    sealed.append(ringed.seal("b.person@example.com")[1])
    shown = keyring(ringed, "rollback")
    if back is None:
        assert "nothing to do" in shown
        assert states(ringed) == after
        return
    assert list(states(ringed).items()) == list(back.items())
    assert {kid: back[kid] for kid in before} == before
    assert all(opens(ringed, state) for state in [first, *sealed])
    _, third = ringed.seal("c.person@example.com")
    keyring(ringed, "rollback")  # and forward again: what sealed after the change seals
    again = states(ringed)
    assert again == (after if words[0] != "remove" else {**back, **again})
    assert next(kid for kid, state in again.items() if state == "ACTIVE") == next(
        kid for kid, state in after.items() if state == "ACTIVE"
    )
    assert all(opens(ringed, state) for state in [first, *sealed, third])


def test_going_back_after_the_time_of_a_key_has_come(ringed: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring(ringed, "add", "--activate-in", "1h")
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    assert states(ringed) == {0: "standby", 1: "standby", 2: "ACTIVE"}
    _, sealed = ringed.seal("a.person@example.com")
    keyring(ringed, "rollback")
    assert states(ringed) == {0: "standby", 1: "ACTIVE", 2: "staged"}
    assert opens(ringed, sealed)


def test_a_backup_of_another_keyring_is_no_way_back(ringed: Host) -> None:
    """A key that was revoked and pruned elsewhere must not come back with a file that came from there."""
    keyring(ringed, "rotate")
    ringed.write_keys("1")
    before = ringed.yaml.read_bytes()
    shown = keyring(ringed, "rollback", code=1)
    assert "it came from elsewhere, or was changed by hand" in shown
    assert "oguardai keyring activate" in shown
    assert ringed.yaml.read_bytes() == before


def test_a_revoked_key_is_in_no_later_backup(ringed: Host) -> None:
    keyring(ringed, "revoke", "0", "--no-reload")
    keyring(ringed, "rotate")
    assert ringed.secrets[0] not in ringed.backup.read_text()
    assert states(ringed)[0] == "revoked"
    keyring(ringed, "rollback")
    assert states(ringed) == {0: "revoked", 1: "ACTIVE", 2: "staged"}


def test_a_revocation_that_no_server_heard_of_is_no_success(ringed: Host) -> None:
    shown = keyring(ringed, "revoke", "0", code=69)
    assert "kid 0 STILL OPENS wherever a server runs" in shown
    assert states(ringed)[0] == "revoked"


def test_an_edit_that_would_not_be_read_as_meant_is_not_made(ringed: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    append = keyedit.append_key
    before = ringed.yaml.read_bytes()
    monkeypatch.setattr(keyedit, "append_key", lambda text, fields: append(text, {**fields, "kid": "77"}))
    assert "cannot be edited safely" in keyring(ringed, "rotate", code=1)
    monkeypatch.setattr(keyedit, "append_key", lambda text, fields: append(text, fields) + "log:\n  level: debug\n")
    assert "cannot be edited safely" in keyring(ringed, "rotate", code=1)
    assert (ringed.yaml.read_bytes(), ringed.backup.exists()) == (before, False)


def test_a_backup_that_is_a_link_is_replaced_not_followed(ringed: Host) -> None:
    victim = ringed.write(ringed.root / "victim", "precious: 1\n")
    ringed.backup.symlink_to(victim)
    keyring(ringed, "rotate")
    assert victim.read_text() == "precious: 1\n"
    assert not ringed.backup.is_symlink()


def test_going_back_does_not_undo_a_revocation(ringed: Host) -> None:
    _, exposed = ringed.seal("a.person@example.com")
    keyring(ringed, "revoke", "1", "--no-reload")
    _, new = ringed.seal("a.person@example.com")
    assert not opens(ringed, exposed)
    assert "nothing to do" in keyring(ringed, "rollback")
    assert states(ringed)[1] == "revoked"
    assert (opens(ringed, exposed), opens(ringed, new)) == (False, True)


def test_a_backup_by_hand_does_not_bring_a_revoked_key_back(ringed: Host) -> None:
    before = ringed.yaml.read_bytes()
    keyring(ringed, "revoke", "1", "--no-reload")
    mark = f"# oguardai.yaml as it was before its keyring became {ringed.config().keyring.fingerprint}\n"
    backup(ringed).write_bytes(before + mark.encode())
    after = ringed.yaml.read_bytes()
    assert "revoked, and stays so" in keyring(ringed, "rollback", code=1)
    assert ringed.yaml.read_bytes() == after


def test_there_is_nothing_to_go_back_to(ringed: Host) -> None:
    before = ringed.yaml.read_bytes()
    assert "no last change" in keyring(ringed, "rollback", code=1)
    ringed.backup.write_text("session:\n  ttl_seconds: 1\n")
    assert "from before there was a keyring" in keyring(ringed, "rollback", code=1)
    mark = f"# oguardai.yaml as it was before its keyring became {ringed.config().keyring.fingerprint}\n"
    ringed.backup.write_text(f"session:\n  keyring:\n    - kid: 0\n{mark}")
    assert "is not valid" in keyring(ringed, "rollback", code=1)
    ringed.backup.write_bytes(before)
    assert "nothing to do" in keyring(ringed, "rollback")
    assert ringed.yaml.read_bytes() == before
    for damaged in (b"\xff", b"session: [", b"session:\r  keyring: 1\n"):
        ringed.backup.write_bytes(damaged)
        assert "is not valid" in ringed.run("keyring", "rollback").err


# --- revoke ------------------------------------------------------------------------------------------------


def test_revoking_the_key_that_seals_brings_a_new_one(ringed: Host) -> None:
    _, exposed = ringed.seal("a.person@example.com")
    shown = keyring(ringed, "revoke", "1", "--no-reload")
    assert "and the new kid 2 seals" in shown
    assert "410 GUARDAI_SESSION_EXPIRED" in shown
    assert states(ringed) == {0: "standby", 1: "revoked", 2: "ACTIVE"}
    assert not opens(ringed, exposed)
    assert [entry["kid"] for entry in entries(backup(ringed).read_text())] == [0, 2]
    assert "nothing to do" in keyring(ringed, "rollback")
    before = ringed.yaml.read_bytes()
    assert "is revoked already" in keyring(ringed, "revoke", "1", "--no-reload")
    assert ringed.yaml.read_bytes() == before


def test_revoking_another_key_adds_none(ringed: Host) -> None:
    keyring(ringed, "revoke", "0", "--no-reload")
    assert states(ringed) == {0: "revoked", 1: "ACTIVE"}
    keyring(ringed, "revoke", "5", code=1)


def test_the_only_key_can_be_revoked(ringed: Host) -> None:
    ringed.write_keys("0")
    backup(ringed).write_bytes(ringed.yaml.read_bytes())
    keyring(ringed, "revoke", "0", "--no-reload")
    assert states(ringed) == {0: "revoked", 1: "ACTIVE"}
    assert [entry["kid"] for entry in entries(backup(ringed).read_text())] == [1]


@pytest.mark.parametrize("command", ["revoke", "prune"])
@pytest.mark.parametrize(
    "place", ["# {}\n", "server:\n  # it was {} once\n  port: 8080\n", "    # old: {}\n    # above\n", ""]
)
def test_no_byte_of_the_secret_stays_in_the_backup(ringed: Host, command: str, place: str) -> None:
    secret = ringed.secrets[0]
    text = ringed.yaml.read_text()
    comment = place.format(secret)
    if "port" in place:
        text = text.replace("server:\n", comment)
    else:
        text = text.replace("    - kid: 1\n", comment + "    - kid: 1\n") if place else text
    ringed.write(ringed.yaml, text)
    remember(ringed, ago=1000.0)
    keyring(ringed, command, *(["0", "--no-reload"] if command == "revoke" else []))
    if backup(ringed).exists():
        assert secret not in backup(ringed).read_text()
        assert [entry["kid"] for entry in entries(backup(ringed).read_text())] == [1]
    else:
        assert place
    assert not [path for path in ringed.config_dir.iterdir() if path.name.startswith(".")]


# --- remove and prune --------------------------------------------------------------------------------------


def test_a_key_stays_until_it_is_safe_to_remove(ringed: Host) -> None:
    before = ringed.yaml.read_bytes()
    shown = keyring(ringed, "remove", "0", code=1)
    assert "does not know when it sealed last" in shown
    assert "--force" in shown
    assert "it seals" in keyring(ringed, "remove", "1", code=1)
    remember(ringed)
    assert "may be valid until" in keyring(ringed, "remove", "0", code=1)
    assert "kid 0 stays: sessions under it may be valid until" in keyring(ringed, "prune")
    assert (ringed.yaml.read_bytes(), backup(ringed).exists()) == (before, False)
    keyring(ringed, "remove", "9", code=1)


def test_a_safe_key_goes_and_can_come_back(ringed: Host) -> None:
    _, old = ringed.seal("a.person@example.com")
    remember(ringed, ago=1000.0)
    assert "warning" not in keyring(ringed, "remove", "0")
    assert states(ringed) == {1: "ACTIVE"}
    keyring(ringed, "rollback")
    assert states(ringed) == {0: "standby", 1: "ACTIVE"}
    assert opens(ringed, old)


def test_force_says_what_is_lost(ringed: Host) -> None:
    shown = keyring(ringed, "remove", "1", "--force")
    assert "the sessions under it are lost" in shown
    assert "reload --force" in shown
    keyring(ringed, "remove", "0", "--force", code=1)  # the last one
    assert states(ringed) == {0: "ACTIVE"}


def test_what_is_pruned_cannot_come_back(ringed: Host) -> None:
    ringed.write_keys("0", "2, state: staged", "1")
    remember(ringed, ago=1000.0)
    shown = keyring(ringed, "prune")
    assert "kid 2 stays: it is staged" in shown
    assert "kid 1 stays: it seals" in shown
    assert "kid 0 is out of" in shown
    assert states(ringed) == {2: "staged", 1: "ACTIVE"}
    assert ringed.secrets[0] not in backup(ringed).read_text()
    assert "nothing to do" in keyring(ringed, "prune")
    assert "nothing to do" in keyring(ringed, "rollback")
    assert 0 not in states(ringed)


def test_a_revoked_key_is_pruned_when_its_sessions_have_expired(ringed: Host) -> None:
    remember(ringed, ago=1000.0)
    keyring(ringed, "revoke", "0", "--no-reload")
    keyring(ringed, "prune")
    assert states(ringed) == {1: "ACTIVE"}


def test_a_secret_file_of_a_pruned_key_is_pointed_out(ringed: Host) -> None:
    ringed.write(ringed.config_dir / "old.secret", ringed.secrets[0])
    ringed.write_yaml(
        f"  keyring:\n    - kid: 0\n      secret_file: old.secret\n    - kid: 1\n      secret: {ringed.secrets[1]}\n"
    )
    remember(ringed, ago=1000.0)
    done = ringed.run("keyring", "prune")
    assert done.code == 0
    assert "old.secret still holds the secret of kid 0" in done.err


def test_an_instance_that_cannot_be_asked_keeps_every_key(ringed: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(ringed, ago=1000.0)
    before = ringed.yaml.read_bytes()
    for words in (["remove", "0"], ["prune"]):
        keyring(ringed, *words, "--url", "http://127.0.0.1:1", code=69)

    def refuse(instance: remote.Instance) -> None:
        raise remote.AdminRefused(instance.name, 403, "/v1/diagnostics")

    monkeypatch.setattr(remote.Instance, "diagnostics", refuse)
    for words in (["remove", "0"], ["prune"]):
        assert "admin_networks" in keyring(ringed, *words, "--url", "http://127.0.0.1:1", code=77)
    assert ringed.yaml.read_bytes() == before


@pytest.mark.parametrize("words", [["prune"], ["remove", "0"]])
def test_a_key_of_a_shared_keyring_stays_unless_every_instance_is_named(
    ringed: Host, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    ringed.write_keys("0", "1", session="  shared: true\n")
    remember(ringed, ago=1000.0)
    before = ringed.yaml.read_bytes()
    shown = keyring(ringed, *words, code=1)
    assert "session.shared is true (oguardai.yaml:2)" in shown
    assert "name every instance with --url" in shown
    assert (ringed.yaml.read_bytes(), backup(ringed).exists()) == (before, False)
    ring, now = ringed.config().keyring, time.time()
    records = State().accept(ring, now=now - 1000.0, ttl=10.0, env_file_secret=None).settle(ring, now=now - 1000.0).keys
    told = describe_keyring(ring, now=now, ttl=10.0, records=records)
    monkeypatch.setattr(remote.Instance, "diagnostics", lambda _self: {"keyring": told, "pid": 1})
    keyring(ringed, *words, "--url", "http://other:1")
    assert states(ringed) == {1: "ACTIVE"}


def test_a_key_of_a_shared_keyring_goes_by_force(ringed: Host) -> None:
    ringed.write_keys("0", "1", session="  shared: true\n")
    assert "the sessions under it are lost" in keyring(ringed, "remove", "0", "--force")
    assert states(ringed) == {1: "ACTIVE"}


def test_an_instance_that_needs_the_key_keeps_it(ringed: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(ringed, ago=1000.0)
    ring, now = ringed.config().keyring, time.time()
    record = KeyRecord(ring.keys[0].fingerprint, "keyring", now, now, now, 500.0)
    told = describe_keyring(ring, now=now, ttl=500.0, records={0: record})
    monkeypatch.setattr(remote.Instance, "diagnostics", lambda _self: {"keyring": told, "pid": 1})
    shown = keyring(ringed, "remove", "0", "--url", "http://other:1", "--url", "http://third:1", code=1)
    assert "may be valid until" in shown
    assert "(http://other:1)" in shown
    assert "kid 0 stays" in keyring(ringed, "prune", "--url", "http://other:1")
    assert set(states(ringed)) == {0, 1}
