"""A Docker engine of the tests' own, and a shell in which its commands are typed."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

from tests.server.harness import wait_for

TOP = Path(__file__).parents[2]
_CLONE_NEWNET = 0x4000_0000  # of <sched.h>


class Engine:
    """dockerd as a child process, with data, socket and control groups of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, bridge: bool) -> None:
        """Start it in the network namespace of this process; ``bridge``: with a network for containers."""
        command = [
            "dockerd", "--iptables=false", "--ip6tables=false", f"--data-root={self.root / 'data'}",
            f"--exec-root={self.root / 'exec'}", f"--pidfile={self.root / 'pid'}", f"--host=unix://{self.socket}",
            "--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/oguardai-{self.root.name}",
        ]  # fmt: skip
        if not bridge:
            command.append("--bridge=none")
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self._answers, "the engine to answer")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the engine ended: {(self.root / 'log').read_text()[-4000:]}"
        return self.run("docker version", check=False).returncode == 0

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)

    def environ(self, **more: str) -> dict[str, str]:
        return os.environ | {"DOCKER_HOST": f"unix://{self.socket}"} | more

    def run(
        self, script: str, *, check: bool = True, cwd: Path = TOP, given: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run what an operator would type in the checkout's top folder."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            capture_output=True, text=True, timeout=300, check=False, cwd=cwd, env=self.environ(**environ), input=given,
        )  # fmt: skip
        assert not check or done.returncode == 0, (script, done.returncode, done.stdout, done.stderr)
        return done

    def output(self, script: str, **options: str) -> str:
        return self.run(script, **options).stdout.strip()

    def logs(self, container: str) -> str:
        """Return what a container wrote, to either stream."""
        return self.output(f"docker logs {container} 2>&1")

    def remove_containers(self) -> None:
        """Take away what a test has left: containers, volumes and networks, but no image."""
        self.run("docker ps -aq | xargs -r docker rm -fv && docker volume ls -q | xargs -r docker volume rm -f")
        self.run("docker network prune -f")


def leave_the_network() -> None:
    """Move this process, and those that it starts from now on, into a network of loopback alone.

    Its ports are all free, and nothing that a container does can leave it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
