"""The manifests without a cluster: by today's schemas, by rules of safety, and by what the server needs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.cluster import TOP

OVERLAYS = ("production", "autoscaled")
DEPLOY = TOP / "deploy" / "kubernetes"
# What these rules ask for that is not ours to say or that the runbook has otherwise.
_NOT_OURS = {
    "CKV_K8S_43": "the digest is that of the registry where the image was put",
    "CKV_K8S_15": "an image is pulled again when its tag changes, and tags are not used twice",
    "CKV_K8S_35": "option A of the runbook has the secret in the environment; the keyring is mounted",
}


def built(overlay: str) -> str:
    done = subprocess.run(["kubectl", "kustomize", DEPLOY / "overlays" / overlay], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"", "no field is deprecated"
    return done.stdout.decode()


def objects(overlay: str) -> dict[str, Any]:
    made = list(yaml.safe_load_all(built(overlay)))
    kinds = {one["kind"]: one for one in made}
    assert len(kinds) == len(made)
    return kinds


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def file(overlay: str, tmp_path: Path) -> Path:
    path = tmp_path / f"{overlay}.yaml"
    path.write_text(built(overlay))
    return path


def test_the_schemas_of_todays_kubernetes_take_them(file: Path) -> None:
    done = subprocess.run(["kubernetes-validate", "--strict", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARN" not in done.stdout + done.stderr, "every kind is known"
    assert (done.stdout + done.stderr).count("passed for resource") == file.read_text().count("\nkind: ")


def test_a_wrong_manifest_would_be_refused(file: Path) -> None:
    file.write_text(file.read_text().replace("maxUnavailable: 0", "maxUnavailabel: 0"))
    done = subprocess.run(["kubernetes-validate", "--strict", file], capture_output=True, check=False)
    assert done.returncode != 0


def test_checkov_finds_nothing_else(file: Path) -> None:
    done = subprocess.run(
        [
            "checkov", "--skip-download", "--framework", "kubernetes", "--compact", "--quiet", "--output", "json",
            "--skip-check", ",".join(_NOT_OURS), "--file", file,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    summary = yaml.safe_load(done.stdout)["summary"]
    assert summary["failed"] == 0
    assert summary["parsing_errors"] == 0
    assert summary["passed"] > 70


def test_the_names_are_those_of_the_runbook(overlay: str) -> None:
    kinds = objects(overlay)
    for name, one in kinds.items():
        assert one["metadata"]["name"] == "guardai"
        if name != "Namespace":
            assert one["metadata"]["labels"]["app.kubernetes.io/name"] == "guardai"
            assert one["metadata"]["namespace"] == "guardai"
    spec = kinds["Deployment"]["spec"]
    assert spec["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "guardai"
    label = {"app.kubernetes.io/name": "guardai"}
    assert spec["selector"]["matchLabels"] == label
    assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == label
    assert kinds["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == label
    assert kinds["Service"]["spec"]["selector"] == label
    (server,) = spec["template"]["spec"]["containers"]
    assert server["name"] == "server"
    wanted = {variable["name"]: variable for variable in server["env"]}["GUARDAI_SESSION_SECRET"]["valueFrom"]
    assert (wanted["secretKeyRef"]["name"], wanted["secretKeyRef"]["key"]) == (
        "oguardai-session-secret",
        "session-secret",
    )


def test_pods_are_restricted(overlay: str) -> None:
    """By the profile of that name, https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    kinds = objects(overlay)
    assert kinds["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    spec = kinds["Deployment"]["spec"]["template"]["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["initContainers"] + spec["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
    for volume in spec["volumes"]:
        assert set(volume) - {"name"} <= {"secret", "emptyDir"}


def test_the_configuration_is_mounted_as_a_directory(overlay: str) -> None:
    (server,) = objects(overlay)["Deployment"]["spec"]["template"]["spec"]["containers"]
    (mount,) = [one for one in server["volumeMounts"] if one["mountPath"].startswith("/etc")]
    assert mount == {"name": "config", "mountPath": "/etc/guardai", "readOnly": True}


def test_a_pod_has_more_time_to_end_than_the_server_takes(overlay: str) -> None:
    spec = objects(overlay)["Deployment"]["spec"]
    (server,) = spec["template"]["spec"]["containers"]
    environ = {variable["name"]: variable.get("value") for variable in server["env"]}
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > int(environ["GUARDAI_DRAIN_SECONDS"]) + 10
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "preStop" not in server.get("lifecycle", {})


def test_three_pods_or_three_to_nine() -> None:
    assert objects("production")["Deployment"]["spec"]["replicas"] == 3
    scaled = objects("autoscaled")
    assert "replicas" not in scaled["Deployment"]["spec"]
    assert scaled["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 3
    del scaled["HorizontalPodAutoscaler"], scaled["Deployment"]
    fixed = objects("production")
    del fixed["Deployment"]
    assert scaled == fixed


def test_the_image_is_that_of_the_docker_page(overlay: str) -> None:
    spec = objects(overlay)["Deployment"]["spec"]["template"]["spec"]
    (image,) = {container["image"] for container in spec["initContainers"] + spec["containers"]}
    assert f"-t {image} ." in (TOP / "docs" / "docker.md").read_text()
