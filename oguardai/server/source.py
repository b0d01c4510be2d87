"""A worker's view of the configuration in force, read from shared memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oguardai.config import Settings, settings_from_json, settings_to_json
from oguardai.keyring import Key, Keyring, KeyState
from oguardai.keystatus import Usage, describe_keyring
from oguardai.logs import configure_logging
from oguardai.server.memory import MAX_WORKERS, SharedMemory, Slot
from oguardai.state import KeyRecord

_LOOK_WAIT_SECONDS = 2.5  # a look may have to wait for its second to pass
_SHORT_WAIT_SECONDS = 1.0
_LOOK_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What every worker needs of the configuration: immutable, replaced as a whole.

    Attributes:
        settings: all settings in force.
        keyring: the keys in force, with those that a look at the file found, staged.
        columns: where the counters of a kid stand in shared memory.
    """

    settings: Settings
    keyring: Keyring
    columns: Mapping[int, int]

    def pack(self) -> bytes:
        """Serialise for shared memory."""
        keys = [
            {
                "kid": key.kid,
                "prk": key.prk.hex(),
                "state": key.state,
                "not_before": key.not_before,
                "source": key.source,
            }
            for key in self.keyring.keys
        ]
        columns = {str(kid): column for kid, column in self.columns.items()}
        return json.dumps({"settings": settings_to_json(self.settings), "keys": keys, "columns": columns}).encode()

    @classmethod
    def unpack(cls, payload: bytes) -> Snapshot:
        """Read what :meth:`pack` wrote."""
        data = json.loads(payload)
        keys = tuple(
            Key(key["kid"], bytes.fromhex(key["prk"]), KeyState(key["state"]), key["not_before"], key["source"])
            for key in data["keys"]
        )
        columns = {int(kid): column for kid, column in data["columns"].items()}
        return cls(settings_from_json(data["settings"]), Keyring(keys), columns)


def file_identity(path: Path) -> int:
    """Tell whether a file changed without reading it: a number made of its stat, 1 when there is none."""
    try:
        stat = path.stat()
    except OSError:
        return 1
    return stamp_identity((stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns))


def stamp_identity(stamp: tuple[int, ...] | None) -> int:
    """Return the number that :func:`file_identity` gives for a file with this stat; never 0."""
    if stamp is None:
        return 1
    return int.from_bytes(hashlib.sha256(repr(stamp).encode()).digest()[:8], "little") | 1 << 63


class WorkerSource:
    """What the web application asks for, in a worker; also usable in the main process before the fork."""

    def __init__(self, memory: SharedMemory, config_file: Path, admin_socket: Path) -> None:
        self._memory = memory
        self._config_file = config_file
        self._admin_socket = str(admin_socket)
        self._main_pid = os.getpid()
        self._slot: int | None = None
        self._started_at = time.time()
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(1)  # while the main process is busy, not every thread may wait
        self._generation = 0
        self._snapshot: Snapshot | None = None

    # -- the life of a worker ---------------------------------------------------------------------------

    def attach(self, slot: int) -> None:
        """Take the slot that the main process gave this worker."""
        self._slot = slot
        self._lock = threading.Lock()  # the main process may have held the old one at the fork
        self._waiting = threading.BoundedSemaphore(max(1, self.settings().server.threads // 2))
        self.refresh()

    def detach(self) -> None:
        """Give the slot back."""
        if self._slot is not None:
            self._memory.write_slot(self._slot, Slot(0, 0, 0.0))

    def heartbeat(self) -> None:
        """Say that this worker serves, and with which generation."""
        if self._slot is not None:
            self._memory.write_slot(self._slot, Slot(os.getpid(), self._generation, time.monotonic()))

    def call_main(self) -> None:
        """Make the main process look at what the workers want of it."""
        if os.getppid() == self._main_pid:  # else the number may be somebody else's by now
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._main_pid, signal.SIGUSR1)

    def refresh(self) -> Snapshot:
        """Switch to the configuration in force, if there is a newer one than this worker has."""
        if self._memory.snapshot.generation != self._generation or self._snapshot is None:
            with self._lock:
                self._take()
        assert self._snapshot is not None  # noqa: S101 - published before the first fork
        return self._snapshot

    def _take(self) -> None:
        latest = self._memory.snapshot.read()
        if latest is None or latest[0] == self._generation:
            return
        before, self._snapshot = self._snapshot, Snapshot.unpack(latest[1])
        self._generation = latest[0]
        log = self._snapshot.settings.log
        if before is not None and before.settings.log != log:
            configure_logging(log.format, log.level)
        if self._slot is not None and self._memory.slot(self._slot).pid == os.getpid():
            self.heartbeat()

    # -- what the application asks for ------------------------------------------------------------------

    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.refresh().settings

    def keyring(self) -> Keyring:
        """Return the keys in force; asked again each time a session is opened or sealed."""
        return self.refresh().keyring

    def keyring_knowing(self, kid: int) -> Keyring:
        """Return the keys after making sure that a kid which is new in the file was not missed.

        The main process looks at the file only if it changed, once a second in the long run, so a client that invents
        kids costs one stat(2) here.
        """
        waits = self._waiting.acquire(blocking=False)
        deadline = time.monotonic() + (_LOOK_WAIT_SECONDS if waits else _SHORT_WAIT_SECONDS)
        try:
            while self.keyring().find(kid) is None and time.monotonic() < deadline:
                if file_identity(self._config_file) == self._memory.looked_at:
                    break
                self.call_main()
                time.sleep(_LOOK_POLL_SECONDS)
        finally:
            if waits:
                self._waiting.release()
        return self.keyring()

    def draining(self) -> bool:
        """Tell whether the server is on its way out."""
        return self._memory.draining

    def serving(self) -> bool:
        """Tell whether all workers have come up."""
        return self._memory.serving

    def uptime_seconds(self) -> float:
        """Return the main process's age."""
        return time.time() - self._started_at

    def listener_name(self, server: Any) -> str:
        """Tell which listener a connection came by: ``admin`` or ``public``."""
        return "admin" if server == self._admin_socket else "public"

    def record_seal(self, kid: int, expires_at: float) -> None:
        """Count a session sealed under a key; ``expires_at`` in unix seconds."""
        self._count(kid, Usage(sealed=1, last_seal=time.time(), latest_expiry=expires_at))

    def record_open(self, kid: int, expires_at: float) -> None:
        """Count a session opened under a key; ``expires_at`` in unix seconds."""
        self._count(kid, Usage(opened=1, last_open=time.time(), latest_expiry=expires_at))

    def _count(self, kid: int, usage: Usage) -> None:
        column = self.refresh().columns.get(kid)
        if column is not None and self._slot is not None:
            with self._lock:
                old = self._memory.usage(self._slot, column)
                self._memory.write_usage(self._slot, column, old.merged(usage))

    def reload_outcome(self) -> str | None:
        """Return how the last reload ended."""
        published = self._memory.status.read()
        outcome: str | None = json.loads(published[1])["reload"]["outcome"] if published else None
        return outcome

    def server_status(self) -> dict[str, Any]:
        """Return what is true of the server as a whole: what the main process published, and the counters now."""
        published = self._memory.status.read()
        status: dict[str, Any] = json.loads(published[1]) if published else {}
        snapshot, now = self.refresh(), time.time()
        status["generation"] = self._generation
        status["keyring"] = describe_keyring(
            snapshot.keyring,
            now=now,
            ttl=snapshot.settings.session.ttl_seconds,
            records={int(kid): KeyRecord(**record) for kid, record in status.pop("records", {}).items()},
            usage={kid: self._memory.total(column) for kid, column in snapshot.columns.items()},
            highest_kid=status.pop("highest_kid", -1),
        )
        status["workers"] = [
            {
                "pid": slot.pid,
                "generation": slot.generation,
                "heartbeat_age_seconds": round(time.monotonic() - slot.heartbeat, 3),
            }
            for slot in map(self._memory.slot, range(MAX_WORKERS))
            if slot.pid
        ]
        return status
