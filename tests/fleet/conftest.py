"""Fleets for the tests of this folder, and the figures that they leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.harness import Fleet
from tests.server.conftest import make_server

__all__ = ["make_fleet", "make_server", "record"]

_FIGURES = Path(__file__).parents[2] / ".cache" / "fleet-figures.json"


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Make fleets, started with kid 0 alone unless told otherwise; they are ended at the end."""
    fleets: list[Fleet] = []

    def make(*, start: bool = True, **options: Any) -> Fleet:
        root = tmp_path / f"fleet{len(fleets)}"
        root.mkdir()
        fleet = Fleet(root, **options)
        fleets.append(fleet)
        fleet.ship_kids(0)
        if start:
            fleet.start()
        return fleet

    yield make
    for fleet in fleets:
        fleet.stop()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Print a test's figures and keep them in .cache/fleet-figures.json."""

    def keep(figures: dict[str, float], **more: float) -> None:
        figures = more | figures
        print(request.node.name, json.dumps(figures))
        _FIGURES.parent.mkdir(exist_ok=True)
        kept = json.loads(_FIGURES.read_text()) if _FIGURES.exists() else {}
        _FIGURES.write_text(json.dumps(kept | {request.node.name: figures}, indent=1) + "\n")

    return keep
