"""The endpoints, as a client uses them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from oguardai import __version__
from oguardai.detection import ENTITY_TYPES
from oguardai.keyring import Keyring, KeyState
from tests.http.web_fakes import FakeSource, Lines, make_key

TEXT = "Grüße 👋 to julia@example.com,\r\nor julia@example.com"


def transform(client: FlaskClient, text: str = TEXT, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/transform", json={"input": text, **fields})
    assert answer.status_code == 200, answer.json
    body: dict[str, Any] = answer.json
    return body


class TestTransform:
    def test_the_answer_has_every_field(self, client: FlaskClient) -> None:
        answer = transform(client)
        assert set(answer) >= {
            "safe_text",
            "session_id",
            "session_state",
            "expires_at",
            "entities",
            "entity_context",
            "warnings",
        }
        assert "julia" not in answer["safe_text"]
        UUID(answer["session_id"])
        assert answer["session_state"].startswith("og1.1.")
        assert [set(entity) for entity in answer["entities"]] == [{"token", "type", "span", "confidence"}] * 2

    def test_spans_count_code_points(self, client: FlaskClient) -> None:
        for entity in transform(client)["entities"]:
            assert TEXT[entity["span"]["start"] : entity["span"]["end"]] == "julia@example.com"

    def test_expires_at_is_rfc_3339_and_a_ttl_away(self, client: FlaskClient) -> None:
        expires = datetime.fromisoformat(transform(client)["expires_at"])
        assert expires.utcoffset() is not None
        assert abs(expires.timestamp() - time.time() - 3600) < 60

    def test_the_kid_is_nowhere_but_in_the_blob(self, client: FlaskClient) -> None:
        assert "kid" not in client.post("/v1/transform", json={"input": TEXT}).get_data(as_text=True)

    def test_the_seal_is_reported_to_the_server(self, client: FlaskClient, source: FakeSource) -> None:
        transform(client)
        ((kid, expires_at),) = source.seals
        assert kid == 1
        assert abs(expires_at - time.time() - 3600) < 60

    def test_a_session_is_continued(self, client: FlaskClient, source: FakeSource) -> None:
        first = transform(client, "julia@example.com")
        second = transform(client, "hans@example.com", session_state=first["session_state"])
        assert second["entities"][0]["token"] != first["entities"][0]["token"]
        assert [kid for kid, _ in source.opens] == [1]
        restored = client.post(
            "/v1/rehydrate",
            json={
                "output": first["safe_text"] + second["safe_text"],
                "session_state": second["session_state"],
            },
        ).json
        assert restored["restored_text"] == "julia@example.comhans@example.com"

    def test_only_the_types_asked_for_are_replaced(self, client: FlaskClient) -> None:
        assert transform(client, types=["iban"])["safe_text"] == TEXT
        assert transform(client, threshold=1)["safe_text"] == TEXT


class TestRehydrate:
    @pytest.mark.parametrize("text", [TEXT, "", "\x00\r\n", "{{email:e_001}}", "a\u0301 \U0010ffff \ufeff"])
    def test_transform_then_rehydrate_gives_the_input_back(self, client: FlaskClient, text: str) -> None:
        made = transform(client, text)
        answer = client.post(
            "/v1/rehydrate", json={"output": made["safe_text"], "session_state": made["session_state"]}
        )
        assert answer.status_code == 200
        assert answer.json["restored_text"] == text
        assert set(answer.json) >= {"restored_text", "restored", "unknown_tokens", "repaired"}

    def test_the_open_is_reported_to_the_server(self, client: FlaskClient, source: FakeSource) -> None:
        made = transform(client)
        client.post("/v1/rehydrate", json={"output": "", "session_state": made["session_state"]})
        assert [kid for kid, _ in source.opens] == [1]

    def test_a_token_of_no_session_is_left_and_listed(self, client: FlaskClient) -> None:
        made = transform(client)
        answer = client.post(
            "/v1/rehydrate", json={"output": "{{email:e_999}}", "session_state": made["session_state"]}
        ).json
        assert answer["restored_text"] == "{{email:e_999}}"
        assert answer["unknown_tokens"] == ["{{email:e_999}}"]


class TestUnknownKid:
    def test_one_more_look_finds_a_new_key(self, client: FlaskClient, source: FakeSource) -> None:
        source.set_keys(make_key(0), make_key(2))
        blob = transform(client)["session_state"]
        source.set_keys(make_key(0), make_key(1))
        source.fresh_keyring = Keyring((make_key(2, KeyState.STAGED), make_key(0), make_key(1)))
        answer = client.post("/v1/rehydrate", json={"output": "x", "session_state": blob})
        assert answer.status_code == 200
        assert source.looked_for == [2]

    def test_a_continued_transform_looks_too(self, client: FlaskClient, source: FakeSource) -> None:
        source.set_keys(make_key(2))
        blob = transform(client)["session_state"]
        source.set_keys(make_key(0))
        source.fresh_keyring = Keyring((make_key(2, KeyState.STAGED), make_key(0)))
        again = transform(client, session_state=blob)
        assert again["session_state"].startswith("og1.0.")
        assert source.looked_for == [2]

    def test_it_looks_once_and_then_says_expired(self, client: FlaskClient, source: FakeSource, lines: Lines) -> None:
        source.set_keys(make_key(2))
        blob = transform(client)["session_state"]
        source.set_keys(make_key(0))
        answer = client.post("/v1/rehydrate", json={"output": "x", "session_state": blob})
        assert answer.status_code == 410
        assert source.looked_for == [2]
        (event,) = lines.of("SessionExpired")
        assert (event["reason"], event["kid"]) == ("unknown_kid", 2)

    def test_other_failures_do_not_look(self, client: FlaskClient, source: FakeSource) -> None:
        blob = transform(client)["session_state"]
        source.set_keys(make_key(0), make_key(1, KeyState.REVOKED))
        assert client.post("/v1/rehydrate", json={"output": "x", "session_state": blob}).status_code == 410
        assert source.looked_for == []


class TestDetect:
    def test_the_answer_has_every_field(self, client: FlaskClient) -> None:
        (entity,) = client.post("/v1/detect", json={"input": "to julia@example.com"}).json["entities"]
        assert entity["type"] == "email"
        assert entity["value"] == "julia@example.com"
        assert entity["span"] == {"start": 3, "end": 20}
        assert 0 < entity["confidence"] <= 1
        assert entity["detector"]

    def test_values_can_be_left_out(self, client: FlaskClient) -> None:
        answer = client.post("/v1/detect", json={"input": "to julia@example.com", "include_values": False})
        assert "value" not in answer.json["entities"][0]
        assert "julia" not in answer.get_data(as_text=True)

    def test_threshold_and_types_count(self, client: FlaskClient, source: FakeSource) -> None:
        def found(**fields: Any) -> int:
            return len(client.post("/v1/detect", json={"input": TEXT, **fields}).json["entities"])

        assert found() == 2
        assert found(types=["iban"]) == 0
        assert found(types=[]) == 2
        assert found(threshold=1.0) == 0
        source.set_setting("detection", types=("iban",))
        assert found() == 0
        assert found(types=["email"]) == 2
        source.set_setting("detection", types=(), threshold=1.0)
        assert found() == 0
        assert found(threshold=0) == 2


class TestHealth:
    def test_healthy(self, client: FlaskClient) -> None:
        answer = client.get("/v1/health").json
        assert answer == {"status": "healthy", "version": __version__, "uptime_seconds": answer["uptime_seconds"]}

    @pytest.mark.parametrize("outcome", ["refused", "failed", "partial"])
    def test_degraded_after_a_reload_that_failed(self, client: FlaskClient, source: FakeSource, outcome: str) -> None:
        source.outcome = outcome
        answer = client.get("/v1/health")
        assert (answer.status_code, answer.json["status"]) == (200, "degraded")

    def test_degraded_without_an_active_key(self, client: FlaskClient, source: FakeSource) -> None:
        source.set_keys(make_key(0, KeyState.STAGED))
        assert client.get("/v1/health").json["status"] == "degraded"


class TestReady:
    def test_ready(self, client: FlaskClient) -> None:
        assert client.get("/v1/ready").json == {"status": "ready"}

    @pytest.mark.parametrize("why", ["draining", "not serving", "no key"])
    def test_not_ready(self, client: FlaskClient, source: FakeSource, why: str) -> None:
        source.is_draining = why == "draining"
        source.is_serving = why != "not serving"
        if why == "no key":
            source.set_keys(make_key(0, not_before=time.time() + 1000))
        answer = client.get("/v1/ready")
        assert answer.status_code == 503
        assert answer.json["code"] == "GUARDAI_OVERLOADED"
        assert int(answer.headers["Retry-After"]) > 0

    def test_requests_are_served_while_draining(self, client: FlaskClient, source: FakeSource) -> None:
        source.is_draining = True
        transform(client)


class TestCapabilities:
    def test_it_lists_what_there_is(self, client: FlaskClient, source: FakeSource) -> None:
        source.set_setting("server", max_body_bytes=12345)
        answer = client.get("/v1/capabilities").json
        assert [kind["name"] for kind in answer["entity_types"]] == list(ENTITY_TYPES)
        assert all({"name", "level", "checksum", "locales"} <= set(kind) for kind in answer["entity_types"])
        assert "full" in answer["restore_modes"]
        assert answer["limits"]["max_body_bytes"] == 12345
        assert answer["detector_mode"] == "builtin"
        assert answer["version"] == __version__


class TestDiagnostics:
    def test_it_shows_fingerprints_and_states_and_no_secret(self, client: FlaskClient, source: FakeSource) -> None:
        transform(client)
        answer = client.get("/v1/diagnostics")
        keys = {key["kid"]: key for key in answer.json["keyring"]["keys"]}
        assert keys[1]["state"] == "ACTIVE"
        assert keys[1]["sealed"] == 1
        assert keys[0]["state"] == "standby"
        assert keys[0]["fingerprint"] == make_key(0).fingerprint
        assert answer.json["keyring"]["active_kid"] == 1
        assert make_key(0).prk.hex() not in answer.get_data(as_text=True)


class TestMetrics:
    def test_it_counts_what_happened(self, client: FlaskClient, source: FakeSource) -> None:
        blob = transform(client)["session_state"]
        client.post("/v1/rehydrate", json={"output": "x", "session_state": blob})
        source.set_keys(make_key(0))
        client.post("/v1/rehydrate", json={"output": "x", "session_state": blob})
        client.post("/v1/rehydrate", json={"output": "x", "session_state": "nonsense"})
        client.get("/v1/wp-login.php?user=julia")
        answer = client.get("/metrics")
        text = answer.get_data(as_text=True)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert 'oguardai_http_requests_total{endpoint="/v1/transform",method="POST",status="200"} 1.0' in text
        assert 'oguardai_http_requests_total{endpoint="unmatched",method="GET",status="404"} 1.0' in text
        assert 'oguardai_sessions_sealed_total{kid="1"} 1.0' in text
        assert 'oguardai_sessions_opened_total{kid="1"} 1.0' in text
        assert 'oguardai_session_errors_total{kid="unknown",reason="unknown_kid"} 1.0' in text
        assert 'oguardai_session_errors_total{kid="unknown",reason="invalid"} 1.0' in text
        assert 'oguardai_entities_total{type="email"} 2.0' in text
        assert "wp-login" not in text
        assert "julia" not in text


class TestHeaders:
    def test_every_answer_has_them(self, client: FlaskClient) -> None:
        for answer in (client.get("/v1/health"), client.get("/nowhere"), client.post("/v1/detect")):
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert len(answer.headers.getlist("X-Request-ID")) == 1
            assert "Set-Cookie" not in answer.headers
            assert "Server" not in answer.headers

    @pytest.mark.parametrize("given", ["a", "0af7651916cd43dd:abc_def.0", "x" * 128])
    def test_a_sane_request_id_is_kept(self, client: FlaskClient, given: str) -> None:
        assert client.get("/v1/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given

    @pytest.mark.parametrize(
        "given", ["", " a", "a b", "x" * 129, 'a"b', "a,b", "é", "a\tb", "-a", "julia@example.com"]
    )
    def test_any_other_is_replaced(self, wsgi: Callable[..., Any], given: str) -> None:
        _, headers, _ = wsgi("GET", "/v1/health", HTTP_X_REQUEST_ID=given)
        assert UUID(headers["X-Request-ID"]).hex == headers["X-Request-ID"]

    @pytest.mark.parametrize("given", ["a\n", "a\r\nSet-Cookie: x=y", "a\x00"])
    def test_a_request_id_cannot_break_the_headers(self, wsgi: Callable[..., Any], given: str) -> None:
        _, headers, _ = wsgi("GET", "/v1/health", HTTP_X_REQUEST_ID=given)
        assert headers["X-Request-ID"].isalnum()

    def test_head_and_options(self, client: FlaskClient) -> None:
        head = client.head("/v1/health")
        assert (head.status_code, head.data) == (200, b"")
        options = client.options("/v1/transform")
        assert (options.status_code, options.data, options.headers["Allow"]) == (204, b"", "OPTIONS, POST")
        assert "Access-Control-Allow-Origin" not in options.headers


@pytest.mark.parametrize("text", ["::1 " * 200, "a@example.com " * 200, "{{email:e_001}} " * 200])
def test_more_finds_than_allowed_are_refused(client: FlaskClient, source: FakeSource, text: str) -> None:
    source.set_setting("detection", max_finds=100)
    answer = client.post("/v1/transform", json={"input": text})
    assert (answer.status_code, answer.json["code"]) == (413, "GUARDAI_PAYLOAD_TOO_LARGE")
    assert "detection.max_finds" in answer.json["detail"]
    if "{" not in text:
        assert client.post("/v1/detect", json={"input": text}).status_code == 413
    assert client.post("/v1/transform", json={"input": text[:300]}).status_code == 200
