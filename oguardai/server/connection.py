"""What the event loop knows of one client's connection, and of the answer on its way to it."""

from __future__ import annotations

import logging
import math
import secrets
import socket
import time
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from oguardai.errors import ProblemError
from oguardai.logs import log_event
from oguardai.server.framing import Frame
from oguardai.web.problems import problem_body

logger = logging.getLogger(__name__)


class Phase(Enum):
    """Who has the connection, and what for."""

    RECEIVING = auto()  # the loop, reading a request (or waiting for its first byte)
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

    def bytes(self) -> bytes:
        """Return the whole answer."""
        return b"".join(self._parts)


class Connection:
    """One accepted socket (non-blocking)."""

    def __init__(self, sock: socket.socket, peer: Any, server: Any, max_body: int) -> None:
        self.sock = sock
        self.peer = peer  # as accept() gives it; '' on a Unix socket
        self.server = server  # the listener's own address
        self.frame = Frame(max_body)
        self.phase = Phase.RECEIVING
        self.since = time.monotonic()  # when this phase, or the request being received, began
        self.deadline = math.inf
        self.answer = Answer()
        self.held = 0  # bytes received and not answered yet
        self.unsent = b""
        self.broken = False

    def serve(self, now: float) -> None:
        """Note that a thread has it."""
        self.phase = Phase.SERVING
        self.since = now
        self.deadline = math.inf

    def send_now(self) -> None:
        """Send as much of the answer as the socket takes at once; the rest stays in ``unsent``."""
        if not self.unsent:
            self.unsent = self.answer.bytes()
        view = memoryview(self.unsent)
        try:
            while view:
                view = view[self.sock.send(view) :]
        except BlockingIOError:
            pass
        except OSError:  # the client is gone
            self.broken = True
        self.unsent = bytes(view)
        if not self.unsent:
            self.answer = _sent(self.answer)

    def next_request(self, max_body: int) -> None:
        """Make ready for the next request on the same connection."""
        self.frame = Frame(max_body)
        self.phase = Phase.RECEIVING
        self.since = time.monotonic()


def _sent(answer: Answer) -> Answer:
    """Return an answer with nothing left to send, so that it is not sent twice."""
    done = Answer()
    done.keep_alive = answer.keep_alive
    return done


def problem_answer(error: ProblemError) -> Answer:
    """Make the whole answer to a request that does not reach the application, as the application would (RFC 9457)."""
    request_id = secrets.token_hex(16)
    log_event(logger, logging.WARNING, "RequestRefused", code=error.code, detail=error.detail, request_id=request_id)
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
