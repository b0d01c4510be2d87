"""Ask a detector behind HTTP, a sidecar that runs a model; docs/detectors.md has the contract."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from oguardai.detection.advanced import AdvancedError
from oguardai.detection.detector import Found

PATH = "/v1/entities"
NAME = "sidecar"
_MOST_ANSWER = 8 << 20  # bytes
_MOST_FAILURES = 3  # in a row, after which it is left alone
_PAUSE = 5.0  # seconds


class _UnixConnection(http.client.HTTPConnection):
    """Speak HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Sidecar:
    """A sidecar under a URL: ``http://host:port``, ``https://host`` or ``unix:/path``.

    ``timeout_ms`` bounds a whole request. After three failures in a row it is not asked for five seconds. Each thread
    keeps a connection of its own; no proxy of the environment is used, and no redirection followed.
    """

    def __init__(self, url: str, timeout_ms: int) -> None:
        self._url = url
        self._timeout = timeout_ms / 1000
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

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= _MOST_FAILURES:
                self._closed_until = time.monotonic() + _PAUSE

    def _ask(self, text: str, types: Collection[str]) -> list[Found]:
        deadline = time.monotonic() + self._timeout
        body = json.dumps({"text": text, "types": sorted(types)}).encode()
        kept = getattr(self._local, "connection", None) is not None
        try:
            status, answer = self._exchange(body, deadline)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._drop()
            if not kept:
                raise AdvancedError("refused") from None
            status, answer = self._again(body, deadline)  # a kept connection may have been closed meanwhile
        if status != http.client.OK:
            raise AdvancedError("status")
        return _read(answer, text, types)

    def _again(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        try:
            return self._exchange(body, deadline)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._drop()
            raise AdvancedError("refused") from None

    def _exchange(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        try:
            connection = self._connection(deadline)
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = b""
            while piece := response.read1(1 << 16):
                answer += piece
                if len(answer) > _MOST_ANSWER:
                    raise AdvancedError("too_large")
                _leave(connection, deadline)
            return response.status, answer
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            raise
        except AdvancedError:
            self._drop()
            raise
        except TimeoutError:
            self._drop()
            raise AdvancedError("timeout") from None
        except http.client.HTTPException:
            self._drop()
            raise AdvancedError("answer") from None
        except OSError:
            self._drop()
            raise AdvancedError("refused") from None

    def _connection(self, deadline: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._make()
        _leave(connection, deadline)
        return connection

    def _make(self) -> http.client.HTTPConnection:
        if self._url.startswith("unix:"):
            return _UnixConnection(self._url.removeprefix("unix:"), self._timeout)
        parts = urlsplit(self._url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, parts.port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=self._timeout)

    def _drop(self) -> None:
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()


def _leave(connection: http.client.HTTPConnection, deadline: float) -> None:
    """Let the connection wait as long as there is time; raises AdvancedError when there is none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise AdvancedError("timeout")
    connection.timeout = left
    if connection.sock is not None:
        connection.sock.settimeout(left)


def _read(answer: bytes, text: str, types: Collection[str]) -> list[Found]:
    """Check an answer wholly; raises AdvancedError."""
    try:
        entities = json.loads(answer)["entities"]
        return [_entity(entity, text, types) for entity in entities]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AdvancedError("answer") from None


def _entity(entity: dict[str, object], text: str, types: Collection[str]) -> Found:
    kind, start, end, score = (entity[name] for name in ("type", "start", "end", "score"))
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise ValueError
    if not isinstance(kind, str) or kind not in types or isinstance(score, bool) or not isinstance(score, int | float):
        raise ValueError
    if not 0 <= score <= 1:
        raise ValueError
    return Found(start, end, kind, float(score), NAME, "a model's judgement")
