"""Three containers behind nginx: updated and rotated one by one under load, and no client sees an error."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oguardai.keyring import generate_secret
from tests.docker.client import PORT, transform, wait_until_ready
from tests.docker.conftest import IMAGE, figures
from tests.docker.engine import Engine
from tests.fleet.clients import Clients
from tests.server.harness import kid_of, wait_for, yaml_of

COMPOSE = "docker compose -f deploy/docker/docker-compose.fleet.yml"
SERVERS = ("server-1", "server-2", "server-3")
_TTL = 10


@dataclass(frozen=True, slots=True)
class Balancer:
    """nginx in its container, as clients see it; an instance's name is its address."""

    name: str = "nginx"
    port: int = PORT

    def instance(self, marked: str | None) -> str:
        return (marked or "none").rpartition(", ")[2]


class Fleet:
    """The Compose file's containers, with a configuration directory of the host."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.keys = [{"kid": kid, "secret": generate_secret()} for kid in range(2)]

    def ship(self, *kids: int) -> None:
        """Put oguardai.yaml in place for all three."""
        text = yaml_of([self.keys[kid] for kid in kids], "  shared: true\nserver:\n  drain_seconds: 2\n  workers: 1\n")
        draft = self.folder / ".new"
        draft.write_text(text.replace("ttl_seconds: 3600", f"ttl_seconds: {_TTL}"))
        draft.chmod(0o644)
        draft.replace(self.folder / "oguardai.yaml")

    def compose(self, words: str, **environ: str) -> str:
        return self.engine.output(f"{COMPOSE} {words}", OGUARDAI_CONFIG=str(self.folder), **environ)

    def healthy(self, server: str) -> bool:
        identity = self.compose(f"ps -q {server}")
        return self.engine.output(f"docker inspect -f '{{{{.State.Health.Status}}}}' {identity}") == "healthy"

    def roll(self, words: str, **environ: str) -> None:
        """Do something to one container after the other, each once the one before is healthy."""
        for server in SERVERS:
            self.compose(f"{words} {server}", **environ)
            wait_for(lambda one=server: self.healthy(one), f"{server} to be healthy")

    def wait_until_expired(self, sealed: dict[str, Any]) -> None:
        """Wait until a session's time is over, and with it that of all sealed before."""
        ends = datetime.fromisoformat(sealed["expires_at"]).timestamp()
        time.sleep(max(0.0, ends - time.time()) + 1)

    def sealing_kids(self) -> set[int]:
        return {kid_of(transform()) for _ in range(12)}

    @contextmanager
    def clients_who_see_no_error(self, what: str) -> Iterator[Clients]:
        with Clients([Balancer()], count=8) as clients:
            yield clients
        failures = clients.failures
        figures[what] = json.dumps(clients.figures())
        assert not failures, f"{len(failures)} errors, the first: {failures[0]}; {clients.figures()}"
        expired = [line for line in self.compose("logs --no-log-prefix").splitlines() if "SessionExpired" in line]
        assert all("reason=ttl" in line for line in expired), expired[:3]
        assert clients.figures()["opened_elsewhere"] > 0, "sessions were opened by others than sealed them"


@pytest.fixture
def fleet(engine: Engine, tmp_path: Path) -> Fleet:
    folder = tmp_path / "guardai"
    folder.mkdir(mode=0o755)
    made = Fleet(engine, folder)
    made.ship(0)
    made.compose("up -d")
    wait_until_ready()
    for server in SERVERS:
        wait_for(lambda one=server: made.healthy(one), f"{server} to be healthy")
    return made


def test_a_rolling_update_under_load_fails_no_request(engine: Engine, fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nLABEL next=yes\n")
    engine.run(f"DOCKER_BUILDKIT=0 docker build -q -t oguardai-server:next {tmp_path}")
    engine.run("docker tag oguardai-nginx:0.1.0 oguardai-nginx:next")
    before = fleet.compose("ps -q").split()
    with fleet.clients_who_see_no_error("rolling update of three containers") as clients:
        clients.wait_for_turns(10)
        fleet.roll("up -d --no-deps", OGUARDAI_VERSION="next")
        clients.wait_for_turns(10)
    after = fleet.compose("ps -q").split()
    assert len(set(before) & set(after)) == 1, "nginx alone is the same"
    labels = "docker ps -q | xargs docker inspect -f '{{.Config.Labels.next}}'"
    assert engine.output(labels).split().count("yes") == 3


def test_option_b_by_rolling_restart_under_load_fails_no_request(fleet: Fleet) -> None:
    with fleet.clients_who_see_no_error("option B by rolling restart") as clients:
        clients.wait_for_turns(5)
        fleet.ship(0, 1)
        fleet.roll("restart")
        assert fleet.sealing_kids() == {1}
        fleet.wait_until_expired(transform())
        fleet.ship(1)
        fleet.roll("restart")
        clients.wait_for_turns(5)
    assert fleet.sealing_kids() == {1}


def test_option_b_by_reload_under_load_fails_no_request(fleet: Fleet) -> None:
    with fleet.clients_who_see_no_error("option B by reload") as clients:
        clients.wait_for_turns(5)
        fleet.ship(0, 1)
        for server in SERVERS:
            fleet.compose(f"exec -T {server} oguardai reload")
        assert fleet.sealing_kids() == {1}
        fleet.wait_until_expired(transform())
        fleet.ship(1)
        for server in SERVERS:
            fleet.compose(f"exec -T {server} oguardai reload")
        clients.wait_for_turns(5)
    assert fleet.sealing_kids() == {1}
