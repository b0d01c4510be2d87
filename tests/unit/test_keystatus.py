"""What is told of each key, and whether it may be removed."""

from __future__ import annotations

import pytest

from oguardai.keyring import Key, Keyring, KeyState, generate_secret
from oguardai.keystatus import Usage, describe_keyring
from oguardai.state import CLOCK_DIFFERENCE_SECONDS, KeyRecord

NOW = 1_800_000_000.0
SECRETS = [generate_secret() for _ in range(4)]
OLD = Key.from_secret(0, SECRETS[0])
ACTIVE = Key.from_secret(1, SECRETS[1])


def record(**fields: float | None) -> KeyRecord:
    return KeyRecord(OLD.fingerprint, "keyring", NOW - 90_000.0, **fields)  # type: ignore[arg-type]


def describe(key: Key, known: KeyRecord | None = None, usage: Usage | None = None) -> dict[str, object]:
    told = describe_keyring(
        Keyring((key, ACTIVE)),
        now=NOW,
        ttl=3600.0,
        records={key.kid: known} if known is not None else None,
        usage={key.kid: usage} if usage is not None else None,
    )
    assert told["active_kid"] == 1
    first: dict[str, object] = told["keys"][0]
    return first


def verdict(entry: dict[str, object]) -> tuple[object, object, object]:
    return entry["safe_to_remove"], entry["safe_to_remove_because"], entry["safe_to_remove_at"]


def test_every_state_has_its_name() -> None:
    keys = (
        OLD,
        Key.from_secret(2, SECRETS[2], state=KeyState.STAGED),
        Key.from_secret(3, SECRETS[3], state=KeyState.REVOKED),
        ACTIVE,
        Key.from_secret(4, generate_secret(), not_before=NOW + 60),
    )
    told = describe_keyring(Keyring(keys), now=NOW, ttl=60.0)
    assert [key["state"] for key in told["keys"]] == ["standby", "staged", "revoked", "ACTIVE", "pending"]
    assert (told["ttl_seconds"], told["fingerprint"]) == (60.0, Keyring(keys).fingerprint)
    assert not any(secret in str(told) for secret in SECRETS)
    assert [key["safe_to_remove"] for key in told["keys"]] == [False] * 5
    assert told["keys"][3]["safe_to_remove_because"] == "it seals"
    assert told["keys"][4]["safe_to_remove_because"] == "it seals from 2027-01-15T08:01:00Z"


def test_what_is_not_known_is_unsafe() -> None:
    assert verdict(describe(OLD)) == (False, "this host does not know when it sealed last", None)
    other = KeyRecord("another key", "keyring", NOW - 90_000.0)
    entry = describe(OLD, other)
    assert (entry["listed_since"], entry["safe_to_remove"]) == (None, False)
    assert verdict(describe(OLD, record(sealing_from=NOW - 10))) == (False, "some worker may still seal with it", None)


@pytest.mark.parametrize("state", list(KeyState))
def test_a_key_is_safe_when_its_last_session_has_expired(state: KeyState) -> None:
    key = Key.from_secret(0, SECRETS[0], state=state)
    for ended, safe in ((NOW - 106.0, True), (NOW - 104.0, False)):
        known = record(sealing_from=0.0, sealed_until=ended, largest_ttl=100.0)
        entry = describe(key, known)
        assert (entry["safe_to_remove"], entry["safe_to_remove_at"]) == (safe, ended + 100 + CLOCK_DIFFERENCE_SECONDS)
    assert "valid until 2027-01-15T08:00:01Z" in str(entry["safe_to_remove_because"])


def test_sessions_of_other_hosts_count() -> None:
    assert verdict(describe(OLD, record(seen_expiry=NOW + 7)))[2] == NOW + 7 + CLOCK_DIFFERENCE_SECONDS
    known = record(sealing_from=0.0, sealed_until=1.0, largest_ttl=1.0)
    assert describe(OLD, known)["safe_to_remove"] is True
    opened = describe(OLD, known, Usage(opened=1, last_open=NOW, latest_expiry=NOW + 50))
    assert verdict(opened)[::2] == (False, NOW + 50 + CLOCK_DIFFERENCE_SECONDS)


def test_counters_are_those_of_a_server_or_unknown() -> None:
    entry = describe(OLD, record(), Usage(3, 4, NOW - 2, 0.0, 0.0))
    assert (entry["sealed"], entry["opened"], entry["last_seal"], entry["last_open"]) == (3, 4, NOW - 2, None)
    assert describe(OLD, record())["sealed"] is None
    told = describe_keyring(Keyring((OLD,)), now=NOW, ttl=1.0, usage={})
    assert told["keys"][0]["sealed"] == 0


def test_usage_is_summed_and_the_latest_moment_counts() -> None:
    assert Usage(1, 2, 3.0, 4.0, 9.0).merged(Usage(10, 20, 2.0, 5.0, 8.0)) == Usage(11, 22, 3.0, 5.0, 9.0)


def test_the_highest_kid_stays_so_that_no_new_key_gets_it() -> None:
    staged = Key.from_secret(9, SECRETS[1], state=KeyState.STAGED)
    known = KeyRecord(staged.fingerprint, "keyring", NOW - 90_000.0)
    told = describe_keyring(Keyring((OLD, staged)), now=NOW, ttl=1.0, records={9: known})
    assert verdict(told["keys"][1]) == (False, "its kid is the highest, which the next new key would get", None)
