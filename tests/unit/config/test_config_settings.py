"""The registry of settings: complete, consistent, documented."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from pathlib import Path

import pytest

import oguardai.config
from oguardai.config import (
    SETTINGS,
    DetectionSettings,
    ServerSettings,
    Settings,
    reference,
    settings_from_json,
    settings_to_json,
)
from oguardai.config.keys import FIELDS
from oguardai.config.settings import LOOPBACK, PRIVATE

PAGE = Path(oguardai.config.__file__).parents[2] / "docs" / "configuration.md"


def test_every_field_is_a_setting_and_the_defaults_are_in_range() -> None:
    paths = {
        f"{section.name}.{item.name}"
        for section in dataclasses.fields(Settings)
        for item in dataclasses.fields(section.default_factory)  # type: ignore[arg-type]
    }
    assert {setting.path for setting in SETTINGS} == paths
    for setting in SETTINGS:
        assert setting.get(Settings()) == setting.default
        assert setting.doc.endswith(".")
        if setting.low is not None and setting.high is not None:
            assert setting.low <= setting.default <= setting.high  # type: ignore[operator]
        if setting.choices:
            assert setting.default in setting.choices


def test_variables_are_unique_and_leave_out_the_server() -> None:
    names = {setting.path: setting.env for setting in SETTINGS}
    assert len(set(names.values())) == len(SETTINGS)
    assert names["server.port"] == "GUARDAI_PORT"
    assert names["server.max_body_bytes"] == "GUARDAI_MAX_BODY_BYTES"
    assert names["session.ttl_seconds"] == "GUARDAI_SESSION_TTL_SECONDS"
    assert names["log.level"] == "GUARDAI_LOG_LEVEL"
    assert "GUARDAI_SESSION_SECRET" not in names.values()


def test_the_defaults_that_others_rely_on() -> None:
    settings = Settings()
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 3000)
    assert settings.server.max_body_bytes == 4 * 1024 * 1024
    assert (settings.session.ttl_seconds, settings.session.max_age_seconds) == (3600, 86_400)
    assert (settings.session.max_blob_bytes, settings.session.max_entities) == (1024 * 1024, 10_000)
    assert settings.session.shared is False


@pytest.mark.parametrize("address", ["8.8.8.8", "100.64.0.1", "2001:4860:4860::8888", "172.32.0.1", "0.0.0.0"])
def test_no_public_address_is_allowed_by_default(address: str) -> None:
    networks = [ipaddress.ip_network(network) for network in LOOPBACK + PRIVATE]
    assert not any(ipaddress.ip_address(address) in network for network in networks)
    assert all(network.is_private for network in networks)


def test_what_needs_a_restart() -> None:
    assert {setting.path for setting in SETTINGS if setting.restart} == {
        f"server.{name}" for name in ("host", "port", "workers", "threads", "worker_timeout_seconds")
    } | {"server.runtime_dir", "server.state_dir"}


def test_settings_survive_json() -> None:
    settings = Settings(
        server=ServerSettings(port=1, allow_networks=(), trusted_proxies=("10.0.0.0/8",)),
        detection=DetectionSettings(threshold=1.0, types=("email",)),
    )
    for one in (Settings(), settings):
        assert settings_from_json(json.loads(json.dumps(settings_to_json(one)))) == one
    assert type(settings_from_json({"detection": {"threshold": 1}}).detection.threshold) is float


@pytest.mark.parametrize(
    "data",
    [
        {"server": 1},
        {"servers": {"port": 1}},
        {"server": {"prot": 1}},
        {"server": {"port": "1"}},
        {"log": {"requests": 1}},
    ],
)
def test_json_that_is_no_settings_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"server|log"):
        settings_from_json(data)


def test_the_reference_in_the_docs_is_that_of_the_registry() -> None:
    """If this fails: python -m oguardai.config.reference > docs/configuration.md"""
    assert PAGE.read_text(encoding="utf-8") == reference.render()


def test_the_reference_names_everything() -> None:
    page = reference.render()
    for setting in SETTINGS:
        assert f"`{setting.path}`" in page
        assert f"`{setting.env}`" in page
        assert setting.doc in page
    for name, _, _ in FIELDS:
        assert f"| `{name}` |" in page
    for network in LOOPBACK + PRIVATE:
        assert f"- `{network}`\n" in page
