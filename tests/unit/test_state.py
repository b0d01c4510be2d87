"""What a host remembers of its keys never says "safe to remove" too early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oguardai.errors import StateError
from oguardai.keyring import Key, Keyring, KeyState, generate_secret
from oguardai.state import FILE_NAME, State, load, review, save

NOW = 1_800_000_000.0
TTL = 3600.0
SECRETS = [generate_secret() for _ in range(5)]


def key(kid: int, **fields: object) -> Key:
    return Key.from_secret(kid, SECRETS[kid], **fields)  # type: ignore[arg-type]


def ring(*keys: Key) -> Keyring:
    return Keyring(keys)


def accept(state: State, keys: Keyring, now: float = NOW, ttl: float = TTL) -> State:
    return state.accept(keys, now=now, ttl=ttl, env_file_secret=None)


def test_the_active_key_is_never_safe() -> None:
    state = accept(State(), ring(key(0)))
    assert state.keys[0].safe_at(NOW + 10 * TTL) is None


def test_an_old_key_is_safe_one_ttl_after_the_last_worker_stopped_sealing_with_it() -> None:
    state = accept(State(), ring(key(0)))
    both = ring(key(0), key(1))
    switched = accept(state, both, NOW + 100)
    assert switched.keys[0].safe_at(NOW + 100) is None, "the workers have not switched yet"
    settled = switched.settle(both, now=NOW + 105)
    assert settled.keys[0].safe_at(NOW + 105) == NOW + 105 + TTL
    assert settled.active == 1


def test_the_largest_ttl_that_was_ever_in_force_counts() -> None:
    state = accept(State(), ring(key(0)), ttl=9000)
    state = accept(state, ring(key(0)), NOW + 1, ttl=60)
    both = ring(key(0), key(1))
    settled = accept(state, both, NOW + 2, ttl=60).settle(both, now=NOW + 2)
    assert settled.keys[0].safe_at(NOW + 2) == NOW + 2 + 9000


def test_a_session_of_another_host_that_was_opened_here_counts() -> None:
    both = ring(key(0), key(1))
    state = accept(State(), both).settle(both, now=NOW)
    seen = state.with_seen({0: NOW + TTL + 777})
    assert seen.keys[0].safe_at(NOW) == NOW + TTL + 777
    assert review(seen, ring(key(1)), now=NOW + TTL)
    assert not review(seen, ring(key(1)), now=NOW + TTL + 777)


def test_a_key_that_this_host_has_just_met_may_have_sealed_elsewhere() -> None:
    both = ring(key(0), key(1))
    state = accept(State(), both).settle(both, now=NOW)
    assert state.keys[0].sealing_from is None, "never sealed with it here"
    assert "kid 0 is gone" in review(state, ring(key(1)), now=NOW + TTL - 1)[0]
    assert not review(state, ring(key(1)), now=NOW + TTL)


def test_a_key_that_waits_for_its_not_before_is_unsafe_from_then_on_though_nobody_wrote_it_down() -> None:
    waiting = ring(key(0), key(1, not_before=NOW + 50))
    state = accept(State(), waiting)
    assert state.active == 0
    assert state.keys[1].safe_at(NOW + 49) is not None
    assert state.keys[1].safe_at(NOW + 50) is None


def test_a_server_that_was_killed_counts_as_sealing_until_the_next_start() -> None:
    state = accept(State(), ring(key(0), key(1)))
    restarted = state.stopped(NOW + 500)
    assert restarted.keys[1].safe_at(NOW + 500) == NOW + 500 + TTL


def test_review_names_each_accident() -> None:
    both = ring(key(0), key(1))
    state = accept(accept(State(), ring(key(0))), both, NOW + 1).settle(both, now=NOW + 1)
    assert review(state, both, now=NOW + 2) == []
    cut = review(state, ring(key(0)), now=NOW + 2)
    assert len(cut) == 1
    assert "kid 1 seals" in cut[0]
    early = review(state, ring(key(1)), now=NOW + 2)
    assert "kid 0 is gone" in early[0]
    assert "2027-01-15T09:00:01Z" in early[0]
    assert review(state, ring(key(1)), now=NOW + 2 + TTL) == []
    other = Key.from_secret(0, generate_secret())
    assert "another secret" in review(state, ring(other, key(1)), now=NOW + 2)[0]


def test_the_single_secret_of_the_environment_may_change() -> None:
    env = Key.from_secret(0, SECRETS[0], source="env")
    state = accept(State(), ring(env))
    changed = Key.from_secret(0, SECRETS[1], source="env")
    assert review(state, ring(changed), now=NOW) == []
    assert review(state, ring(Key.from_secret(0, SECRETS[1])), now=NOW), "but not on the way into a keyring"
    assert review(state, ring(Key.from_secret(0, SECRETS[0])), now=NOW) == []


def test_a_revoked_key_may_stay_listed_and_goes_when_it_is_safe() -> None:
    state = accept(State(), ring(key(0)))
    revoked = ring(key(0, state=KeyState.REVOKED), key(1))
    assert review(state, revoked, now=NOW + 1) == []
    settled = accept(state, revoked, NOW + 1).settle(revoked, now=NOW + 1)
    assert review(settled, ring(key(1)), now=NOW + 2)
    assert review(settled, ring(key(1)), now=NOW + 1 + TTL) == []


def test_the_file_reads_as_it_was_written_and_holds_no_secret(tmp_path: Path) -> None:
    state = accept(State(), ring(key(0), key(1, not_before=NOW + 9))).with_seen({0: 5.0})
    save(tmp_path, state)
    assert load(tmp_path) == state
    text = (tmp_path / FILE_NAME).read_text()
    assert not any(secret in text for secret in SECRETS)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_no_file_is_not_an_error_and_a_broken_one_is(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    for broken in ("", "[]", "{", json.dumps({"version": 9}), json.dumps({"version": 1, "keys": {"x": {}}})):
        (tmp_path / FILE_NAME).write_text(broken)
        with pytest.raises(StateError, match=r"keys\.json"):
            load(tmp_path)


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    save(tmp_path, State())
    (tmp_path / FILE_NAME).rename(tmp_path / "kept")
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StateError, match="cannot be written"):
        save(tmp_path, accept(State(), ring(key(0))))
    assert {path.name for path in tmp_path.iterdir()} == {FILE_NAME, "kept"}


def test_a_key_that_was_revoked_does_not_come_back_unnoticed() -> None:
    revoked = ring(key(0, state=KeyState.REVOKED), key(1))
    state = accept(accept(State(), ring(key(0), key(1))), revoked, NOW + 1).settle(revoked, now=NOW + 1)
    assert review(state, revoked, now=NOW + 2) == []
    (reason,) = review(state, ring(key(0), key(1)), now=NOW + 2)
    assert reason.startswith("kid 0 was revoked")


def test_a_key_that_will_seal_again_does_not_lose_what_it_sealed_before(tmp_path: Path) -> None:
    """Written ahead: a server that is killed after the time has come may have sealed with it."""
    first = accept(State(), ring(key(0)))
    waiting = ring(key(1), key(0, not_before=NOW + 500))
    state = accept(first, waiting, NOW + 100).settle(waiting, now=NOW + 100)
    assert state.keys[0].safe_at(NOW + 200) == NOW + 100 + TTL
    assert state.keys[0].safe_at(NOW + 600) is None, "it may seal from then on"
    assert state.stopped(NOW + 600).keys[0].safe_at(NOW + 600) == NOW + 600 + TTL


def test_the_highest_kid_is_remembered_when_its_key_is_gone(tmp_path: Path) -> None:
    state = accept(accept(State(), ring(key(0), key(3))), ring(key(0)), NOW + 1)
    save(tmp_path, state)
    again = load(tmp_path)
    assert again is not None
    assert (again.highest_kid, sorted(again.keys)) == (3, [0])


@pytest.mark.parametrize("name", ["listed_since", "sealing_from", "sealed_until", "largest_ttl", "seen_expiry"])
def test_a_record_that_makes_no_sense_is_refused(tmp_path: Path, name: str) -> None:
    save(tmp_path, accept(State(), ring(key(0))))
    data = json.loads((tmp_path / FILE_NAME).read_text())
    data["keys"]["0"][name] = "soon"
    (tmp_path / FILE_NAME).write_text(json.dumps(data))
    with pytest.raises(StateError):
        load(tmp_path)
