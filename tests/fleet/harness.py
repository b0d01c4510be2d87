"""Three instances with one keyring, HAProxy and nginx in front, and the steps of the operators' runbook."""

from __future__ import annotations

import contextlib
import glob
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from oguardai.keyring import generate_secret
from tests.fleet.balancers import HAProxy, Nginx, fixed_port
from tests.fleet.clients import Clients, Target
from tests.server.harness import RunningServer, kid_of, wait_for, yaml_of

# libfaketime takes the sleeps of Python, which end at a moment of the monotonic clock, for an error.
_SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
_EXPIRED = re.compile(r"event=SessionExpired reason=(\w+).* request_id=(\S+)")


class Instance(RunningServer):
    """One host of the fleet, with a clock that may be off."""

    def __init__(self, root: Path, name: str, *, clock: float = 0.0, workers: int = 1) -> None:
        super().__init__(root, workers=workers)
        self.name, self.clock = name, clock
        self.port = fixed_port()
        self.extra = "server:\n  drain_seconds: 1\n"

    def environ(self) -> dict[str, str]:
        environ = super().environ()
        if self.clock:
            found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
            assert found, "libfaketime is missing: run script/test-fleet, which sees to it"
            (self.root / "sitecustomize.py").write_text(_SLEEP)
            environ |= {"LD_PRELOAD": found[0], "FAKETIME": f"{self.clock:+}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            environ |= {"PYTHONPATH": str(self.root)}
        return environ

    def instance(self, _: str | None) -> str:
        return self.name

    def date(self) -> float:
        """Return the time by its clock, to the second, as its answers have it."""
        connection = self.connect()
        try:
            connection.request("GET", "/v1/ready")
            response = connection.getresponse()
            response.read()
            return parsedate_to_datetime(response.headers["Date"]).timestamp()
        finally:
            connection.close()

    def expired(self) -> list[tuple[str, str]]:
        """Return reason and request id of every session that it could not open."""
        return _EXPIRED.findall(self.log())


class Fleet:
    """Instances a, b and c with the same keyring, and their balancers."""

    def __init__(
        self, root: Path, *, ttl: int = 4, clocks: tuple[float, ...] = (0.0, 0.0, 0.0), workers: int = 1
    ) -> None:
        self.ttl = ttl
        self.skew = max(abs(clock) for clock in clocks)  # by which a client's clock and an instance's differ at most
        self.instances: list[Instance] = []
        secrets = [generate_secret() for _ in range(32)]
        for name, clock in zip("abc", clocks, strict=True):
            folder = root / name
            folder.mkdir()
            self.instances.append(Instance(folder, name, clock=clock, workers=workers))
            self.instances[-1].secrets = secrets
        ports = {instance.name: instance.port for instance in self.instances}
        self.haproxy = HAProxy(root, ports)
        self.nginx = Nginx(root, ports)
        self.balancers: list[Target] = [self.haproxy, self.nginx]
        self.everywhere: list[Target] = [*self.balancers, *self.instances]

    # --- files ---

    def key(self, kid: int, **fields: Any) -> dict[str, Any]:
        return self.instances[0].key(kid, **fields)

    def ship(self, *keys: dict[str, Any], to: list[Instance] | None = None) -> None:
        """Put the same oguardai.yaml in place on all instances, or on some."""
        for instance in self.instances if to is None else to:
            text = yaml_of(list(keys), instance.extra)
            instance.write_yaml(text.replace("ttl_seconds: 3600", f"ttl_seconds: {self.ttl}"))

    def ship_kids(self, *kids: int) -> None:
        self.ship(*(self.key(kid) for kid in kids))

    # --- processes ---

    def start(self) -> None:
        for instance in self.instances:
            instance.start(wait=False)
        for instance in self.instances:
            wait_for(instance.is_ready, f"instance {instance.name} to be ready")
        self.haproxy.start()
        self.nginx.start()

    def stop(self) -> None:
        for balancer in (self.haproxy, self.nginx):
            balancer.stop()
        for instance in self.instances:
            if instance.process is not None and instance.process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    instance.stop(signal.SIGINT)

    def restart(self, instance: Instance) -> None:
        """Drain and end an instance, start it again, and wait until HAProxy sends to it."""
        assert instance.stop() == 0, instance.log()
        instance.start()
        wait_for(lambda: self.haproxy.statuses()[instance.name] == "UP", f"HAProxy to see {instance.name}")

    def roll_by_restart(self) -> None:
        for instance in self.instances:
            self.restart(instance)

    def reload(self, *instances: Instance) -> None:
        for instance in instances:
            done = instance.reload()
            assert done.returncode == 0, f"{instance.name}: {done.stderr}"

    def roll_by_reload(self) -> None:
        self.reload(*self.instances)

    def sealing_kids(self) -> list[int]:
        """Return the kid that each instance seals with now."""
        return [kid_of(instance.transform()) for instance in self.instances]

    def wait_for_the_set_time(self) -> None:
        """Wait until every instance has noted that the key's time has come: from then on its old key's TTL counts."""
        for instance in self.instances:
            wait_for(lambda log=instance.log: "event=ActiveKeyChanged" in log(), f"{instance.name} to note the time")

    def wait_one_ttl(self) -> None:
        """Let the time pass in which a session can be opened, by the clocks that differ most."""
        time.sleep(self.ttl + 2 * self.skew)

    # --- clients ---

    @contextmanager
    def clients_who_see_no_error(self, targets: list[Target]) -> Iterator[Clients]:
        """Keep clients at work; at the end none may have seen an error, nor an instance have hidden one."""
        with Clients(targets, skew=self.skew) as clients:
            yield clients
        self.check(clients)

    def check(self, clients: Clients) -> None:
        failures = clients.failures
        assert not failures, f"{len(failures)} errors, the first: {failures[0]}; {clients.figures()}"
        for instance in self.instances:
            for reason, request_id in instance.expired():
                assert reason == "ttl", f"{instance.name}: {reason} in {request_id}"
                assert request_id in clients.late, f"{instance.name}: {request_id} had time left"
            assert "event=KeyringSuspicious" not in instance.log(), "a key was taken out before its time"
            faults = [line for line in instance.log().splitlines() if "level=error" in line]
            faults = [line for line in faults if "event=ReloadFailed" not in line]  # who reloads has seen to these
            assert not faults, f"{instance.name}: {faults}"
