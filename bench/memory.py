"""Memory of the workers, at the start and after thousands of requests."""

from __future__ import annotations

from pathlib import Path

from bench.client import Plan, json_body, load, request_bytes
from bench.report import Table, verdict
from bench.server import BenchServer
from bench.texts import prose

MOST_MB = 80.0
FLAT_MB = 1.0  # growth over the second half of the requests
TEXTS = 500  # different ones, so that nothing is remembered from a text seen before
WORKERS = 2


def run(quick: bool, seed: int) -> Table:
    """Read RSS and PSS of every worker four times while it works."""
    step = 250 if quick else 2_500
    requests = [request_bytes("/v1/transform", json_body(input=prose(1_000, seed + number))) for number in range(TEXTS)]
    table = Table(
        "memory",
        f"Memory of a worker, MB, the largest of {WORKERS}, while it transforms 1 kB; PSS counts shared pages by share",
        ("requests a worker, about", "RSS", "PSS", "most", "target"),
    )
    sizes = []
    with BenchServer(workers=WORKERS) as server:
        for done in range(0, 4 * step + 1, step):
            if done:
                found = load(server.port, requests, Plan(connections=16, seconds=600, most=step * WORKERS))
                assert not found.failed, f"{found.failed} of {found.sent} requests failed"
            workers = [_megabytes(pid) for pid in server.worker_pids()]
            rss, pss = (max(one[place] for one in workers) for place in range(2))
            sizes.append((rss, pss))
            table.add(done, rss, pss, MOST_MB, verdict(rss, MOST_MB))
    growth = [late - early for early, late in zip(sizes[2], sizes[4], strict=True)]
    table.add("growth over the second half", *growth, FLAT_MB, verdict(max(growth), FLAT_MB))
    return table


def _megabytes(pid: int) -> tuple[float, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1000 for line in lines if line.endswith(" kB")}
    return sizes["Rss"], sizes["Pss"]
