"""Installed, interrupted, removed, installed again, purged: what is kept, and what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.clients import ask, rehydrate, transform
from tests.system.conftest import Packages
from tests.system.machine import Machine

ETC = "/etc/guardai"
SNAPSHOT = f"ls -lA --time-style=full-iso {ETC}; sha256sum {ETC}/*"
APT = "apt-get -y -q"


def _left(machine: Machine) -> set[str]:
    """Return every path of the machine that is ours by its name."""
    names = machine.output(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /run/log -o -path /var/log -o -path /root \\) -prune -o "
        "\\( -name '*guardai*' \\) -print"
    )
    return set(names.splitlines())


def test_remove_keeps_the_configuration_and_purge_leaves_nothing_but_the_user(undrained_machine: Machine) -> None:
    session = transform(undrained_machine)
    undrained_machine.run("oguardai keyring adopt --reload && oguardai keyring rotate --reload")
    undrained_machine.run("systemctl enable --now oguardai-rotate.timer")
    undrained_machine.run("cp /usr/share/doc/oguardai-server/copyright /etc/guardai/mine")
    before = undrained_machine.output(SNAPSHOT)

    undrained_machine.run(f"{APT} remove oguardai-server")
    assert undrained_machine.output(SNAPSHOT) == before
    assert ask(undrained_machine, "/v1/health").status == 0, "nobody listens"
    units = undrained_machine.output("systemctl list-units --all --plain --no-legend --full '*guardai*'")
    assert "active running" not in units
    assert "active waiting" not in units

    undrained_machine.run(f"{APT} install /root/oguardai-server.deb")
    assert undrained_machine.output(SNAPSHOT) == before
    assert rehydrate(undrained_machine, session).status == 200

    done = undrained_machine.run(f"{APT} purge oguardai-server")
    assert [line for line in done.stdout.splitlines() if "sealed sessions" in line] == [
        "oguardai-server: /etc/guardai is deleted; sealed sessions that clients hold can no longer be read."
    ]
    assert _left(undrained_machine) <= {"/etc/hostname"}
    assert undrained_machine.output("getent passwd guardai")
    assert undrained_machine.output("systemctl is-system-running") == "running"


def test_an_installation_without_a_terminal_asks_nothing_and_keeps_what_is_there(
    undrained_machine: Machine, packages: Packages
) -> None:
    """As after a restored backup: a keyring, and no env file; a secret there would have no effect."""
    keyring = "session:\n  keyring:\n    - kid: 4\n      secret: Zt4mQw8Rk2Lp9Vn5Xc1Bs6Hf3Jd7Ga0Y\n"
    undrained_machine.run(f"{APT} purge oguardai-server && mkdir {ETC}")
    undrained_machine.write(f"{ETC}/oguardai.yaml", keyring)
    undrained_machine.copy(packages.now, "/root/x.deb")
    undrained_machine.run(f"{APT} install /root/x.deb </dev/null", seconds=300)
    assert undrained_machine.read(f"{ETC}/oguardai.yaml") == keyring
    assert "\nGUARDAI_SESSION_SECRET=\n" in undrained_machine.read(f"{ETC}/oguardai.env")
    assert undrained_machine.output("systemctl is-active oguardai-server") == "active"
    assert transform(undrained_machine)["session_state"].startswith("og1.4.")


@pytest.mark.parametrize("at", ["mktemp", "mv", "chmod"])
def test_an_interrupted_installation_is_finished_by_the_next(undrained_machine: Machine, at: str) -> None:
    """The maintainer script is killed at one of its steps, the first time that it comes to it."""
    undrained_machine.run(f"{APT} purge oguardai-server && mkdir -p /root/bin")
    killer = f"#!/bin/sh\nrm -f /root/bin/{at}\nkill -KILL $PPID\n"
    undrained_machine.write(f"/root/bin/{at}", killer, mode=0o755)
    interrupted = undrained_machine.run("PATH=/root/bin:$PATH dpkg -i /root/oguardai-server.deb", check=False)
    assert interrupted.returncode != 0
    undrained_machine.run("dpkg --configure -a")
    listing = undrained_machine.output(f"cd {ETC} && stat -c '%n %a %U:%G' . .[!.]* * 2>/dev/null || true")
    assert set(listing.splitlines()) == {
        ". 750 root:guardai",
        "oguardai.yaml 640 root:guardai",
        "oguardai.env 640 root:guardai",
    }
    assert rehydrate(undrained_machine, transform(undrained_machine)).status == 200


def test_the_administrator_s_owners_and_modes_are_kept(undrained_machine: Machine) -> None:
    undrained_machine.run(
        f"{APT} purge oguardai-server; groupadd keepers && usermod -aG keepers guardai; "
        f"dpkg-statoverride --add root keepers 0710 {ETC}; "
        f"dpkg-statoverride --force-statoverride-add --add root keepers 0660 {ETC}/oguardai.yaml; "
        f"{APT} install /root/oguardai-server.deb"
    )
    listing = undrained_machine.output(f"stat -c '%a %G' {ETC} {ETC}/oguardai.yaml {ETC}/oguardai.env")
    assert listing.splitlines() == ["710 keepers", "660 keepers", "640 guardai"]


def test_a_file_that_was_deleted_comes_back_with_the_next_installation(undrained_machine: Machine) -> None:
    undrained_machine.run(f"{APT} remove oguardai-server && rm -r {ETC} && {APT} install /root/oguardai-server.deb")
    assert undrained_machine.output(["stat", "-c", "%a %U:%G", ETC]) == "750 root:guardai"
    assert rehydrate(undrained_machine, transform(undrained_machine)).status == 200


def test_a_link_in_place_of_a_file_is_left_alone(undrained_machine: Machine) -> None:
    undrained_machine.run(f"rm {ETC}/oguardai.env && ln -s /srv/absent {ETC}/oguardai.env")
    undrained_machine.run("dpkg-reconfigure -fnoninteractive oguardai-server", check=False)
    assert undrained_machine.output(["readlink", f"{ETC}/oguardai.env"]) == "/srv/absent"
    assert undrained_machine.run("test -e /srv/absent", check=False).returncode == 1


def test_another_root_can_be_installed_into_from_outside(bare_machine: Machine, packages: Packages) -> None:
    """DPKG_ROOT: the scripts run here, and change nothing here."""
    bare_machine.copy(packages.now, "/root/x.deb")
    bare_machine.run(
        "mkdir -p /target/var/lib/dpkg /target/etc /target/usr/lib; touch /target/var/lib/dpkg/status; "
        "echo root:x:0:0::/root:/bin/sh >/target/etc/passwd; echo root:x:0: >/target/etc/group; "
        "touch /target/etc/shadow"
    )
    dpkg = "dpkg --root=/target --force-script-chrootless --force-depends"
    bare_machine.run(f"{dpkg} -i /root/x.deb")
    group = bare_machine.output("sed -n 's/^guardai:x:\\([0-9]*\\):.*/\\1/p' /target/etc/group")
    listing = bare_machine.output("cd /target/etc/guardai && stat -c '%a %u:%g' . oguardai.env oguardai.yaml")
    assert listing.splitlines() == [f"750 0:{group}", f"640 0:{group}", f"640 0:{group}"]
    for path in ("/etc/guardai", "/etc/systemd/system/multi-user.target.wants/oguardai-server.service"):
        assert bare_machine.run(f"test -e {path} || test -L {path}", check=False).returncode == 1
    assert bare_machine.run("getent passwd guardai", check=False).returncode != 0
    bare_machine.run(f"{dpkg} -P oguardai-server")
    assert bare_machine.run("test -e /target/etc/guardai", check=False).returncode == 1


def test_the_package_s_own_tests_pass(undrained_machine: Machine) -> None:
    """autopkgtest, with the package as it is installed."""
    undrained_machine.run(f"{APT} install --no-install-recommends autopkgtest dpkg-dev", seconds=300)
    undrained_machine.copy_checkout("/root/source", "packaging/debian")
    undrained_machine.run("mv /root/source/packaging/debian /root/source/debian")
    # The machine is more than the container that is asked for, which the runner cannot know.
    done = undrained_machine.run(
        "autopkgtest --no-built-binaries --ignore-restrictions=isolation-container /root/source "
        "/root/oguardai-server.deb -- null",
        check=False,
        seconds=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "smoke                PASS" in done.stdout + done.stderr


def test_the_checkout_s_version_is_the_package_s(machine: Machine, packages: Packages) -> None:
    version = machine.output("dpkg-query -W -f '${Version}' oguardai-server")
    assert packages.now.name == f"oguardai-server_{version}_all.deb"
    assert machine.output("oguardai version") == f"oguardai {version}"
    assert Path(packages.now).stat().st_size < 1_000_000
