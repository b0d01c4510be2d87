"""Anonymous shared memory between the main process and its workers.

Made by the main process before the first fork. Three parts:

- two *blobs* (the configuration in force; the server's status), written by the main process only, read by anybody
  under a sequence lock: odd while being written, and a checksum, so that a torn read is never taken;
- a *slot* a worker: process id, generation it has switched to, heartbeat;
- a table of counters, slot by key *column*: sessions sealed and opened, last use, latest expiry seen.

Everything has a fixed place, so a worker that dies leaves nothing to clean up.
"""

from __future__ import annotations

import mmap
import struct
import time
import zlib
from dataclasses import dataclass

from oguardai.keyring import MAX_KEYS
from oguardai.keystatus import Usage

MAX_WORKERS = 64

_SNAPSHOT_CAPACITY = 1 << 20
_STATUS_CAPACITY = 1 << 18
_BLOB_HEADER = struct.Struct("<QII")  # sequence, length, CRC-32
_SEQUENCE = struct.Struct("<Q")
_FLAGS = struct.Struct("<BBxxxxxxQ")  # draining, serving, identity of the file last looked at
_SLOT = struct.Struct("<QQd")  # process id, generation, heartbeat (CLOCK_MONOTONIC seconds)
_CELL = struct.Struct("<QQddd")  # sealed, opened, last seal, last open, latest expiry

_READ_TRIES = 200


class Blob:
    """One writer, many readers, no lock between them."""

    def __init__(self, memory: mmap.mmap, offset: int, capacity: int) -> None:
        self._memory = memory
        self._offset = offset
        self._capacity = capacity

    @property
    def generation(self) -> int:
        """How many times it has been written; cheap enough to ask at every request."""
        sequence: int = _SEQUENCE.unpack_from(self._memory, self._offset)[0]
        return sequence // 2

    def fits(self, payload: bytes) -> bool:
        """Tell whether a payload can be written."""
        return len(payload) <= self._capacity

    def write(self, payload: bytes) -> int:
        """Replace the content and return its generation; ValueError when it does not fit."""
        if not self.fits(payload):
            raise ValueError(f"{len(payload)} bytes do not fit in {self._capacity}")
        sequence = _SEQUENCE.unpack_from(self._memory, self._offset)[0]
        start = self._offset + _BLOB_HEADER.size
        _SEQUENCE.pack_into(self._memory, self._offset, sequence + 1)
        self._memory[start : start + len(payload)] = payload
        _BLOB_HEADER.pack_into(self._memory, self._offset, sequence + 1, len(payload), zlib.crc32(payload))
        _SEQUENCE.pack_into(self._memory, self._offset, sequence + 2)
        return int(sequence + 2) // 2

    def read(self) -> tuple[int, bytes] | None:
        """Return generation and content; None when there is none, or its writer died in the middle."""
        start = self._offset + _BLOB_HEADER.size
        for attempt in range(_READ_TRIES):
            sequence, length, checksum = _BLOB_HEADER.unpack_from(self._memory, self._offset)
            if sequence == 0:
                return None
            if sequence % 2 == 0 and length <= self._capacity:
                payload = self._memory[start : start + length]
                after = _SEQUENCE.unpack_from(self._memory, self._offset)[0]
                if after == sequence and zlib.crc32(payload) == checksum:
                    return sequence // 2, payload
            time.sleep(0 if attempt < 10 else 0.001)
        return None


@dataclass(frozen=True, slots=True)
class Slot:
    """What a worker says of itself."""

    pid: int
    generation: int
    heartbeat: float  # CLOCK_MONOTONIC seconds; 0 before the worker serves


class SharedMemory:
    """The whole of it; see the module's head for the parts."""

    def __init__(self) -> None:
        flags = 0
        snapshot = flags + _FLAGS.size
        status = snapshot + _BLOB_HEADER.size + _SNAPSHOT_CAPACITY
        self._slots = status + _BLOB_HEADER.size + _STATUS_CAPACITY
        self._cells = self._slots + MAX_WORKERS * _SLOT.size
        self._memory = mmap.mmap(-1, self._cells + MAX_WORKERS * MAX_KEYS * _CELL.size)
        self.snapshot = Blob(self._memory, snapshot, _SNAPSHOT_CAPACITY)
        self.status = Blob(self._memory, status, _STATUS_CAPACITY)

    # -- flags of the main process ---------------------------------------------------------------------

    @property
    def draining(self) -> bool:
        """Whether the server is on its way out."""
        return bool(self._memory[0])

    @draining.setter
    def draining(self, value: bool) -> None:
        self._memory[0] = value

    @property
    def serving(self) -> bool:
        """Whether all workers have come up once."""
        return bool(self._memory[1])

    @serving.setter
    def serving(self, value: bool) -> None:
        self._memory[1] = value

    @property
    def looked_at(self) -> int:
        """Identity (a hash of its stat) of the configuration file that the main process looked at last."""
        value: int = _SEQUENCE.unpack_from(self._memory, 8)[0]
        return value

    @looked_at.setter
    def looked_at(self, value: int) -> None:
        _SEQUENCE.pack_into(self._memory, 8, value)

    # -- slots ------------------------------------------------------------------------------------------

    def slot(self, index: int) -> Slot:
        """Read a worker's slot."""
        return Slot(*_SLOT.unpack_from(self._memory, self._slots + index * _SLOT.size))

    def write_slot(self, index: int, slot: Slot) -> None:
        """Write a worker's slot: by that worker, or by the main process when there is none."""
        _SLOT.pack_into(self._memory, self._slots + index * _SLOT.size, slot.pid, slot.generation, slot.heartbeat)

    # -- counters ---------------------------------------------------------------------------------------

    def usage(self, index: int, column: int) -> Usage:
        """Read one worker's counters of one key."""
        return Usage(*_CELL.unpack_from(self._memory, self._cell(index, column)))

    def write_usage(self, index: int, column: int, usage: Usage) -> None:
        """Write one worker's counters of one key: by that worker only."""
        _CELL.pack_into(
            self._memory, self._cell(index, column),
            usage.sealed, usage.opened, usage.last_seal, usage.last_open, usage.latest_expiry,
        )  # fmt: skip

    def total(self, column: int) -> Usage:
        """Sum a key's counters over all workers, dead ones included."""
        total = Usage()
        for index in range(MAX_WORKERS):
            total = total.merged(self.usage(index, column))
        return total

    def clear_column(self, column: int) -> None:
        """Forget a key's counters, before the column goes to another key."""
        for index in range(MAX_WORKERS):
            self.write_usage(index, column, Usage())

    def _cell(self, index: int, column: int) -> int:
        return self._cells + (index * MAX_KEYS + column) * _CELL.size
