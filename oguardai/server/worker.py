"""The gunicorn worker: one event loop that receives and sends, a few threads that compute.

gunicorn's own threaded worker gives a thread to each connection that has sent a byte, so a handful of stalled
clients stop it. Here a thread sees a request only when all of it has arrived and is free again as soon as the
answer is made; sockets are read and written by the loop alone. The HTTP parser, the WSGI environment and the
response are gunicorn's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create as create_environment
from gunicorn.workers import base

from oguardai.errors import InvalidRequestError, OverloadedError, ProblemError
from oguardai.logs import log_event
from oguardai.server.connection import Answer, Connection, Phase, problem_answer
from oguardai.server.framing import BadRequestError, Progress
from oguardai.server.source import WorkerSource

logger = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
_READS_PER_EVENT = 4  # then others get their turn
_ACCEPTS_PER_EVENT = 4
_LINGER_SECONDS = 2.0  # how long bytes of a refused request are read over, so that the client sees the answer
_BUFFER_BUDGET = 16  # all connections together may hold as much as this many largest bodies
_TICK_SECONDS = 1.0


class EventWorker(base.Worker):  # type: ignore[misc]  # gunicorn has no types
    """See the module's head. ``slot`` and ``source`` are set by the main process before the fork."""

    slot: int
    source: WorkerSource

    def init_process(self) -> None:
        """Set up what belongs to this process, then serve (gunicorn calls this after the fork)."""
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        for descriptor in (self._wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        self._pool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="request")
        self._connections: set[Connection] = set()
        self._served: deque[Connection] = deque()  # filled by threads, emptied by the loop
        self._in_pool = 0
        self._held = 0  # bytes of requests not answered yet
        self._accepting = False
        self.source.attach(self.slot)
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then finish what has begun."""
        signal.signal(signal.SIGHUP, lambda *_: None)  # the wake-up below is all that it is for
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wakeups)
        self._accept_more(True)
        self.source.heartbeat()
        self.source.call_main()
        next_tick = 0.0
        while self.alive:
            self.source.refresh()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_SECONDS
                if not self._tick():
                    return
            self._poll(_TICK_SECONDS)
        self._finish()

    # -- the loop ---------------------------------------------------------------------------------------

    def _poll(self, timeout: float) -> None:
        for key, events in self._selector.select(timeout):
            callback: Callable[[int], None] = key.data
            callback(events)
        while self._served:
            self._after_answer(self._served.popleft())

    def _tick(self) -> bool:
        """Do what is due once a second; False when the main process is gone."""
        now = time.monotonic()
        if self.ppid != os.getppid():
            log_event(logger, logging.ERROR, "MainProcessGone")
            return False
        oldest = min((c.since for c in self._connections if c.phase is Phase.SERVING), default=now)
        if now - oldest < self.cfg.timeout:  # else a request is stuck: gunicorn's main process replaces us
            self.notify()
            self.source.heartbeat()
        for connection in [c for c in self._connections if c.deadline <= now]:
            self._close(connection)
        self._accept_more(self.alive and len(self._connections) < self.source.settings().server.max_connections)
        return True

    def _drain_wakeups(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    def _accept_more(self, wanted: bool) -> None:
        if wanted == self._accepting:
            return
        self._accepting = wanted
        for listener in self.sockets:
            if wanted:
                listener.setblocking(False)
                self._selector.register(listener, selectors.EVENT_READ, lambda _events, one=listener: self._accept(one))
            else:
                self._selector.unregister(listener)

    def _accept(self, listener: socket.socket, limit: int = _ACCEPTS_PER_EVENT) -> None:
        for _ in range(limit):
            try:
                sock, peer = listener.accept()
            except OSError:  # another worker took it, or the client is gone already
                return
            settings = self.source.settings().server
            if len(self._connections) >= settings.max_connections and not self._evict_idle():
                sock.close()
                self._accept_more(False)
                return
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock, peer, listener.getsockname(), settings.max_body_bytes)
            connection.deadline = time.monotonic() + settings.request_timeout_seconds
            self._connections.add(connection)
            self._selector.register(sock, selectors.EVENT_READ, lambda events, one=connection: self._ready(one, events))
            self._receive(connection)  # TCP_DEFER_ACCEPT: the first bytes are there already

    def _evict_idle(self) -> bool:
        """Make room by closing the connection that has been idle longest; False when none is."""
        idle = [c for c in self._connections if c.phase is Phase.RECEIVING and c.frame.empty]
        if not idle:
            return False
        self._close(min(idle, key=lambda c: c.since))
        return True

    def _ready(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._send(connection)
        elif connection.phase is Phase.RECEIVING:
            self._receive(connection)
        elif connection.phase is Phase.LINGERING:
            self._read_over(connection)

    # -- receiving --------------------------------------------------------------------------------------

    def _receive(self, connection: Connection) -> None:
        for _ in range(_READS_PER_EVENT):
            try:
                data = connection.sock.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:  # gone; half a request is nobody's
                self._close(connection)
                return
            if not self._feed(connection, data):
                return

    def _feed(self, connection: Connection, data: bytes) -> bool:
        """Hand bytes to the framing; True when more may be read."""
        if connection.frame.empty:
            settings = self.source.settings().server
            connection.since = time.monotonic()
            connection.deadline = connection.since + settings.request_timeout_seconds
        connection.held += len(data)
        self._held += len(data)
        try:
            progress = connection.frame.feed(data)
        except BadRequestError as error:
            self._refuse(connection, InvalidRequestError(str(error)))
            return False
        if progress is Progress.CONTINUE:
            with contextlib.suppress(OSError):
                connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if progress is Progress.COMPLETE:
            self._dispatch(connection)
            return False
        if self._held > _BUFFER_BUDGET * self.source.settings().server.max_body_bytes:
            self._refuse(connection, OverloadedError("too many large requests at once", retry_after=1))
            return False
        return True

    def _dispatch(self, connection: Connection) -> None:
        if self._in_pool >= self.cfg.threads + self.source.settings().server.max_queued:
            self._refuse(connection, OverloadedError("too many requests are waiting", retry_after=1))
            return
        connection.serve(time.monotonic())
        self._selector.unregister(connection.sock)  # until the answer is made nothing is read
        self._in_pool += 1
        self._pool.submit(self._serve, connection)

    # -- answering --------------------------------------------------------------------------------------

    def _serve(self, connection: Connection) -> None:
        """Make the answer (in a thread) and hand the connection back to the loop."""
        try:
            connection.answer = self._answer(connection)
        finally:
            connection.send_now()
            self._served.append(connection)
            with contextlib.suppress(OSError):
                os.write(self._wake_write, b"\0")

    def _answer(self, connection: Connection) -> Answer:
        answer = Answer()
        try:
            request = next(RequestParser(self.cfg, iter([connection.frame.request]), connection.peer))
            response, environ = create_environment(request, answer, connection.peer, connection.server, self.cfg)
            environ["wsgi.multithread"] = True
            environ["oguardai.listener"] = self.source.listener_name(connection.server)
            if not self._may_keep_alive(connection):
                response.force_close()
            body = self.wsgi(environ, response.start_response)
            try:
                for chunk in body:
                    response.write(chunk)
                response.close()
            finally:
                if hasattr(body, "close"):
                    body.close()
            answer.keep_alive = not response.should_close()
            return answer
        except Exception as error:  # the application answers its own; this is the parser or gunicorn
            log_event(logger, logging.WARNING, "RequestNotParsed", error=type(error).__name__)
            if answer.started:  # half an answer cannot be taken back: the client sees it end early
                answer.keep_alive = False
                return answer
            return problem_answer(InvalidRequestError("the request is not valid HTTP"))

    def _may_keep_alive(self, connection: Connection) -> bool:
        keepalive = self.source.settings().server.keepalive_seconds
        return bool(self.alive and keepalive and not connection.frame.cut and not self.source.draining())

    def _refuse(self, connection: Connection, error: ProblemError) -> None:
        connection.answer = problem_answer(error)
        connection.phase = Phase.SENDING
        connection.deadline = time.monotonic() + self.source.settings().server.request_timeout_seconds
        connection.send_now()
        self._send(connection)

    def _after_answer(self, connection: Connection) -> None:
        """Take a connection back from its thread."""
        self._in_pool -= 1
        connection.phase = Phase.SENDING
        connection.deadline = time.monotonic() + self.source.settings().server.request_timeout_seconds
        try:
            self._selector.register(
                connection.sock, selectors.EVENT_READ, lambda events: self._ready(connection, events)
            )
        except (OSError, ValueError, KeyError):
            self._close(connection)
            return
        self._send(connection, tried=True)

    def _send(self, connection: Connection, *, tried: bool = False) -> None:
        if not tried:
            connection.send_now()
        if connection.broken:
            self._close(connection)
        elif connection.unsent:
            self._watch(connection, selectors.EVENT_WRITE)
        elif connection.answer.keep_alive:
            self._next_request(connection)
        else:
            self._linger(connection)

    def _release(self, connection: Connection) -> None:
        self._held -= connection.held
        connection.held = 0

    def _next_request(self, connection: Connection) -> None:
        self._release(connection)
        settings = self.source.settings().server
        rest = connection.frame.rest()
        connection.next_request(settings.max_body_bytes)
        connection.deadline = time.monotonic() + settings.keepalive_seconds
        self._watch(connection, selectors.EVENT_READ)
        if rest:
            self._feed(connection, rest)
        elif not self.alive:
            self._close(connection)

    def _linger(self, connection: Connection) -> None:
        """Close without a reset: end our side, read over what is still on its way, then close."""
        self._release(connection)
        connection.phase = Phase.LINGERING
        connection.deadline = time.monotonic() + _LINGER_SECONDS
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        self._watch(connection, selectors.EVENT_READ)
        self._read_over(connection)

    def _read_over(self, connection: Connection) -> None:
        for _ in range(_READS_PER_EVENT):
            try:
                if not connection.sock.recv(_READ_BYTES):
                    break
            except BlockingIOError:
                return
            except OSError:
                break
        else:
            return
        self._close(connection)

    def _watch(self, connection: Connection, events: int) -> None:
        self._selector.modify(connection.sock, events, lambda ready: self._ready(connection, ready))

    def _close(self, connection: Connection) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        self._release(connection)
        self._connections.discard(connection)
        connection.sock.close()

    # -- stopping ---------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Serve what has arrived, refuse nothing that was accepted, then leave."""
        for listener in self.sockets:
            self._accept(listener, limit=socket.SOMAXCONN)
        self._accept_more(False)
        limit = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < limit:
            for connection in list(self._connections):
                if connection.phase is Phase.RECEIVING and connection.frame.empty:
                    self._close(connection)
            if not self._connections:
                break
            self.notify()
            self.source.refresh()
            self._poll(0.1)
            for connection in [c for c in self._connections if c.deadline <= time.monotonic()]:
                self._close(connection)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.source.detach()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop gracefully (SIGTERM)."""
        self.alive = False

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once (SIGQUIT, SIGINT)."""
        os._exit(0)

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """Do nothing: there is no log file to reopen."""
