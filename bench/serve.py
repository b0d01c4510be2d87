"""Start the server for a benchmark, with our application or with a bare one: ``python -m bench.serve echo …``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from oguardai.server import serve


def make_echo(_source: Any) -> Any:
    """Make what our application is compared with: Flask as its documentation has it, JSON in, the same JSON out."""
    from flask import Flask, jsonify, request

    app = Flask("echo")

    @app.post("/echo")
    def echo() -> Any:
        return jsonify(request.get_json())

    @app.get("/v1/ready")
    def ready() -> Any:
        return jsonify(status="ready")

    return app


def main(app: str, config_dir: str, port: str, workers: str) -> None:
    """Serve until told to stop."""
    overrides = {"server.host": "127.0.0.1", "server.port": int(port), "server.workers": int(workers)}
    serve(Path(config_dir), os.environ, overrides, make_echo if app == "echo" else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
