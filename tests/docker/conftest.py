"""The image, built three times, and an engine to run it on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from oguardai.keyring import generate_secret
from tests.docker.base import base_archive
from tests.docker.engine import TOP, Engine, leave_the_network
from tests.docker.layers import Saved

IMAGE = "oguardai-server:0.1.0"
_NGINX = "oguardai-nginx:0.1.0"
_BUILD = "docker build --network=host -f deploy/docker/Dockerfile"

figures: dict[str, str] = {}
_engines: list[Engine] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tools", type=Path, help="folder of the programs of tools.txt; script/test-docker sees to it")
    parser.addoption("--work", type=Path, help="folder of the engine, which is deleted afterwards")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the containers and what they wrote with a failure."""
    report = yield
    if report.when == "call" and report.failed:
        for engine in _engines:
            show = "docker ps -a; for id in $(docker ps -aq); do docker logs --tail=30 $id 2>&1; done"
            report.sections.append(("containers", engine.run(show, check=False).stdout))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, value in figures.items():
        terminalreporter.write_line(f"{name}: {value}")


@dataclass(frozen=True, slots=True)
class Builds:
    """Tags of the same sources, built in three ways, and a text that lay about in all files that were not asked for."""

    legacy: str
    buildkit: str
    again: str
    canary: str


@pytest.fixture(scope="session")
def tools(request: pytest.FixtureRequest) -> Path:
    folder: Path | None = request.config.getoption("--tools")
    assert folder is not None, "run script/test-docker, which installs the tools"
    return folder


@pytest.fixture(scope="session")
def work(request: pytest.FixtureRequest) -> Path:
    folder: Path | None = request.config.getoption("--work")
    assert folder is not None, "run script/test-docker, which makes the folder"
    return folder


@pytest.fixture(scope="session")
def builds(work: Path) -> Iterator[tuple[Builds, Engine]]:
    """Build everything while there is a network, and go where there is none."""
    engine = Engine(work)
    engine.start(bridge=False)
    try:
        engine.run(f"docker import {base_archive()} debian:trixie-slim")
        made = Builds(IMAGE, "oguardai-buildkit", "oguardai-again", generate_secret())
        copy = _copy_with_canaries(work, made.canary)
        jobs = [
            (f"DOCKER_BUILDKIT=0 {_BUILD} -t {made.legacy} .", TOP),
            (f"DOCKER_BUILDKIT=1 {_BUILD} -t {made.buildkit} .", TOP),
            (f"DOCKER_BUILDKIT=1 {_BUILD} --no-cache -t {made.again} .", copy),
            (f"DOCKER_BUILDKIT=0 docker build --network=host -t {_NGINX} deploy/docker/nginx", TOP),
        ]
        with ThreadPoolExecutor(len(jobs)) as builders:
            list(builders.map(lambda job: engine.run(job[0], cwd=job[1]), jobs))
    finally:
        engine.stop()
    leave_the_network()
    engine.start(bridge=True)
    _engines.append(engine)
    try:
        yield made, engine
    finally:
        _engines.remove(engine)
        engine.remove_containers()
        engine.stop()


def _copy_with_canaries(work: Path, canary: str) -> Path:
    """Copy the checkout, and leave secrets where people leave them."""
    copy = work / "checkout"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if name and (TOP / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, copy / name)
    for name in (
        ".env", ".local/etc/oguardai.env", "deploy/docker/.env", "deploy/docker/session-secret", "etc/oguardai.env",
        "oguardai.env", ".git/config",
    ):  # fmt: skip
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(f"GUARDAI_SESSION_SECRET={canary}\n")
    return copy


@pytest.fixture(scope="session")
def saved(builds: tuple[Builds, Engine], work: Path) -> Callable[[str], Saved]:
    """Save an image of a tag."""
    _, engine = builds
    kept: dict[str, Saved] = {}

    def save(tag: str) -> Saved:
        if tag not in kept:
            archive = work / f"saved-{len(kept)}.tar"
            engine.run(f"docker save -o {archive} {tag}")
            kept[tag] = Saved(archive)
        return kept[tag]

    return save


@pytest.fixture
def engine(builds: tuple[Builds, Engine]) -> Iterator[Engine]:
    """The engine, without a container before and after the test."""
    yield builds[1]
    builds[1].remove_containers()


@pytest.fixture
def secret() -> str:
    return generate_secret()
