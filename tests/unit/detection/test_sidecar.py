"""The advanced detector behind HTTP: whatever it does, there is an answer that was checked, or an error in time."""

from __future__ import annotations

import http.client
import importlib.util
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oguardai.detection.advanced import REASONS, AdvancedError
from oguardai.detection.detector import Found
from oguardai.detection.sidecar import Sidecar

REFERENCE = Path(__file__).parents[3] / "deploy" / "ner-sidecar" / "ner_sidecar.py"
TEXT = "Grüße von Aurora 🙂"
TYPES = frozenset({"person", "company"})
PERSON = {"type": "person", "start": 10, "end": 16, "score": 0.9}

Handle = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: dict[str, Any]

    def do_POST(self) -> None:
        self.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.asked, self.client_address))  # type: ignore[attr-defined]
        self.server.handle_it(self)  # type: ignore[attr-defined]

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Served:
    def __init__(self, server: HTTPServer, url: str) -> None:
        self.server = server
        self.url = url
        self.server.asked = []  # type: ignore[attr-defined]
        self.does(lambda handler: handler.answer(b'{"entities": []}'))

    def does(self, handle: Handle) -> Served:
        self.server.handle_it = handle  # type: ignore[attr-defined]
        return self

    def says(self, answer: object) -> Served:
        body = json.dumps(answer).encode()
        return self.does(lambda handler: handler.answer(body))

    @property
    def asked(self) -> list[tuple[str, dict[str, Any], Any]]:
        asked: list[tuple[str, dict[str, Any], Any]] = self.server.asked  # type: ignore[attr-defined]
        return asked


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


class UnixServer(Quiet):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        return self.socket.accept()[0], ("unix", 0)


def _serve(server: HTTPServer, url: str) -> Iterator[Served]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Served(server, url)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def served() -> Iterator[Served]:
    server = Quiet(("127.0.0.1", 0), Handler)
    yield from _serve(server, f"http://127.0.0.1:{server.server_port}")


@pytest.fixture
def sidecar(served: Served) -> Iterator[Sidecar]:
    made = Sidecar(served.url, 5000)
    yield made
    made.close()


def reason(sidecar: Sidecar) -> str:
    with pytest.raises(AdvancedError) as failed:
        sidecar.find(TEXT, TYPES)
    assert failed.value.reason in REASONS
    assert failed.value.__cause__ is None
    assert sidecar.is_failing()
    sidecar.close()
    return failed.value.reason


def test_finds_are_in_code_points(served: Served, sidecar: Sidecar) -> None:
    served.says({"entities": [PERSON, {"type": "company", "start": 0, "end": len(TEXT), "score": 1}], "model": "x"})
    first, second = sidecar.find(TEXT, TYPES)
    assert first == Found(10, 16, "person", 0.9, "sidecar", "a model's judgement")
    assert TEXT[first.start : first.end] == "Aurora"
    assert (second.start, second.end, second.confidence) == (0, len(TEXT), 1.0)
    assert served.asked[0][:2] == ("/v1/entities", {"text": TEXT, "types": ["company", "person"]})
    assert not sidecar.is_failing()


def test_a_text_with_a_lone_surrogate_can_be_asked_about(served: Served, sidecar: Sidecar) -> None:
    assert sidecar.find("\ud800", TYPES) == []
    assert served.asked[0][1]["text"] == "\ud800"


def test_a_connection_is_kept_and_made_anew_when_the_other_side_closed_it(served: Served, sidecar: Sidecar) -> None:
    def answer_and_leave(handler: Handler) -> None:
        handler.answer(b'{"entities": []}')
        handler.close_connection = True  # without a word

    for _ in range(2):
        sidecar.find(TEXT, TYPES)
    served.does(answer_and_leave)
    for _ in range(3):
        sidecar.find(TEXT, TYPES)
        time.sleep(0.05)  # the end of the connection has arrived
    ports = [client for _, _, client in served.asked]
    assert ports[0] == ports[1] == ports[2]
    assert len(set(ports[2:])) == 3


def test_an_answer_that_ends_the_connection_is_read_to_its_end(served: Served, sidecar: Sidecar) -> None:
    body = json.dumps({"entities": [PERSON], "more": "x" * 200_000}).encode()
    served.does(lambda handler: handler.answer(body, Connection="close"))
    assert len(sidecar.find(TEXT, TYPES)) == len(sidecar.find(TEXT, TYPES)) == 1


def test_a_unix_socket_serves_as_well(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    server = UnixServer(path, Handler, bind_and_activate=False)  # type: ignore[arg-type]
    server.server_bind()
    server.server_activate()
    for served in _serve(server, f"unix:{path}"):
        served.says({"entities": [PERSON]})
        sidecar = Sidecar(served.url, 5000)
        assert len(sidecar.find(TEXT, TYPES)) == 1
        sidecar.close()


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        None,
        {"entities": {}},
        {"entities": ""},
        {"entities": None},
        {"entities": ["person"]},
        {"entities": [[]]},
        {"entities": [{**PERSON, "type": "email"}]},
        {"entities": [{**PERSON, "type": ["person"]}]},
        {"entities": [{**PERSON, "type": None}]},
        {"entities": [{**PERSON, "start": -1}]},
        {"entities": [{**PERSON, "start": 16}]},
        {"entities": [{**PERSON, "start": 10.0}]},
        {"entities": [{**PERSON, "start": "10"}]},
        {"entities": [{**PERSON, "start": True}]},
        {"entities": [{**PERSON, "end": len(TEXT) + 1}]},
        {"entities": [{**PERSON, "end": len(TEXT.encode())}]},
        {"entities": [{**PERSON, "score": 1.01}]},
        {"entities": [{**PERSON, "score": -0.1}]},
        {"entities": [{**PERSON, "score": float("nan")}]},
        {"entities": [{**PERSON, "score": "0.9"}]},
        {"entities": [{**PERSON, "score": True}]},
        {"entities": [{"type": "person", "start": 10, "end": 16}]},
        {"entities": [PERSON, {**PERSON, "end": 999}]},
    ],
)
def test_an_answer_that_is_not_right_in_every_part_is_no_answer(served: Served, answer: object) -> None:
    served.says(answer)
    assert reason(Sidecar(served.url, 5000)) == "answer"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"entities": [', b"[" * 100_000, b"1" * 10_000, b"<html>"])
def test_what_is_no_json_is_no_answer(served: Served, body: bytes) -> None:
    served.does(lambda handler: handler.answer(body))
    assert reason(Sidecar(served.url, 5000)) == "answer"


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 404, 413, 500, 503])
def test_redirects_and_failures_are_not_followed(served: Served, status: int) -> None:
    target = f"{served.url}/elsewhere"
    body = b"" if status == 204 else b'{"entities": []}'
    served.does(lambda handler: handler.answer(body, status, Location=target))
    assert reason(Sidecar(served.url, 5000)) == "status"
    assert len(served.asked) == 1


def test_no_proxy_of_the_environment_is_asked(
    served: Served, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert sidecar.find(TEXT, TYPES) == []
    assert len(served.asked) == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_huge_answer_is_not_read_to_its_end(served: Served, known: bool) -> None:
    def flood(handler: Handler) -> None:
        handler.send_response(200)
        if known:
            handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        handler.close_connection = True
        while True:  # until the client leaves
            handler.wfile.write(b" " * 65_536)

    served.does(flood)
    assert reason(Sidecar(served.url, 20_000)) == "too_large"


def _drip(handler: Handler, piece: bytes) -> None:
    for _ in range(200):
        handler.wfile.write(piece)
        handler.wfile.flush()
        time.sleep(0.02)


def _drip_head(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    _drip(handler, b"x")


def _drip_continue(handler: Handler) -> None:
    _drip(handler, b"HTTP/1.1 100 Continue\r\n\r\n")


def _drip_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    _drip(handler, b" ")


@pytest.mark.parametrize("handle", [lambda _: time.sleep(2), _drip_head, _drip_continue, _drip_body])
def test_the_time_is_that_of_the_whole_request(served: Served, handle: Handle) -> None:
    served.does(handle)
    begun = time.monotonic()
    assert reason(Sidecar(served.url, 200)) == "timeout"
    assert time.monotonic() - begun < 1.9


def test_one_that_does_not_take_the_text_is_late() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts, never reads
        sidecar = Sidecar(f"http://127.0.0.1:{listener.getsockname()[1]}", 200)
        with pytest.raises(AdvancedError, match="timeout"):
            sidecar.find("x" * 30_000_000, TYPES)


def test_nobody_there_is_a_refusal(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert reason(Sidecar(f"http://127.0.0.1:{port}", 2000)) == "refused"
    assert reason(Sidecar(f"unix:{tmp_path}/socket", 2000)) == "refused"


def test_one_that_hangs_up_is_a_refusal(served: Served) -> None:
    def hang_up(handler: Handler) -> None:
        handler.close_connection = True

    served.does(hang_up)
    assert reason(Sidecar(served.url, 2000)) == "refused"


def test_what_is_no_http_is_no_answer(served: Served) -> None:
    def talk(handler: Handler) -> None:
        handler.wfile.write(b"220 mail.example.com ESMTP\r\n")
        handler.close_connection = True

    served.does(talk)
    assert reason(Sidecar(served.url, 2000)) == "answer"


def test_tls_is_checked(served: Served) -> None:
    assert reason(Sidecar(served.url.replace("http:", "https:"), 2000)) == "refused"


def test_after_three_failures_it_is_left_alone_for_a_while(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("oguardai.detection.sidecar.time.monotonic", lambda: now)
    sidecar = Sidecar(served.url, 5000)
    served.does(lambda handler: handler.answer(b"", 500))
    assert [reason(sidecar) for _ in range(5)] == ["status"] * 3 + ["open"] * 2
    assert len(served.asked) == 3
    now += 5.1
    assert [reason(sidecar) for _ in range(2)] == ["status", "open"]
    now += 5.1
    served.says({"entities": [PERSON]})
    assert len(sidecar.find(TEXT, TYPES)) == 1
    assert not sidecar.is_failing()
    served.does(lambda handler: handler.answer(b"", 500))
    assert [reason(sidecar) for _ in range(4)] == ["status"] * 3 + ["open"]


def test_an_error_holds_nothing_of_the_text(served: Served, sidecar: Sidecar) -> None:
    served.says({"entities": [{**PERSON, "type": TEXT}]})
    with pytest.raises(AdvancedError) as failed:
        sidecar.find(TEXT, TYPES)
    assert failed.value.args == ("answer",)
    assert failed.value.__context__ is None or failed.value.__suppress_context__


# --- the reference sidecar -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> Any:
    spec = importlib.util.spec_from_file_location("ner_sidecar", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ner_sidecar"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(reference: Any, tmp_path: Path) -> type[Any]:
    words = tmp_path / "words.txt"
    words.write_text("person Aurora\ncompany Example Works\nemail x@example.com\n", encoding="utf-8")
    backend = staticmethod(reference.make_rules(str(words)))
    return type("Rules", (reference.Handler,), {"backend": backend, "name": "rules"})


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_the_reference_sidecar_keeps_the_contract(reference: Any, model: type[Any], tmp_path: Path, kind: str) -> None:
    listen = "127.0.0.1:0" if kind == "tcp" else f"unix:{tmp_path}/socket"
    server = reference.Server(listen, model)
    url = f"http://127.0.0.1:{server.server_port}" if kind == "tcp" else listen
    for _ in _serve(server, url):
        sidecar = Sidecar(url, 5000)
        assert [one[:4] for one in sidecar.find(TEXT, TYPES)] == [(10, 16, "person", 1.0)]
        long = "x y " * 5000 + "Aurora at Example Works, x@example.com"
        assert [long[one.start : one.end] for one in sidecar.find(long, TYPES)] == ["Aurora", "Example Works"]
        assert sidecar.find("", TYPES) == []
        sidecar.close()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/health", None, 200),
        ("/", None, 404),
        ("/", b"{}", 404),
        ("/v1/entities", b"{}", 400),
        ("/v1/entities", b"[", 400),
        ("/v1/entities", b'{"text": 1, "types": []}', 400),
        ("/v1/entities", b'{"text": "x", "types": "person"}', 400),
        ("/v1/entities", b'{"text": "x", "types": [1]}', 400),
        ("/v1/entities", b'{"text": "x", "types": []}', 200),
    ],
)
def test_the_reference_sidecar_refuses_what_is_no_request(
    reference: Any, model: type[Any], path: str, body: bytes | None, status: int
) -> None:
    server = reference.Server("127.0.0.1:0", model)
    for _ in _serve(server, ""):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        connection.request("GET" if body is None else "POST", path, body)
        assert connection.getresponse().status == status
        connection.close()


def test_the_reference_sidecar_says_nothing_of_a_text_when_its_model_fails(
    reference: Any, model: type[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(text: str) -> list[Any]:
        raise ValueError(text)

    server = reference.Server("127.0.0.1:0", type("Broken", (model,), {"backend": staticmethod(broken)}))
    for _ in _serve(server, ""):
        assert reason(Sidecar(f"http://127.0.0.1:{server.server_port}", 5000)) == "status"
    logged = capfd.readouterr()
    assert "ValueError" in logged.err
    assert "Aurora" not in logged.err + logged.out


def test_pieces_of_a_text_overlap_and_leave_nothing_out(reference: Any) -> None:
    for text in ("", "short", "word " * 3000, "x" * 9000):
        end = 0
        for start, piece in reference.pieces(text):
            assert text[start : start + len(piece)] == piece
            assert len(piece) <= reference.LONGEST_PIECE
            assert start <= end - reference.OVERLAP or start == 0
            end = start + len(piece)
        assert end == len(text)
