"""The machines themselves: what the other tests take for granted."""

from __future__ import annotations

from pathlib import Path

from tests.system.machine import Machine


def test_a_command_inside_has_its_status_and_a_login_s_environment(bare_machine: Machine) -> None:
    assert bare_machine.run("exit 7", check=False).returncode == 7
    assert bare_machine.output(["id", "-un"]) == "root"
    assert bare_machine.output("pwd; cat").splitlines() == ["/"]
    assert bare_machine.output("cat /proc/1/comm") == "systemd"
    assert bare_machine.run("curl -s http://127.0.0.1:3000", check=False).returncode == 7, "nobody listens yet"


def test_two_machines_share_nothing_and_leave_nothing(base: list[Path]) -> None:
    one, other = Machine(base), Machine(base)
    with one.booted(), other.booted():
        one.write("/root/mine", "1")
        assert other.run("test -e /root/mine", check=False).returncode == 1
    assert not one.layer.exists()
    assert not other.layer.exists()
    assert one.name not in Path("/proc/self/mountinfo").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{one.name}"))
