"""`systemctl enable --now oguardai-rotate.timer` is all that the rule "every 90 days" needs on a host that is alone."""

from __future__ import annotations

import json

from tests.system.clients import kid_of, rehydrate, transform
from tests.system.machine import Machine, wait_for

STATE = "/var/lib/oguardai/keys.json"
TTL_SECONDS = 5
_DAY = 86_400


def _look(machine: Machine, *, status: str = "0") -> str:
    """Do what the timer does when it elapses; return what the journal has of it."""
    machine.run("systemctl start oguardai-rotate.service", check=status == "0")
    assert machine.show("ExecMainStatus", "oguardai-rotate.service") == status
    return machine.journal("oguardai-rotate")


def _grow_old(machine: Machine, days: int) -> None:
    """Let the key that seals have been first seen so many days ago."""
    machine.run("systemctl stop oguardai-server.socket oguardai-server.service")
    state = json.loads(machine.read(STATE))
    for record in state["keys"].values():
        record["listed_since"] -= days * _DAY
    machine.write(STATE, json.dumps(state))
    machine.run("systemctl start oguardai-server.socket oguardai-server.service")


def _keyring(machine: Machine) -> dict[int, str]:
    shown = json.loads(machine.output("oguardai keyring status --json"))
    return {key["kid"]: key["state"] for key in shown["keys"]}


def test_the_timer_looks_every_day_and_catches_up(machine: Machine) -> None:
    machine.run("systemctl enable --now oguardai-rotate.timer")
    assert machine.output("systemctl is-active oguardai-rotate.timer") == "active"
    next_time = int(machine.output('date -d "$(systemctl show -P NextElapseUSecRealtime oguardai-rotate.timer)" +%s'))
    assert 0 < next_time - int(machine.output("date +%s")) <= _DAY + 3600 + 60
    assert machine.show("Persistent", "oguardai-rotate.timer") == "yes"
    machine.run("systemctl disable --now oguardai-rotate.timer")


def test_a_key_is_adopted_replaced_when_it_is_due_and_goes_when_nobody_needs_it(undrained_machine: Machine) -> None:
    machine = undrained_machine
    # A short lifetime, and seconds in place of the minutes until a new key seals: nothing else is not the timer's own.
    machine.run(
        "systemctl stop oguardai-server.socket oguardai-server.service && rm -r /var/lib/oguardai/* && "
        f"sed -i 's/ttl_seconds: .*/ttl_seconds: {TTL_SECONDS}/' /etc/guardai/oguardai.yaml && "
        "sed -i 's/--activate-in 10m/--activate-in 1s/' /usr/lib/systemd/system/oguardai-rotate.service && "
        "systemctl daemon-reload && systemctl start oguardai-server.socket oguardai-server.service"
    )
    first = transform(machine)
    said = _look(machine)
    assert "kid 0" in said
    assert "nothing to do" in said
    assert _keyring(machine) == {0: "ACTIVE"}
    assert "\nGUARDAI_SESSION_SECRET=\n" in machine.read("/etc/guardai/oguardai.env")
    assert machine.output("stat -c '%a %U:%G' /etc/guardai/oguardai.yaml") == "640 root:guardai"
    assert rehydrate(machine, first).status == 200

    _grow_old(machine, 89)
    _look(machine)
    assert set(_keyring(machine)) == {0}
    _grow_old(machine, 1)
    _look(machine)
    assert set(_keyring(machine)) == {0, 1}
    wait_for(lambda: kid_of(transform(machine)) == 1, "the new key to seal")
    wait_for(lambda: _look(machine) and set(_keyring(machine)) == {1}, "the old key to go")
    assert rehydrate(machine, transform(machine)).status == 200
    secret = machine.output("sed -n 's/^ *secret: //p' /etc/guardai/oguardai.yaml")
    assert secret not in machine.output("journalctl --quiet")


def test_a_host_of_a_fleet_is_refused_and_nothing_is_changed(fresh_machine: Machine) -> None:
    fresh_machine.run(r"sed -i '$a \  shared: true' /etc/guardai/oguardai.yaml && systemctl reload oguardai-server")
    before = fresh_machine.output("sha256sum /etc/guardai/*")
    said = _look(fresh_machine, status="78")
    assert "session.shared" in said
    assert "oguardai.yaml:" in said
    assert fresh_machine.output("sha256sum /etc/guardai/*") == before
    assert fresh_machine.show("Result", "oguardai-rotate.service") == "exit-code"


def test_a_server_that_is_stopped_is_no_failure(undrained_machine: Machine) -> None:
    undrained_machine.run("systemctl stop oguardai-server.socket oguardai-server.service")
    before = undrained_machine.output("sha256sum /etc/guardai/*")
    undrained_machine.run("systemctl start oguardai-rotate.service")
    assert undrained_machine.output("sha256sum /etc/guardai/*") == before
    assert undrained_machine.output("systemctl is-active oguardai-server.service || true") == "inactive"
    assert undrained_machine.output("systemctl --failed --no-legend") == ""
