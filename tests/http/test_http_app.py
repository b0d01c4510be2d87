"""The application as a whole: how it is made, what it logs of a request, and that it is good WSGI."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from oguardai.errors import ConfigError
from oguardai.logs import EventHandler
from oguardai.web import create_app
from tests.http.web_fakes import SECRETS, FakeSource, Lines

CANARY = "canary-4111111111111111"


class TestRequestLine:
    @pytest.fixture(autouse=True)
    def _log_requests(self, source: FakeSource) -> None:
        source.set_setting("log", requests=True)

    def test_each_request_gets_one(self, client: FlaskClient, lines: Lines) -> None:
        client.post("/v1/transform", json={"input": "julia@example.com"}, headers={"X-Request-ID": "r-9"})
        (event,) = lines.of("Request")
        assert event.pop("duration_ms") >= 0
        del event["time"]
        assert event == {
            "level": "info",
            "event": "Request",
            "method": "POST",
            "endpoint": "/v1/transform",
            "status": 200,
            "entities": 1,
            "request_id": "r-9",
        }

    def test_it_has_neither_path_nor_query_nor_a_made_up_method(self, client: FlaskClient, lines: Lines) -> None:
        client.get(f"/v1/{CANARY}?{CANARY}")
        client.get(f"/v1/health?token={CANARY}", headers={"User-Agent": CANARY, "Referer": CANARY, "Cookie": CANARY})
        client.open("/v1/health", method=CANARY)
        events = lines.of("Request")
        assert [(one["method"], one["endpoint"], one["status"]) for one in events] == [
            ("GET", "unmatched", 404),
            ("GET", "/v1/health", 200),
            ("other", "unmatched", 405),
        ]
        assert CANARY not in lines.text

    def test_it_can_be_switched_off_at_run_time(self, client: FlaskClient, source: FakeSource, lines: Lines) -> None:
        client.get("/v1/health")
        source.set_setting("log", requests=False)
        client.get("/v1/health")
        assert len(lines.of("Request")) == 1

    def test_no_input_value_token_or_blob_is_logged(self, client: FlaskClient, lines: Lines) -> None:
        made = client.post("/v1/transform", json={"input": "4111 1111 1111 1111 julia@example.com"}).json
        client.post("/v1/rehydrate", json={"output": made["safe_text"], "session_state": made["session_state"]})
        client.post("/v1/detect", json={"input": "julia@example.com"})
        for secret in (
            "julia",
            "4111 1111",
            "{{",
            made["session_state"],
            made["session_state"][-20:],
            made["session_id"],
        ):
            assert secret not in lines.text


class TestWsgi:
    @pytest.mark.filterwarnings("default")
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/v1/health", b""),
            ("HEAD", "/v1/health", b""),
            ("OPTIONS", "/v1/transform", b""),
            ("POST", "/v1/transform", b'{"input": "julia@example.com"}'),
            ("POST", "/v1/transform", b"{"),
            ("GET", "/nowhere", b""),
            ("PUT", "/metrics", b""),
            ("GET", "/metrics", b""),
        ],
    )
    def test_it_keeps_to_pep_3333(self, app: Flask, method: str, path: str, body: bytes) -> None:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "QUERY_STRING": "",
            "wsgi.input": io.BytesIO(body),
        }
        setup_testing_defaults(environ)

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return lambda data: None

        answer = validator(app)(environ, start_response)
        for _ in answer:
            pass
        answer.close()


class TestCreateApp:
    @pytest.fixture(autouse=True)
    def logging_restored(self) -> Any:
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        yield
        root.handlers[:] = handlers
        root.setLevel(level)

    @pytest.fixture
    def config_dir(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("GUARDAI_CONFIG_DIR", str(tmp_path))
        monkeypatch.delenv("GUARDAI_SESSION_SECRET", raising=False)
        return tmp_path

    def test_without_a_source_it_reads_the_configuration(self, config_dir: Path) -> None:
        (config_dir / "oguardai.env").write_text(f"GUARDAI_SESSION_SECRET={SECRETS[0]}\n")
        (config_dir / "oguardai.env").chmod(0o600)
        client = create_app().test_client()
        assert client.post("/v1/transform", json={"input": "x"}).json["session_state"].startswith("og1.0.")
        status = client.get("/v1/diagnostics").json
        assert status["config"]["dir"] == str(config_dir)
        assert SECRETS[0] not in json.dumps(status)
        assert any(isinstance(handler, EventHandler) for handler in logging.getLogger().handlers)

    def test_a_bad_configuration_is_said(self, config_dir: Path) -> None:
        (config_dir / "oguardai.env").write_text("GUARDAI_SESSION_SECRET=short\n")
        with pytest.raises(ConfigError):
            create_app()

    def test_with_a_source_it_leaves_logging_alone(self, source: FakeSource) -> None:
        before = logging.getLogger().handlers[:]
        create_app(source)
        assert logging.getLogger().handlers == before

    def test_two_applications_count_apart(self, wsgi: Callable[..., Any]) -> None:
        other = create_app(FakeSource()).test_client()
        wsgi("POST", "/v1/detect", b'{"input": "julia@example.com"}', CONTENT_LENGTH="30")
        assert 'oguardai_entities_total{type="email"}' not in other.get("/metrics").get_data(as_text=True)
