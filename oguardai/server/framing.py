"""Find where an HTTP/1.1 request ends, without a thread waiting for it.

A worker hands a request to a thread only when all of it has arrived, so clients that stall or trickle cost a
buffer, not a thread. Framing follows RFC 9112, strictly: what two parsers could read in two ways is refused. The
request that comes out has a plain ``Content-Length`` (a chunked body is put together here) and none of the header
names with an underscore, which WSGI cannot tell from those with a dash.
"""

from __future__ import annotations

import re
from enum import Enum, auto

MAX_HEAD_BYTES = 32 * 1024  # request line and fields together; far above what a client of this API sends
_MAX_CHUNK_LINE = 256
_FREE_CHUNKS = 1024  # beyond these, chunks must be of a decent size on average: each costs time
_MIN_AVERAGE_CHUNK = 64

_FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2 token
_DIGITS = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_REQUEST_LINE = re.compile(rb"[A-Z-]{1,20} [!-~]+ HTTP/1\.[01]")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_EMPTY_LINES = 2  # in front of a request (RFC 9112 2.2 asks for one)


class BadRequestError(Exception):
    """The bytes are not an HTTP/1.x request; the message says why and holds nothing of them."""


class Progress(Enum):
    """What to do with a connection after :meth:`Frame.feed`."""

    MORE = auto()  # wait for more bytes
    CONTINUE = auto()  # tell the client to go on (100 Continue), then wait
    COMPLETE = auto()  # ``request`` holds the whole of it


class Frame:
    """One request being received.

    Attributes:
        request: after COMPLETE, head and body as the parser gets them.
        request_id: the X-Request-ID that the caller sent, once the head has arrived; not checked.
        cut: after COMPLETE, whether the body is over the limit and was not read: the head alone is handed on, with
            its true (or a too large) length, and the connection cannot be used again.
    """

    def __init__(self, max_body: int) -> None:
        self.request = b""
        self.cut = False
        self.request_id = ""
        self._max_body = max_body
        self._buffer = bytearray()
        self._scanned = 0  # bytes of the buffer known to hold no end of head, or no end of chunk line
        self._head: list[bytes] | None = None
        self._length: int | None = None  # of a plain body
        self._body: bytearray | None = None  # of a chunked body, as far as it has come
        self._chunk_left: int | None = None  # bytes of the chunk still to come, its CRLF included
        self._in_trailers = False
        self._chunks = 0
        self._expects_continue = False
        self._empty_lines = 0

    @property
    def empty(self) -> bool:
        """Whether not one byte has arrived."""
        return self._head is None and not self._buffer

    def rest(self) -> bytes:
        """Return what came behind the request: the next one of a client that does not wait for answers."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Progress:
        """Take bytes from the socket; raises BadRequestError."""
        self._buffer += data
        if self._head is None and not self._take_head():
            return Progress.MORE
        if self.cut:
            return self._complete(self._length, b"")
        if self._body is not None:
            return self._take_chunks()
        length = self._length or 0
        if len(self._buffer) < length:
            return self._ask_for_body()
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return self._complete(self._length, body)

    def _ask_for_body(self) -> Progress:
        if self._expects_continue:
            self._expects_continue = False
            return Progress.CONTINUE
        return Progress.MORE

    def _take_head(self) -> bool:
        while self._buffer[:2] == b"\r\n":
            del self._buffer[:2]
            self._empty_lines += 1
            if self._empty_lines > _MAX_EMPTY_LINES:
                raise BadRequestError("there are empty lines in front of the request")
        end = self._buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
        if end < 0 and len(self._buffer) <= MAX_HEAD_BYTES:
            self._scanned = len(self._buffer)
            return False
        if end < 0 or end > MAX_HEAD_BYTES:
            raise BadRequestError(f"request line and headers are over {MAX_HEAD_BYTES} bytes")
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        self._scanned = 0
        self._read_fields(lines)
        return True

    def _read_fields(self, lines: list[bytes]) -> None:
        if not _REQUEST_LINE.fullmatch(lines[0]):
            raise BadRequestError("the request line is not HTTP/1.0 or HTTP/1.1")
        head = [lines[0]]
        lengths: set[bytes] = set()
        codings: list[bytes] = []
        hosts = 0
        for line in lines[1:]:
            name, value = _split_field(line)
            lowered = name.lower()
            if lowered == b"host":
                hosts += 1
            elif lowered == b"x-request-id":
                self.request_id = value.decode("latin-1")
            if lowered == b"content-length":
                lengths.add(value)
            elif lowered == b"transfer-encoding":
                codings.append(value.lower())
            elif lowered == b"expect":
                self._expects_continue = value.lower() == b"100-continue" and lines[0].endswith(b"1.1")
            elif b"_" not in name:
                head.append(name + b": " + value)
        is_old = lines[0].endswith(b"1.0")
        if hosts > 1 or (hosts == 0 and not is_old):
            raise BadRequestError("there must be one Host header")
        if codings and is_old:
            raise BadRequestError("Transfer-Encoding is not part of HTTP/1.0")
        self._head = head
        self._choose_framing(lengths, codings)

    def _choose_framing(self, lengths: set[bytes], codings: list[bytes]) -> None:
        if codings:
            if lengths:
                raise BadRequestError("both Content-Length and Transfer-Encoding are given")
            if codings != [b"chunked"]:
                raise BadRequestError("the only transfer coding taken is chunked")
            self._body = bytearray()
        elif len(lengths) > 1 or not all(_DIGITS.fullmatch(length) for length in lengths):
            raise BadRequestError("Content-Length is not one whole number")
        elif lengths:
            self._length = int(lengths.pop())
            self.cut = self._length > self._max_body

    def _take_chunks(self) -> Progress:
        body = self._body
        assert body is not None  # noqa: S101 - for the type checker; set in _choose_framing
        buffer = self._buffer
        position = 0  # the buffer is cut once at the end: cutting at each chunk would be quadratic
        done = False
        while not done and not self.cut:
            if self._chunk_left is not None:
                taken = buffer[position : position + self._chunk_left]
                body += taken
                position += len(taken)
                self._chunk_left -= len(taken)
                if self._chunk_left:
                    break
                if not body.endswith(b"\r\n"):
                    raise BadRequestError("a chunk does not end where its size says")
                del body[-2:]
                self._chunk_left = None
            end = buffer.find(b"\r\n", position)
            if end < 0 or end - position > _MAX_CHUNK_LINE:
                if len(buffer) - position > _MAX_CHUNK_LINE:
                    raise BadRequestError("a chunk's size line is too long")
                break
            line = bytes(buffer[position:end])
            position = end + 2
            if self._in_trailers:  # trailers are read over: nothing here uses them
                if line:
                    _split_field(line)
                    self._count_chunk(len(body))
                done = not line
                continue
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None:
                raise BadRequestError("a chunk's size is not a hexadecimal number")
            count = int(size.group(1), 16)
            self._count_chunk(len(body))
            self._in_trailers = count == 0
            self._chunk_left = count + 2 if count else None
            self.cut = len(body) + count > self._max_body
        del buffer[:position]
        if self.cut:
            return self._complete(self._max_body + 1, b"")
        if done:
            return self._complete(len(body), bytes(body))
        return self._ask_for_body()

    def _count_chunk(self, received: int) -> None:
        """Count a chunk or a trailer line; raises BadRequestError when there are too many for what they bring."""
        self._chunks += 1
        if self._chunks > _FREE_CHUNKS and received < self._chunks * _MIN_AVERAGE_CHUNK:
            raise BadRequestError("the body's chunks are too small for their overhead")

    def _complete(self, length: int | None, body: bytes) -> Progress:
        head = list(self._head or [])
        if length is not None:
            head.append(b"Content-Length: %d" % length)
        self.request = b"\r\n".join(head) + b"\r\n\r\n" + body
        self._body = None
        return Progress.COMPLETE


def _split_field(line: bytes) -> tuple[bytes, bytes]:
    """Return name and value of a header or trailer line; raises BadRequestError."""
    name, colon, value = line.partition(b":")
    if not colon or not _FIELD_NAME.fullmatch(name):
        raise BadRequestError("a header line has no valid name")
    value = value.strip(b" \t")
    if _CONTROL.search(value):
        raise BadRequestError("a header value holds a control character")
    return name, value
