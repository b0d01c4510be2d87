"""What an administrator finds after `apt-get install`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.system.clients import ask, transform
from tests.system.conftest import figures
from tests.system.machine import Machine

MOST_EXPOSED = 0.3


def _processes(machine: Machine) -> list[str]:
    return machine.output("cat /sys/fs/cgroup/system.slice/oguardai-server.service/cgroup.procs").split()


def test_the_service_and_its_socket_run_and_are_enabled_and_the_timer_is_not(machine: Machine) -> None:
    for unit in ("oguardai-server.service", "oguardai-server.socket"):
        assert machine.output(["systemctl", "is-active", unit]) == "active"
        assert machine.output(["systemctl", "is-enabled", unit]) == "enabled"
    timer = machine.run(
        "systemctl is-active oguardai-rotate.timer; systemctl is-enabled oguardai-rotate.timer", check=False
    )
    assert timer.stdout.split() == ["inactive", "disabled"]
    status = machine.output("systemctl status oguardai-server")
    assert re.search(r'Status: "Serving with \d+ workers; kid 0 seals"', status)


def test_the_journal_is_clean(machine: Machine) -> None:
    machine.run("systemctl daemon-reload")
    assert machine.output("journalctl -u oguardai-server -u oguardai-server.socket -p warning --quiet") == ""
    assert machine.output("journalctl -p warning --quiet --output=cat | grep -i guardai || true") == ""
    assert "event=Serving" in machine.journal()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/guardai", "750 root:guardai"),
        ("/etc/guardai/oguardai.yaml", "640 root:guardai"),
        ("/etc/guardai/oguardai.env", "640 root:guardai"),
        ("/run/oguardai", "700 guardai:guardai"),
        ("/var/lib/oguardai", "700 guardai:guardai"),
    ],
)
def test_owners_and_modes(machine: Machine, path: str, expected: str) -> None:
    assert machine.output(["stat", "-c", "%a %U:%G", path]) == expected


def test_both_secrets_are_fresh_and_take_any_sed(machine: Machine) -> None:
    lines = machine.read("/etc/guardai/oguardai.env").splitlines()
    secrets = dict(line.split("=", 1) for line in lines if line.startswith("GUARDAI_"))
    assert set(secrets) == {"GUARDAI_SESSION_SECRET", "GUARDAI_REVOCATION_SECRET"}
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets.values())
    assert len(set(secrets.values())) == 2
    told = machine.output("journalctl --quiet; cat /var/log/apt/term.log /var/log/dpkg.log")
    for pid in _processes(machine):
        told += machine.read(f"/proc/{pid}/environ") + machine.read(f"/proc/{pid}/cmdline")
    assert not any(secret in told for secret in secrets.values())


def test_the_secrets_of_two_machines_differ(machine: Machine, bare_machine: Machine, packages: Any) -> None:
    bare_machine.copy(packages.now, "/root/x.deb")
    bare_machine.run("dpkg --force-depends -i /root/x.deb", check=False)
    ours, theirs = (one.read("/etc/guardai/oguardai.env") for one in (machine, bare_machine))
    assert ours != theirs


def test_what_is_shipped_as_the_configuration_is_what_the_checkout_has(machine: Machine) -> None:
    assert machine.output("oguardai config validate") == "valid"
    assert "ttl_seconds: 3600" in machine.read("/etc/guardai/oguardai.yaml")


def test_the_exposure_is_small(machine: Machine) -> None:
    done = machine.output("systemd-analyze security --no-pager oguardai-server.service")
    score = re.search(r"Overall exposure level for oguardai-server\.service: ([0-9.]+)", done)
    assert score is not None
    figures["exposure"] = score[1]
    assert float(score[1]) <= MOST_EXPOSED
    assert "oguardai" not in machine.run("systemd-analyze verify --man=no /usr/lib/systemd/system/oguardai-*").stderr


def test_no_secret_can_reach_a_core_file(machine: Machine) -> None:
    for pid in _processes(machine):
        assert machine.output(f"cat /proc/{pid}/coredump_filter") == "00000000"
        assert re.search(r"Max core file size +0 +0 ", machine.read(f"/proc/{pid}/limits"))


def test_the_memory_of_the_unit_is_what_it_was_promised(fresh_machine: Machine) -> None:
    """PSS of all its processes, idle with two workers: pages that are shared count once."""
    fresh_machine.run("echo GUARDAI_WORKERS=2 >>/etc/guardai/oguardai.env && systemctl restart oguardai-server")
    transform(fresh_machine)
    pids = _processes(fresh_machine)
    assert len(pids) == 3
    rollups = "".join(fresh_machine.read(f"/proc/{pid}/smaps_rollup") for pid in pids)
    kilobytes = sum(int(size) for size in re.findall(r"^Pss: +(\d+) kB", rollups, re.MULTILINE))
    figures["memory, idle with two workers (PSS)"] = f"{kilobytes / 1024:.0f} MB"
    assert kilobytes / 1024 < 120


@pytest.mark.parametrize("page", ["oguardai.1", "oguardai-server.8", "oguardai.yaml.5", "oguardai.env.5"])
def test_the_man_pages_are_there_and_without_warnings(machine: Machine, page: str) -> None:
    if machine.run("command -v man", check=False).returncode != 0:
        machine.run("apt-get install -y man-db")
    name, _, section = page.rpartition(".")
    shown = machine.run(f"MANWIDTH=80 man --warnings {section} {name} | cat")
    assert shown.stderr == ""
    assert name in shown.stdout


def test_bash_completes_commands(machine: Machine) -> None:
    script = (
        ". /usr/share/bash-completion/completions/oguardai; COMP_WORDS=(oguardai keyring rot) COMP_CWORD=2; "
        '$(complete -p oguardai | sed -n "s/.* -F \\([^ ]*\\) .*/\\1/p") oguardai rot keyring; echo "${COMPREPLY[*]}"'
    )
    assert machine.output(script) == "rotate"


def test_the_settings_can_be_read_on_the_machine(machine: Machine) -> None:
    reference = machine.read("/usr/share/doc/oguardai-server/examples/oguardai.yaml")
    assert "max_body_bytes" in reference
    assert "keyring rotate" in machine.read("/usr/share/doc/oguardai-server/README.Debian")
    assert machine.run("ls /usr/share/doc/oguardai-server/debian.md /usr/share/doc/oguardai-server/key-rotation.md")


def test_health_and_ready_answer_and_strangers_get_no_diagnostics(machine: Machine) -> None:
    assert ask(machine, "/v1/health").body["status"] == "healthy"
    assert ask(machine, "/v1/ready").status == 200
    proxied = machine.output(
        "curl -s -o /dev/null -w '%{http_code}' -H 'X-Forwarded-For: 10.1.2.3' http://127.0.0.1:3000/v1/diagnostics"
    )
    assert proxied == "403"


def test_only_root_and_the_service_may_read_the_secrets(machine: Machine) -> None:
    for path in ("/etc/guardai/oguardai.env", "/run/oguardai/admin.sock", "/var/lib/oguardai"):
        assert machine.run(["sudo", "-u", "nobody", "ls", "-l", path], check=False).returncode != 0
    done = machine.run("sudo -u nobody oguardai keyring status", check=False)
    assert done.returncode == 77
    assert "sudo" in done.stderr or "root" in done.stderr
