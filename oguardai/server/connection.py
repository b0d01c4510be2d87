"""What the event loop knows of one client's connection, and of the answer on its way to it."""

from __future__ import annotations

import math
import socket
import time
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from oguardai.errors import ProblemError
from oguardai.server.framing import Frame
from oguardai.web.problems import problem_body


class Phase(Enum):
    """Who has the connection, and what for."""

    RECEIVING = auto()  # the loop, reading a request (or waiting for its first byte)
    QUEUED = auto()  # nobody: the request is whole and waits for a thread
    SERVING = auto()  # a thread
    SENDING = auto()  # the loop, sending the rest of an answer
    LINGERING = auto()  # the loop, reading over what is left before it closes


class Answer:
    """Collects what gunicorn's Response writes: it is used in place of the socket."""

    def __init__(self, data: bytes = b"") -> None:
        self._parts = [data] if data else []
        self.keep_alive = False

    @property
    def started(self) -> bool:
        """Whether any byte was written."""
        return bool(self._parts)

    def sendall(self, data: bytes) -> None:
        """Take bytes of the answer."""
        self._parts.append(bytes(data))

    def send(self, data: bytes) -> int:
        """Drop gunicorn's own ``100 Continue``, the one thing that it sends this way: the loop has sent it."""
        return len(data)

    def take(self) -> bytes:
        """Return the whole answer, and keep none of it."""
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Connection:
    """One accepted socket (non-blocking).

    Attributes:
        peer: the client's address as accept() gives it; ``''`` on a Unix socket.
        server: the listener's own address.
        since: when the phase began (CLOCK_MONOTONIC).
        deadline: when the loop gives it up.
        begun: whether the first byte of the request has been timed.
        held: bytes of the request, or of its answer, that count against the worker's budget.
    """

    def __init__(self, sock: socket.socket, peer: Any, server: Any, max_body: int) -> None:
        self.sock = sock
        self.peer = peer
        self.server = server
        self.frame = Frame(max_body)
        self.phase = Phase.RECEIVING
        self.since = time.monotonic()
        self.deadline = math.inf
        self.begun = False
        self.held = 0
        self.keep_alive = False
        self.broken = False
        self._unsent = memoryview(b"")

    @property
    def unsent(self) -> int:
        """How many bytes of the answer have not been sent."""
        return len(self._unsent)

    def enter(self, phase: Phase, deadline: float = math.inf) -> None:
        """Go on to another phase, which begins now; ``deadline`` in seconds from now."""
        self.phase = phase
        self.since = time.monotonic()
        self.deadline = self.since + deadline

    def send(self, answer: Answer) -> None:
        """Begin to send an answer: as much as the socket takes at once."""
        self.keep_alive = answer.keep_alive
        self._unsent = memoryview(answer.take())
        self.frame.request = b""
        self.send_more()

    def send_more(self) -> None:
        """Send as much of what is left as the socket takes at once."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # the client is gone
            self.broken = True

    def next_request(self, max_body: int) -> None:
        """Make ready for the next request on the same connection."""
        self.frame = Frame(max_body)
        self.begun = False


def problem_answer(error: ProblemError, request_id: str) -> Answer:
    """Make the whole answer to a request that does not reach the application, as the application would (RFC 9457)."""
    body = problem_body(error, request_id)
    head = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    if error.retry_after is not None:
        head.append(f"Retry-After: {error.retry_after}")
    return Answer("\r\n".join(head).encode() + b"\r\n\r\n" + body)
