"""Clients that stall: what they do to the others."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe

from bench.client import FORK, Client, Plan, json_body, load, request_bytes
from bench.report import Table, verdict
from bench.server import BenchServer
from bench.texts import prose

MOST = 3.0  # times the p99 of a quiet server
STALLED = 16
IDLE = 1_000
GROUPS = {
    f"{STALLED} stalled in the headers": ("headers", STALLED),
    f"{STALLED} stalled in the body": ("body", STALLED),
    f"{STALLED} that send a byte a second": ("trickle", STALLED),
    f"{IDLE:,} idle connections": ("idle", IDLE),
}
_REQUEST = request_bytes("/v1/transform", json_body(input=prose(1_000, 7)))


def run(quick: bool, seed: int) -> Table:
    """Compare a quiet server with one that has each group of slow clients, several times by turns."""
    rounds, seconds = (2, 1.0) if quick else (5, 3.0)
    requests = [request_bytes("/v1/transform", json_body(input=prose(1_000, seed + number))) for number in range(16)]
    found: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in GROUPS}
    # Idle connections would be closed in the middle of a measurement.
    with BenchServer(workers=2, server={"keepalive_seconds": 120}) as server:

        def p99() -> tuple[float, float]:
            one = load(server.port, requests, Plan(connections=1, seconds=seconds))
            assert not one.failed, "a request failed beside slow clients"
            return one.percentile(0.5), one.percentile(0.99)

        for _ in range(rounds):
            quiet = p99()
            for name, (kind, count) in GROUPS.items():
                with _held(server.port, kind, count) as pipe:
                    busy = p99()
                    pipe.send("how many")
                    open_still = pipe.recv() if pipe.poll(10) else 0
                after = p99()
                found[name].append((statistics.fmean((quiet[1], after[1])), *busy, open_still))
                quiet = after
    table = Table(
        "slow",
        "Slow clients: latency of a client that transforms 1 kB, milliseconds, against a quiet server; two workers",
        ("beside", "connections held", "p50", "p99", "quiet p99", "p99/quiet", "most", "target"),
    )
    for name, measured in found.items():
        ratio = statistics.median(one[2] / one[0] for one in measured)
        quiet_p99, p50, busy_p99 = (statistics.median(one[place] for one in measured) for place in range(3))
        held = min(one[3] for one in measured)
        table.add(name, held, p50, busy_p99, quiet_p99, ratio, MOST, verdict(ratio, MOST))
    return table


@contextlib.contextmanager
def _held(port: int, kind: str, count: int) -> Iterator[Pipe]:
    """Keep slow connections open from a process of its own."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_hold, args=(theirs, port, kind, count), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(60) or ours.recv() != "ready":
            raise RuntimeError("the slow clients did not come up")
        yield ours
    finally:
        with contextlib.suppress(OSError):
            ours.send("end")
        process.join(10)
        if process.is_alive():
            process.terminate()
            process.join()
        ours.close()


def _hold(pipe: Pipe, port: int, kind: str, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 100 <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, hard))
    socks = [_open(port, kind, number) for number in range(count)]
    selector = selectors.DefaultSelector()
    for sock in socks:
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ, sock)
    selector.register(pipe, selectors.EVENT_READ)
    pipe.send("ready")
    position = 40  # into the request, for those that trickle
    open_still, next_byte = set(socks), time.monotonic()
    while True:
        for key, _ in selector.select(0.1):
            if key.fileobj is not pipe:
                with contextlib.suppress(OSError):
                    if key.data.recv(4096):
                        continue
                selector.unregister(key.data)
                open_still.discard(key.data)
            elif pipe.recv() == "end":
                return
            else:
                pipe.send(len(open_still))
        if kind == "trickle" and time.monotonic() >= next_byte:
            next_byte += 1.0
            for sock in open_still:
                with contextlib.suppress(OSError):
                    sock.send(_REQUEST[position : position + 1])
            position += 1


def _open(port: int, kind: str, number: int) -> socket.socket:
    """Open a connection and leave it where its kind stalls; every other idle one has had an answer."""
    client = Client(port, timeout=30)
    if kind == "headers":
        client.sock.sendall(b"POST /v1/transform HTTP/1.1\r\nHost: localhost\r\nContent-Type: applic")
    elif kind == "body":
        client.sock.sendall(_REQUEST[: _REQUEST.index(b"\r\n\r\n") + 104])
    elif kind == "trickle":
        client.sock.sendall(_REQUEST[:40])
    elif number % 2:
        client.get("/v1/health")
    return client.sock
