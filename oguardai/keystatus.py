"""What people and scripts are told of each key: its state, its use, and whether it may be removed.

One description for the running server, for its files where none runs, and for an application without a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oguardai.keyring import Key, Keyring, KeyState
from oguardai.state import CLOCK_DIFFERENCE_SECONDS, KeyRecord, format_moment

ACTIVE = "ACTIVE"
STANDBY = "standby"
PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Usage:
    """Counters of one key, of one worker or summed over all; times are unix seconds, 0 for never."""

    sealed: int = 0
    opened: int = 0
    last_seal: float = 0.0
    last_open: float = 0.0
    latest_expiry: float = 0.0

    def merged(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(
            self.sealed + other.sealed,
            self.opened + other.opened,
            max(self.last_seal, other.last_seal),
            max(self.last_open, other.last_open),
            max(self.latest_expiry, other.latest_expiry),
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """Whether a key may be removed: ``at`` is when it may (unix seconds), None while nobody can tell."""

    safe: bool
    because: str
    at: float | None = None


def describe_keyring(
    ring: Keyring,
    *,
    now: float,
    ttl: float,
    records: Mapping[int, KeyRecord] | None = None,
    usage: Mapping[int, Usage] | None = None,
    highest_kid: int = -1,
) -> dict[str, Any]:
    """Describe the keys: fingerprints, states, counters and times, never a secret.

    ``state`` is ACTIVE for the key that seals, ``pending`` before its not_before, ``staged``, ``revoked``, and
    ``standby`` for one that only opens because another seals. Times are unix seconds, None where nothing is known.

    Args:
        ttl: ``session.ttl_seconds``, for the reader.
        records: what this host remembers, by kid; one of another key under that kid does not count.
        usage: what the workers counted, by kid; None: no server runs that could have.
        highest_kid: of any key that this host remembers, also of those that are gone.
    """
    active, highest = ring.active_kid(now), max(key.kid for key in ring.keys)
    keys = []
    for key in ring.keys:
        state = _state_of(key, active, now)
        record = (records or {}).get(key.kid)
        if record is not None and record.fingerprint != key.fingerprint:
            record = None
        counted = usage.get(key.kid, Usage()) if usage is not None else None
        removal = _judge_removal(key, state, record, counted, now)
        if removal.safe and key.kid == highest:
            removal = Removal(False, "its kid is the highest, which the next new key would get")
        keys.append(
            {
                "kid": key.kid,
                "fingerprint": key.fingerprint,
                "state": state,
                "not_before": key.not_before,
                "source": key.source,
                "sealed": counted.sealed if counted is not None else None,
                "opened": counted.opened if counted is not None else None,
                "last_seal": (counted.last_seal or None) if counted is not None else None,
                "last_open": (counted.last_open or None) if counted is not None else None,
                "listed_since": record.listed_since if record is not None else None,
                "safe_to_remove": removal.safe,
                "safe_to_remove_because": removal.because,
                "safe_to_remove_at": removal.at,
            }
        )
    return {
        "fingerprint": ring.fingerprint,
        "active_kid": active,
        "highest_kid": max(highest, highest_kid),
        "ttl_seconds": ttl,
        "keys": keys,
    }


def _state_of(key: Key, active: int | None, now: float) -> str:
    if key.kid == active:
        return ACTIVE
    if key.state is not KeyState.IN_USE:
        return str(key.state)
    return STANDBY if key.can_seal(now) else PENDING


def _judge_removal(key: Key, state: str, record: KeyRecord | None, usage: Usage | None, now: float) -> Removal:
    """Tell whether a key may be removed, and on what that rests. What is not known counts as unsafe."""
    if state == ACTIVE:
        return Removal(False, "it seals")
    if state == PENDING:
        return Removal(False, f"it seals from {format_moment(key.not_before or 0.0)}")
    if record is None:
        return Removal(False, "this host does not know when it sealed last")
    at = record.safe_at(now)
    if at is None:
        return Removal(False, "some worker may still seal with it")
    at = max(at, usage.latest_expiry if usage is not None else 0.0) + CLOCK_DIFFERENCE_SECONDS
    if at > now:
        return Removal(False, f"sessions under it may be valid until {format_moment(at)}", at)
    return Removal(True, f"no session under it is valid since {format_moment(at)}", at)
