"""A real Kubernetes API server with its store and its controllers, on loopback, and a shell with kubectl in it."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
from pathlib import Path
from typing import Any

from tests.server.harness import wait_for

TOP = Path(__file__).parents[2]
_STORE = "http://127.0.0.1:23790"
_PORT = 6443
_TOKEN = "oguardai-tests"
_CONTROLLERS = "deployment,replicaset,endpoint,garbagecollector,horizontalpodautoscaling,disruption"
# All that this release has of what the manifests name otherwise; the fields are the same.
_OLDER = {"apiVersion: policy/v1\n": "apiVersion: policy/v1beta1\n", "autoscaling/v2\n": "autoscaling/v2beta2\n"}


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status


class Api:
    """Requests to the API server, as a node makes them."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(certificate))

    def request(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        connection = http.client.HTTPSConnection("127.0.0.1", _PORT, context=self._context, timeout=30)
        headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": kind}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise ApiError(response.status, content.decode(errors="replace"))
        return json.loads(content)

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def find(self, path: str) -> Any:
        """Return an object, or None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def patch(self, path: str, body: Any) -> Any:
        return self.request("PATCH", path, body, "application/merge-patch+json")


class Cluster:
    """etcd, kube-apiserver and kube-controller-manager as child processes, below a folder."""

    def __init__(self, built: Path, folder: Path) -> None:
        self._built = built
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.kubeconfig = folder / "kubeconfig"

    def start(self) -> None:
        folder = self._folder
        key = folder / "account.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        (folder / "tokens").write_text(f"{_TOKEN},admin,admin,system:masters\n")
        self._run(
            "etcd", f"--data-dir={folder / 'store'}", f"--listen-client-urls={_STORE}",
            f"--advertise-client-urls={_STORE}", "--listen-peer-urls=http://127.0.0.1:23800",
        )  # fmt: skip
        self._run(
            str(self._built / "kube-apiserver"), f"--etcd-servers={_STORE}", f"--secure-port={_PORT}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={folder / 'certificates'}",
            f"--token-auth-file={folder / 'tokens'}", "--authorization-mode=AlwaysAllow",
            "--disable-admission-plugins=ServiceAccount", "--service-account-issuer=https://localhost",
            f"--service-account-signing-key-file={key}", f"--service-account-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/24", "--endpoint-reconciler-type=none",
            "--kubelet-preferred-address-types=InternalIP",
        )  # fmt: skip
        certificate = folder / "certificates" / "apiserver.crt"
        wait_for(certificate.exists, "the API server's certificate")
        self.api = Api(certificate)
        self.kubeconfig.write_text(f"""\
apiVersion: v1
kind: Config
clusters: [{{name: tests, cluster: {{server: "https://127.0.0.1:{_PORT}", certificate-authority: {certificate}}}}}]
users: [{{name: admin, user: {{token: {_TOKEN}}}}}]
contexts: [{{name: tests, context: {{cluster: tests, user: admin}}}}]
current-context: tests
""")
        self.kubeconfig.chmod(0o600)
        wait_for(self._is_ready, "the API server to be ready")
        self._run(
            str(self._built / "kube-controller-manager"), f"--kubeconfig={self.kubeconfig}",
            f"--controllers={_CONTROLLERS}", "--leader-elect=false", "--port=0", "--secure-port=0",
        )  # fmt: skip

    def _run(self, *command: str) -> None:
        name = Path(command[0]).name
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._processes.append(process)

    def _is_ready(self) -> bool:
        for process in self._processes:
            assert process.poll() is None, f"{process.args} ended; see {self._folder}"
        try:
            self.api.request("GET", "/api/v1/namespaces/default")
        except (OSError, ApiError):
            return False
        return True

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(60)

    def run(
        self, script: str, *, check: bool = True, cwd: Path = TOP, given: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run what an operator would type in the checkout's top folder."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script], capture_output=True, text=True, timeout=400, check=False,
            cwd=cwd, input=given, env=os.environ | {"KUBECONFIG": str(self.kubeconfig)} | environ,
        )  # fmt: skip
        assert not check or done.returncode == 0, (script, done.returncode, done.stdout, done.stderr)
        return done

    def output(self, script: str, **options: Any) -> str:
        return self.run(script, **options).stdout.strip()

    def apply(self, folder: str) -> None:
        """Apply the manifests, those kinds that this release lacks in their older version."""
        text = self.output(f"kubectl kustomize {folder}")
        for newer, older in _OLDER.items():
            text = text.replace(newer, older)
        self.run("kubectl apply -f -", given=text)
