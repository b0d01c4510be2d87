"""Every error is a problem document, with its code and without anything of the request in it or in the log."""

from __future__ import annotations

import io
import json
import string
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oguardai.errors import ProblemError
from oguardai.keyring import KeyState
from oguardai.web import v1 as views
from oguardai.web.endpoints import ENDPOINTS
from oguardai.web.problems import CODES, problem_type
from tests.http.web_fakes import FakeSource, Lines, make_key

CANARY = "canary-4111111111111111"
JSON = {"Content-Type": "application/json"}
POSTS = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None]
CLIENT_PATHS = [endpoint.path for endpoint in POSTS]
SESSION_PATHS = ["/v1/transform", "/v1/rehydrate"]
ADMIN_PATHS = ["/v1/diagnostics", "/metrics"]
GOOD: dict[str, dict[str, Any]] = {
    "/v1/transform": {"input": CANARY},
    "/v1/rehydrate": {"output": CANARY, "session_state": "og1.0." + "A" * 100},
    "/v1/detect": {"input": CANARY},
}


def assert_problem(answer: Any, code: str) -> dict[str, Any]:
    """Check what RFC 9457 and the design want of every error."""
    kind = next(kind for kind in CODES if kind.code == code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.data)
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}
    assert (body["code"], body["status"], answer.status_code) == (code, kind.status, kind.status)
    assert body["type"] == problem_type(kind)
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["Cache-Control"] == "no-store"
    if kind.status in {429, 503}:
        assert int(answer.headers["Retry-After"]) > 0
    assert CANARY not in answer.get_data(as_text=True)
    return body


@pytest.fixture(autouse=True)
def nothing_of_the_request_is_logged(lines: Lines, caplog: pytest.LogCaptureFixture) -> Any:
    """Hold for every test here: the canary is in no line, and in no record that some other handler might format."""
    yield
    assert CANARY not in lines.text
    for record in caplog.records:
        assert CANARY not in repr(record.__dict__)


class TestInvalidRequest:
    @pytest.mark.parametrize("path", CLIENT_PATHS)
    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"", "empty"),
            (b"{", "not JSON"),
            (b'{"input": canary-4111111111111111}', "not JSON (at line 1, column 11)"),
            (b"[]", "must be a JSON object"),
            (b'"canary-4111111111111111"', "must be a JSON object"),
            (b"null", "must be a JSON object"),
            (b"{} {}", "not JSON"),
            (b"\xef\xbb\xbf{}", "not JSON"),
            (b'{"input": "\xff"}', "not UTF-8 (at byte 11)"),
            (b'{"input": "\xed\xa0\x80"}', "not UTF-8"),
            ('{"input": "x"}'.encode("utf-16"), "not UTF-8"),
            ('{"input": "x"}'.encode("utf-16-le"), "not JSON"),
            (b'{"input": "a", "input": "b"}', "'input' occurs twice"),
            (b'{"x": {"a": 1, "a": 2}}', "'a' occurs twice"),
            (b'{"threshold": NaN}', "NaN or Infinity"),
            (b'{"threshold": -Infinity}', "NaN or Infinity"),
            (b'{"threshold": ' + b"9" * 5000 + b"}", "number that is too long"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a":' * 100_000, "nested too deeply"),
            (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
            (b'{"input": "tab\there"}', "not JSON"),
        ],
    )
    def test_not_json(self, client: FlaskClient, path: str, body: bytes, says: str) -> None:
        problem = assert_problem(client.post(path, data=body, headers=JSON), "GUARDAI_INVALID_REQUEST")
        assert says in problem["detail"]

    @pytest.mark.parametrize("path", CLIENT_PATHS)
    def test_an_unknown_field_is_named(self, client: FlaskClient, path: str) -> None:
        answer = client.post(path, json={**GOOD[path], "inptu": CANARY})
        assert assert_problem(answer, "GUARDAI_INVALID_REQUEST")["detail"] == "unknown field 'inptu'"

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("a" * 10_000, "'" + "a" * 64 + "...'"),
            ("<script>'\n", "'u+003cscriptu+003eu+0027u+000a'"),
            ("\ud800", "'u+d800'"),
            ("é\u202e", "'u+00e9u+202e'"),
            ("", "''"),
        ],
    )
    def test_a_callers_field_name_is_made_harmless(self, client: FlaskClient, name: str, shown: str) -> None:
        answer = client.post("/v1/detect", json={"input": "x", name: CANARY})
        assert assert_problem(answer, "GUARDAI_INVALID_REQUEST")["detail"] == f"unknown field {shown}"

    @pytest.mark.parametrize(
        ("path", "field"), [(endpoint.path, field) for endpoint in POSTS for field in (endpoint.body or 0).fields]
    )
    def test_a_wrong_type_is_named(self, client: FlaskClient, path: str, field: Any) -> None:
        for value in (None, {}, [[]], [None], 17, True, CANARY, [CANARY, 1], "\ud800", ["\ud800"]):
            if field.kind == "boolean" and value is True:
                continue
            if field.kind == "string" and not field.choices and value == CANARY:
                continue
            answer = client.post(path, json={**GOOD[path], field.name: value})
            problem = assert_problem(answer, "GUARDAI_INVALID_REQUEST")
            assert f"'{field.name}'" in problem["detail"]

    @pytest.mark.parametrize(
        ("path", "name"), [(endpoint.path, f.name) for endpoint in POSTS for f in endpoint.body.fields if f.required]
    )
    def test_a_missing_field_is_named(self, client: FlaskClient, path: str, name: str) -> None:
        body = {key: value for key, value in GOOD[path].items() if key != name}
        problem = assert_problem(client.post(path, json=body), "GUARDAI_INVALID_REQUEST")
        assert problem["detail"] == f"field '{name}' is missing"

    @pytest.mark.parametrize("value", ["1e999", "-0.1", "1.01", "-1", "99999999999999999999"])
    def test_a_number_out_of_range_is_named(self, client: FlaskClient, value: str) -> None:
        answer = client.post("/v1/detect", data='{"input": "x", "threshold": %s}' % value, headers=JSON)  # noqa: UP031
        assert "'threshold'" in assert_problem(answer, "GUARDAI_INVALID_REQUEST")["detail"]

    def test_a_list_has_an_end(self, client: FlaskClient) -> None:
        answer = client.post("/v1/detect", json={"input": "x", "types": ["email"] * 1001})
        assert "'types'" in assert_problem(answer, "GUARDAI_INVALID_REQUEST")["detail"]

    @pytest.mark.parametrize("path", CLIENT_PATHS)
    def test_a_lone_surrogate_is_refused_and_a_pair_is_not(self, client: FlaskClient, path: str) -> None:
        text = next(iter(GOOD[path]))
        answer = client.post(path, data=json.dumps({**GOOD[path], text: "x\ud83dx"}), headers=JSON)
        assert text in assert_problem(answer, "GUARDAI_INVALID_REQUEST")["detail"]
        answer = client.post(path, data=json.dumps({**GOOD[path], text: "\U0001f44b"}), headers=JSON)
        assert answer.status_code in {200, 410}


class TestMediaType:
    @pytest.mark.parametrize("path", CLIENT_PATHS)
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Content-Type": ""},
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "multipart/form-data; boundary=x"},
            {"Content-Type": "application/jsonp"},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Content-Type": "application/json; charset=latin-1"},
            {"Content-Type": "application/json; canary-4111111111111111"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        ],
    )
    def test_anything_but_json(self, client: FlaskClient, path: str, headers: dict[str, str]) -> None:
        answer = client.post(path, data=json.dumps(GOOD[path]), headers=headers)
        assert_problem(answer, "GUARDAI_UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "value",
        [
            "application/json",
            "Application/JSON;charset=UTF-8",
            'application/json; charset="utf-8"',
            "application/json;",
        ],
    )
    def test_json_as_people_write_it(self, client: FlaskClient, value: str) -> None:
        answer = client.post("/v1/detect", data=b'{"input": ""}', headers={"Content-Type": value})
        assert answer.status_code == 200


class TestSession:
    @pytest.mark.parametrize("path", SESSION_PATHS)
    @pytest.mark.parametrize("blob", ["", CANARY, "og1.0.", "og2.0." + "A" * 100, "og1.00." + "A" * 100, "og1.0.===="])
    def test_no_sealed_session_at_all(self, client: FlaskClient, path: str, blob: str, lines: Lines) -> None:
        answer = client.post(path, json={**GOOD[path], "session_state": blob})
        assert_problem(answer, "GUARDAI_SESSION_INVALID")
        assert lines.of("SessionInvalid")
        assert not lines.of("SessionExpired")

    @pytest.mark.parametrize("path", SESSION_PATHS)
    def test_past_its_time(self, client: FlaskClient, lines: Lines, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        blob = self.sealed(client)
        now = views.time.time()
        monkeypatch.setattr(views.time, "time", lambda: now + 3601)
        self.assert_expired(client, lines, path, blob, "ttl")

    @pytest.mark.parametrize("path", SESSION_PATHS)
    def test_under_a_key_that_is_not_in_the_ring(
        self, client: FlaskClient, source: FakeSource, lines: Lines, path: str
    ) -> None:
        blob = self.sealed(client)
        source.set_keys(make_key(0))
        self.assert_expired(client, lines, path, blob, "unknown_kid")

    @pytest.mark.parametrize("path", SESSION_PATHS)
    def test_under_a_revoked_key(self, client: FlaskClient, source: FakeSource, lines: Lines, path: str) -> None:
        blob = self.sealed(client)
        source.set_keys(make_key(0), make_key(1, KeyState.REVOKED))
        self.assert_expired(client, lines, path, blob, "revoked")

    @pytest.mark.parametrize("path", SESSION_PATHS)
    def test_changed_on_the_way(self, client: FlaskClient, lines: Lines, path: str) -> None:
        blob = self.sealed(client)
        at = len(blob) // 2
        blob = blob[:at] + ("A" if blob[at] != "A" else "B") + blob[at + 1 :]
        self.assert_expired(client, lines, path, blob, "authentication")

    @staticmethod
    def sealed(client: FlaskClient) -> str:
        return str(client.post("/v1/transform", json={"input": CANARY}).json["session_state"])

    @staticmethod
    def assert_expired(client: FlaskClient, lines: Lines, path: str, blob: str, reason: str) -> None:
        """One answer for all; the log says which it was, in the runbook's words."""
        answer = client.post(path, json={**GOOD[path], "session_state": blob}, headers={"X-Request-ID": "r-1"})
        problem = assert_problem(answer, "GUARDAI_SESSION_EXPIRED")
        assert problem["detail"] == "the session can no longer be opened: call /v1/transform again for a fresh one"
        (event,) = lines.of("SessionExpired")
        assert (event["level"], event["reason"], event["kid"]) == ("warning", reason, 1)
        assert event["request_id"] == "r-1"
        assert blob not in lines.text


class TestRouting:
    @pytest.mark.parametrize(
        "path",
        ["/", "/v1", "/v1/", "/v1/transform/", "//v1/transform", "/v1//health", "/v1//transform", "/V1/transform",
         "/static/x", "/v2/x", "/v1/canary-4111111111111111", "/v1/%2e%2e/metrics", "/v1/\u00e9", "/metrics/"],
    )  # fmt: skip
    def test_no_such_path(self, client: FlaskClient, path: str) -> None:
        for method in ("GET", "POST", "DELETE"):
            assert_problem(client.open(path, method=method), "GUARDAI_NOT_FOUND")

    def test_every_route_refuses_every_other_method(self, app: Flask, client: FlaskClient) -> None:
        for rule in app.url_map.iter_rules():
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"} - (
                rule.methods or set()
            ):
                answer = client.open(rule.rule, method=method, data=CANARY)
                assert_problem(answer, "GUARDAI_METHOD_NOT_ALLOWED")
                assert set(answer.headers["Allow"].split(", ")) == rule.methods

    def test_every_route_takes_garbage_calmly(self, app: Flask, client: FlaskClient) -> None:
        paths = [rule.rule for rule in app.url_map.iter_rules()]
        assert sorted(paths) == sorted(endpoint.path for endpoint in ENDPOINTS)
        for path in paths:
            for method in ("GET", "POST", "PUT", "DELETE"):
                for body in (b"", b"\x00\xff" * 50, b"{", CANARY.encode()):
                    for query in ("", "?x=canary-4111111111111111", "?%ff=%zz&&"):
                        answer = client.open(path + query, method=method, data=body, headers=JSON)
                        if answer.status_code != 200:
                            assert_problem(answer, answer.json["code"])
                            assert answer.status_code < 500

    def test_the_wsgi_paths_that_are_no_text(self, wsgi: Callable[..., Any]) -> None:
        for path in ("/v1/\xff\xfe", "/\x00", "", "*"):
            status, headers, _ = wsgi("GET", path)
            assert status == 404
            assert headers["Content-Type"] == "application/problem+json"

    def test_a_strange_host_is_no_way_out(self, wsgi: Callable[..., Any]) -> None:
        for host in ("", "a b", "[::", "x" * 5000, "\xff", "evil.example:99999999", "a@b"):
            status, headers, _ = wsgi("GET", "/v1/health", HTTP_HOST=host)
            assert status == 200 or headers["Content-Type"] == "application/problem+json"
            assert status < 500


class TestForbidden:
    @pytest.mark.parametrize("path", CLIENT_PATHS)
    def test_a_client_from_elsewhere(self, wsgi: Callable[..., Any], path: str, lines: Lines) -> None:
        status, headers, body = wsgi("POST", path, json.dumps(GOOD[path]).encode(), REMOTE_ADDR="203.0.113.7")
        assert status == 403
        assert headers["Content-Type"] == "application/problem+json"
        assert json.loads(body)["code"] == "GUARDAI_FORBIDDEN"
        assert lines.of("Forbidden")[0]["caller"] == "203.0.113.7"

    @pytest.mark.parametrize("path", ADMIN_PATHS)
    def test_an_admin_from_elsewhere(self, wsgi: Callable[..., Any], path: str) -> None:
        status, _, body = wsgi("GET", path, REMOTE_ADDR="10.0.0.1")
        assert (status, json.loads(body)["code"]) == (403, "GUARDAI_FORBIDDEN")


class TestTooLarge:
    @pytest.mark.parametrize("path", CLIENT_PATHS)
    def test_by_its_content_length(self, client: FlaskClient, source: FakeSource, path: str) -> None:
        source.set_setting("server", max_body_bytes=1024)
        answer = client.post(path, json={**GOOD[path], "policy": CANARY * 100})
        assert "1024" in assert_problem(answer, "GUARDAI_PAYLOAD_TOO_LARGE")["detail"]

    def test_a_session_over_its_limit_is_refused_before_work(self, client: FlaskClient, source: FakeSource) -> None:
        source.set_setting("session", max_blob_bytes=1024)
        answer = client.post("/v1/rehydrate", json={"output": "x", "session_state": "og1.0." + "A" * 2000})
        assert answer.status_code in {400, 413}
        assert_problem(answer, answer.json["code"])


class TestOverloaded:
    @pytest.mark.parametrize("path", ["/v1/transform", "/v1/ready"])
    def test_no_key_can_seal(self, client: FlaskClient, source: FakeSource, lines: Lines, path: str) -> None:
        source.set_keys(make_key(0, KeyState.STAGED))
        answer = client.open(path, method="GET" if "ready" in path else "POST", json={"input": CANARY})
        assert_problem(answer, "GUARDAI_OVERLOADED")
        assert lines.of("NoActiveKey")


class TestInternal:
    @pytest.mark.parametrize("path", CLIENT_PATHS)
    @pytest.mark.parametrize("kind", [ValueError, KeyError, MemoryError, RecursionError, UnicodeError, OSError])
    def test_what_was_not_foreseen(
        self, client: FlaskClient, lines: Lines, path: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise kind(f"cannot handle {CANARY}") from ValueError(CANARY)

        name = path.rpartition("/")[2]
        monkeypatch.setattr(views, "detection_of" if name == "detect" else name, fail)
        answer = client.post(path, json=GOOD[path])
        problem = assert_problem(answer, "GUARDAI_INTERNAL")
        assert "Traceback" not in problem["detail"]
        (event,) = lines.of("InternalError")
        assert event["request_id"] == problem["request_id"]
        assert event["exception"] == [f"builtins.{kind.__name__}", "builtins.ValueError"]
        assert any(place.startswith("oguardai/web/v1.py:") for place in event["at"])

    def test_what_fails_outside_the_framework(
        self, app: Flask, client: FlaskClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(environ: object) -> None:
            raise RuntimeError(CANARY)

        monkeypatch.setattr(app, "request_context", fail)
        answer = client.get("/v1/health")
        assert_problem(answer, "GUARDAI_INTERNAL")
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert lines.of("InternalError")


class TestEveryCode:
    def test_the_table_is_complete(self) -> None:
        def leaves(kind: type[ProblemError]) -> set[type[ProblemError]]:
            return {kind} if not kind.__subclasses__() else set().union(*map(leaves, kind.__subclasses__()))

        ours = {kind for kind in leaves(ProblemError) if kind.__module__.startswith("oguardai")}
        assert ours == set(CODES)
        assert len({kind.code for kind in CODES}) == len(CODES)


class TestMalformedJson:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
    @given(st.sampled_from(CLIENT_PATHS), st.binary(max_size=200))
    def test_any_bytes(self, client: FlaskClient, path: str, body: bytes) -> None:
        answer = client.post(path, data=body, headers=JSON)
        assert_problem(answer, "GUARDAI_INVALID_REQUEST")

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
    @given(
        st.sampled_from(CLIENT_PATHS),
        st.text(alphabet=string.printable + "\u00e9\u2028", max_size=10),
        st.integers(0, 200),
        st.integers(0, 3),
    )
    def test_good_json_cut_or_with_something_put_in(
        self, client: FlaskClient, path: str, noise: str, at: int, cut: int
    ) -> None:
        good = json.dumps(GOOD[path])
        answer = client.post(path, data=(good[:at] + noise + good[at + cut :]).encode(), headers=JSON)
        assert answer.status_code in {200, 400, 410}
        if answer.status_code != 200:
            assert answer.headers["Content-Type"] == "application/problem+json"

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
    @given(
        st.sampled_from(CLIENT_PATHS),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=20,
        ),
    )
    def test_any_json_value_in_any_field(self, client: FlaskClient, path: str, value: Any) -> None:
        names = [field.name for endpoint in POSTS if endpoint.path == path for field in endpoint.body.fields]
        for name in [*names, "other"]:
            answer = client.post(path, data=json.dumps({**GOOD[path], name: value}), headers=JSON)
            assert answer.status_code in {200, 400, 410}


def test_an_input_stream_that_breaks_is_no_server_error(wsgi: Callable[..., Any], lines: Lines) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(CANARY)

    status, _, body = wsgi("POST", "/v1/detect", Broken(), CONTENT_LENGTH="10")
    assert (status, json.loads(body)["code"]) == (400, "GUARDAI_INVALID_REQUEST")
