"""Clients that stall, trickle or idle cost the others nothing."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest

from tests.server.harness import RunningServer, wait_for

BODY = json.dumps({"input": "mail me@example.com"}).encode()
HEAD = b"POST /v1/transform HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@contextlib.contextmanager
def clients(server: RunningServer, number: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections and send the same beginning on each."""
    opened = []
    try:
        for _ in range(number):
            one = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            opened.append(one)
            if first:
                one.sendall(first)
        yield opened
    finally:
        for one in opened:
            one.close()


def read_answer(sock: socket.socket) -> tuple[int, bytes]:
    """Read until the end of the connection, or of the answer's stated length."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        assert more, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < int(lengths[0].split(b":")[1]):
        body += sock.recv(65536)
    return int(head.split()[1]), body


@pytest.mark.parametrize(
    "beginning",
    [
        b"POST /v1/tra",
        HEAD + b"X-Half: ",
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n{",
    ],
    ids=["request line", "headers", "body", "chunk"],
)
def test_more_stalled_clients_than_threads_stop_nobody(server: RunningServer, beginning: bytes) -> None:
    server.start()
    with clients(server, 40, beginning):
        for _ in range(20):
            server.transform()


def test_a_thousand_idle_connections_stop_nobody(server: RunningServer) -> None:
    server.start()
    with clients(server, 1000):
        for _ in range(20):
            server.transform()


def test_more_idle_connections_than_are_allowed_make_room(server: RunningServer) -> None:
    server.extra += "  max_connections: 16\n"
    server.write_keys(server.key(0))
    server.start()
    with clients(server, 60, b"\r\n"):  # a byte that begins nothing wakes the kernel's deferred accept
        for _ in range(10):
            server.transform()


def test_a_client_that_trickles_is_cut_off_at_the_deadline_and_stops_nobody(server: RunningServer) -> None:
    server.extra += "  request_timeout_seconds: 2\n"
    server.write_keys(server.key(0))
    server.start()
    with clients(server, 16, HEAD) as tricklers:

        def trickle() -> bool:
            server.transform()
            ended = 0
            for one in tricklers:
                try:
                    one.sendall(b"x")
                except OSError:
                    ended += 1
            return ended == len(tricklers)

        wait_for(trickle, "every trickling client to be cut off")


def test_a_client_that_does_not_read_its_answer_stops_nobody(server: RunningServer) -> None:
    server.start()
    body = json.dumps({"input": "plain words " * 250_000}).encode()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with clients(server, 12) as deaf:
        for one in deaf:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(request)
        for _ in range(20):
            server.transform()


def test_a_request_in_pieces_is_answered(server: RunningServer) -> None:
    server.start()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    with clients(server, 1) as (one,):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(len(request)):
            one.sendall(request[index : index + 1])
        assert read_answer(one)[0] == 200


def test_requests_sent_without_waiting_are_answered_in_order(server: RunningServer) -> None:
    server.start()
    with clients(server, 1) as (one,):
        one.sendall(b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n" * 3 + b"GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        data = b""
        while data.count(b"HTTP/1.1 ") < 4 or not data.endswith(b"}"):
            data += one.recv(65536)
        statuses = [part.split()[0] for part in data.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [b"200", b"200", b"200", b"404"]


def test_a_chunked_body_over_the_limit_is_refused_with_the_right_code(server: RunningServer) -> None:
    server.extra += "  max_body_bytes: 1024\n"
    server.write_keys(server.key(0))
    server.start()
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with clients(server, 1, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 50) as (one,):
        status, body = read_answer(one)
    assert status == 413
    assert json.loads(body)["code"] == "GUARDAI_PAYLOAD_TOO_LARGE"


def test_a_body_over_the_limit_is_refused_before_it_is_sent(server: RunningServer) -> None:
    server.start()
    head = HEAD + b"Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n"
    with clients(server, 1, head) as (one,):
        status, body = read_answer(one)
    assert status == 413
    assert json.loads(body)["code"] == "GUARDAI_PAYLOAD_TOO_LARGE"


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(server: RunningServer) -> None:
    server.start()
    with clients(server, 1, HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)) as (one,):
        assert one.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        one.sendall(BODY)
        assert read_answer(one)[0] == 200


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\0" * 40 + b"\r\n\r\n", b"canary-input\r\n\r\n",
     HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"a" * 70000],
    ids=["tls", "no http", "two lengths", "huge head"],
)  # fmt: skip
def test_what_is_not_http_is_answered_with_a_problem(server: RunningServer, garbage: bytes) -> None:
    server.start()
    with clients(server, 1, garbage) as (one,):
        status, body = read_answer(one)
    assert (status, json.loads(body)["code"]) == (400, "GUARDAI_INVALID_REQUEST")
    assert "canary" not in server.log()
