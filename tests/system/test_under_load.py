"""Clients do not notice: rotations by reload and by restart, and an upgrade, with eight clients at work."""

from __future__ import annotations

import pytest

from tests.system.clients import Load, ask, load
from tests.system.conftest import Packages, figures
from tests.system.machine import Machine, wait_for

TTL_SECONDS = 6
LIFETIME = ("--lifetime", str(TTL_SECONDS))
_SECRETS = {0: "Zt4mQw8Rk2Lp9Vn5Xc1Bs6Hf3Jd7Ga0Y", 1: "Ue5yTr9Wq3Az7Sx1Dc6Fv2Gb8Hn4Jm0K"}


def _write_keys(machine: Machine, *kids: int) -> None:
    """Edit the keyring as the runbook does: its form, its order."""
    entries = "".join(f"    - kid: {kid}\n      secret: {_SECRETS[kid]}\n" for kid in kids)
    text = f"session:\n  backend: sealed\n  ttl_seconds: {TTL_SECONDS}\n  keyring:\n{entries}"
    machine.write("/root/new.yaml", text)
    machine.run("cd /etc/guardai && install -o root -g guardai -m 0640 /root/new.yaml .new && mv .new oguardai.yaml")


@pytest.fixture
def rotating(fresh_machine: Machine) -> Machine:
    """A machine that has never sealed with any key but kid 0 of a keyring, nor for longer than a few seconds."""
    fresh_machine.run("systemctl stop oguardai-server.socket oguardai-server.service && rm -r /var/lib/oguardai/*")
    _write_keys(fresh_machine, 0)
    fresh_machine.run("systemctl start oguardai-server.socket oguardai-server.service")
    return fresh_machine


def _listening_since(machine: Machine) -> str:
    return machine.show("ActiveEnterTimestampMonotonic", "oguardai-server.socket")


def _note(name: str, report: Load) -> None:
    counts = {key: value for key, value in report.report.items() if key != "sessions"}
    figures[name] = f"{counts}, sessions by kid {report.report['sessions']}"


def _removes_the_old_key(machine: Machine) -> bool:
    return machine.run("systemctl reload oguardai-server", check=False).returncode == 0


def test_option_b_by_reload_loses_nothing_and_drops_no_connection(rotating: Machine) -> None:
    pid = rotating.show("MainPID")
    with load(rotating, *LIFETIME) as clients:
        _write_keys(rotating, 0, 1)
        rotating.run("systemctl reload oguardai-server")
        _write_keys(rotating, 1)
        assert not _removes_the_old_key(rotating), "sessions under it are valid still"
        assert "kid 0" in rotating.show("StatusText")
        wait_for(lambda: _removes_the_old_key(rotating), "the old key to be safe to remove")
    _note("option B by reload", clients)
    clients.check()
    assert set(clients.report["sessions"]) == {"0", "1"}
    assert clients.report["reconnected"] == 0
    assert rotating.show("MainPID") == pid


def test_option_b_by_restart_refuses_and_loses_nothing(rotating: Machine) -> None:
    with load(rotating, *LIFETIME) as clients:
        _write_keys(rotating, 0, 1)
        rotating.run("systemctl restart oguardai-server")
        wait_for(
            lambda: "kid 0 stays" not in rotating.run("oguardai keyring prune", check=False).stdout,
            "the old key to be safe to remove",
        )
        rotating.run("systemctl restart oguardai-server")
    _note("option B by restart", clients)
    clients.check()
    assert set(clients.report["sessions"]) == {"0", "1"}


def test_an_upgrade_refuses_and_loses_nothing_and_keeps_what_was_edited(
    fresh_machine: Machine, packages: Packages
) -> None:
    fresh_machine.run("oguardai keyring adopt --reload && oguardai keyring rotate --reload")
    fresh_machine.run(r"sed -i 's/ttl_seconds: 3600/ttl_seconds: 1800/; $a # edited' /etc/guardai/oguardai.yaml")
    fresh_machine.run(
        "sed -i '$a GUARDAI_LOG_LEVEL=info' /etc/guardai/oguardai.env && systemctl reload oguardai-server"
    )
    before = fresh_machine.output("cd /etc/guardai && ls -l --time-style=full-iso && sha256sum *")
    pid, listening_since = fresh_machine.show("MainPID"), _listening_since(fresh_machine)
    fresh_machine.copy(packages.later, "/root/later.deb")
    with load(fresh_machine) as clients:
        done = fresh_machine.run("apt-get install -y /root/later.deb </dev/null")
    _note("upgrade", clients)
    clients.check()
    assert "GUARDAI" not in done.stdout + done.stderr
    assert fresh_machine.output("cd /etc/guardai && ls -l --time-style=full-iso && sha256sum *") == before
    assert fresh_machine.show("MainPID") != pid
    assert _listening_since(fresh_machine) == listening_since, "systemd holds the socket all the time"
    version = fresh_machine.output("dpkg-query -W -f '${Version}' oguardai-server")
    assert ask(fresh_machine, "/v1/health").body["version"] == version
    assert fresh_machine.output("oguardai config show --json | jq '.settings[\"session.ttl_seconds\"].value'") == "1800"
