"""Bound what a request may send and how long it may take to do so.

The framework's own limit does not hold for chunked bodies: Werkzeug 2.2 reads them without end, 3.1 cuts them off
at the limit and goes on with what it has.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, MutableMapping
from typing import IO, Any

from oguardai.errors import InvalidRequestError, PayloadTooLargeError

READ_BYTES = 64 * 1024  # small enough for the deadline to be looked at while a body trickles in
_MAX_LENGTH_DIGITS = 18


class BoundedInput:
    """A ``wsgi.input`` that ends where the body ends, and refuses one that is too long or too slow.

    Args:
        environ: the WSGI environment, with the server's own ``wsgi.input``.
        max_bytes: longest body taken; a longer one is refused by its Content-Length where there is one.
        deadline: ``clock()`` at which the whole body must have arrived. A trickling client would otherwise hold a
            thread for ever.
        clock: monotonic seconds.
    """

    __slots__ = ("_clock", "_deadline", "_environ", "_left", "_max_bytes", "_stream")

    def __init__(
        self,
        environ: MutableMapping[str, Any],
        max_bytes: int,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._stream: IO[bytes] = environ["wsgi.input"]
        self._max_bytes = max_bytes
        self._deadline = deadline
        self._clock = clock
        self._left: int | None = None  # bytes still to be read; None: not begun

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, or all.

        Raises:
            InvalidRequestError: the body is shorter than announced, came too slowly or could not be read.
            PayloadTooLargeError: it is longer than ``max_bytes``.
        """
        length = self._length()
        if self._left is None:
            self._left = self._max_bytes + 1 if length is None else length
        wanted = self._left if size < 0 else min(size, self._left)
        chunks: list[bytes] = []
        while wanted > 0:
            chunk = self._receive(min(wanted, READ_BYTES))
            if not chunk:
                if length is not None:
                    raise InvalidRequestError("the body is shorter than its Content-Length")
                self._left = 0
                break
            chunks.append(chunk)
            wanted -= len(chunk)
            self._left -= len(chunk)
            if length is None and self._left <= 0:
                raise self._too_large()
        return b"".join(chunks)

    def readline(self, size: int = -1) -> bytes:
        """Not a way in: nothing here reads bodies by lines."""
        raise io.UnsupportedOperation("bodies are not read by lines")

    readlines = __iter__ = readline

    def _length(self) -> int | None:
        """Return the announced length, None for a body that its framing ends, 0 for none."""
        environ = self._environ
        announced = (environ.get("CONTENT_LENGTH") or "").strip()
        coded = environ.get("HTTP_TRANSFER_ENCODING")
        if not announced:
            return None if coded or environ.get("wsgi.input_terminated") else 0
        if coded:  # two lengths: a proxy and we might disagree where the next request begins
            raise InvalidRequestError("the request has both Content-Length and Transfer-Encoding")
        if not (announced.isascii() and announced.isdigit()):
            raise InvalidRequestError("Content-Length is not a number")
        if len(announced) > _MAX_LENGTH_DIGITS or int(announced) > self._max_bytes:
            raise self._too_large()
        return int(announced)

    def _receive(self, size: int) -> bytes:
        if self._clock() >= self._deadline:
            raise self._too_slow()
        try:
            chunk = self._stream.read(size)
        except TimeoutError:
            raise self._too_slow() from None
        except Exception:  # a broken chunk, a lost connection: each WSGI server has exceptions of its own
            raise InvalidRequestError("the body could not be read to its end") from None
        if self._clock() >= self._deadline:
            raise self._too_slow()
        return chunk

    def _too_large(self) -> PayloadTooLargeError:
        return PayloadTooLargeError(f"the body is longer than {self._max_bytes} bytes (server.max_body_bytes)")

    def _too_slow(self) -> InvalidRequestError:
        return InvalidRequestError("the body did not arrive in time (server.request_timeout_seconds)")
