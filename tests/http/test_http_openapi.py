"""The OpenAPI document says what the server does: no more, no less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from oguardai.detection import ENTITY_TYPES
from oguardai.web.endpoints import ENDPOINTS
from oguardai.web.openapi import document
from oguardai.web.problems import CODES


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_is_served_as_it_is_made(client: FlaskClient) -> None:
    answer = client.get("/v1/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == json.loads(json.dumps(document()))
    assert answer.json["openapi"].startswith("3.1.")


def test_every_route_is_in_it_and_nothing_else(app: Flask) -> None:
    routes = {(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    described = {(path, method.upper()) for path, item in document()["paths"].items() for method in item}
    assert described == {(path, method) for path, method in routes if method not in {"HEAD", "OPTIONS"}}


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    for reference in references(whole):
        node: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_operation_lists_its_errors_with_examples() -> None:
    codes = {kind.code for kind in CODES}
    for path, item in document()["paths"].items():
        for operation in item.values():
            assert "200" in operation["responses"]
            assert "500" in operation["responses"]
            for status, answer in operation["responses"].items():
                if status != "200":
                    examples = answer["content"]["application/problem+json"]["examples"]
                    assert examples, path
                    assert set(examples) <= codes
                    assert all(example["value"]["status"] == int(status) for example in examples.values())


def test_a_request_body_names_every_field_and_refuses_others() -> None:
    schemas = document()["components"]["schemas"]
    for endpoint in ENDPOINTS:
        if endpoint.body is not None:
            schema = schemas[endpoint.body.name]
            assert list(schema["properties"]) == [field.name for field in endpoint.body.fields]
            assert schema["additionalProperties"] is False
            assert all(prop["description"] for prop in schema["properties"].values())
    assert schemas["DetectRequest"]["properties"]["types"]["items"]["enum"] == list(ENTITY_TYPES)


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in ENDPOINTS if endpoint.name in {"transform", "detect"}])
def test_its_examples_of_requests_work(client: FlaskClient, endpoint: Any) -> None:
    content = document()["paths"][endpoint.path]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        answer = client.post(endpoint.path, json=example["value"])
        assert answer.status_code == 200
        expected = document()["paths"][endpoint.path]["post"]["responses"]["200"]["content"]["application/json"]
        assert set(answer.json) >= set(expected["examples"]["typical"]["value"])


def test_its_schemas_are_schemas() -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    for schema in document()["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
