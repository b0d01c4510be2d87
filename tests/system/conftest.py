"""Machines for the tests: of one release in one run of pytest, which ``--suite`` names."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.images import base_image
from tests.system.machine import Machine, wait_for

_running: list[Machine] = []
figures: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--suite", choices=("bookworm", "trixie"), default="bookworm", help="the Debian to test on")
    parser.addoption("--deb", type=Path, help="the package, made by script/deb")
    parser.addoption("--next-deb", type=Path, help="a later version of it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the machines' journals with a failure."""
    report = yield
    if report.when == "call" and report.failed:
        for machine in _running:
            done = machine.run("journalctl --no-pager --unit='oguardai*' --lines=40", check=False)
            report.sections.append((f"journal of {machine.name}", done.stdout))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for name, value in figures.items():
        terminalreporter.write_line(f"{name}: {value}")


@dataclass(frozen=True, slots=True)
class Packages:
    """The package, and a later version of it."""

    now: Path
    later: Path


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    chosen: str = request.config.getoption("--suite")
    return chosen


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest) -> Packages:
    return Packages(request.config.getoption("--deb"), request.config.getoption("--next-deb"))


@pytest.fixture(scope="session")
def base(suite: str) -> list[Path]:
    """The layers of a machine without the package."""
    return [base_image(suite)]


@pytest.fixture(scope="session")
def installed(base: list[Path], packages: Packages) -> Iterator[list[Path]]:
    """The layers of a machine with the package, installed as an administrator does it."""
    machine = Machine(base)
    try:
        try:
            machine.boot()
            machine.copy(packages.now, "/root/oguardai-server.deb")
            began = time.monotonic()
            machine.run("apt-get install -y /root/oguardai-server.deb", seconds=300)
            wait_for(
                lambda: machine.run("curl -sf http://guardai.internal:3000/v1/health", check=False).returncode == 0,
                "the first answer",
            )
            figures["from `apt-get install` to the first answer"] = f"{time.monotonic() - began:.1f} s"
            machine.power_off()
        finally:
            machine.end(keep_layer=True)
        yield [machine.layer, *base]
    finally:
        machine.remove()


def _boot(layers: list[Path]) -> Iterator[Machine]:
    machine = Machine(layers)
    with machine.booted():
        _running.append(machine)
        yield machine
        _running.remove(machine)


@pytest.fixture(scope="module")
def machine(installed: list[Path]) -> Iterator[Machine]:
    """A running machine with the package, for the tests of one file; they leave it as they found it."""
    yield from _boot(installed)


@pytest.fixture
def fresh_machine(installed: list[Path]) -> Iterator[Machine]:
    """A running machine with the package, for one test."""
    yield from _boot(installed)


@pytest.fixture
def undrained_machine(fresh_machine: Machine) -> Machine:
    """A running machine with the package, for one test that stops the service often and has no clients to drain."""
    fresh_machine.run("echo GUARDAI_DRAIN_SECONDS=0 >>/etc/guardai/oguardai.env && systemctl reload oguardai-server")
    return fresh_machine


@pytest.fixture
def bare_machine(base: list[Path]) -> Iterator[Machine]:
    """A running machine without the package, for one test."""
    yield from _boot(base)
