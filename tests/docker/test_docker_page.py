"""Every command of docs/docker.md, in its order, section by section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.client import ask, opens, transform, wait_until_ready
from tests.docker.conftest import IMAGE
from tests.docker.engine import TOP, Engine
from tests.server.harness import kid_of

_PAGE = (TOP / "docs" / "docker.md").read_text()
_SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", _PAGE, re.MULTILINE))
_PRELUDE = 'sudo() { "$@"; }\n'  # root needs none


def _follow(engine: Engine, section: str) -> str:
    """Run the commands of a section in one shell; return what they printed."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", _SECTIONS[section], re.MULTILINE | re.DOTALL)
    assert blocks, section
    return engine.output(_PRELUDE + "".join(blocks))


@pytest.fixture
def secret_file() -> Iterator[Path]:
    path = TOP / "deploy" / "docker" / "session-secret"
    assert not path.exists(), f"{path} is somebody's own: move it away"
    yield path
    path.unlink(missing_ok=True)


def test_every_section_is_followed_by_a_test() -> None:
    here = Path(__file__).read_text()
    with_commands = {name for name, body in _SECTIONS.items() if "```sh" in body}
    assert with_commands == set(re.findall(r'_follow\(\w+, "(.*)"\)', here))


def test_build(engine: Engine) -> None:
    """From what was built already: there is no network here any more."""
    assert '"bomFormat": "CycloneDX"' in _follow(engine, "Build")
    assert f"-t {IMAGE} ." in _SECTIONS["Build"]


def test_run_one_server(engine: Engine) -> None:
    printed = _follow(engine, "Run one server")
    assert '"healthy"' in printed
    assert "ACTIVE" in printed
    wait_until_ready()
    assert kid_of(transform()) == 1
    assert opens(transform())


def test_a_secret_from_a_file(engine: Engine, secret_file: Path) -> None:
    _follow(engine, "A secret from a file")
    assert opens(transform())
    assert (secret_file.stat().st_uid, secret_file.stat().st_mode & 0o777) == (10001, 0o400)
    assert secret_file.read_text().strip() not in engine.output("docker ps -q | xargs docker inspect")


def test_three_behind_nginx(engine: Engine) -> None:
    _follow(engine, "Three behind nginx")
    assert {kid_of(transform()) for _ in range(12)} == {1}
    assert all(opens(transform()) for _ in range(12))
    assert ask("GET", "/v1/health")[1]["status"] == "healthy"
