"""Schemathesis against the application: what the document allows is taken, what it does not is refused as it says."""

from __future__ import annotations

from typing import Any

import pytest

schemathesis: Any = pytest.importorskip("schemathesis")

from hypothesis import HealthCheck, Phase, settings  # noqa: E402

from oguardai.web import create_app  # noqa: E402
from tests.http.web_fakes import FakeSource  # noqa: E402

APP = create_app(FakeSource())
BLOB = APP.test_client().post("/v1/transform", json={"input": "julia@example.com"}).json["session_state"]


def loopback(environ: dict[str, Any], start_response: Any) -> Any:
    """Call the application as a server would: schemathesis' own client has no address."""
    return APP({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


def configuration() -> Any:
    return schemathesis.Config.from_dict(
        {
            "seed": 20260401,
            "generation": {"mode": "all", "deterministic": True, "max-examples": 60, "database": "none"},
            "checks": {
                # A session of the right shape is not one that opens: 400 SESSION_INVALID and 410 are right answers.
                "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "410"]},
                "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "413", "415"]},
                "unsupported_method": {"enabled": True},
            },
        }
    )


schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", loopback, config=configuration())


@schema.parametrize()
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_document_and_the_server_agree(case: Any) -> None:
    answer = case.call_and_validate()
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]


@schema.include(operation_id=["transform", "detect", "rehydrate"]).parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_what_the_document_allows_is_taken(case: Any) -> None:
    if not isinstance(case.body, dict) or not case.meta.generation.mode.is_positive:
        return
    body = dict(case.body)
    if "session_state" in body:
        body["session_state"] = BLOB
        body.pop("token_style", None)  # a session keeps its own
    elif body.get("input_tokens") == "keep":  # of which session?
        return
    answer = APP.test_client().open(case.path, method=case.method, json=body)
    assert answer.status_code == 200, answer.json
