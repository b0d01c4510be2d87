"""HTTP clients on bare sockets: light, so that what is measured is the server."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import selectors
import socket
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any

FORK = multiprocessing.get_context("fork")

_READ = 1 << 18
_ANSWER_SECONDS = 60.0  # an answer that takes longer counts as none


def request_bytes(path: str, body: bytes) -> bytes:
    """Write a POST of JSON as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body


def json_body(**fields: object) -> bytes:
    """Write a body as most clients would: UTF-8, compact."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


class Client:
    """One keep-alive connection that waits for each answer."""

    def __init__(self, port: int, timeout: float = _ANSWER_SECONDS) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    def get(self, path: str) -> tuple[int, bytes]:
        """GET a path; return status and body."""
        return self.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def post(self, path: str, **fields: object) -> tuple[int, Any]:
        """POST fields as JSON; return status and parsed body."""
        status, body = self.send(request_bytes(path, json_body(**fields)))
        return status, json.loads(body)

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; raises OSError when the connection ends before the answer."""
        self.sock.sendall(request)
        answer = bytearray()
        length = -1
        while length < 0 or len(answer) < length:
            data = self.sock.recv(_READ)
            if not data:
                raise ConnectionError("the server closed the connection")
            answer += data
            if length < 0:
                length = answer_length(answer)
        head = answer.index(b"\r\n\r\n") + 4
        return int(answer[9:12]), bytes(answer[head:])


def answer_length(data: bytes | bytearray) -> int:
    """Return how long the answer that begins here is as a whole, or -1 while its head is not complete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return -1
    head = bytes(data[:end]).lower()
    at = head.index(b"content-length:") + 15
    stop = head.find(b"\r", at)
    return end + 4 + int(head[at : stop if stop >= 0 else None])


# --- load ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How to load a server: each connection sends the next request when it has its answer.

    It ends after ``seconds``, but not before ``at_least`` answers, and in any case after ``most`` requests; what is
    sent within ``warm_up`` seconds does not count.
    """

    connections: int = 8
    seconds: float = 1.0
    warm_up: float = 0.1
    at_least: int = 0
    most: int | None = None


@dataclass
class Load:
    """What came of a load.

    Attributes:
        latencies: seconds, of each answer that counts.
        failed: answers that were not 200, or did not come.
        sent: requests, those of the warm-up included.
        seconds: how long the answers that count took together.
    """

    latencies: array[float]
    failed: int
    sent: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return the latency in milliseconds that this share of the answers kept."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def load(port: int, requests: Sequence[bytes], plan: Plan) -> Load:
    """Send requests by turns, from a process of its own."""
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_run, args=(theirs, port, requests, plan), daemon=True)
    process.start()
    theirs.close()
    try:
        found: Load = ours.recv()
    except EOFError:
        raise RuntimeError("the load process ended early") from None
    finally:
        process.join(5)
        if process.is_alive():
            process.terminate()
    return found


def _run(pipe: Pipe, port: int, requests: Sequence[bytes], plan: Plan) -> None:
    pipe.send(_Loader(port, requests, plan).run())


class _Line:
    """A connection of the load."""

    __slots__ = ("began", "full", "left", "length", "sock", "start")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.left = memoryview(b"")  # of the request, still to be sent
        self.full = False  # the socket took no more, and is watched for room
        self.length = -1  # of the answer, still to come; -1: its head is not there yet
        self.start = b""
        self.began = 0.0

    def receive(self) -> bool:
        """Read; return whether the answer is complete. Raises OSError when the connection has ended."""
        try:
            data = self.sock.recv(_READ)
        except BlockingIOError:
            return False
        if not data:
            raise ConnectionError
        if self.length >= 0:
            self.length -= len(data)
        else:
            self.start += data
            self.length = answer_length(self.start)
            if self.length < 0:
                return False
            self.length -= len(self.start)
        return self.length <= 0


class _Loader:
    """The load process: one event loop."""

    def __init__(self, port: int, requests: Sequence[bytes], plan: Plan) -> None:
        self._requests = requests
        self._plan = plan
        self._selector = selectors.EpollSelector()
        self._lines = [_Line(port) for _ in range(plan.connections)]
        self._counts_from = time.perf_counter() + plan.warm_up
        self._last = self._counts_from
        self._load = Load(array("d"), 0, 0, 0.0)

    def run(self) -> Load:
        """Run to the end of the plan."""
        for line in self._lines:
            self._selector.register(line.sock, selectors.EVENT_READ, line)
            self._begin(line)
        busy = len(self._lines)
        limit = self._counts_from + self._plan.seconds + _ANSWER_SECONDS
        while busy and time.perf_counter() < limit:
            for key, events in self._selector.select(1.0):
                line: _Line = key.data
                if events & selectors.EVENT_WRITE:
                    self._push(line)
                if events & selectors.EVENT_READ and not self._go_on(line):
                    self._selector.unregister(line.sock)
                    busy -= 1
        self._load.failed += busy
        for line in self._lines:
            line.sock.close()
        self._load.seconds = max(self._last - self._counts_from, 1e-9)
        return self._load

    def _begin(self, line: _Line) -> None:
        line.left = memoryview(self._requests[self._load.sent % len(self._requests)])
        self._load.sent += 1
        line.length, line.start = -1, b""
        line.began = time.perf_counter()
        self._push(line)

    def _push(self, line: _Line) -> None:
        """Send what the socket takes; wait for more room only when it is full."""
        with contextlib.suppress(BlockingIOError):
            line.left = line.left[line.sock.send(line.left) :]
        if line.full != bool(line.left):
            line.full = bool(line.left)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.full else 0)
            self._selector.modify(line.sock, events, line)

    def _go_on(self, line: _Line) -> bool:
        """Read, and send the next request when the answer is there; False when there is no more to do."""
        try:
            if not line.receive():
                return True
        except OSError:
            self._load.failed += 1
            return False
        now = time.perf_counter()
        if line.start[9:12] != b"200":
            self._load.failed += 1
        elif line.began >= self._counts_from:
            self._load.latencies.append(now - line.began)
            self._last = now
        plan = self._plan
        due = now < self._counts_from + plan.seconds or len(self._load.latencies) < plan.at_least
        if not due or (plan.most is not None and self._load.sent >= plan.most):
            return False
        self._begin(line)
        return True
