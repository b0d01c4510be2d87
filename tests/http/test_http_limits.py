"""Bodies that are too long, too slow, too short or framed twice, through the WSGI interface as servers use it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from oguardai.errors import InvalidRequestError, PayloadTooLargeError
from oguardai.web.limits import BoundedInput
from tests.http.web_fakes import FakeSource

GOOD = b'{"input": "julia@example.com"}'
CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


class Endless(io.RawIOBase):
    """A chunked body that never ends, and how much of it was read."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.taken += size
        return b" " * size


class Trickle(io.RawIOBase):
    """A body that comes a byte at a time, each of which takes a second of the clock."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def read(self, size: int = -1) -> bytes:
        self.seconds += 1
        return b" "


def code(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    status, headers, body = answer
    if status == 200:
        return status, ""
    assert headers["Content-Type"] == "application/problem+json"
    return status, json.loads(body)["code"]


INVALID = (400, "GUARDAI_INVALID_REQUEST")
TOO_LARGE = (413, "GUARDAI_PAYLOAD_TOO_LARGE")
OK = (200, "")


class TestFraming:
    def test_a_content_length_body(self, wsgi: Callable[..., Any]) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, CONTENT_LENGTH=str(len(GOOD)))) == OK

    def test_a_chunked_body(self, wsgi: Callable[..., Any]) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, **CHUNKED)) == OK
        assert code(wsgi("POST", "/v1/detect", GOOD, HTTP_TRANSFER_ENCODING="chunked")) == OK

    def test_a_body_that_the_server_ends_without_saying_how(self, wsgi: Callable[..., Any]) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, **{"wsgi.input_terminated": True})) == OK

    def test_no_length_is_no_body(self, wsgi: Callable[..., Any]) -> None:
        assert code(wsgi("POST", "/v1/detect", Endless())) == INVALID

    def test_the_next_request_on_the_connection_is_not_read(self, wsgi: Callable[..., Any]) -> None:
        stream = io.BytesIO(GOOD + b"GET /v1/health HTTP/1.1")
        assert code(wsgi("POST", "/v1/detect", stream, CONTENT_LENGTH=str(len(GOOD)))) == OK
        assert stream.tell() == len(GOOD)

    @pytest.mark.parametrize("length", ["99", str(len(GOOD) + 1)])
    def test_a_body_shorter_than_announced(self, wsgi: Callable[..., Any], length: str) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, CONTENT_LENGTH=length)) == INVALID

    @pytest.mark.parametrize("length", ["-1", "+5", "abc", "1e3", "0x10", "1.0", "١٢", "5 5"])
    def test_a_length_that_is_no_number(self, wsgi: Callable[..., Any], length: str) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, CONTENT_LENGTH=length)) == INVALID

    def test_two_lengths(self, wsgi: Callable[..., Any]) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, CONTENT_LENGTH=str(len(GOOD)), **CHUNKED)) == INVALID


class TestTooLarge:
    def test_it_is_refused_by_its_length_without_a_byte_read(self, wsgi: Callable[..., Any]) -> None:
        stream = Endless()
        assert code(wsgi("POST", "/v1/detect", stream, CONTENT_LENGTH=str(4 * 1024 * 1024 + 1))) == TOO_LARGE
        assert stream.taken == 0

    def test_a_length_beyond_all_sense(self, wsgi: Callable[..., Any]) -> None:
        assert code(wsgi("POST", "/v1/detect", GOOD, CONTENT_LENGTH="9" * 4300)) == TOO_LARGE

    def test_a_chunked_body_is_read_to_the_limit_and_no_further(self, wsgi: Callable[..., Any]) -> None:
        stream = Endless()
        assert code(wsgi("POST", "/v1/detect", stream, **CHUNKED)) == TOO_LARGE
        assert stream.taken == 4 * 1024 * 1024 + 1

    @pytest.mark.parametrize("framing", [{}, CHUNKED])
    def test_the_limit_is_exact_and_the_one_in_force(
        self, wsgi: Callable[..., Any], source: FakeSource, framing: dict[str, Any]
    ) -> None:
        def send(body: bytes) -> tuple[int, str]:
            length = {} if framing else {"CONTENT_LENGTH": str(len(body))}
            return code(wsgi("POST", "/v1/detect", body, **length, **framing))

        for limit in (2048, 1024):
            source.set_setting("server", max_body_bytes=limit)
            assert send(GOOD.ljust(limit)) == OK
            assert send(GOOD.ljust(limit + 1)) == TOO_LARGE

    def test_a_chunked_body_is_never_cut(self, wsgi: Callable[..., Any], source: FakeSource) -> None:
        source.set_setting("server", max_body_bytes=1024)
        body = b'{"input": ""}'.ljust(1024) + b'{"input": "more"}'
        assert code(wsgi("POST", "/v1/detect", body, **CHUNKED)) == TOO_LARGE


class TestTooSlow:
    @pytest.mark.parametrize("framing", [{"CONTENT_LENGTH": "1000"}, CHUNKED])
    def test_a_trickling_body_has_a_deadline(self, framing: dict[str, Any]) -> None:
        stream = Trickle()
        bounded = BoundedInput({"wsgi.input": stream, **framing}, 4096, 30.0, stream.clock)
        with pytest.raises(InvalidRequestError, match="in time"):
            bounded.read()
        assert stream.seconds == 30

    def test_a_sockets_timeout_says_the_same(self, wsgi: Callable[..., Any]) -> None:
        class Stalled(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                raise TimeoutError

        answer = wsgi("POST", "/v1/detect", Stalled(), CONTENT_LENGTH="10")
        assert code(answer) == INVALID
        assert b"in time" in answer[2]

    def test_a_body_that_comes_in_time_does(self) -> None:
        stream = Trickle()
        assert (
            BoundedInput({"wsgi.input": stream, "CONTENT_LENGTH": "20"}, 4096, 30.0, stream.clock).read() == b" " * 20
        )


class TestStream:
    def test_it_reads_in_pieces_and_then_nothing(self) -> None:
        bounded = BoundedInput({"wsgi.input": io.BytesIO(b"abcdef"), "CONTENT_LENGTH": "5"}, 10, 1.0, lambda: 0.0)
        assert [bounded.read(2), bounded.read(2), bounded.read(2), bounded.read(2)] == [b"ab", b"cd", b"e", b""]

    def test_a_chunked_one_is_bounded_in_pieces_too(self) -> None:
        bounded = BoundedInput({"wsgi.input": io.BytesIO(b"x" * 100), **CHUNKED}, 10, 1.0, lambda: 0.0)
        with pytest.raises(PayloadTooLargeError):
            [bounded.read(3) for _ in range(5)]

    def test_lines_are_no_way_in(self) -> None:
        bounded = BoundedInput({"wsgi.input": io.BytesIO(b"x")}, 10, 1.0)
        with pytest.raises(io.UnsupportedOperation):
            bounded.readline()
