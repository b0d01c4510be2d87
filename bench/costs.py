"""What the parts cost in process: sealing against the bare cipher, and each operation by size."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.engine import Engine
from bench.report import Table, verdict
from bench.texts import SIZES, prose, size_name
from oguardai import sealing
from oguardai.sessions import Session

GROWTH = 1.5  # how much a byte may cost at 1 MB, of what it costs at 10 kB
OVERHEAD = 60.0  # bytes of a sealed session for a value, beside the value


def seconds_of(work: Callable[[], Any], *, budget: float, least: int = 3) -> float:
    """Return the processor time of one call: the best of as many as the budget of seconds allows."""
    best = float("inf")
    gc.collect()
    until = time.perf_counter() + budget
    done = 0
    while done < least or time.perf_counter() < until:
        began = time.process_time_ns()
        work()
        best = min(best, (time.process_time_ns() - began) / 1e9)
        done += 1
    return best


def run_sealing(quick: bool, seed: int) -> Table:
    """Measure seal and open."""
    table = Table(
        "sealing",
        "Seal and open: microseconds a session, against AESGCM of the cryptography package on the same plaintext",
        (
            *("values", "plaintext B", "blob B", "AESGCM", "seal", "/AESGCM", "AESGCM open", "open", "/AESGCM open"),
            *("pack + seal", "open + unpack", "B a value", "most", "target"),
        ),
    )
    budget = 0.1 if quick else 0.5
    engine = Engine()
    key = engine.key.session_key()
    cipher, nonce, aad = AESGCM(key), os.urandom(12), sealing.associated_data(0, "default", "session")
    empty = len(engine.transform("").session_state)
    for count in (1, 10, 100, 1_000, 10_000):
        session, value_bytes = _session(count)
        plaintext = session.pack()
        blob = sealing.seal(key, 0, plaintext)
        encrypted = cipher.encrypt(nonce, plaintext, aad)
        raw_seal, raw_open, seal, open_, whole_seal, whole_open = (
            1e6 * _loop(work, budget)
            for work in (
                lambda p=plaintext: cipher.encrypt(os.urandom(12), p, aad),
                lambda e=encrypted: cipher.decrypt(nonce, e, aad),
                lambda p=plaintext: sealing.seal(key, 0, p),
                lambda b=blob: sealing.parse(b, max_bytes=1 << 24).open(key),
                lambda s=session: engine.seal(s),
                lambda b=blob: engine.open(b),
            )
        )
        a_value = (len(blob) - empty - value_bytes) / count
        table.add(
            *(count, len(plaintext), len(blob), raw_seal, seal, seal / raw_seal, raw_open, open_, open_ / raw_open),
            *(whole_seal, whole_open, a_value, OVERHEAD, verdict(a_value, OVERHEAD)),
        )
    table.notes.append(
        "Seal and open derive a key for each nonce (XAES-256-GCM) and read or write base64url; AESGCM does neither."
        " B a value: what the blob grows by for each value beside the value itself, base64url's third included"
        " (e-mail addresses of 20 characters)."
    )
    return table


def run_sizes(quick: bool, seed: int) -> Table:
    """Measure transform, rehydrate and detect by size."""
    table = Table(
        "sizes",
        "In process, prose with a value in every 100 characters: nanoseconds of processor time a byte",
        ("operation", *map(size_name, SIZES), "1 MB / 10 kB", "most", "target"),
    )
    engine = Engine()
    texts = {size: prose(size, seed) for size in SIZES}
    sealed = {size: engine.transform(text) for size, text in texts.items()}
    operations: dict[str, Callable[[int], object]] = {
        "transform": lambda size: engine.transform(texts[size]),
        "rehydrate": lambda size: engine.rehydrate(sealed[size].safe_text, sealed[size].session_state),
        "rehydrate, lenient": lambda size: engine.rehydrate(
            sealed[size].safe_text, sealed[size].session_state, repair="lenient"
        ),
        "detect": lambda size: engine.detect(texts[size]),
    }
    for name, operation in operations.items():
        costs = {size: 1e9 * _loop(lambda s=size, o=operation: o(s), 0.1 if quick else 1.0) / size for size in SIZES}
        growth = costs[1_000_000] / costs[10_000]
        table.add(name, *costs.values(), growth, GROWTH, verdict(growth, GROWTH))
    table.notes.append(f"The 1 MB text has {len(sealed[1_000_000].entities):,} values.")
    return table


def _loop(work: Callable[[], Any], budget: float) -> float:
    """Return the time of one call, of calls too short for the clock by calling them many times."""
    once = max(seconds_of(work, budget=0.0, least=2), 1e-7)
    times = max(1, int(0.002 / once))
    if times == 1:
        return seconds_of(work, budget=budget)

    def many() -> None:
        for _ in range(times):
            work()

    return seconds_of(many, budget=budget) / times


def _session(count: int) -> tuple[Session, int]:
    session = Session.new(time.time(), ttl_seconds=3600)
    values = [f"user{number:05d}@example.de" for number in range(count)]
    for value in values:
        session.token_for("email", value)
    return session, sum(map(len, values))
