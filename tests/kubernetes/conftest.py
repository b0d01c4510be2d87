"""A cluster with a node and a Service, where there is an API server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.fleet.clients import Clients
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.node import Node
from tests.kubernetes.service import Service
from tests.server.harness import wait_for

NAMESPACE = "guardai"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/guardai"

figures: dict[str, str] = {}
_running: list[tuple[Cluster, Node]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--built", type=Path, help="folder of kube-apiserver and kube-controller-manager")
    parser.addoption("--work", type=Path, help="an empty folder, in memory; script/test-kubernetes makes it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the pods and what they wrote with a failure."""
    report = yield
    if report.when == "call" and report.failed:
        for cluster, node in _running:
            report.sections.append(("pods", cluster.run("kubectl get all -A", check=False).stdout))
            for pod in list(node.pods.values()):
                if pod.log("server").exists():
                    report.sections.append((f"log of {pod.name}", pod.log("server").read_text()[-3000:]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, value in figures.items():
        terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def work(request: pytest.FixtureRequest) -> Path:
    folder: Path | None = request.config.getoption("--work")
    assert folder is not None, "run script/test-kubernetes, which makes the folder, and a network for the cluster"
    return folder


@pytest.fixture(scope="session")
def started(request: pytest.FixtureRequest, work: Path) -> Iterator[tuple[Cluster, Node]]:
    built: Path = request.config.getoption("--built")
    if not (built / "kube-apiserver").exists():
        pytest.skip("there is no API server: script/test-kubernetes --build makes it")
    cluster = Cluster(built, work)
    try:
        cluster.start()
        node = Node(cluster.api, work)
        node.start()
        _running.append((cluster, node))
        try:
            yield cluster, node
        finally:
            node.stop()
            _running.clear()
    finally:
        cluster.stop()


@pytest.fixture(scope="session", autouse=True)
def internal_name(work: Path) -> Iterator[None]:
    """Give the runbook's host a meaning, for the processes of this run alone."""
    hosts = work / "hosts"
    hosts.write_text("127.0.0.1 localhost guardai.internal\n")
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
    yield
    subprocess.run(["umount", "/etc/hosts"], check=True)


@pytest.fixture(scope="session")
def service(started: tuple[Cluster, Node]) -> Iterator[Service]:
    made = Service(started[0].api, NAMESPACE)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def node(started: tuple[Cluster, Node]) -> Node:
    return started[1]


@pytest.fixture
def cluster(started: tuple[Cluster, Node], service: Service) -> Iterator[Cluster]:
    """The cluster, with nothing of ours in it before and after the test."""
    cluster, node = started
    node.logs.clear()
    yield cluster
    cluster.run("kubectl config set-context --current --namespace=default")
    kinds = "hpa,deployment,service,secret,pdb,networkpolicy,serviceaccount"
    cluster.run(f"kubectl delete {kinds} --all -n {NAMESPACE} --wait=false", check=False)
    wait_for(lambda: not node.pods and not cluster.api.get("/api/v1/pods")["items"], "the pods to be gone")
    assert node.killed == [], "every pod ended within its time"


@pytest.fixture
def clients_who_see_no_error(service: Service, node: Node) -> Callable[[str], AbstractContextManager[Clients]]:
    @contextmanager
    def clients(what: str) -> Iterator[Clients]:
        with Clients([service], count=8) as made:
            yield made
        failures = made.failures
        figures[what] = json.dumps(made.figures())
        assert not failures, f"{len(failures)} errors, the first: {failures[0]}; {made.figures()}"

    return clients
