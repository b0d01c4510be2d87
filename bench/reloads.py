"""Reloads under load: no request may fail, no worker may restart, no old key may seal afterwards."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from bisect import bisect_right
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event
from typing import Any

from bench.client import FORK, Client
from bench.report import Table, verdict
from bench.server import BenchServer
from bench.texts import prose
from oguardai.server.control import reload_server

MANY, FEW = 200, 20
CLIENTS = 8
PAUSE = 0.03  # seconds between reloads
_SHOWN = 5


def run(quick: bool, seed: int) -> Table:
    """Swap the two keys again and again while clients work."""
    count = FEW if quick else MANY
    with BenchServer(workers=2) as server:
        server.write_keys(0, 1)
        assert reload_server(server.runtime)["outcome"] == "ok"
        stop = FORK.Event()
        clients = [_start(server.port, seed + number, stop) for number in range(CLIENTS)]
        time.sleep(0.3)
        before = server.worker_pids()
        switched: list[tuple[float, int]] = [(time.monotonic(), 1)]  # when a reload had returned, and who seals since
        began: list[float] = []
        durations: list[float] = []  # of reloads from this process, and of those by the command
        commands: list[float] = []
        changed = refused = 0
        for number in range(count):
            kid = number % 2
            server.write_keys(1 - kid, kid)  # the last one seals
            began.append(time.monotonic())
            by_command = number % 10 == 5  # as operators do it; slow to start, so not always
            report = _command(server) if by_command else reload_server(server.runtime)
            switched.append((time.monotonic(), kid))
            (commands if by_command else durations).append(switched[-1][0] - began[-1])
            refused += report["outcome"] != "ok" or report.get("active_kid") != kid
            changed += len(set(before) ^ set(server.worker_pids()))
            time.sleep(PAUSE)
        time.sleep(0.2)
        stop.set()
        answers = [_collect(process, pipe) for process, pipe in clients]
    switches = _Switches(switched, [*began, float("inf")])
    return _table(durations, commands, answers, switches, changed=changed, refused=refused)


def _command(server: BenchServer) -> dict[str, Any]:
    """Reload as operators do; return the server's report."""
    command = [sys.executable, "-m", "oguardai", "reload", "--json", "--config-dir", str(server.config_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    report: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"outcome": done.stderr}
    return report


def _start(port: int, seed: int, stop: Event) -> tuple[Any, Pipe]:
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_client, args=(theirs, port, seed, stop), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _collect(process: Any, pipe: Pipe) -> dict[str, Any]:
    if not pipe.poll(60):
        process.terminate()
        return {"requests": 0, "failures": ["a client did not end"], "seals": []}
    found: dict[str, Any] = pipe.recv()
    process.join(5)
    return found


def _client(pipe: Pipe, port: int, seed: int, stop: Event) -> None:
    """Transform and rehydrate by turns, the session just made and an old one."""
    rng = random.Random(seed)
    texts = [prose(rng.choice((200, 500, 1000)), rng.randrange(1_000_000)) for _ in range(50)]
    found: dict[str, Any] = {"requests": 0, "failures": [], "seals": []}
    try:
        with Client(port, timeout=20) as client:
            old = None
            while not stop.is_set():
                text = rng.choice(texts)
                sent = time.monotonic()
                status, sealed = client.post("/v1/transform", input=text)
                received = time.monotonic()
                found["requests"] += 1
                if status != 200:
                    found["failures"].append(f"transform: {status} {sealed}")
                    continue
                found["seals"].append((sent, received, int(sealed["session_state"].split(".")[1])))
                for one in ((text, sealed), old or (text, sealed)):
                    _restore(client, one, found)
                if old is None or rng.random() < 0.05:
                    old = text, sealed
    except Exception as error:
        found["failures"].append(f"{type(error).__name__}: {error}")
    pipe.send(found)


def _restore(client: Client, one: tuple[str, dict[str, Any]], found: dict[str, Any]) -> None:
    text, sealed = one
    status, answer = client.post("/v1/rehydrate", output=sealed["safe_text"], session_state=sealed["session_state"])
    found["requests"] += 1
    if status != 200 or answer["restored_text"] != text:
        found["failures"].append(f"rehydrate: {status} {answer.get('code', 'another text')}")


@dataclass(frozen=True)
class _Switches:
    """When reloads had returned, with the kid that seals since; and when the next one began."""

    returned: list[tuple[float, int]]
    next_began: list[float]

    def wrong(self, moment: float, received: float, kid: int) -> bool | None:
        """Tell whether a key is an old one; None when another reload had begun before the answer came."""
        at = bisect_right(self.returned, (moment, 1 << 31)) - 1
        return kid != self.returned[at][1] if at >= 0 and received < self.next_began[at] else None


def _stale(answers: list[dict[str, Any]], switched: _Switches) -> tuple[int, int]:
    """Count the uses of an old key by requests sent after the reload had returned, and by those under way then."""
    late = under_way = 0
    for one in answers:
        for sent, received, kid in one["seals"]:
            if switched.wrong(sent, received, kid):
                late += 1
            elif switched.wrong(received, received, kid):
                under_way += 1
    return late, under_way


def _table(
    durations: list[float],
    commands: list[float],
    answers: list[dict[str, Any]],
    switched: _Switches,
    *,
    changed: int,
    refused: int,
) -> Table:
    failures = [failure for one in answers for failure in one["failures"]]
    late, under_way = _stale(answers, switched)
    table = Table(
        "reload",
        f"Reload: {len(durations) + len(commands)} times, each switches the key, under {CLIENTS} clients; two workers",
        ("what", "figure", "most", "target"),
    )
    table.add("requests", sum(one["requests"] for one in answers), None, None)
    for what, number in (
        ("failed requests", len(failures)),
        ("worker processes changed", changed),
        ("reloads that did not take", refused),
        ("sealed with the old key, sent after the reload returned", late),
    ):
        table.add(what, number, 0, verdict(number, 0))
        if number:
            table.wrong.append(f"{what}: {number}")
    table.add("sealed with the old key, already under way", under_way, None, None)
    table.add("a reload takes, median, ms", 1000 * statistics.median(durations), None, None)
    table.add("a reload takes, longest, ms", 1000 * max(durations), None, None)
    table.add("the command `oguardai reload` takes, median, ms", 1000 * statistics.median(commands), None, None)
    table.wrong += failures[:_SHOWN]
    return table
