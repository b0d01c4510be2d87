"""What detection alone costs: by size, with RE2 and without, against Presidio, and on the worst texts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from bench.costs import seconds_of
from bench.report import Table, verdict
from bench.texts import SIZES, prose, size_name, worst
from oguardai.detection import detect, prefilter, warm

MOST_WITH, MOST_WITHOUT = 0.25, 0.6  # milliseconds for 1 kB of prose with ten values
MOST_GROWTH = 1.5  # what a byte may cost at 1 MB, of what it costs at 1 kB
LEAST_PRESIDIO = 20.0  # times as fast as its pattern recognizers
MOST_WORST = 5.0  # times what a byte of prose with ten values a kilobyte costs
WORST_SIZE = 100_000
PRESIDIO = "PRESIDIO_PYTHON"  # a variable: the interpreter that has presidio-analyzer
_PEER = Path(__file__).parent / "accuracy" / "peer.py"


@contextlib.contextmanager
def _without_re2() -> Iterator[None]:
    with mock.patch.object(prefilter, "shared", return_value=None):
        yield


def run_sizes(quick: bool, seed: int) -> Table:
    """Measure detection by the length of the text."""
    table = Table(
        "detect",
        "Detection in process: milliseconds for a kilobyte of prose with ten values, by the length of the text",
        (
            "text",
            "with RE2",
            "most",
            "target",
            "without",
            "most ",
            "target ",
            "Presidio",
            "/Presidio",
            "least",
            "target  ",
        ),
    )
    warm()
    budget = 0.1 if quick else 1.0
    per_kb = {}
    for size in SIZES:
        texts = [prose(size, seed + number) for number in range(max(1, min(50, 10_000 // size)))]
        for text in texts:
            detect(text)

        def work(texts: list[str] = texts) -> None:
            for text in texts:
                detect(text)

        unit = 1e3 / (len(texts) * size / 1e3)
        fast = seconds_of(work, budget=budget) * unit
        with _without_re2():
            slow = seconds_of(work, budget=budget) * unit
        peer = _presidio(texts[: 1 if size > 1000 else 5]) if size <= 10_000 else None
        per_kb[size] = fast
        is_target = size == 1000
        table.add(
            size_name(size),
            fast,
            MOST_WITH if is_target else None,
            verdict(fast, MOST_WITH) if is_target else None,
            slow,
            MOST_WITHOUT if is_target else None,
            verdict(slow, MOST_WITHOUT) if is_target else None,
            peer,
            peer / fast if peer else None,
            LEAST_PRESIDIO if peer else None,
            verdict(peer / fast, LEAST_PRESIDIO, least=True) if peer else None,
        )
    growth = per_kb[SIZES[-1]] / per_kb[1000]
    table.notes.append(
        f"A byte costs {growth:.2f} times as much at {size_name(SIZES[-1])} as at 1 kB (at most {MOST_GROWTH}:"
        f" {verdict(growth, MOST_GROWTH)})."
    )
    if PRESIDIO not in os.environ:
        table.notes.append(f"Presidio was not measured: {PRESIDIO} names no interpreter that has it.")
    return table


def _presidio(texts: list[str]) -> float | None:
    """Return what the pattern recognizers of Presidio's default installation take, in milliseconds for a kilobyte."""
    python = os.environ.get(PRESIDIO)
    if not python:
        return None
    done = subprocess.run(
        [python, str(_PEER), "--time"], input=json.dumps(texts), stdout=subprocess.PIPE, check=True, text=True
    )
    return float(done.stdout) * 1e3 / (sum(map(len, texts)) / 1e3)


def run_worst(quick: bool, seed: int) -> Table:
    """Measure detection of texts that are nothing but one awkward thing, each against prose measured beside it."""
    size = WORST_SIZE // 5 if quick else WORST_SIZE
    budget = 0.0 if quick else 0.05
    table = Table(
        "detect-worst",
        f"Detection of {size // 1000} kB of one awkward thing: nanoseconds a byte, and how many times ordinary prose",
        ("text", "finds", "with RE2", "/prose", "without", "/prose ", "most", "target"),
    )
    warm()
    ordinary = prose(size, seed)

    def costs(text: str) -> tuple[float, float]:
        """Return what a text costs, and how many times as much as prose: by turns, since machines change their pace."""
        plain = taken = float("inf")
        for _ in range(3):
            plain = min(plain, seconds_of(lambda: detect(ordinary), budget=budget, least=1))
            taken = min(taken, seconds_of(lambda: detect(text), budget=budget, least=1))
        return taken * 1e9 / size, taken / plain

    rows = []
    for name, text in {"(ordinary prose)": ordinary, **worst(size)}.items():
        count = len(detect(text))
        fast = costs(text)
        with _without_re2():
            slow = costs(text)
        rows.append((name, count, *fast, *slow))
    for name, count, fast_ns, fast_times, slow_ns, slow_times in sorted(rows, key=lambda row: -row[3]):
        worse = max(fast_times, slow_times)
        table.add(name, count, fast_ns, fast_times, slow_ns, slow_times, MOST_WORST, verdict(worse, MOST_WORST))
    return table
