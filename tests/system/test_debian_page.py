"""Every command of docs/debian.md, in its order, on a machine of its own for each section."""

from __future__ import annotations

import re
from pathlib import Path

from tests.system.clients import ask, kid_of, rehydrate, transform
from tests.system.conftest import Packages
from tests.system.machine import Machine

_PAGE = (Path(__file__).parents[2] / "docs" / "debian.md").read_text()
_SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", _PAGE, re.MULTILINE))


def _follow(machine: Machine, section: str) -> list[str]:
    """Run the commands of a section; return what each block printed."""
    blocks = re.findall(r"^( *)```sh\n(.*?)^ *```$", _SECTIONS[section], re.MULTILINE | re.DOTALL)
    assert blocks, section
    printed = []
    for indent, block in blocks:
        script = re.sub(f"^{indent}", "", block, flags=re.MULTILINE)
        printed.append(machine.output(f"set -eo pipefail\ncd /root\n{script}"))
    return printed


def _check(machine: Machine) -> None:
    assert rehydrate(machine, transform(machine)).status == 200


def test_every_section_is_followed_by_a_test() -> None:
    here = Path(__file__).read_text()
    with_commands = {name for name, body in _SECTIONS.items() if "```sh" in body}
    assert with_commands == set(re.findall(r'_follow\(\w+, "(.*)"\)', here))


def test_install(undrained_machine: Machine, packages: Packages) -> None:
    undrained_machine.run("apt-get purge -y oguardai-server")
    undrained_machine.copy(packages.now, f"/root/{packages.now.name}")
    *_, answers = _follow(undrained_machine, "Install")
    assert '"healthy"' in answers
    assert '"og1.0.' in answers


def test_start_reload_restart_stop(undrained_machine: Machine) -> None:
    reloaded = _follow(undrained_machine, "Start, reload, restart, stop")[1]
    assert "reloaded: kid 0 seals" in reloaded
    _check(undrained_machine)


def test_rotate_the_key(fresh_machine: Machine) -> None:
    old = transform(fresh_machine)
    printed = _follow(fresh_machine, "Rotate the key")
    assert "ACTIVE" in printed[1]
    assert "nothing to do" in printed[2]
    assert kid_of(transform(fresh_machine)) == 1
    assert rehydrate(fresh_machine, old).status == 200


def test_the_old_secret_the_old_way(undrained_machine: Machine) -> None:
    old = transform(undrained_machine)
    first, second = _follow(undrained_machine, "The old secret, the old way")
    assert "nobody has come" in first
    assert second.count("reloaded: kid 0 seals") == 2
    assert rehydrate(undrained_machine, old).status == 410
    _check(undrained_machine)


def test_the_sandbox_can_be_opened(undrained_machine: Machine) -> None:
    _follow(undrained_machine, "The sandbox")
    assert undrained_machine.show("PrivateNetwork") == "no"
    assert undrained_machine.output("systemd-analyze security oguardai-server | tail -n 1")
    _check(undrained_machine)


def test_another_port_or_address(undrained_machine: Machine) -> None:
    assert '"healthy"' in _follow(undrained_machine, "Another port or address")[0]
    assert ask(undrained_machine, "/v1/health").status == 0
    undrained_machine.run("echo GUARDAI_PORT=3000 >>/etc/guardai/oguardai.env")
    assert undrained_machine.run("systemctl restart oguardai-server", check=False).returncode == 1
    assert "systemd's socket listens on 127.0.0.1:8080" in undrained_machine.journal()


def test_tls_behind_nginx(undrained_machine: Machine) -> None:
    machine = undrained_machine
    machine.run("apt-get install -y nginx-light", seconds=300)
    machine.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=guardai.internal -addext "
        "subjectAltName=DNS:guardai.internal -keyout /etc/ssl/guardai.key -out /etc/ssl/guardai.pem"
    )
    _follow(machine, "TLS, behind nginx")
    curl = "curl -s --cacert /etc/ssl/guardai.pem"
    assert '"healthy"' in machine.output(f"{curl} https://guardai.internal/v1/health")
    transformed = machine.output(
        f"{curl} https://guardai.internal/v1/transform -H 'Content-Type: application/json' "
        """-d '{"input": "test@example.com"}'"""
    )
    assert "{{email:e_001}}" in transformed
    status = "-o /dev/null -w '%{http_code}'"
    assert machine.output(f"{curl} {status} https://guardai.internal/v1/diagnostics") == "200", "it is loopback"
    machine.run("sed -i /TRUSTED/d /etc/guardai/oguardai.env && systemctl reload oguardai-server")
    assert machine.output(f"{curl} {status} https://guardai.internal/v1/diagnostics") == "403", "a proxy's word"


def test_a_first_secret_from_systemd(undrained_machine: Machine) -> None:
    _follow(undrained_machine, "A first secret from systemd")
    assert kid_of(transform(undrained_machine)) == 1
    _check(undrained_machine)
    assert undrained_machine.run("systemctl reload oguardai-server").returncode == 0
    encrypted = undrained_machine.read("/etc/credstore.encrypted/session-secret")
    assert re.fullmatch(r"[A-Za-z0-9+/=\n]+", encrypted)


def test_resource_limits(undrained_machine: Machine) -> None:
    _follow(undrained_machine, "Resource limits")
    assert undrained_machine.show("MemoryMax") == str(1024**3)
    _check(undrained_machine)


def test_upgrade_remove_purge(undrained_machine: Machine, packages: Packages) -> None:
    undrained_machine.copy(packages.later, f"/root/{packages.later.name}")
    upgraded, purged = _follow(undrained_machine, "Upgrade, remove, purge")
    assert "Setting up oguardai-server" in upgraded
    assert "can no longer be read" in purged
    assert undrained_machine.output("getent passwd guardai")
