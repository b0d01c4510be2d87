"""The keys of one instance, or of a fleet together, as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oguardai.cli.keyfacts import Facts, judge_removal
from oguardai.cli.output import UNKNOWN, format_age, format_table, format_time
from oguardai.keystatus import ACTIVE

_HEADERS = ("KID", "STATE", "FINGERPRINT", "AGE", "SEALED", "OPENED", "LAST USE", "SAFE TO REMOVE")
_DIFFERENT = "DIFFERENT"


def merge(fleet: Sequence[Facts]) -> list[dict[str, Any]]:
    """Describe every key as the instances together know it, in the order of their kids.

    Counts are summed, of times the latest counts, and the earliest for ``listed_since``; a key is safe to remove when
    every instance says so. ``state`` and ``fingerprint`` are DIFFERENT where the instances disagree.
    """
    merged = []
    for kid in sorted({entry["kid"] for facts in fleet for entry in facts.keyring["keys"]}):
        entries = [entry for facts in fleet if (entry := facts.entry(kid)) is not None]
        removal = judge_removal(kid, fleet)
        merged.append(
            {
                "kid": kid,
                "fingerprint": _common(entries, "fingerprint"),
                "state": _common(entries, "state"),
                "not_before": max((entry["not_before"] for entry in entries if entry["not_before"]), default=None),
                "source": _common(entries, "source"),
                "sealed": _over(entries, "sealed", sum),
                "opened": _over(entries, "opened", sum),
                "last_seal": _over(entries, "last_seal", max),
                "last_open": _over(entries, "last_open", max),
                "listed_since": _over(entries, "listed_since", min),
                "safe_to_remove": removal.safe,
                "safe_to_remove_because": removal.because,
                "safe_to_remove_at": removal.at,
            }
        )
    return merged


def _common(entries: Sequence[Any], name: str) -> Any:
    values = {entry[name] for entry in entries}
    return values.pop() if len(values) == 1 else _DIFFERENT


def _over(entries: Sequence[Any], name: str, combine: Callable[[list[Any]], Any]) -> Any:
    known = [entry[name] for entry in entries if entry[name] is not None]
    return combine(known) if known else None


def tabulate(keys: Sequence[dict[str, Any]], now: float) -> str:
    """Lay out the keys for people; the one that seals stands out."""
    rows = []
    marked = None
    for index, key in enumerate(keys):
        if key["state"] == ACTIVE:
            marked = index
        state = key["state"]
        if state == "pending":
            state = f"pending until {format_time(key['not_before'])}"
        last = max((moment for moment in (key["last_seal"], key["last_open"]) if moment), default=None)
        rows.append(
            (
                str(key["kid"]),
                state,
                key["fingerprint"],
                UNKNOWN if key["listed_since"] is None else format_age(now - key["listed_since"]),
                _count(key["sealed"]),
                _count(key["opened"]),
                format_time(last),
                f"{'yes' if key['safe_to_remove'] else 'no'}: {key['safe_to_remove_because']}",
            )
        )
    return format_table(_HEADERS, rows, marked=marked)


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else str(number)
