"""A client of the server in a container, at the port that the Compose files publish."""

from __future__ import annotations

import http.client
from typing import Any

from tests.server.harness import TEXT, send, wait_for

PORT = 3000


def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return status and body; status 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    try:
        return send(connection, method, path, body)
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        connection.close()


def is_ready() -> bool:
    return ask("GET", "/v1/ready")[0] == 200


def wait_until_ready() -> None:
    wait_for(is_ready, "the server to be ready")


def transform() -> dict[str, Any]:
    status, answer = ask("POST", "/v1/transform", {"input": TEXT})
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


def rehydrate(sealed: dict[str, Any]) -> tuple[int, Any]:
    """Return the status, and the text or the error's code."""
    body = {"output": sealed["safe_text"], "session_state": sealed["session_state"]}
    status, answer = ask("POST", "/v1/rehydrate", body)
    return status, answer["restored_text" if status == 200 else "code"]


def opens(sealed: dict[str, Any]) -> bool:
    """Tell whether a session can be opened; anything but the one answer for an expired one fails."""
    answered = rehydrate(sealed)
    if answered == (410, "GUARDAI_SESSION_EXPIRED"):
        return False
    assert answered == (200, TEXT)
    return True
