"""The HTTP interface: a Flask application that knows neither gunicorn nor the server around it."""

from __future__ import annotations

from oguardai.web.app import create_app
from oguardai.web.source import Source, StaticSource

__all__ = ["Source", "StaticSource", "create_app"]
