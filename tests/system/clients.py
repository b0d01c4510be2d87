"""What the tests do as a client: single requests, and a load beside what they do as an administrator."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.machine import HOST, Machine

URL = f"http://{HOST}:3000"
TEXT = "Write to test@example.com"
_LOAD = Path(__file__).with_name("load.py")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an answer; status 0 is no answer."""

    status: int
    body: dict[str, Any]


def ask(machine: Machine, path: str, body: dict[str, Any] | None = None, *, seconds: int = 60) -> Answer:
    """Send a request from inside: GET, or POST when there is a body."""
    command = ["curl", "--silent", "--max-time", str(seconds), "--write-out", "\n%{http_code}", URL + path]
    if body is not None:
        command += ["--header", "Content-Type: application/json", "--data-binary", "@-"]
    done = machine.run(command, check=False, given=json.dumps(body) if body is not None else "", seconds=seconds + 10)
    text, _, status = done.stdout.rpartition("\n")
    return Answer(int(status or 0), json.loads(text) if text else {})


def transform(machine: Machine) -> dict[str, str]:
    """Transform a text; return what rehydrate wants."""
    answer = ask(machine, "/v1/transform", {"input": TEXT})
    assert answer.status == 200, answer
    return {"output": answer.body["safe_text"], "session_state": answer.body["session_state"]}


def rehydrate(machine: Machine, session: dict[str, str]) -> Answer:
    """Send a session back; the text must be whole if it is opened at all."""
    answer = ask(machine, "/v1/rehydrate", session)
    assert answer.status != 200 or answer.body["restored_text"] == TEXT
    return answer


def kid_of(session: dict[str, str]) -> int:
    """Return the kid of the key that sealed a session."""
    return int(session["session_state"].split(".")[1])


@dataclass(slots=True)
class Load:
    """What a load has counted; complete when its block has ended."""

    report: dict[str, Any] = field(default_factory=dict)

    def check(self, *, at_least: int = 100) -> None:
        """Fail unless every request was answered as it should be."""
        bad = {name: self.report[name] for name in ("expired", "refused", "lost", "wrong") if self.report[name]}
        assert not bad, self.report
        assert self.report["requests"] >= at_least, self.report


@contextlib.contextmanager
def load(machine: Machine, *options: str) -> Iterator[Load]:
    """Let clients transform and rehydrate during a block."""
    machine.copy(_LOAD, "/root/load.py")
    process = machine.start(["/usr/bin/python3", "/root/load.py", *options])
    assert process.stdin is not None
    assert process.stdout is not None
    result = Load()
    try:
        assert process.stdout.readline() == "ready\n"
        yield result
        process.stdin.close()
        result.report = json.loads(process.stdout.read())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if not process.stdin.closed:
            process.stdin.close()
