"""Ask a detector behind HTTP, a sidecar that runs a model; docs/detectors.md has the contract."""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from oguardai.detection.advanced import AdvancedError
from oguardai.detection.detector import Found

PATH = "/v1/entities"
NAME = "sidecar"
_UNIX = "unix:"
_MOST_ANSWER = 8 << 20  # bytes
_MOST_FAILURES = 3  # in a row, after which it is left alone
_PAUSE = 5.0  # seconds
_PIECE = 1 << 16
_FIELDS = ("type", "start", "end", "score")
# What a kept connection fails with that the other side has closed meanwhile.
_CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Sidecar:
    """A sidecar under a URL: ``http://host:port``, ``https://host`` or ``unix:/path``.

    ``timeout_ms`` bounds a whole request, but for the look-up of a name. After three failures in a row it is not asked
    for five seconds. Each thread keeps a connection of its own; no proxy of the environment is used, and no redirection
    followed.
    """

    def __init__(self, url: str, timeout_ms: int) -> None:
        self._url = url
        self._timeout = timeout_ms / 1000
        self._tls = ssl.create_default_context() if url.startswith("https:") else None
        self._local = threading.local()
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    def find(self, text: str, types: Collection[str]) -> list[Found]:
        """Return what it finds in a text, of the types; raises AdvancedError."""
        with self._lock:
            if time.monotonic() < self._closed_until:
                raise AdvancedError("open")
        try:
            found = self._ask(text, types)
        except AdvancedError:
            self._note(failed=True)
            raise
        self._note(failed=False)
        return found

    def is_failing(self) -> bool:
        """Tell whether the last request failed."""
        return self._failures > 0

    def close(self) -> None:
        """Close the connection of this thread."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            self._closed_until = time.monotonic() + _PAUSE if self._failures >= _MOST_FAILURES else 0.0

    def _ask(self, text: str, types: Collection[str]) -> list[Found]:
        deadline = time.monotonic() + self._timeout
        body = json.dumps({"text": text, "types": sorted(types)}).encode()
        try:
            status, answer = self._exchange(body, deadline)
        except BaseException as error:
            self.close()
            if not isinstance(error, Exception):
                raise
            raise AdvancedError(_reason(error)) from None
        if status != http.client.OK:
            raise AdvancedError("status")
        return _read(answer, text, types)

    def _exchange(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        kept: _Connection | None = getattr(self._local, "connection", None)
        if kept is not None and kept.sock is not None:
            try:
                return _request(kept, body, deadline)
            except _CLOSED:
                self.close()
        self._local.connection = fresh = _Connection(self._url, self._tls)
        return _request(fresh, body, deadline)


def _request(connection: _Connection, body: bytes, deadline: float) -> tuple[int, bytes]:
    connection.clock.deadline = deadline
    connection.request("POST", PATH, body, {"Content-Type": "application/json", "Accept": "application/json"})
    with connection.getresponse() as response:
        answer = response.read(_MOST_ANSWER + 1)
    if len(answer) > _MOST_ANSWER:
        raise AdvancedError("too_large")
    return response.status, answer


def _reason(error: Exception) -> str:
    match error:
        case AdvancedError():
            return error.reason
        case TimeoutError():
            return "timeout"
        case OSError():
            return "refused"
    return "answer"  # no HTTP, or cut short


# --- connections ---------------------------------------------------------------------------------------------


class _Clock:
    """Say how much time is left until ``deadline``."""

    deadline = 0.0

    def left(self) -> float:
        """Return seconds; raises TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Connection(http.client.HTTPConnection):
    """Speak HTTP over TCP, TLS or a Unix socket; all that it waits for comes in the time of ``clock``."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self.clock = _Clock()
        self._path = url.removeprefix(_UNIX) if url.startswith(_UNIX) else ""
        self._tls = tls
        parts = urlsplit("//localhost" if self._path else url)
        super().__init__(parts.hostname or "", parts.port or (443 if tls else 80))

    def connect(self) -> None:
        """Open the socket."""
        sock = self._open(socket.AF_UNIX, self._path) if self._path else self._open_any()
        if self._tls is not None:
            try:
                sock.settimeout(self.clock.left())
                sock = self._tls.wrap_socket(sock, server_hostname=self.host)
            except BaseException:
                sock.close()
                raise
        self.sock: Any = _Timed(sock, self.clock)

    def _open_any(self) -> socket.socket:
        failure: OSError | None = None
        for family, _, _, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            try:
                sock = self._open(family, address)
            except OSError as error:
                failure = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        raise failure or OSError

    def _open(self, family: int, address: Any) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.clock.left())
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock


class _Timed:
    """What ``http.client`` needs of a socket. One that waits a full timeout for each byte would never be late."""

    def __init__(self, sock: socket.socket, clock: _Clock) -> None:
        self._sock = sock
        self._clock = clock
        self._readers = 0
        self._closing = False

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            self._sock.settimeout(self._clock.left())
            self._sock.sendall(data[start : start + _PIECE])

    def recv_into(self, buffer: Any) -> int:
        self._sock.settimeout(self._clock.left())
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        self._closing = True
        self._close_unused()

    def __del__(self) -> None:
        self._sock.close()  # its thread has ended, or a reload brought another sidecar

    def leave(self) -> None:
        self._readers -= 1
        self._close_unused()

    def _close_unused(self) -> None:
        # An answer that ends the connection is read after http.client has closed it.
        if self._closing and not self._readers:
            self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: _Timed) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sock.leave()


# --- answers -------------------------------------------------------------------------------------------------


def _read(answer: bytes, text: str, types: Collection[str]) -> list[Found]:
    """Check an answer wholly; raises AdvancedError."""
    try:
        entities = json.loads(answer)["entities"]
        if not isinstance(entities, list):
            raise TypeError
        return [_entity(entity, text, types) for entity in entities]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AdvancedError("answer") from None


def _entity(entity: dict[str, object], text: str, types: Collection[str]) -> Found:
    kind, start, end, score = (entity[name] for name in _FIELDS)
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise ValueError
    if not isinstance(kind, str) or kind not in types or isinstance(score, bool) or not isinstance(score, int | float):
        raise ValueError
    if not 0 <= score <= 1:  # written so that NaN fails
        raise ValueError
    return Found(start, end, kind, float(score), NAME, "a model's judgement")
