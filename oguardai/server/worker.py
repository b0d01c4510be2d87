"""The gunicorn worker: one event loop that receives and sends, a few threads that compute.

gunicorn's own threaded worker gives a thread to each connection that has sent a byte, so a handful of stalled
clients stop it. Here a thread sees a request only when all of it has arrived and is free again as soon as the
answer is made; sockets are read and written by the loop alone. The HTTP parser, the WSGI environment and the
response are gunicorn's.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import resource
import selectors
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create as create_environment
from gunicorn.workers import base

from oguardai.errors import InternalError, InvalidRequestError, OverloadedError, ProblemError
from oguardai.logs import log_event, log_exception
from oguardai.server.connection import Answer, Connection, Phase, problem_answer
from oguardai.server.framing import BadRequestError, Progress
from oguardai.server.source import WorkerSource
from oguardai.web.app import METRICS
from oguardai.web.gate import UNMATCHED, sane_request_id

logger = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
_READS_PER_EVENT = 4  # then others get their turn
_ACCEPTS_PER_EVENT = 4
_LINGER_SECONDS = 2.0  # how long bytes of a refused request are read over, so that the client sees the answer
_BUDGET_BODIES = 16  # requests and answers held by a worker may be as large as this many largest bodies
_SLOWEST_READER = 32 * 1024  # bytes a second; an answer gets this much time on top of the request's timeout
_TICK_SECONDS = 1.0
_SPARE_FILES = 64  # descriptors that are not for connections
_ORPHAN_SECONDS = 2.0  # to finish what has begun when the main process is gone
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class EventWorker(base.Worker):  # type: ignore[misc]  # gunicorn has no types
    """See the module's head. ``slot`` and ``source`` are set by the main process before the fork."""

    slot: int
    source: WorkerSource

    def init_process(self) -> None:
        """Set up what belongs to this process, then serve (gunicorn calls this after the fork)."""
        try:
            self._selector = selectors.DefaultSelector()
            self._wake_read, self._wake_write = os.pipe()
            for descriptor in (self._wake_read, self._wake_write):
                os.set_blocking(descriptor, False)
            self._connections: set[Connection] = set()
            self._queue: queue.SimpleQueue[Connection] = queue.SimpleQueue()  # from the loop to the threads
            self._served: deque[Connection] = deque()  # and back
            self._waiting = 0  # requests in the queue or with a thread
            self._held = 0  # bytes of requests and answers
            self._accepting = False
            self._file_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_FILES
            self.source.attach(self.slot)
            for _ in range(self.cfg.threads):
                threading.Thread(target=self._serve_all, daemon=True).start()
        except Exception as error:
            log_exception(logger, "WorkerNotStarted", error)
            if self.source.serving():  # gunicorn would end the whole server for a worker that fails to boot
                os._exit(1)
            raise
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then finish what has begun; does not return."""
        signal.signal(signal.SIGHUP, lambda *_: None)  # the wake-up below is all that it is for
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, signal.SIGUSR1})
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wakeups)
        self._accept_more(True)
        self.source.heartbeat()
        self.source.call_main()
        next_tick = 0.0
        patience = float(self.cfg.graceful_timeout) - 1
        while self.alive:
            self.source.refresh()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_SECONDS
                self._tick()
                if self.ppid != os.getppid():
                    log_event(logger, logging.ERROR, "MainProcessGone")
                    patience = _ORPHAN_SECONDS
                    break
            self._poll(_TICK_SECONDS)
        self._finish(patience)
        sys.stdout.flush()
        os._exit(0)  # a thread that is stuck keeps nobody waiting

    # -- the loop ---------------------------------------------------------------------------------------

    def _poll(self, timeout: float) -> None:
        for key, events in self._selector.select(timeout):
            callback: Callable[[int], None] = key.data
            callback(events)
        while self._served:
            self._after_answer(self._served.popleft())

    def _tick(self) -> None:
        """Do what is due once a second."""
        now = time.monotonic()
        oldest = min((c.since for c in self._connections if c.phase is Phase.SERVING), default=now)
        if now - oldest > self.cfg.timeout:
            log_event(logger, logging.ERROR, "WorkerStuck", seconds=int(now - oldest))
            sys.stdout.flush()
            os._exit(1)  # the main process starts another
        self.notify()
        self.source.heartbeat()
        for connection in [c for c in self._connections if c.deadline <= now]:
            self._give_up(connection)
        self._accept_more(self.alive and self._has_room())

    def _give_up(self, connection: Connection) -> None:
        """End a connection whose time has passed; one that has begun a request is told why."""
        if connection.phase is Phase.RECEIVING and not connection.frame.empty:
            self._refuse(connection, InvalidRequestError("the request did not arrive in time"))
        else:
            self._close(connection)

    def _has_room(self) -> bool:
        return len(self._connections) < min(self.source.settings().server.max_connections, self._file_limit)

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
            if not (self._has_room() or self._evict_idle()):  # the kernel keeps them until there is
                self._accept_more(False)
                return
            try:
                sock, peer = listener.accept()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    log_event(logger, logging.ERROR, "CannotAccept", error=error.strerror)
                    self._accept_more(False)  # until the next tick
                return  # otherwise another worker took it, or the client is gone already
            settings = self.source.settings().server
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock, peer, listener.getsockname(), settings.max_body_bytes)
            connection.enter(Phase.RECEIVING, settings.request_timeout_seconds)
            self._connections.add(connection)
            self._selector.register(sock, selectors.EVENT_READ, self._callback(connection))
            self._receive(connection)  # TCP_DEFER_ACCEPT: the first bytes are there already

    def _evict_idle(self) -> bool:
        """Make room by closing the connection that has been idle longest; False when none is."""
        idle = [c for c in self._connections if c.phase is Phase.RECEIVING and c.frame.empty]
        if not idle:
            return False
        self._close(min(idle, key=lambda c: c.since))
        return True

    def _callback(self, connection: Connection) -> Callable[[int], None]:
        def ready(events: int) -> None:
            try:
                if events & selectors.EVENT_WRITE:
                    connection.send_more()
                    self._after_sending(connection)
                elif connection.phase is Phase.RECEIVING:
                    self._receive(connection)
                elif connection.phase is Phase.LINGERING:
                    self._read_over(connection)
            except Exception as error:  # a fault of ours: one client's, not everybody's
                log_exception(logger, "ConnectionFailed", error)
                self._close(connection)

        return ready

    # -- receiving --------------------------------------------------------------------------------------

    def _receive(self, connection: Connection) -> None:
        for _ in range(_READS_PER_EVENT):
            try:
                data = connection.sock.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._give_up_half(connection)
                return
            if not self._feed(connection, data):
                return

    def _give_up_half(self, connection: Connection) -> None:
        """Answer a client that ended its side before its request was whole, in case it still listens."""
        if connection.frame.empty:
            self._close(connection)
        else:
            self._refuse(connection, InvalidRequestError("the request ended before it was whole"))

    def _feed(self, connection: Connection, data: bytes) -> bool:
        """Hand bytes to the framing; True when more may be read."""
        if not connection.begun:  # the whole request has this long, however it comes
            connection.begun = True
            connection.enter(Phase.RECEIVING, self.source.settings().server.request_timeout_seconds)
        try:
            progress = connection.frame.feed(data)
        except BadRequestError as error:
            self._refuse(connection, InvalidRequestError(str(error)))
            return False
        if progress is Progress.COMPLETE:
            self._hold(connection, len(connection.frame.request))
            self._dispatch(connection)
            return False
        self._hold(connection, connection.held + len(data))
        if progress is Progress.CONTINUE:
            with contextlib.suppress(OSError):
                connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._keep_budget()
        return connection in self._connections and connection.phase is Phase.RECEIVING

    def _hold(self, connection: Connection, size: int) -> None:
        """Account for what a connection makes us keep in memory."""
        self._held += size - connection.held
        connection.held = size

    def _keep_budget(self) -> None:
        """Give up those that hold most, until the rest is within the budget: a few cannot stop all others."""
        budget = _BUDGET_BODIES * self.source.settings().server.max_body_bytes
        while self._held > budget:
            idle = [c for c in self._connections if c.phase in {Phase.RECEIVING, Phase.SENDING} and c.held]
            if not idle:
                return
            greatest = max(idle, key=lambda c: c.held)
            if greatest.phase is Phase.RECEIVING:
                self._refuse(greatest, OverloadedError("too many large requests at once", retry_after=1))
            else:
                log_event(logger, logging.WARNING, "AnswerDropped", bytes=greatest.held, reason="read too slowly")
                self._close(greatest)

    def _dispatch(self, connection: Connection) -> None:
        """Put a whole request where the threads take it from."""
        self._keep_budget()
        if connection.phase is not Phase.RECEIVING:
            return  # it was the greatest itself
        settings = self.source.settings().server
        if (
            self._waiting >= self.cfg.threads + settings.max_queued
            or self._held > _BUDGET_BODIES * settings.max_body_bytes
        ):
            self._refuse(connection, OverloadedError("too many requests are waiting", retry_after=1))
            return
        self._selector.unregister(connection.sock)  # until the answer is made nothing is read
        connection.enter(Phase.QUEUED)
        self._waiting += 1
        self._queue.put(connection)

    # -- answering (in a thread) ------------------------------------------------------------------------

    def _serve_all(self) -> None:
        while True:
            connection = self._queue.get()
            connection.enter(Phase.SERVING)
            connection.send(self._answer(connection))
            self._served.append(connection)
            with contextlib.suppress(OSError):
                os.write(self._wake_write, b"\0")

    def _answer(self, connection: Connection) -> Answer:
        request_id = sane_request_id(connection.frame.request_id)
        answer = Answer()
        try:
            request = next(RequestParser(self.cfg, iter([connection.frame.request]), connection.peer))
            response, environ = create_environment(request, answer, connection.peer, connection.server, self.cfg)
        except Exception as error:
            log_event(logger, logging.DEBUG, "RequestNotParsed", error=type(error).__name__)
            return self._problem(InvalidRequestError("the request is not valid HTTP"), request_id)
        try:
            self._run_application(connection, environ, response)
            answer.keep_alive = not response.should_close()
        except Exception as error:  # the application answers its own errors: this is the server's, or memory
            log_exception(logger, "InternalError", error, request_id=request_id)
            if not answer.started:  # half an answer cannot be taken back: the client sees it end early
                return self._problem(InternalError("something failed here; the log has it"), request_id)
        return answer

    def _problem(self, error: ProblemError, request_id: str) -> Answer:
        """Make, and count, an answer that the application has no part in."""
        log_event(logger, logging.DEBUG, "RequestRefused", code=error.code, detail=error.detail, request_id=request_id)
        metrics = getattr(self.wsgi, "extensions", {}).get(METRICS)
        if metrics is not None:
            metrics.count_request(UNMATCHED, "other", error.status, 0.0)
        return problem_answer(error, request_id)

    def _run_application(self, connection: Connection, environ: dict[str, Any], response: Any) -> None:
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

    def _may_keep_alive(self, connection: Connection) -> bool:
        keepalive = self.source.settings().server.keepalive_seconds
        return bool(self.alive and keepalive and not connection.frame.cut and not self.source.draining())

    # -- sending ----------------------------------------------------------------------------------------

    def _refuse(self, connection: Connection, error: ProblemError) -> None:
        """Answer a request that no thread will see."""
        connection.send(self._problem(error, sane_request_id(connection.frame.request_id)))
        self._after_sending(connection, first=True)

    def _after_answer(self, connection: Connection) -> None:
        """Take a connection back from its thread, which has sent what the socket took."""
        self._waiting -= 1
        try:
            self._selector.register(connection.sock, selectors.EVENT_READ, self._callback(connection))
        except (OSError, ValueError, KeyError):
            self._close(connection)
            return
        self._after_sending(connection, first=True)

    def _after_sending(self, connection: Connection, *, first: bool = False) -> None:
        """Go on after some, or all, of an answer was sent."""
        self._hold(connection, connection.unsent)
        if connection.broken:
            self._close(connection)
        elif connection.unsent:
            if first:
                timeout = self.source.settings().server.request_timeout_seconds
                connection.enter(Phase.SENDING, timeout + connection.unsent / _SLOWEST_READER)
                self._watch(connection, selectors.EVENT_WRITE)
                self._keep_budget()
        elif connection.keep_alive:
            self._next_request(connection)
        else:
            self._linger(connection)

    def _next_request(self, connection: Connection) -> None:
        settings = self.source.settings().server
        rest = connection.frame.rest()
        connection.next_request(settings.max_body_bytes)
        connection.enter(Phase.RECEIVING, settings.keepalive_seconds)
        self._watch(connection, selectors.EVENT_READ)
        if rest:
            self._feed(connection, rest)

    def _linger(self, connection: Connection) -> None:
        """Close without a reset: end our side, read over what is still on its way, then close."""
        connection.enter(Phase.LINGERING, _LINGER_SECONDS)
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
        self._selector.modify(connection.sock, events, self._selector.get_key(connection.sock).data)

    def _close(self, connection: Connection) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        self._hold(connection, 0)
        self._connections.discard(connection)
        connection.sock.close()
        if not self._accepting and self.alive:
            self._accept_more(True)

    # -- stopping ---------------------------------------------------------------------------------------

    def _finish(self, patience: float) -> None:
        """Serve what has arrived, refuse nothing that was accepted, and stop listening."""
        self.alive = False
        for listener in self.sockets:
            self._accept(listener, limit=socket.SOMAXCONN)
        self._accept_more(False)
        for listener in self.sockets:
            listener.close()
        limit = time.monotonic() + patience
        while self._connections and time.monotonic() < limit:
            self._close_idle()
            self.notify()
            self.source.refresh()
            self._poll(0.1)
            for connection in [c for c in self._connections if c.deadline <= time.monotonic()]:
                self._give_up(connection)
        self.source.detach()

    def _close_idle(self) -> None:
        for connection in [c for c in self._connections if c.phase is Phase.RECEIVING and c.frame.empty]:
            self._receive(connection)  # a request may have come just now
            if connection in self._connections and connection.phase is Phase.RECEIVING and connection.frame.empty:
                self._close(connection)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop gracefully (SIGTERM)."""
        self.alive = False

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once (SIGQUIT, SIGINT)."""
        os._exit(0)

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """Do nothing: there is no log file to reopen."""
