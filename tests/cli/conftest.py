"""The fixture that every test of a command uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.harness import Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host with one key, from the env file."""
    for name in [name for name in os.environ if name.startswith("GUARDAI_")]:
        monkeypatch.delenv(name)
    for name in ("JOURNAL_STREAM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    one = Host(tmp_path)
    one.config_dir.mkdir()
    one.write(one.env, f"GUARDAI_SESSION_SECRET={one.secrets[0]}\n")
    one.write_yaml()
    return one
