"""An application over a source that tests can change, and a record of every log line it wrote."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from oguardai.logs import EventFormatter, EventHandler
from oguardai.web import create_app
from tests.http.web_fakes import FakeSource, Lines


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def app(source: FakeSource) -> Flask:
    return create_app(source)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def lines() -> Iterator[Lines]:
    stream = io.StringIO()
    handler = EventHandler(stream)
    handler.setFormatter(EventFormatter("json"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield Lines(stream)
    root.removeHandler(handler)
    root.setLevel(level)


Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def wsgi(app: Flask) -> Callable[..., Answer]:
    """Return a call of the application as a WSGI server makes it, with any environment and input."""

    def call(method: str, path: str, body: Any = b"", **environ: Any) -> Answer:
        full: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "3000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost:3000",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        full.update(environ)
        full = {name: value for name, value in full.items() if value is not None}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        answer = app(full, lambda status, headers, exc_info=None: started.append((status, headers)))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        ((status, headers),) = started
        return int(status[:3]), dict(headers), content

    return call
