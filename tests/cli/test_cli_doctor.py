"""`oguardai doctor` and the client under it, against answers that no server of ours gives."""

from __future__ import annotations

import datetime
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from oguardai.cli import remote
from oguardai.cli.checks import (
    ALL,
    Clock,
    Diagnosis,
    Status,
    Visit,
    check_clocks,
    check_keyrings,
    check_reloads,
    check_versions,
    measure_clock,
)
from oguardai.cli.failure import Failure
from oguardai.cli.remote import AdminRefused, Instance, RemoteError, Unreachable
from oguardai.cli.ringdiff import KeyView
from oguardai.cli.trials import Counters, judge_failures, kid_of, parse_counters, read_baseline
from oguardai.state import CLOCK_DIFFERENCE_SECONDS
from tests.cli.harness import Host

# --- a server that answers what a test wants ---------------------------------------------------------------

Reply = tuple[int, dict[str, str], bytes]


class Fake(ThreadingHTTPServer):
    """Answers every request with ``reply``, and remembers what was asked."""

    daemon_threads = True

    def __init__(self, reply: Callable[[str], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, {name.lower(): text for name, text in self.headers.items()}))
        status, headers, body = self.server.reply(self.path)
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(reply: Callable[[str], Reply], context: ssl.SSLContext | None = None) -> Iterator[Fake]:
    with Fake(reply) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def fixed(status: int, body: bytes = b"{}", **headers: str) -> Callable[[str], Reply]:
    return lambda _path: (status, headers, body)


@contextmanager
def raw(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen without HTTP: ``talk`` gets the one connection that comes; yields the URL."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


# --- the client --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "expected http"),
        ("ftp://host", "expected http"),
        ("host:3000", "expected http"),
        ("http://", "expected http"),
        ("http://user:pa55@host", "user or a password"),
        ("http://host/?a=1", "query"),
        ("http://host/#a", "fragment"),
        ("http://host/a b", "characters"),
        ("http://h\u00f6st", "characters"),
        ("http://host\n", "characters"),
        ("http://host:99999", "ort"),
        ("http://host:x", "ort"),
        ("http://[::1", "IPv6"),
        ("unix:relative.sock", "absolute"),
        ("unix://host/path", "absolute"),
        ("unix:", "absolute"),
    ],
)
def test_a_url_that_is_none_is_a_wrong_command_line(host: Host, url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Instance(url)
    done = host.run("doctor", "--url", url)
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("oguardai: Invalid value for '--url'")
    assert done.err.count("\n") == 1
    assert "pa55" not in done.err


def test_a_prefix_and_slashes_at_the_end_are_fine() -> None:
    with serving(fixed(200)) as server:
        for end in ("", "/", "/behind/proxy", "/behind/proxy/"):
            one = Instance(server.url + end)
            assert one.name == (server.url + end).rstrip("/")
            answer = one.get("/v1/health")
            assert (answer.status, answer.json()) == (200, {})
            assert answer.elapsed >= 0
    paths = [path for _, path, _ in server.asked]
    assert paths == ["/v1/health"] * 2 + ["/behind/proxy/v1/health"] * 2
    assert Instance("unix:///run/x.sock").name == "unix:///run/x.sock"


def test_a_post_is_json_and_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with serving(fixed(200)) as server:
        Instance(server.url, "t0ken").post("/v1/x", {"input": "\u00e4"})
    ((method, _, headers),) = server.asked
    assert method == "POST"
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer t0ken"


def test_a_redirect_is_not_followed() -> None:
    with serving(fixed(302, b"", Location="http://elsewhere.example/")) as server:
        with pytest.raises(RemoteError, match=r"redirects to http://elsewhere\.example/, which is not followed"):
            Instance(server.url, "t0ken").get("/v1/health")
        assert len(server.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_what_to_do(status: int) -> None:
    with (
        serving(fixed(status)) as server,
        pytest.raises(AdminRefused, match=rf"answers {status} .*server\.admin_networks.*--token-file.*on that host"),
    ):
        Instance(server.url).diagnostics()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (fixed(404), "answers 404 to /v1/diagnostics; is this an OGuardAI server"),
        (fixed(503, b'{"detail": "no room"}'), "answers 503 to /v1/diagnostics: no room$"),
        (fixed(503, b"<html>"), "answers 503 to /v1/diagnostics$"),
        (fixed(200, b"<html>"), "without a JSON object"),
        (fixed(200, b"[" * 100_000), "without a JSON object"),
        (fixed(200, b"[]"), "without a JSON object"),
        (fixed(200, b"{}"), "has no keyring"),
    ],
)
def test_another_kind_of_server_is_told(reply: Callable[[str], Reply], reason: str) -> None:
    with serving(reply) as server, pytest.raises(RemoteError, match=reason) as caught:
        Instance(server.url).diagnostics()
    assert not isinstance(caught.value, Unreachable | AdminRefused)
    assert str(caught.value).startswith(f"{server.url}: ")


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_ANSWER_BYTES", 100)
    with serving(fixed(200, b"x" * 101)) as server, pytest.raises(RemoteError, match="more than 100 bytes"):
        Instance(server.url).get("/")
    with serving(fixed(200, b"x" * 100)) as server:
        assert len(Instance(server.url).get("/").body) == 100


def _trickle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:  # until the client goes away
        connection.sendall(b"x")
        time.sleep(0.01)


def _drip_body(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.01)


def test_time_is_bounded_also_while_bytes_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "TIMEOUT_SECONDS", 0.2)
    for talk in (lambda connection: connection.recv(1) and _wait_for_end(connection), _trickle, _drip_body):
        with raw(talk) as url, pytest.raises(Unreachable, match="no answer within"):
            Instance(url).get("/")


def _wait_for_end(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def test_what_is_no_http_is_told() -> None:
    def nonsense(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"220 smtp.example ESMTP\r\n")

    with raw(nonsense) as url, pytest.raises(Unreachable, match="does not answer as HTTP"):
        Instance(url).get("/")
    with raw(lambda connection: None) as url, pytest.raises(Unreachable, match="connection"):
        Instance(url).get("/")


def test_what_cannot_be_reached_is_one_line(host: Host, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url, reason in (
        (f"http://127.0.0.1:{port}", "connection refused"),
        ("http://nosuch.invalid:3000", "name is not known"),
        (f"http://{'a' * 70}.example", "cannot be reached"),
        (f"unix:{tmp_path}/no.sock", "no such socket"),
        (f"unix:/{'a' * 200}", "AF_UNIX path too long"),
    ):
        done = host.run("doctor", "--url", url)
        assert done.code == 69, done
        assert reason in done.out.decode()
        assert done.err == "oguardai: no server could be reached\n"


def _make_certificate(path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "instance.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_https_asks_for_a_certificate_of_a_known_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = _make_certificate(tmp_path / "pem")
    with serving(fixed(200), context) as server:
        one = Instance(server.url.replace("http:", "https:"))
        with pytest.raises(Unreachable, match=r"certificate is not accepted .*SSL_CERT_FILE"):
            one.get("/")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pem"))
        assert one.get("/").status == 200
    with raw(lambda connection: connection.sendall(b"220 smtp.example\r\n" * 10)) as url:
        one = Instance(url.replace("http:", "https:"))
        with pytest.raises(Unreachable, match="TLS failed"):
            one.get("/")


# --- options -----------------------------------------------------------------------------------------------


def test_a_token_is_sent_and_never_shown(host: Host) -> None:
    token = host.write(host.root / "token", "t0ken/of+nobody==\r\n", 0o600)
    with serving(fixed(403)) as server:
        done = host.run("doctor", "--url", server.url, "--token-file", str(token))
    assert server.asked[0][2]["authorization"] == "Bearer t0ken/of+nobody=="
    assert done.code == 1
    assert "warning" not in done.err
    token.chmod(0o644)
    with serving(fixed(403)) as server:
        again = host.run("doctor", "--url", server.url, "--token-file", str(token))
    assert "warning: " in again.err
    assert "chmod o=" in again.err
    assert "t0ken" not in done.out.decode() + done.err + again.out.decode() + again.err


@pytest.mark.parametrize("content", ["", "\n", "t0ken\nt0ken", "t0ken t0ken", "t0ken\t", "t\u00f6ken", "t0ken\n\n\x00"])
def test_a_token_is_one_printable_line(host: Host, content: str) -> None:
    token = host.write(host.root / "token", content, 0o600)
    done = host.run("doctor", "--url", "http://127.0.0.1:1", "--token-file", str(token))
    assert (done.code, done.out) == (65, b"")
    assert done.err.endswith("expected a token: one line of printable ASCII without blanks\n")
    assert "t0ken" not in done.err


def test_files_that_are_missing_or_something_else(host: Host) -> None:
    missing, other = str(host.root / "missing"), str(host.write(host.root / "other", "{}"))
    for option in ("--token-file", "--session", "--baseline"):
        done = host.run("doctor", "--url", "http://127.0.0.1:1", option, missing)
        assert (done.code, done.out) == (66, b"")
        assert done.err == f"oguardai: {missing}: No such file or directory\n"
    for option in ("--session", "--baseline"):
        done = host.run("doctor", "--url", "http://127.0.0.1:1", option, other)
        assert (done.code, done.out) == (65, b"")
        assert "other: " in done.err


def test_a_port_is_for_the_server_of_this_host(host: Host) -> None:
    done = host.run("doctor", "--url", "http://127.0.0.1:1", "--port", "3000")
    assert done.code == 2
    assert "--port is for the server of this host" in done.err
    done = host.run("doctor")
    assert (done.code, done.out) == (69, b"")
    assert "give it here too" in done.err


def test_doctor_does_not_believe_what_is_no_server_of_ours(host: Host) -> None:
    with serving(fixed(200, b'{"ok": true}')) as server:
        done = host.run("doctor", "--url", server.url, "--url", server.url + "/", "--json")
    assert done.code == 1
    (check,) = json.loads(done.out)["checks"]  # one, because it is the same server twice
    assert (check["status"], check["instance"]) == ("failed", server.url)
    assert "is this an OGuardAI server?" in check["message"]


def _pages(found: dict[str, Any]) -> Callable[[str], Reply]:
    """Answer paths with JSON, everything else with 404."""

    def reply(path: str) -> Reply:
        body = json.dumps(found[path]).encode() if path in found else b"{}"
        return (200 if path in found else 404), {"Content-Type": "application/json"}, body

    return reply


def test_what_a_server_says_cannot_move_the_cursor(host: Host) -> None:
    health = {"status": "\x1b[2J\nok ", "version": "1\x1b[31m\r\n2"}
    with serving(_pages({"/v1/health": health, "/v1/ready": {}, "/v1/diagnostics": {"keyring": {}}})) as server:
        done = host.run("doctor", "--url", server.url)
    assert done.code == 1
    assert b"\x1b" not in done.out
    assert b"not what this release understands" in done.out


def test_versions_and_clocks_are_compared_over_http(host: Host) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                serving(_pages({"/v1/health": {"status": "healthy", "version": version}, "/v1/ready": {}}))
            )
            for version in ("1.0", "1.1")
        ]
        done = host.run("doctor", "--json", *(word for one in servers for word in ("--url", one.url)))
    found = {(check["name"], check["instance"]): check for check in json.loads(done.out)["checks"]}
    assert found["version", ALL]["status"] == "warning"
    assert found["version", ALL]["message"].startswith(f"differ: 1.0 on {servers[0].url}; 1.1 on {servers[1].url}")
    assert found["clock", ALL]["status"] == "ok"


# --- clocks ------------------------------------------------------------------------------------------------


def test_the_interval_of_a_clock() -> None:
    date = formatdate(1_800_000_000, usegmt=True)
    found = measure_clock(date, 1_800_000_000.25, 0.5)
    assert found == Clock(-0.75, 0.75)
    # Ahead by 7 s: whatever the fraction of the second was, it is more than 6.
    assert measure_clock(formatdate(1_800_000_007, usegmt=True), 1_800_000_000.25, 0.5) == Clock(6.25, 7.75)
    for bad in (None, "", "yesterday", "Thu, 99 Jan 2027 00:00:00 GMT"):
        assert measure_clock(bad, 0.0, 0.0) is None


def test_every_true_difference_lies_in_the_interval() -> None:
    for offset in (-9.3, -0.5, 0.0, 0.999, 4.2):
        for fraction in (0.0, 0.3, 0.999):
            for delay in (0.0, 0.4, 2.0):
                sent = 1_800_000_000 + fraction
                written = int(sent + delay / 2 + offset)
                clock = measure_clock(formatdate(written, usegmt=True), sent, delay)
                assert clock is not None
                assert clock.low - 1e-6 <= offset <= clock.high + 1e-6
                assert clock.least - 1e-6 <= abs(offset) <= clock.most + 1e-6


def test_two_measures_narrow_and_a_clock_that_was_set_begins_anew() -> None:
    assert Clock(-0.5, 0.5).narrowed(Clock(-0.2, 0.8)) == Clock(-0.2, 0.5)
    assert Clock(-0.5, 0.5).narrowed(Clock(7.0, 8.0)) == Clock(7.0, 8.0)
    assert Clock(1.0, 2.0).ahead_of(Clock(-3.0, -2.0)) == Clock(3.0, 5.0)


def visited(name: str, **fields: Any) -> Visit:
    return Visit(Instance(f"http://{name}"), usable=True, **fields)


def test_clocks_are_judged_by_what_is_certain() -> None:
    limit = CLOCK_DIFFERENCE_SECONDS
    cases = (
        (Clock(-0.5, 0.5), Clock(0.0, 1.0), [Status.OK] * 3),
        (Clock(-0.5, 0.5), Clock(limit - 0.5, limit + 0.5), [Status.OK, Status.WARNING, Status.WARNING]),
        (Clock(-0.5, 0.5), Clock(limit + 2, limit + 3), [Status.OK, Status.FAILED, Status.FAILED]),
        (Clock(-limit, 1 - limit), Clock(limit - 1, limit), [Status.OK, Status.OK, Status.FAILED]),
        (Clock(-60.0, 0.0), None, [Status.WARNING, Status.WARNING]),
    )
    for first, second, expected in cases:
        found = check_clocks([visited("a", clock=first), visited("b", clock=second)])
        assert [check.status for check in found] == expected, (first, second)
    assert check_versions([visited("a", version="1")]) == []


# --- keyrings ----------------------------------------------------------------------------------------------


def diagnosis(fingerprint: str = "f", active: int | None = 0, keys: Any = None, **fields: Any) -> Diagnosis:
    ring = keys if keys is not None else {0: KeyView("aa", "in use", None)}
    facts: dict[str, Any] = {
        "outcome": "ok",
        "reloaded_at": 1_800_000_000.0,
        "reasons": (),
        "late_workers": (),
        "started_at": 1_800_000_000.0,
    }
    return Diagnosis(fingerprint, active, ring, **{**facts, **fields})


def test_what_differs_between_keyrings_is_named() -> None:
    key = KeyView("aa", "in use", None)
    found = check_keyrings(
        [
            visited("a", diagnosis=diagnosis("f1", 1, {0: key, 1: KeyView("bb", "in use", None)})),
            visited("b", diagnosis=diagnosis("f2", 0, {0: key, 1: KeyView("bb", "staged", 1_800_000_000.0)})),
            visited("c", diagnosis=diagnosis("f3", 1, {1: KeyView("cc", "in use", None)})),
            visited("d"),
        ],
        0.0,
    )
    assert {check.status for check in found} == {Status.FAILED}
    assert [check.message for check in found[1:]] == [
        "kid 1 HAS DIFFERENT SECRETS: fingerprint bb on http://a, http://b; fingerprint cc on http://c; sessions of "
        "one do not open on the other: never give a kid to another secret; take the right one back, and give the "
        "other a kid of its own",
        "kid 1 differs: in use on http://a, http://c; staged on http://b",
        "kid 1 differs: not_before - on http://a, http://c; not_before 2027-01-15T08:00:00Z on http://b",
        "fingerprint f1, kid 1 seals",
        "fingerprint f2, kid 0 seals",
        "fingerprint f3, kid 1 seals, and it lacks kid 0",
    ]
    found = check_keyrings([visited(name, diagnosis=diagnosis(name)) for name in "ab"], 0.0)
    assert found[0].message.startswith("THE ORDER OF THE KEYS DIFFERS")


def test_the_kid_that_seals_may_differ_only_while_a_switch_passes() -> None:
    moment = 1_800_000_000.0
    keys = {0: KeyView("aa", "in use", None), 1: KeyView("bb", "in use", moment)}
    visits = [visited("a", diagnosis=diagnosis("f", 0, keys)), visited("b", diagnosis=diagnosis("f", 1, keys))]
    assert check_keyrings(visits, moment + 1)[0].status is Status.WARNING
    assert check_keyrings(visits, moment + 3600)[0].status is Status.FAILED
    assert check_keyrings([visited("a", diagnosis=diagnosis(active=None))], 0.0)[0].status is Status.FAILED


def test_workers_that_are_late_are_a_warning() -> None:
    (check,) = check_reloads([visited("a", diagnosis=diagnosis(late_workers=(12, 13)))])
    assert check.status is Status.WARNING
    assert "12, 13" in check.message
    (check,) = check_reloads([visited("a", diagnosis=diagnosis(outcome="failed", reasons=("line 3 is bad",)))])
    assert check.status is Status.FAILED
    assert "line 3 is bad; mend the file on that host" in check.message


# --- counters ----------------------------------------------------------------------------------------------

START = 1_800_000_000.0


def test_counters_are_read_from_the_exposition() -> None:
    text = (
        "# TYPE oguardai_sessions_opened_total counter\n"
        'oguardai_sessions_opened_total{kid="0"} 90.0\noguardai_sessions_opened_total{kid="1"} 6.0\n'
        "# TYPE oguardai_session_errors_total counter\n"
        'oguardai_session_errors_total{kid="0",reason="ttl"} 50.0\n'
        'oguardai_session_errors_total{kid="0",reason="revoked"} 1.0\n'
        'oguardai_session_errors_total{kid="unknown",reason="unknown_kid"} 3.0\n'
    )
    found = parse_counters(text, START)
    assert found == Counters(START, 96.0, {"ttl": 50.0, "revoked": 1.0, "unknown_kid": 3.0})
    assert (found.failed, found.share) == (4.0, 0.04)
    assert parse_counters("", None) == Counters(None, 0.0, {})


@pytest.mark.parametrize(
    ("now", "status", "part"),
    [
        (Counters(START, 200.0, {"ttl": 90.0}), Status.OK, "each of 100 sessions"),
        (Counters(START, 200.0, {"revoked": 4.0}), Status.OK, "4 of 104"),  # too few to tell
        (Counters(START, 200.0, {"unknown_kid": 4.0}), Status.WARNING, "unknown_kid 4"),
        (Counters(START, 200.0, {"unknown_kid": 5.0}), Status.FAILED, "4.8%, before 0.0%; a key was taken out"),
        (Counters(START, 1000.0, {"authentication": 9.0}), Status.WARNING, "another secret"),  # 1 % at most
        (Counters(START, 50.0, {"critical": 5.0}), Status.FAILED, "since its restart"),
        (Counters(START + 9, 300.0, {}), Status.OK, "each of 300 sessions since its restart"),
    ],
)
def test_the_share_of_failures_is_judged(now: Counters, status: Status, part: str) -> None:
    check = judge_failures("a", Counters(START, 100.0, {"ttl": 5.0} if now.errors.get("ttl") else {}), now, START)
    assert check.status is status
    assert part in check.message


def test_failures_that_were_there_before_are_no_failure_now() -> None:
    before = Counters(START, 90.0, {"revoked": 10.0})
    assert judge_failures("a", before, Counters(START, 180.0, {"revoked": 20.0}), START).status is Status.OK
    assert judge_failures("a", before, Counters(START, 180.0, {"revoked": 22.0}), START).status is Status.FAILED


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"oguardai_doctor": 2}',
        '{"oguardai_doctor": 1, "saved_at": 1, "instances": []}',
        '{"oguardai_doctor": 1, "saved_at": 1, "instances": {"a": {"session": {"x": 1}, "counters": null}}}',
        '{"oguardai_doctor": 1, "saved_at": 1, "instances": {"a": {"session": null, "counters": {"opened": "x"}}}}',
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baseline"
    path.write_text(content)
    with pytest.raises(Failure, match="is not what `oguardai doctor --save` writes"):
        read_baseline(str(path))


def test_the_kid_is_read_from_the_outside() -> None:
    assert kid_of("og1.12.abc") == "12"
    for other in ("og2.0.abc", "og1.x.abc", "og1.0", "", "{}"):
        assert kid_of(other) == "unknown"


def test_a_session_that_has_expired_is_skipped(host: Host) -> None:
    session = {"origin": "http://a", "blob": "og1.0.x", "kid": "0", "expires_at": "2020-01-01T00:00:00.000Z"}
    content = {
        "oguardai_doctor": 1,
        "saved_at": 1.0,
        "instances": {"http://a": {"session": {**session, "text": "", "safe_text": ""}, "counters": None}},
    }
    path = host.write(host.root / "baseline", json.dumps(content))
    healthy = {"/v1/health": {"status": "healthy", "version": "1"}, "/v1/ready": {}}
    with serving(_pages(healthy)) as server:
        done = host.run("doctor", "--url", server.url, "--json", "--baseline", str(path))
        assert "/v1/rehydrate" not in [path for _, path, _ in server.asked]
    checks = [check for check in json.loads(done.out)["checks"] if check["name"] == "baseline"]
    assert [check["status"] for check in checks] == ["failed", "warning"], "of another server, and expired"
    assert os.stat(path).st_size
