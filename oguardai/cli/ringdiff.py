"""In what the keyrings of several instances differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oguardai.cli.output import format_time

ALL = "all"
_IN_USE = frozenset({"ACTIVE", "standby", "pending"})  # what time makes of a key that is neither staged nor revoked


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as an instance shows it; ``state`` without what the time makes of it."""

    fingerprint: str
    state: str
    not_before: float | None


@dataclass(frozen=True, slots=True)
class RingView:
    """A keyring as an instance shows it in ``/v1/diagnostics``."""

    fingerprint: str
    active_kid: int | None
    keys: Mapping[int, KeyView]


def view_ring(shown: Mapping[str, Any]) -> RingView:
    """Read a keyring as it was shown; raises KeyError, TypeError or ValueError for what makes no sense."""
    active = shown["active_kid"]
    keys = {int(key["kid"]): _view_key(key) for key in shown["keys"]}
    return RingView(str(shown["fingerprint"]), None if active is None else int(active), keys)


def _view_key(key: Mapping[str, Any]) -> KeyView:
    state = "in use" if key["state"] in _IN_USE else str(key["state"])
    not_before = key["not_before"]
    return KeyView(str(key["fingerprint"]), state, None if not_before is None else float(not_before))


def find_differences(rings: Mapping[str, RingView]) -> list[tuple[str, str]]:
    """Say in what the keyrings of instances differ, the worst first; empty when they are equal.

    Args:
        rings: by the name of the instance.

    Returns:
        The instance that a line is about, or ``all``, and the line.
    """
    if len({ring.fingerprint for ring in rings.values()}) <= 1:
        return []
    kids = sorted({kid for ring in rings.values() for kid in ring.keys})
    told: list[tuple[str, str]] = []
    differences = 0
    for kid in kids:
        keys = {name: ring.keys[kid] for name, ring in rings.items() if kid in ring.keys}
        secrets = group((f"fingerprint {key.fingerprint}", name) for name, key in keys.items())
        states = group((key.state, name) for name, key in keys.items())
        times = group((f"not_before {format_time(key.not_before)}", name) for name, key in keys.items())
        if len(secrets) > 1:
            message = f"kid {kid} HAS DIFFERENT SECRETS: {spread(secrets)}; sessions of one do not open on the other: "
            advice = "never give a kid to another secret; take the right one back, and give the other a kid of its own"
            told.insert(0, (ALL, message + advice))
        others = [spread(groups) for groups in (states, times) if len(groups) > 1]
        told.extend((ALL, f"kid {kid} differs: {other}") for other in others)
        differences += len(secrets) + len(states) + len(times) - 3 + len(rings) - len(keys)
    for name, ring in rings.items():
        lacking = [str(kid) for kid in kids if kid not in ring.keys]
        seals = f"kid {ring.active_kid} seals" if ring.active_kid is not None else "no key seals"
        missing = f", and it lacks kid {', '.join(lacking)}" if lacking else ""
        told.append((name, f"fingerprint {ring.fingerprint}, {seals}{missing}"))
    what = "THE KEYRINGS DIFFER" if differences else "THE ORDER OF THE KEYS DIFFERS"
    advice = "bring one session.keyring to every host, then `oguardai reload` on each"
    return [(ALL, f"{what}: {advice}"), *told]


def find_same(identities: Iterable[tuple[str, str]]) -> list[str]:
    """Name the instances that are one server, by two names or through a balancer; a text for each such server.

    Args:
        identities: what tells a server apart (process and start), and the name of the instance.
    """
    return [" and ".join(names) for names in group(identities).values() if len(names) > 1]


def group(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Collect the names of the instances by what they have."""
    groups: dict[str, list[str]] = {}
    for value, name in pairs:
        groups.setdefault(value, []).append(name)
    return groups


def spread(groups: Mapping[str, Sequence[str]]) -> str:
    """Say what is on which instances."""
    return "; ".join(f"{value} on {', '.join(names)}" for value, names in groups.items())
