"""What is known of each key, from the running server or from this host's files, and whether it may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oguardai.cli.output import UNKNOWN, format_table, format_time
from oguardai.keyring import Key, Keyring, KeyState
from oguardai.state import State

ACTIVE = "ACTIVE"
_HEADERS = ("KID", "STATE", "FINGERPRINT", "SEALED", "OPENED", "LAST USE", "LISTED SINCE", "SAFE TO REMOVE")


@dataclass(frozen=True, slots=True)
class Removal:
    """Whether a key may be removed: ``at`` is when it may (unix seconds), None while nobody can tell."""

    safe: bool
    because: str
    at: float | None = None


def describe_keyring(ring: Keyring, state: State | None, now: float) -> dict[str, Any]:
    """Describe the keys of the files in the shape of ``/v1/diagnostics``, where no server runs to ask.

    Args:
        state: what this host remembers; None: nothing.
    """
    active = ring.active(now).kid
    known = state.stopped(now).keys if state is not None else {}
    keys = []
    for key in ring.keys:
        record = known.get(key.kid)
        if record is not None and record.fingerprint != key.fingerprint:
            record = None
        keys.append(
            {
                "kid": key.kid,
                "fingerprint": key.fingerprint,
                "state": ACTIVE if key.kid == active else _state(key, now),
                "not_before": key.not_before,
                "source": key.source,
                "sealed": None,
                "opened": None,
                "last_seal": None,
                "last_open": None,
                "listed_since": record.listed_since if record is not None else None,
                "safe_to_remove_at": record.safe_at(now) if record is not None else None,
            }
        )
    return {"fingerprint": ring.fingerprint, "active_kid": active, "keys": keys}


def _state(key: Key, now: float) -> str:
    if key.state is not KeyState.IN_USE:
        return str(key.state)
    return "standby" if key.can_seal(now) else "pending"


def judge_removal(entry: Mapping[str, Any], *, now: float, ttl: float) -> Removal:
    """Tell whether a key may be removed, and on what that rests. What is not known counts as unsafe.

    Args:
        entry: a key as ``/v1/diagnostics`` describes it.
        ttl: ``session.ttl_seconds``. Before this host first saw the key, it may have sealed here or elsewhere.
    """
    if entry["state"] == ACTIVE:
        return Removal(False, "it seals")
    if entry["state"] == "pending":
        return Removal(False, f"it seals from {format_time(entry['not_before'])}")
    at, listed_since = entry.get("safe_to_remove_at"), entry.get("listed_since")
    if listed_since is None:
        return Removal(False, "this host does not know when it sealed last")
    if at is None:
        return Removal(False, "some worker may still seal with it")
    at = max(at, listed_since + ttl)
    if at > now:
        return Removal(False, f"sessions under it may be valid until {format_time(at)}", at)
    return Removal(True, f"no session under it is valid since {format_time(at)}", at)


def tabulate(keyring: Mapping[str, Any], removals: Mapping[int, Removal]) -> str:
    """Lay out the keys for people; the one that seals stands out."""
    rows = []
    marked = None
    for index, entry in enumerate(keyring["keys"]):
        removal = removals[entry["kid"]]
        if entry["state"] == ACTIVE:
            marked = index
        last = max((moment for moment in (entry["last_seal"], entry["last_open"]) if moment), default=None)
        rows.append(
            (
                str(entry["kid"]),
                entry["state"],
                entry["fingerprint"],
                _count(entry["sealed"]),
                _count(entry["opened"]),
                format_time(last),
                format_time(entry["listed_since"]),
                f"{'yes' if removal.safe else 'no'}: {removal.because}",
            )
        )
    return format_table(_HEADERS, rows, marked=marked)


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else str(number)
