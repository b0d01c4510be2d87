"""A stand-in for scheduler and kubelet: it runs the server of each pod as the pod's description says.

Each pod has a network namespace and an address of its own, each container a read-only root that is this machine's, with
the volumes mounted over it. Probes, restarts, Secrets that change in running pods, termination and logs are as a
kubelet has them. What the image brings is not shown by it: that is what tests/docker is for.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import os
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.kubernetes.cluster import TOP, Api, ApiError

ADDRESS = "10.244.0.1"
_NAME = "node"
_LOG_PORT = 10250
_PAUSE = 0.1  # seconds between two looks at what shall be
# What the image has: its entrypoint and its mount points.
_ENTRYPOINT = [str(Path(sys.executable).parent / "oguardai")]
_COMMAND = ["serve"]
_MOUNT_POINTS = ("etc/guardai", "run/oguardai", "var/lib/oguardai", "volatile", "tmp")

_CONTAINER = """
root=$1; shift
mount -t overlay overlay -o "lowerdir=$IMAGE:/" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [[ $1 != -- ]]; do
  mount --bind "$2" "$root$1"
  [[ $3 == rw ]] || mount -o remount,bind,ro "$root$1"
  shift 3
done
shift
exec chroot "$root" "$@"
"""


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_image(folder: Path) -> Path:
    """Make the layer that lies over this machine's files: mount points, and a way to the checkout and to Python."""
    image = folder / "image"
    for point in _MOUNT_POINTS:
        (image / point).mkdir(parents=True)
    for path in (TOP, Path(sys.executable).resolve(), Path(sys.executable).parent):
        for parent in (*reversed(path.parents), path):
            if parent.is_dir() and parent != Path("/"):
                (image / parent.relative_to("/")).mkdir(exist_ok=True)
    return image


@dataclass(slots=True)
class Probe:
    """How often a container was asked in vain, one after the other, and when it is to be asked next."""

    description: dict[str, Any]
    failures: int = 0
    due: float = 0.0
    passed: bool = False

    def look(self, address: str, ports: dict[str, int]) -> None:
        now = time.monotonic()
        if now < self.due:
            return
        self.due = now + self.description.get("periodSeconds", 10)
        get = self.description["httpGet"]
        self.passed = _answers(address, ports[get["port"]], get["path"], self.description.get("timeoutSeconds", 1))
        self.failures = 0 if self.passed else self.failures + 1

    @property
    def failed(self) -> bool:
        return self.failures >= self.description.get("failureThreshold", 3)


def _answers(address: str, port: int, path: str, timeout: float) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "kube-probe/1.20"})
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass(slots=True)
class Running:
    """A container's process, and what is known of it."""

    process: subprocess.Popen[bytes]
    probes: dict[str, Probe] = field(default_factory=dict)
    started: bool = False
    ready: bool = False


class Pod(threading.Thread):
    """One pod, from its beginning to its end."""

    def __init__(self, node: Node, description: dict[str, Any], number: int) -> None:
        super().__init__(name=description["metadata"]["name"])
        self.node = node
        self.spec = description["spec"]
        self.namespace = description["metadata"]["namespace"]
        self.uid = description["metadata"]["uid"]
        self.path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self.address = f"10.244.0.{number}"
        self.network = f"pod{number}"
        self.folder = node.folder / self.uid
        self.grace: float | None = None  # set when it shall end
        self.restarts = 0
        self.error: BaseException | None = None
        self._versions: dict[str, str] = {}
        self._shown: Any = None

    def end(self, grace: float) -> None:
        self.grace = grace

    def log(self, container: str) -> Path:
        return self.folder / f"{container}.log"

    def run(self) -> None:
        try:
            self._make()
            for container in self.spec.get("initContainers", []):
                process = self._start(container)
                assert process.wait(60) == 0, self.log(container["name"]).read_text()
            (container,) = self.spec["containers"]
            self._offer(container)
            while self.grace is None:
                self._serve(container)
                self.restarts += 1
                self._wait(1.0)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self._take_away()

    def _make(self) -> None:
        self.folder.mkdir()
        outer, inner = f"v{self.network}", f"w{self.network}"
        _run("ip", "netns", "add", self.network)
        _run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.network)
        _run("ip", "link", "set", outer, "master", "pods", "up")
        inside = ("ip", "-n", self.network)
        _run(*inside, "addr", "add", f"{self.address}/24", "dev", inner)
        _run(*inside, "link", "set", inner, "up")
        _run(*inside, "link", "set", "lo", "up")
        for volume in self.spec["volumes"]:
            folder = self.folder / "volumes" / volume["name"]
            folder.mkdir(parents=True)
            if "emptyDir" in volume:
                _run("mount", "-t", "tmpfs", "-o", "mode=1777", "none", folder)
            os.chown(folder, 0, self._group)
            folder.chmod(0o3777)
        self._bring_secrets()

    @property
    def _group(self) -> int:
        return int(self.spec["securityContext"]["fsGroup"])

    def _bring_secrets(self) -> None:
        """Write what the Secrets hold now, all files of one at the same moment."""
        for volume in self.spec["volumes"]:
            if "secret" not in volume:
                continue
            wanted = volume["secret"]
            secret = self.node.secret(self.namespace, wanted["secretName"], wanted.get("optional", False))
            version = secret["metadata"]["resourceVersion"]
            if self._versions.get(volume["name"]) == version:
                continue
            self._versions[volume["name"]] = version
            folder = self.folder / "volumes" / volume["name"]
            fresh = folder / f"..{version}"
            fresh.mkdir(mode=0o755)
            os.chown(fresh, 0, self._group)
            for name, content in secret.get("data", {}).items():
                file = fresh / name
                file.write_bytes(base64.b64decode(content))
                os.chown(file, 0, self._group)
                file.chmod(wanted["defaultMode"])
                if not (folder / name).is_symlink():
                    (folder / name).symlink_to(f"..data/{name}")
            link = folder / "..new"
            link.symlink_to(fresh.name)
            link.replace(folder / "..data")
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink() and path != fresh:
                    shutil.rmtree(path)
                elif path.is_symlink() and not path.exists():
                    path.unlink()

    def _environ(self, container: dict[str, Any]) -> dict[str, str]:
        environ = {
            "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOSTNAME": self.name,
        }
        if self.spec["enableServiceLinks"]:
            for service in self.node.api.get(f"/api/v1/namespaces/{self.namespace}/services")["items"]:
                name = service["metadata"]["name"].upper().replace("-", "_")
                port = service["spec"]["ports"][0]["port"]
                environ[f"{name}_PORT"] = f"tcp://{service['spec']['clusterIP']}:{port}"
        for variable in container.get("env", []):
            if "value" in variable:
                environ[variable["name"]] = variable["value"]
                continue
            wanted = variable["valueFrom"]["secretKeyRef"]
            secret = self.node.secret(self.namespace, wanted["name"], wanted.get("optional", False))
            if wanted["key"] in secret.get("data", {}):
                environ[variable["name"]] = base64.b64decode(secret["data"][wanted["key"]]).decode()
        return environ

    def command(self, container: dict[str, Any], words: list[str]) -> list[str]:
        """Return what runs words as the container's user, in its network and with its files."""
        root = self.folder / f"root-{container['name']}"
        root.mkdir(exist_ok=True)
        mounts = []
        for mount in container["volumeMounts"]:
            source = self.folder / "volumes" / mount["name"] / mount.get("subPath", "")
            assert source.is_dir(), f"{source}: a kubelet would make it, for root alone to write"
            mounts += [mount["mountPath"], str(source), "ro" if mount.get("readOnly") else "rw"]
        user = self.spec["securityContext"]
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"], "the root is one for all containers"
        rights = ["--bounding-set=-all", "--inh-caps=-all"] if context["capabilities"] == {"drop": ["ALL"]} else []
        rights += [] if context["allowPrivilegeEscalation"] else ["--no-new-privs"]
        environ = [f"{name}={value}" for name, value in self._environ(container).items()]
        return [
            "ip", "netns", "exec", self.network, "unshare", "--mount", "--propagation=private", "bash", "-euc",
            _CONTAINER, "container", str(root), *mounts, "--",
            "setpriv", f"--reuid={user['runAsUser']}", f"--regid={user['runAsGroup']}", f"--groups={user['fsGroup']}",
            *rights, "env", "-i", *environ, *words,
        ]  # fmt: skip

    def _offer(self, container: dict[str, Any]) -> None:
        """Write a script that runs its arguments in the container, in place of `kubectl exec`."""
        script = self.node.commands / self.name
        command = shlex.join(["env", f"IMAGE={self.node.image}", *self.command(container, [])])
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o700)

    def _start(self, container: dict[str, Any]) -> subprocess.Popen[bytes]:
        words = container.get("command") or _ENTRYPOINT + container.get("args", _COMMAND)
        with self.log(container["name"]).open("ab") as log:
            return subprocess.Popen(
                self.command(container, words), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=os.environ | {"IMAGE": str(self.node.image)}, start_new_session=True,
            )  # fmt: skip

    def _serve(self, container: dict[str, Any]) -> None:
        """Run a container to its end, or to that of the pod."""
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        one = Running(self._start(container))
        one.probes = {name: Probe(container[f"{name}Probe"]) for name in ("startup", "readiness", "liveness")}
        try:
            while one.process.poll() is None and self.grace is None:
                self._bring_secrets()
                startup, readiness, liveness = one.probes.values()
                if not startup.passed:
                    startup.look(self.address, ports)
                else:
                    one.started = True
                    readiness.look(self.address, ports)
                    liveness.look(self.address, ports)
                    one.ready = readiness.passed or (one.ready and not readiness.failed)
                if startup.failed or liveness.failed:
                    break
                self._show(one, container)
                time.sleep(_PAUSE)
            self._stop(one.process)
        finally:
            self._kill(one.process)
        one.started = one.ready = False
        self._show(one, container)

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ask it to end, and see that it does within the time it is given."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            grace = self.spec["terminationGracePeriodSeconds"] if self.grace is None else self.grace
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                self.node.killed.append(self.name)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.grace is None and time.monotonic() < until:
            time.sleep(_PAUSE)

    def _show(self, one: Running, container: dict[str, Any]) -> None:
        """Tell the API server how the pod is, when that has changed."""
        alive = one.process.poll() is None
        shown = (alive, one.started, one.ready, self.restarts)
        if shown == self._shown:
            return
        self._shown = shown
        ready = "True" if one.ready else "False"
        conditions = [
            {"type": kind, "status": ready, "lastTransitionTime": _now()} for kind in ("Ready", "ContainersReady")
        ]
        state = {"running": {"startedAt": _now()}} if alive else {"terminated": {"exitCode": one.process.returncode}}
        status = {
            "phase": "Running",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "hostIP": ADDRESS,
            "conditions": [{"type": "Initialized", "status": "True"}, *conditions],
            "containerStatuses": [
                {
                    "name": container["name"], "image": container["image"], "imageID": container["image"],
                    "ready": one.ready, "started": one.started, "restartCount": self.restarts, "state": state,
                }
            ],
        }  # fmt: skip
        self.node.patch(self.path, {"status": status}, "/status")

    def _take_away(self) -> None:
        for volume in self.spec["volumes"]:
            if "emptyDir" in volume and (self.folder / "volumes" / volume["name"]).is_mount():
                _run("umount", self.folder / "volumes" / volume["name"])
        _run("ip", "netns", "delete", self.network)
        self.node.forget(self)


class Node:
    """All pods of the cluster run on it."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api = api
        self.folder = folder
        self.image = make_image(folder)
        self.commands = folder / "commands"
        self.commands.mkdir()
        self.path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.killed: list[str] = []
        """Pods that did not end within their grace period."""
        self.logs: dict[str, str] = {}
        """What pods that are gone had written, by their names."""
        self.pods: dict[str, Pod] = {}
        self._numbers = itertools.count(10)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="node")
        self._errors: list[BaseException] = []

    def start(self) -> None:
        _run("ip", "link", "add", "pods", "type", "bridge")
        _run("ip", "addr", "add", f"{ADDRESS}/24", "dev", "pods")
        _run("ip", "link", "set", "pods", "up")
        self._serve_logs()
        self.api.request("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": _NAME}})
        status = {
            "addresses": [{"type": "InternalIP", "address": ADDRESS}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": _LOG_PORT}},
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        self.patch(f"/api/v1/nodes/{_NAME}", {"status": status}, "/status")
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()
        pods = list(self.pods.values())
        for pod in pods:
            pod.end(0)
        for pod in pods:
            pod.join()
        self._log_server.shutdown()
        self._log_server.server_close()
        assert not self._errors, self._errors

    def _keep(self) -> None:
        try:
            while not self._done.is_set():
                self._look()
                self._done.wait(_PAUSE)
        except BaseException as error:
            self._errors.append(error)
            raise

    def _look(self) -> None:
        """Begin what was asked for, and end what was deleted."""
        for description in self.api.get("/api/v1/pods")["items"]:
            metadata = description["metadata"]
            pod = self.pods.get(metadata["uid"])
            if "deletionTimestamp" in metadata:
                if pod:
                    pod.end(metadata["deletionGracePeriodSeconds"])
                else:
                    self._delete(metadata)
            elif not pod:
                path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
                if "nodeName" not in description["spec"]:
                    target = {"apiVersion": "v1", "kind": "Node", "name": _NAME}
                    name = {"name": metadata["name"]}
                    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": name, "target": target}
                    self.api.request("POST", f"{path}/binding", binding)
                pod = self.pods[metadata["uid"]] = Pod(self, description, next(self._numbers))
                pod.start()

    def _delete(self, metadata: dict[str, Any]) -> None:
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        try:
            self.api.request("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", **options})
        except ApiError as error:
            if error.status not in {404, 409}:
                raise

    def forget(self, pod: Pod) -> None:
        self.logs[pod.name] = pod.log("server").read_text() if pod.log("server").exists() else ""
        if pod.error is not None:
            self._errors.append(pod.error)
        self.pods.pop(pod.uid, None)

    def patch(self, path: str, body: Any, part: str = "") -> None:
        try:
            self.api.patch(path + part, body)
        except ApiError as error:
            if error.status != 404:  # it is gone
                raise

    def secret(self, namespace: str, name: str, optional: bool) -> dict[str, Any]:
        secret = self.api.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        assert secret or optional, f"Secret {name} is missing"
        return secret or {"metadata": {"resourceVersion": "none"}}

    def _serve_logs(self) -> None:
        """Answer `kubectl logs`, which the API server asks the node for."""
        pods = self.pods

        class Logs(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                _, _, namespace, name, container = address.path.split("/")
                (pod,) = [one for one in pods.values() if (one.namespace, one.name) == (namespace, name)]
                lines = pod.log(container).read_text().splitlines(keepends=True)
                tail = parse_qs(address.query).get("tailLines")
                content = "".join(lines[-int(tail[0]) :] if tail else lines).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        certificate, key = self.folder / "node.crt", self.folder / "node.key"
        _run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={_NAME}", "-days", "2",
            "-keyout", key, "-out", certificate,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._log_server = ThreadingHTTPServer((ADDRESS, _LOG_PORT), Logs)
        self._log_server.socket = context.wrap_socket(self._log_server.socket, server_side=True)
        threading.Thread(target=self._log_server.serve_forever, name="logs").start()
