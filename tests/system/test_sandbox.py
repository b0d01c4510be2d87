"""What the unit's sandbox really enforces: a probe under the unit's own properties, and outside of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.system.machine import Machine

_PROBE = Path(__file__).with_name("probe.py")
_OF_THE_SERVER = r"^(Type|ExecStart|ExecReload|ExecStopPost|WatchdogSec|Restart\w*|Requires|After|TimeoutStopSec)=.*\n"


def _results(machine: Machine, unit: str) -> dict[str, str]:
    machine.write("/run/systemd/system/probe.service", unit)
    machine.run("systemctl daemon-reload && systemctl start probe.service")
    results: dict[str, str] = json.loads(machine.output("journalctl --quiet --output=cat -t probe | tail -n 1"))
    return results


def test_the_sandbox_keeps_a_program_that_was_taken_over_from_everything_but_its_work(fresh_machine: Machine) -> None:
    fresh_machine.run("mkdir -p /home/person && echo secret | tee /home/person/letter >/root/letter")
    fresh_machine.copy(_PROBE, "/usr/lib/probe.py")
    start = "Type=oneshot\nSyslogIdentifier=probe\nExecStart=/usr/bin/python3 -I /usr/lib/probe.py\n"
    unit = fresh_machine.read("/usr/lib/systemd/system/oguardai-server.service")
    ours = re.sub(_OF_THE_SERVER, "", unit, flags=re.MULTILINE).replace("[Service]\n", f"[Service]\n{start}")
    # Directories of its own would be taken from the server's, and away with the probe's end.
    ours = re.sub(r"^(Runtime|State)Directory=.*\n", "", ours, flags=re.MULTILINE)
    ours = ours.replace("UMask=", "ReadWritePaths=/run/oguardai /var/lib/oguardai\nUMask=")

    inside = _results(fresh_machine, ours)
    outside = _results(fresh_machine, f"[Service]\n{start}")
    allowed = {name for name in inside if "own" in name}
    assert {name for name, result in inside.items() if result == "done"} == allowed
    # A probe that could do nothing anywhere would prove nothing.
    # (The machine itself, being a container, refuses some things to everybody.)
    refused_outside = {name for name, result in outside.items() if result != "done"}
    assert refused_outside <= {
        "kernel_log", "kernel_module", "kernel_parameter", "read /dev/mem", "read /dev/sda", "real_time_priority",
        "reboot", "set_the_clock", "set_the_host_name", "socket AF_VSOCK", "swap_on", "write /sys",
    }  # fmt: skip
