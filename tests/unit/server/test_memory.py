"""Shared memory gives a reader the whole of what was written, or the whole of what was there before."""

from __future__ import annotations

import os
import zlib

import pytest

from oguardai.server.memory import MAX_WORKERS, SharedMemory, Slot, Usage


def test_a_blob_reads_as_it_was_written() -> None:
    memory = SharedMemory()
    assert memory.snapshot.read() is None
    for turn in range(1, 4):
        payload = os.urandom(1000 * turn)
        assert memory.snapshot.write(payload) == turn
        assert memory.snapshot.read() == (turn, payload)
    assert memory.status.read() is None


def test_a_blob_that_does_not_fit_changes_nothing() -> None:
    memory = SharedMemory()
    memory.snapshot.write(b"kept")
    with pytest.raises(ValueError, match="do not fit"):
        memory.snapshot.write(b"x" * (1 << 21))
    assert memory.snapshot.read() == (1, b"kept")


def test_a_reader_in_another_process_never_sees_a_torn_blob() -> None:
    memory = SharedMemory()
    memory.snapshot.write(_payload(0))
    writer = os.fork()
    if writer == 0:
        for turn in range(1, 3000):
            memory.snapshot.write(_payload(turn))
        os._exit(0)
    seen = 0
    while os.waitpid(writer, os.WNOHANG) == (0, 0):
        found = memory.snapshot.read()
        if found is not None:
            generation, payload = found
            assert payload == _payload(generation - 1)
            seen += 1
    assert memory.snapshot.read() == (3000, _payload(2999))
    assert seen


def _payload(turn: int) -> bytes:
    return zlib.crc32(b"%d" % turn).to_bytes(4, "big") * (100 + turn % 700)


def test_a_writer_that_dies_in_the_middle_leaves_readers_without_an_answer_not_with_a_wrong_one() -> None:
    memory = SharedMemory()
    memory.snapshot.write(b"whole")
    memory._memory[memory.snapshot._offset] += 1  # as if it had begun to write
    assert memory.snapshot.read() is None


def test_counters_are_summed_over_workers_and_forgotten_with_their_column() -> None:
    memory = SharedMemory()
    memory.write_usage(0, 3, Usage(sealed=2, last_seal=10.0, latest_expiry=99.0))
    memory.write_usage(MAX_WORKERS - 1, 3, Usage(sealed=1, opened=5, last_seal=8.0, last_open=12.0))
    assert memory.total(3) == Usage(3, 5, 10.0, 12.0, 99.0)
    assert memory.total(2) == memory.total(4) == Usage()
    memory.clear_column(3)
    assert memory.total(3) == Usage()


def test_slots_and_flags_do_not_touch_each_other() -> None:
    memory = SharedMemory()
    memory.write_slot(5, Slot(123, 7, 1.5))
    memory.draining = True
    memory.looked_at = 2**64 - 1
    assert (memory.draining, memory.serving, memory.looked_at) == (True, False, 2**64 - 1)
    assert memory.slot(5) == Slot(123, 7, 1.5)
    assert memory.slot(4) == memory.slot(6) == Slot(0, 0, 0.0)
