"""Requests a second, side by side with a bare Flask application under the same server."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.client import Client, Load, Plan, json_body, load, request_bytes
from bench.report import Table, verdict
from bench.server import BenchServer
from bench.texts import PER_ENTITY, SIZES, prose, size_name

ENDPOINTS = ("transform", "rehydrate", "detect")
LEAST = {("transform", 1_000): 0.50, ("rehydrate", 1_000): 0.70}  # of the echo's rate
# Size, and characters for each value: dense with values as a list of customers is, and once as a letter is.
TEXTS = (*((size, PER_ENTITY) for size in SIZES), (1_000, 1_000))
VARIANTS = 16  # texts of a size, so that a small one is not all one type


@dataclass(frozen=True)
class _Round:
    """One slice of time each for us and for the echo."""

    ours: Load
    echo: Load
    our_cpu: float  # milliseconds a request
    echo_cpu: float

    @property
    def ratio(self) -> float:
        return self.ours.rate / self.echo.rate


def run(quick: bool, seed: int) -> Table:
    """Measure every endpoint at every size."""
    table = Table(
        "http",
        "HTTP: one worker process, keep-alive connections that are always busy; echo: bare Flask under the same server",
        (
            *("endpoint", "text", "body", "requests/s", "p50 ms", "p99 ms", "CPU ms", "echo/s", "echo CPU ms"),
            *("rate/echo", "CPU/echo", "least", "target"),
        ),
    )
    rounds, seconds = (3, 0.3) if quick else (7, 1.0)
    with BenchServer() as ours, BenchServer("echo") as echo:
        for endpoint in ENDPOINTS:
            for size, per_entity in TEXTS:
                bodies = _bodies(ours.port, endpoint, size, per_entity, seed)
                plan = Plan(_connections(size), seconds, warm_up=0.1 if size < 100_000 else 0.0, at_least=4)
                found = [
                    _round(ours, echo, f"/v1/{endpoint}", bodies, plan=plan, echo_first=turn % 2 == 1)
                    for turn in range(rounds)
                ]
                _add(table, endpoint, size, per_entity, body=len(bodies[0]), found=found)
    table.notes.append(
        "Rate and ratio are medians over the rounds, in each of which both had a slice of time side by side."
        " p50 and p99 with 8 requests under way (100 kB: 4, 1 MB: 2). CPU: processor time of the worker a request;"
        " CPU/echo shows the same as the rate but is steadier on a machine that others use too."
    )
    return table


def _connections(size: int) -> int:
    return 8 if size < 100_000 else 4 if size < 1_000_000 else 2


def _bodies(port: int, endpoint: str, size: int, per_entity: int, seed: int) -> list[bytes]:
    texts = [prose(size, seed + number, per_entity) for number in range(VARIANTS if size <= 10_000 else 2)]
    if endpoint != "rehydrate":
        return [json_body(input=text) for text in texts]
    bodies = []
    with Client(port) as client:
        for text in texts:
            status, answer = client.post("/v1/transform", input=text)
            assert status == 200, answer
            bodies.append(json_body(output=answer["safe_text"], session_state=answer["session_state"]))
    return bodies


def _round(
    ours: BenchServer, echo: BenchServer, path: str, bodies: list[bytes], *, plan: Plan, echo_first: bool
) -> _Round:
    def measure(server: BenchServer, path: str) -> tuple[Load, float]:
        before = server.cpu_seconds()
        found = load(server.port, [request_bytes(path, body) for body in bodies], plan)
        assert not found.failed, f"{path}: {found.failed} of {found.sent} failed"
        return found, 1000 * (server.cpu_seconds() - before) / found.sent

    if echo_first:
        (theirs, echo_cpu), (mine, our_cpu) = measure(echo, "/echo"), measure(ours, path)
    else:
        (mine, our_cpu), (theirs, echo_cpu) = measure(ours, path), measure(echo, "/echo")
    return _Round(mine, theirs, our_cpu, echo_cpu)


def _add(table: Table, endpoint: str, size: int, per_entity: int, *, body: int, found: list[_Round]) -> None:
    def middle(figure: Callable[[_Round], float]) -> float:
        return statistics.median(map(figure, found))

    ratio = middle(lambda one: one.ratio)
    least = LEAST.get((endpoint, size))
    table.add(
        endpoint,
        size_name(size) + ("" if per_entity == PER_ENTITY else ", one value"),
        size_name(round(body, 2 - len(str(body)))),
        middle(lambda one: one.ours.rate),
        middle(lambda one: one.ours.percentile(0.5)),
        middle(lambda one: one.ours.percentile(0.99)),
        middle(lambda one: one.our_cpu),
        middle(lambda one: one.echo.rate),
        middle(lambda one: one.echo_cpu),
        ratio,
        middle(lambda one: one.echo_cpu / one.our_cpu),
        least,
        None if least is None else verdict(ratio, least, least=True),
    )
