"""Serve an application whose every answer takes as long as its path says, under the real server."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from oguardai.server import serve


def make_app(_source: Any) -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(float(environ["PATH_INFO"].strip("/") or 0))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    return app


if __name__ == "__main__":
    serve(Path(sys.argv[1]), os.environ, {}, make_app)
