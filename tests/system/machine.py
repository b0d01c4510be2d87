"""A throw-away Debian machine: systemd as its process 1, in systemd-nspawn, over layers that it does not change."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.system.images import TOP

PATIENCE_SECONDS = 60.0  # for what will come; never how long something takes
HOST = "guardai.internal"

_ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "SYSTEMD_PAGER": "",
}
_CGROUPS = [Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")]  # of a host with both versions, or with one


def wait_for(condition: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the condition's first true value; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for: {what}")


class Machine:
    """One machine. Its network is its own and has loopback only, so several can run side by side.

    Args:
        layers: directories to boot from, the topmost first; they are only read.
    """

    def __init__(self, layers: Sequence[Path]) -> None:
        self._layers = layers
        self._work = Path(tempfile.mkdtemp(prefix="machine"))  # below TMPDIR, which script/test-system sets
        self.name = f"{self._work.parent.name}-{self._work.name}".replace("_", "0")  # unlike any other on this host
        self._root = self._work / "root"
        self._console = self._work / "console"
        self._cgroup = next(path for path in _CGROUPS if path.is_dir()) / self.name
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = 0

    @property
    def layer(self) -> Path:
        """What this machine has changed, as a layer for others; whole only after a shutdown."""
        return self._work / "upper"

    # -- its life ---------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Start it; returns once systemd says that all is up."""
        for name in ("root", "upper", "work"):
            (self._work / name).mkdir()
        lower = ":".join(str(path) for path in self._layers)
        options = f"lowerdir={lower},upperdir={self._work}/upper,workdir={self._work}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(self._root)], check=True)
        (self._root / "etc/hostname").write_text(f"{self.name}\n")
        (self._root / "etc/hosts").write_text(f"127.0.0.1 localhost {self.name} {HOST}\n")
        self._cgroup.mkdir()
        # Without CAP_BPF and bpf(2) systemd inside would leave IPAddressDeny= out without a word.
        nspawn = [
            "systemd-nspawn", "--quiet", f"--directory={self._root}", f"--machine={self.name}", "--boot",
            "--register=no", "--keep-unit", "--private-network", "--resolv-conf=off", "--link-journal=no",
            "--console=read-only", "--capability=CAP_BPF", "--system-call-filter=bpf",
        ]  # fmt: skip
        # A control group of its own keeps machines apart, and lets the teardown end all that is left of one.
        entered = f"echo 0 >{self._cgroup}/cgroup.procs && exec {shlex.join(nspawn)}"
        with self._console.open("wb") as console:
            self._nspawn = subprocess.Popen(
                ["sh", "-c", entered], stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                start_new_session=True, env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )  # fmt: skip
        state = wait_for(self._state, "the machine to be up")
        if state != "running":
            failed = self.run("systemctl --failed --no-legend").stdout
            raise AssertionError(f"the machine came up {state}: {failed}")

    def _state(self) -> str:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, f"the machine died while it booted:\n{self._console.read_text()[-2000:]}"
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        if not children:
            return ""
        self._init = int(children[0])
        state = self.run("systemctl is-system-running", check=False).stdout.strip()
        return state if state in {"running", "degraded"} else ""

    def power_off(self) -> None:
        """End it in good order, as its layer must be whole for others to boot from it."""
        if self._nspawn is not None:
            self._nspawn.send_signal(signal.SIGTERM)  # nspawn hands it on as an orderly power-off
            self._nspawn.wait(PATIENCE_SECONDS)

    def end(self, *, keep_layer: bool = False) -> None:
        """End it at once, if it runs, and remove all that is left of it, but for its layer if that is wanted."""
        if self._cgroup.is_dir():
            (self._cgroup / "cgroup.kill").write_text("1")
            wait_for(lambda: "populated 0" in (self._cgroup / "cgroup.events").read_text(), "its processes to end")
            for top in (self._cgroup, Path("/sys/fs/cgroup/systemd", self.name)):  # nspawn makes a twin in version 1
                for folder, _, _ in os.walk(top, topdown=False):
                    os.rmdir(folder)
        if self._nspawn is not None:
            self._nspawn.wait()
        if os.path.ismount(self._root):
            subprocess.run(["umount", str(self._root)], check=True)
        if not keep_layer:
            self.remove()

    def remove(self) -> None:
        """Remove its layer."""
        shutil.rmtree(self._work)

    @contextlib.contextmanager
    def booted(self) -> Iterator[Machine]:
        """Boot it for the time of a ``with`` block."""
        try:
            self.boot()
            yield self
        finally:
            self.end()

    # -- inside -----------------------------------------------------------------------------------------

    def command(self, command: str | Sequence[str]) -> list[str]:
        """Return the command line that runs a command inside: a text goes to bash, a sequence runs as it is."""
        words = ["bash", "-c", command] if isinstance(command, str) else list(command)
        return ["nsenter", f"--target={self._init}", "--all", "--wdns=/", "--", *words]

    def run(
        self, command: str | Sequence[str], *, check: bool = True, given: str = "", seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside, with the environment of a fresh login.

        Args:
            check: fail the test when the status is not 0.
            given: its standard input.
        """
        done = subprocess.run(
            self.command(command), input=given, capture_output=True, text=True, timeout=seconds, check=False,
            env=_ENVIRONMENT,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, f"{command}\nstatus {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def output(self, command: str | Sequence[str]) -> str:
        """Run a command inside that must succeed; return what it printed, without the last line end."""
        return self.run(command).stdout.rstrip("\n")

    def start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command inside that goes on beside the test, with pipes for its input and output."""
        return subprocess.Popen(
            self.command(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT
        )

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644) -> None:
        """Write a file inside; what is there already keeps its owner and mode."""
        data = content.encode() if isinstance(content, str) else content
        script = f"set -e; new=; [ -e {path} ] || new=1; cat >{path}; [ -z $new ] || chmod {mode:o} {path}"
        subprocess.run(self.command(script), input=data, check=True, env=_ENVIRONMENT)

    def read(self, path: str) -> str:
        """Return what a file inside holds."""
        return self.run(["cat", path]).stdout

    def copy(self, source: Path, path: str) -> None:
        """Bring a file of the host inside."""
        self.write(path, source.read_bytes())

    def copy_checkout(self, path: str, *names: str) -> None:
        """Bring files and folders of this checkout inside, below a folder."""
        archive = subprocess.run(
            ["tar", "-c", "--exclude=__pycache__", "-C", str(TOP), *names], capture_output=True, check=True
        )
        script = f"mkdir -p {path} && tar -x --no-same-owner -C {path}"
        subprocess.run(self.command(script), input=archive.stdout, check=True, env=_ENVIRONMENT)

    # -- the service ------------------------------------------------------------------------------------

    def journal(self, unit: str = "oguardai-server") -> str:
        """Return the journal of a unit, systemd's own lines included."""
        return self.run(["journalctl", "--no-pager", "--quiet", f"--unit={unit}"]).stdout

    def show(self, name: str, unit: str = "oguardai-server.service") -> str:
        """Return a property of a unit."""
        return self.output(["systemctl", "show", "--property", name, "--value", unit])
