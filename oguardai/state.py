"""What this host remembers of each key across restarts: enough to say when a key is safe to remove.

The file holds fingerprints and times, no secret. A record is always an upper bound: it is written before a key may
seal and closed only after every worker has stopped sealing with it. What is not known counts as unsafe.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from oguardai.errors import StateError
from oguardai.keyring import Key, Keyring, KeyState

FILE_NAME = "keys.json"
_VERSION = 1
# The most by which the clocks of a fleet may differ: a session that one host dates ahead by so much must not outlive
# the moment from which another calls its key safe to remove.
CLOCK_DIFFERENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of one key; times are unix seconds.

    Attributes:
        fingerprint: of the key that this kid stood for.
        source: ``env`` or ``keyring``.
        listed_since: when this host first saw it.
        sealing_from: from when this host may have sealed with it; None: never.
        sealed_until: when this host had surely stopped sealing with it; None: it may still seal, once ``sealing_from``
            has passed.
        largest_ttl: the largest lifetime in seconds that it may have sealed with.
        seen_expiry: the latest expiry of any session under it that is known of, whoever sealed that: of those opened
            here, and of any that may have been sealed before this host first saw the key.
        revoked: whether it is revoked; it never comes back by itself.
    """

    fingerprint: str
    source: str
    listed_since: float
    sealing_from: float | None = None
    sealed_until: float | None = None
    largest_ttl: float = 0.0
    seen_expiry: float = 0.0
    revoked: bool = False

    def may_be_sealing(self, now: float) -> bool:
        """Tell whether a worker of this host may be sealing with it at ``now``."""
        return self.sealing_from is not None and self.sealing_from <= now and self.sealed_until is None

    def reopened_at(self, moment: float) -> KeyRecord:
        """Return the record of a key that will seal from ``moment`` on; when it sealed before is not forgotten."""
        last = self.sealed_until + self.largest_ttl if self.sealed_until is not None else 0.0
        return replace(self, sealing_from=moment, sealed_until=None, seen_expiry=max(self.seen_expiry, last))

    def safe_at(self, now: float) -> float | None:
        """Return when every session known to be under this key has expired; None while it may still seal."""
        if self.may_be_sealing(now):
            return None
        last = self.sealed_until + self.largest_ttl if self.sealed_until is not None else 0.0
        return max(last, self.seen_expiry)


@dataclass(frozen=True, slots=True)
class State:
    """Everything in the state file.

    Attributes:
        keys: by kid.
        active: the kid that sealed when this was written.
        env_file_secret: fingerprint of the env file's secret when it was last accepted.
        highest_kid: the highest kid of any key that was ever listed; no new key may get it.
    """

    keys: Mapping[int, KeyRecord] = field(default_factory=lambda: MappingProxyType({}))
    active: int | None = None
    env_file_secret: str | None = None
    highest_kid: int = -1

    def accept(self, ring: Keyring, *, now: float, ttl: float, env_file_secret: str | None) -> State:
        """Return the state in which ``ring`` may be published: what may seal from now on is written down first.

        The key that sealed until now stays open-ended; :meth:`settle` closes it once no worker uses it any more.
        """
        active = ring.active_kid(now)
        keys: dict[int, KeyRecord] = {}
        for key in ring.keys:
            old = self.keys.get(key.kid)
            if old is None or old.fingerprint != key.fingerprint:
                old = KeyRecord(key.fingerprint, key.source, now, seen_expiry=now + ttl)
            record = replace(old, source=key.source, revoked=not key.opens)
            if key.kid == active:
                began = old.sealing_from if old.sealing_from is not None and old.sealing_from <= now else now
                record = replace(record, sealing_from=began, sealed_until=None)
                record = replace(record, largest_ttl=max(old.largest_ttl, ttl))
            elif _is_pending(key, now):
                if not old.may_be_sealing(now):
                    record = record.reopened_at(key.not_before or 0.0)
                record = replace(record, largest_ttl=max(old.largest_ttl, ttl))
            elif old.sealing_from is not None and old.sealing_from > now:
                record = replace(record, sealing_from=None)  # its not_before was taken back in time
            keys[key.kid] = record
        highest = max(self.highest_kid, *keys)
        return State(MappingProxyType(keys), active, env_file_secret or self.env_file_secret, highest)

    def settle(self, ring: Keyring, *, now: float) -> State:
        """Close every record but the active one's: called when all workers are known to use ``ring``."""
        active = ring.active_kid(now)
        keys = dict(self.keys)
        for kid, record in self.keys.items():
            if kid != active and record.may_be_sealing(now):
                keys[kid] = replace(record, sealed_until=now)
                key = ring.find(kid)
                if key is not None and _is_pending(key, now):
                    keys[kid] = keys[kid].reopened_at(key.not_before or 0.0)
            elif kid == active and not record.may_be_sealing(now):  # its time came, or the clock went back
                began = now if record.sealing_from is None else min(record.sealing_from, now)
                keys[kid] = replace(record, sealing_from=began, sealed_until=None)
        return replace(self, keys=MappingProxyType(keys), active=active)

    def stopped(self, now: float) -> State:
        """Close every record: no worker of this host runs any more."""
        keys = {
            kid: replace(record, sealed_until=now) if record.may_be_sealing(now) else record
            for kid, record in self.keys.items()
        }
        return replace(self, keys=MappingProxyType(keys))

    def with_seen(self, expiries: Mapping[int, float]) -> State:
        """Note the latest expiry of opened sessions, by kid."""
        keys = dict(self.keys)
        for kid, expiry in expiries.items():
            record = keys.get(kid)
            if record is not None and expiry > record.seen_expiry:
                keys[kid] = replace(record, seen_expiry=expiry)
        return replace(self, keys=MappingProxyType(keys))


def _is_pending(key: Key, now: float) -> bool:
    return key.state is KeyState.IN_USE and not key.can_seal(now)


def review(state: State, ring: Keyring, *, now: float) -> list[str]:
    """Say why switching to ``ring`` looks like an accident; an empty list means that it does not.

    A file can be valid and still be one: cut at a line end it still parses, and makes an older key active.
    """
    reasons: list[str] = []
    env_only = len(ring.keys) == 1 and ring.keys[0].source == "env"
    for kid, record in state.keys.items():
        key = ring.find(kid)
        if key is None and kid == state.active:
            reasons.append(f"kid {kid} seals sessions now and is gone from the file")
        elif key is None:
            safe_at = record.safe_at(now)
            if safe_at is None or safe_at > now:
                until = f"until {format_moment(safe_at)}" if safe_at else "and may still be sealed"
                reasons.append(f"kid {kid} is gone from the file, but sessions under it are valid {until}")
        elif record.revoked and key.opens and key.fingerprint == record.fingerprint:
            reasons.append(f"kid {kid} was revoked, but this file lets it open again")
        elif key.fingerprint != record.fingerprint and not (env_only and record.source == "env"):
            reasons.append(f"kid {kid} has another secret than before: a new secret needs a new kid")
    return reasons


def format_moment(moment: float) -> str:
    """Write unix seconds as RFC 3339 in UTC, rounded up to a whole second."""
    return datetime.fromtimestamp(math.ceil(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_record(data: dict[str, Any]) -> KeyRecord:
    for name in ("listed_since", "sealing_from", "sealed_until", "largest_ttl", "seen_expiry"):
        if not isinstance(data[name], int | float | None):
            raise TypeError(name)
    return KeyRecord(**data)


def load(directory: Path) -> State | None:
    """Read the state file; None where there is none yet.

    Raises:
        StateError: it is there but cannot be read or makes no sense.
    """
    path = directory / FILE_NAME
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != _VERSION:
            raise StateError(f"{path}: written by a newer release (version {data['version']})")
        keys = {int(kid): _read_record(record) for kid, record in data["keys"].items()}
        return State(MappingProxyType(keys), data["active"], data["env_file_secret"], data.get("highest_kid", -1))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(f"{path}: cannot be read ({type(error).__name__}); remove it to start afresh") from error


def save(directory: Path, state: State) -> None:
    """Write the state file, whole or not at all, and reach the disk with it.

    Raises:
        StateError: it could not be written; the old file is untouched.
    """
    path = directory / FILE_NAME
    data = {
        "version": _VERSION,
        "active": state.active,
        "env_file_secret": state.env_file_secret,
        "highest_kid": state.highest_kid,
        "keys": {str(kid): asdict(record) for kid, record in state.keys.items()},
    }
    temporary = directory / f".{FILE_NAME}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(data, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StateError(f"{path}: cannot be written ({error.strerror or type(error).__name__})") from error
