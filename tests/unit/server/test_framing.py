"""What a client sends is cut into requests the way RFC 9112 says, whatever pieces it comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oguardai.server.framing import MAX_HEAD_BYTES, BadRequestError, Frame, Progress

HEAD = b"POST /v1/transform HTTP/1.1\r\nHost: a\r\n"
PLAIN = HEAD + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;note=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n"


def feed_all(raw: bytes, cuts: list[int], max_body: int = 1000) -> Frame:
    frame = Frame(max_body)
    start, progress = 0, Progress.MORE
    for cut in [*sorted(cut for cut in cuts if 0 < cut < len(raw)), len(raw)]:
        if progress is Progress.COMPLETE:
            break
        if raw[start:cut]:
            progress = frame.feed(raw[start:cut])
        start = cut
    assert progress is Progress.COMPLETE
    return frame


@given(cuts=st.lists(st.integers(1, 200), max_size=12))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    assert feed_all(PLAIN, cuts).request == PLAIN
    whole = HEAD + b"Content-Length: 11\r\n\r\nhello world"
    assert feed_all(CHUNKED, cuts).request == whole


@given(body=st.binary(max_size=300), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_a_chunked_body_arrives_as_it_was(body: bytes, sizes: list[int]) -> None:
    raw, rest, turn = HEAD + b"Transfer-Encoding: chunked\r\n\r\n", body, 0
    while rest:
        size = sizes[turn % len(sizes)]
        raw += b"%x\r\n%s\r\n" % (len(rest[:size]), rest[:size])
        rest, turn = rest[size:], turn + 1
    frame = feed_all(raw + b"0\r\n\r\n", [7, 60, 90])
    assert frame.request.partition(b"\r\n\r\n")[2] == body


def test_many_decent_chunks_and_trailers_are_taken() -> None:
    chunks = b"".join(b"64\r\n" + b"x" * 100 + b"\r\n" for _ in range(3000))
    frame = feed_all(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nA: b\r\n\r\n", [], 1_000_000)
    assert frame.request.endswith(b"x" * 100)


def test_what_follows_a_request_is_kept_for_the_next() -> None:
    for raw in (PLAIN, CHUNKED, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        assert feed_all(raw + b"GET /next", []).rest() == b"GET /next"


def test_a_body_over_the_limit_is_not_read() -> None:
    frame = Frame(4)
    assert frame.feed(PLAIN[: -len(b"hello")]) is Progress.COMPLETE
    assert frame.cut
    assert frame.request.endswith(b"Content-Length: 5\r\n\r\n")


def test_a_chunked_body_over_the_limit_is_not_read() -> None:
    frame = Frame(8)
    assert frame.feed(CHUNKED) is Progress.COMPLETE
    assert frame.cut
    assert frame.request.endswith(b"Content-Length: 9\r\n\r\n")


def test_a_client_that_asks_before_it_sends_is_answered_once() -> None:
    frame = Frame(100)
    head = HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    assert frame.feed(head) is Progress.CONTINUE
    assert frame.feed(b"he") is Progress.MORE
    assert frame.feed(b"llo") is Progress.COMPLETE
    assert b"Expect" not in frame.request


def test_a_header_that_wsgi_would_take_for_another_is_dropped() -> None:
    frame = feed_all(b"GET / HTTP/1.1\r\nX_Forwarded_For: 127.0.0.1\r\nHost: a\r\n\r\n", [])
    assert frame.request == b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        HEAD + b"Content-Length: +5\r\n\r\n",
        HEAD + b"Content-Length: 5, 5\r\n\r\n",
        HEAD + b"Content-Length: 0x5\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5 5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 300,
        HEAD + b"Content-Length : 5\r\n\r\n",
        HEAD + b" folded: x\r\n\r\n",
        HEAD + b"Name: a\x00b\r\n\r\n",
        HEAD + b"no colon\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\nGET /v1/ready HTTP/1.1\r\n\r\n",
        HEAD + b"Host: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * MAX_HEAD_BYTES,
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        Frame(1000).feed(raw)
    assert "hello" not in str(caught.value)


def test_tiny_chunks_cannot_make_the_server_read_for_ever() -> None:
    frame = Frame(10_000)
    frame.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    one_byte_in_many = b"1;" + b"x" * 200 + b"\r\ny\r\n"

    def send() -> None:
        for _ in range(2000):
            frame.feed(one_byte_in_many)

    with pytest.raises(BadRequestError, match="overhead"):
        send()


@given(raw=st.binary(max_size=200), seed=st.sampled_from([b"", HEAD, b"GET / HTTP/1.1\r\n", CHUNKED[:60]]))
def test_any_bytes_are_a_request_or_a_bad_request_or_need_more(seed: bytes, raw: bytes) -> None:
    try:
        progress = Frame(50).feed(seed + raw)
    except BadRequestError:
        return
    assert progress in Progress
