"""The operators' runbook, its lines for kubectl taken from its text, against a real API server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from time import sleep, time

import yaml

from oguardai.keyring import generate_secret
from tests.docker.client import is_ready, opens, transform, wait_until_ready
from tests.fleet.clients import Clients
from tests.kubernetes.cluster import TOP, Cluster
from tests.kubernetes.conftest import DEPLOYMENT
from tests.kubernetes.node import Node
from tests.server.harness import kid_of, wait_for, yaml_of

_TEXT = (TOP / "tests" / "runbook.txt").read_text().replace("\\\n", "")
_TTL = 20
OVERLAY = "deploy/kubernetes/overlays/production"
NAMESPACE = "kubectl config set-context --current --namespace=guardai"
ClientsWhoSeeNoError = Callable[[str], AbstractContextManager[Clients]]


def _line(pattern: str) -> str:
    """Return the command of the runbook that a pattern finds."""
    match = re.search(pattern, _TEXT)
    assert match is not None, pattern
    return match[0]


GENERATE = _line(r"openssl rand -base64 32")
SECRET = _line(r"kubectl create secret generic oguardai-session-secret .* \| kubectl apply -f -")
RESTART_AND_WAIT = _line(r"kubectl rollout restart deployment/guardai && kubectl rollout status .* --timeout=5m")
LOGS = _line(r"kubectl logs -l app\.kubernetes\.io/name=guardai -c server --tail=100 \| grep 'SessionExpired'")
RESTART = _line(r"(?<=rolling restart: )kubectl rollout restart deployment/guardai")
HEALTH = _line(r"curl -sf http://guardai\.internal:3000/v1/health")
TRANSFORM = _line(r"curl -s -X POST http://guardai\.internal:3000/v1/transform .*jq \.session_state")
STATUS = "kubectl rollout status deployment/guardai --timeout=5m"


def _set_secret(cluster: Cluster) -> str:
    secret = cluster.output(GENERATE)
    cluster.run(SECRET.replace("<NEW_SECRET>", secret))
    return secret


def _begin(cluster: Cluster) -> None:
    """Bring up three servers with a secret, and find them at the Service's name."""
    cluster.run(f"kubectl create namespace guardai --dry-run=client -o yaml | kubectl apply -f - && {NAMESPACE}")
    _set_secret(cluster)
    cluster.apply(OVERLAY)
    cluster.run(STATUS)
    wait_until_ready()


def _ship(cluster: Cluster, keys: list[dict[str, object]]) -> None:
    """Put the keyring where all pods have it mounted."""
    text = yaml_of(keys, "server:\n  workers: 1\n").replace("ttl_seconds: 3600", f"ttl_seconds: {_TTL}")
    cluster.run(
        "kubectl create secret generic oguardai-config --from-file=oguardai.yaml=/dev/stdin --dry-run=client -o yaml "
        "| kubectl apply -f -",
        given=text,
    )


def _sealing_kids() -> set[int]:
    return {kid_of(transform()) for _ in range(20)}


def test_every_line_that_names_kubectl_is_run_here() -> None:
    known = {SECRET, RESTART_AND_WAIT, LOGS, RESTART}
    named = re.findall(r"kubectl (?!apply).*", _TEXT)
    assert len(named) == 5
    for line in named:
        assert any(command in line for command in known), line


def test_option_a(cluster: Cluster, node: Node) -> None:
    _begin(cluster)
    old = transform()
    assert opens(old)
    first = {pod.name for pod in node.pods.values()}
    secret = _set_secret(cluster)
    cluster.run(RESTART_AND_WAIT)
    wait_for(lambda: not first & {pod.name for pod in node.pods.values()}, "the pods of before to be gone")
    # A client asks whoever the Service chose; --tail=100 of any of them will do.
    for _ in range(20):
        assert not opens(old), "a client transforms again"
    assert all(opens(transform()) for _ in range(12))
    assert "SessionExpired reason=authentication kid=0" in cluster.output(LOGS)
    written = "".join(pod.log("server").read_text() for pod in node.pods.values())
    assert secret not in written

    assert json.loads(cluster.output(HEALTH))["status"] == "healthy"
    assert re.fullmatch(r'"og1\.0\.[A-Za-z0-9_-]+"', cluster.output(TRANSFORM))


def test_option_b_under_load_fails_no_request(
    cluster: Cluster, node: Node, clients_who_see_no_error: ClientsWhoSeeNoError
) -> None:
    keys: list[dict[str, object]] = [{"kid": kid, "secret": generate_secret()} for kid in range(2)]
    cluster.run(f"kubectl create namespace guardai --dry-run=client -o yaml | kubectl apply -f - && {NAMESPACE}")
    _ship(cluster, keys[:1])
    cluster.apply(OVERLAY)
    cluster.run(STATUS)
    wait_until_ready()
    with clients_who_see_no_error("option B in Kubernetes") as clients:
        clients.wait_for_turns(5)
        _ship(cluster, keys)
        cluster.run(f"{RESTART} && {STATUS}")
        wait_for(lambda: len(node.pods) == 3, "the pods of before to be gone")
        assert _sealing_kids() == {1}
        ends = datetime.fromisoformat(transform()["expires_at"]).timestamp()
        sleep(max(0.0, ends - time()) + 1)
        _ship(cluster, keys[1:])
        cluster.run(f"{RESTART} && {STATUS}")
        wait_for(lambda: len(node.pods) == 3, "the pods of before to be gone")
        clients.wait_for_turns(5)
    assert _sealing_kids() == {1}
    expired = [line for log in node.logs.values() for line in log.splitlines() if "SessionExpired" in line]
    assert all("reason=ttl" in line for line in expired), expired[:3]


def test_a_rolling_update_under_load_fails_no_request(
    cluster: Cluster, node: Node, clients_who_see_no_error: ClientsWhoSeeNoError
) -> None:
    _begin(cluster)
    first = {pod.name for pod in node.pods.values()}
    with clients_who_see_no_error("rolling update in Kubernetes") as clients:
        clients.wait_for_turns(5)
        cluster.run(f"kubectl set image deployment/guardai server=oguardai-server:next && {STATUS}")
        wait_for(lambda: len(node.pods) == 3, "the pods of before to be gone")
        clients.wait_for_turns(5)
    assert not first & {pod.name for pod in node.pods.values()}


def test_a_missing_secret_is_told_in_the_log_and_mended_by_one(cluster: Cluster, node: Node) -> None:
    cluster.run(f"kubectl create namespace guardai --dry-run=client -o yaml | kubectl apply -f - && {NAMESPACE}")
    cluster.apply(OVERLAY)

    def told() -> str:
        lines = {
            line
            for pod in node.pods.values()
            if pod.log("server").exists()
            for line in pod.log("server").read_text().splitlines()
        }
        return "\n".join(lines)

    assert wait_for(lambda: "there is no key to seal sessions with" in told() and told(), "the reason").count("\n") == 0
    assert not is_ready()
    _set_secret(cluster)
    cluster.run(STATUS)
    wait_until_ready()
    assert opens(transform())


def test_what_is_applied_again_takes_no_key_away(cluster: Cluster, node: Node) -> None:
    _begin(cluster)
    before = cluster.api.get("/api/v1/namespaces/guardai/secrets/oguardai-session-secret")["data"]
    generation = cluster.api.get(DEPLOYMENT)["metadata"]["generation"]
    cluster.apply(OVERLAY)
    assert cluster.api.get("/api/v1/namespaces/guardai/secrets/oguardai-session-secret")["data"] == before
    assert cluster.api.get(DEPLOYMENT)["metadata"]["generation"] == generation, "nothing is restarted"


def test_service_links_would_set_the_port_and_are_off(cluster: Cluster, node: Node) -> None:
    """The other way round, the variable of the Service named guardai keeps the server from starting."""
    text = yaml.safe_load((TOP / "deploy/kubernetes/base/deployment.yaml").read_text())
    assert text["spec"]["template"]["spec"]["enableServiceLinks"] is False
    _begin(cluster)
    patch = json.dumps({"spec": {"template": {"spec": {"enableServiceLinks": True}}}})
    cluster.run(f"kubectl patch deployment/guardai --type=merge -p '{patch}'")
    wait_for(
        lambda: any(
            "GUARDAI_PORT" in pod.log("server").read_text() for pod in node.pods.values() if pod.log("server").exists()
        ),
        "a server to be refused",
    )
    assert opens(transform()), "and those of before go on"


def test_the_autoscaler_begins_with_three(cluster: Cluster, node: Node) -> None:
    cluster.run(f"kubectl create namespace guardai --dry-run=client -o yaml | kubectl apply -f - && {NAMESPACE}")
    _set_secret(cluster)
    cluster.apply("deploy/kubernetes/overlays/autoscaled")
    wait_for(lambda: cluster.api.get(DEPLOYMENT)["status"].get("readyReplicas") == 3, "three pods")
    cluster.apply("deploy/kubernetes/overlays/autoscaled")
    assert cluster.api.get(DEPLOYMENT)["spec"]["replicas"] == 3, "an apply leaves the number alone"
    assert opens(transform())
