"""What goes wrong on a machine, and that clients and administrators are told, or do not notice."""

from __future__ import annotations

import json

import pytest

from tests.system.clients import ask, load, rehydrate, transform
from tests.system.machine import Machine, wait_for

YAML = "/etc/guardai/oguardai.yaml"
PROBLEM = f"{YAML}:7: session.colour: is not a setting"
_SLEEP = "import select, time; time.sleep = lambda seconds: select.select([], [], [], seconds)"
ADMIN = "curl -s --unix-socket /run/oguardai/admin.sock http://localhost"


def _break(machine: Machine) -> str:
    """Add a line that is wrong; return the file as it was."""
    text = machine.read(YAML)
    machine.write(YAML, text + "  colour: red\n")
    return text


def _workers(machine: Machine) -> list[int]:
    diagnostics = json.loads(machine.output(f"{ADMIN}/v1/diagnostics"))
    return [worker["pid"] for worker in diagnostics["workers"]]


def _drop_in(machine: Machine, text: str) -> None:
    machine.run("mkdir -p /run/systemd/system/oguardai-server.service.d")
    machine.write("/run/systemd/system/oguardai-server.service.d/test.conf", text)
    machine.run("systemctl daemon-reload && systemctl restart oguardai-server")


def test_a_broken_file_fails_the_reload_which_says_why_and_the_service_goes_on(fresh_machine: Machine) -> None:
    good = _break(fresh_machine)
    with load(fresh_machine) as clients:
        failed = fresh_machine.run("systemctl reload oguardai-server", check=False)
        assert failed.returncode == 1
        assert PROBLEM in fresh_machine.journal()
        assert PROBLEM in fresh_machine.output("systemctl status oguardai-server")
        said = fresh_machine.run("oguardai reload", check=False)
        assert said.returncode == 1
        assert PROBLEM in said.stderr
        assert "oguardai_config_last_reload_successful 0.0" in fresh_machine.output(f"{ADMIN}/metrics")
        fresh_machine.write(YAML, good)
        fresh_machine.run("systemctl reload oguardai-server")
        assert "oguardai_config_last_reload_successful 1.0" in fresh_machine.output(f"{ADMIN}/metrics")
    clients.check()


def test_a_broken_file_fails_the_restart_and_once_mended_the_next_works_at_once(fresh_machine: Machine) -> None:
    """Clients wait on the socket all the time; more often than any limit of systemd's lets a service start."""
    good = _break(fresh_machine)
    failed = fresh_machine.run("systemctl restart oguardai-server", check=False)
    assert failed.returncode == 1
    assert PROBLEM in fresh_machine.journal()
    assert fresh_machine.show("ExecMainStatus") == "78"
    curl = ["curl", "-s", "--max-time", "60", "http://localhost:3000/v1/health"]
    waiting = [fresh_machine.start(curl) for _ in range(3)]
    wait_for(lambda: fresh_machine.journal().count("Starting oguardai-server.service") > 6, "many attempts")
    assert fresh_machine.output("systemctl is-active oguardai-server.socket") == "active"
    fresh_machine.write(YAML, good)
    fresh_machine.run("systemctl restart oguardai-server")
    for client in waiting:
        answer, _ = client.communicate(timeout=60)
        assert json.loads(answer)["status"] == "healthy"


def test_a_signal_to_every_process_is_a_reload_and_harms_none(machine: Machine) -> None:
    workers = _workers(machine)
    before = machine.journal().count("event=Reloaded")
    with load(machine) as clients:
        for _ in range(5):
            machine.run("systemctl kill -s HUP oguardai-server")
        wait_for(lambda: machine.journal().count("event=Reloaded") > before, "a reload")
    clients.check()
    assert _workers(machine) == workers


def test_a_worker_that_is_killed_is_replaced(machine: Machine) -> None:
    victim, *others = _workers(machine)
    pid = machine.show("MainPID")
    session = transform(machine)
    machine.run(f"kill -KILL {victim}")
    wait_for(lambda: len(new := _workers(machine)) == len(others) + 1 and victim not in new, "another worker")
    assert machine.show("MainPID") == pid
    assert rehydrate(machine, session).status == 200


def test_a_main_process_that_is_killed_is_started_again_and_sessions_live_on(fresh_machine: Machine) -> None:
    session = transform(fresh_machine)
    fresh_machine.run(f"kill -KILL {fresh_machine.show('MainPID')}")
    assert rehydrate(fresh_machine, session).status == 200, "the client waits on the socket meanwhile"
    assert fresh_machine.show("NRestarts") == "1"
    wait_for(lambda: fresh_machine.show("ActiveState") == "active", "the service to be active")


@pytest.mark.parametrize("whose", ["the workers", "the main process"])
def test_the_watchdog_ends_a_service_that_hangs(undrained_machine: Machine, whose: str) -> None:
    session = transform(undrained_machine)
    _drop_in(undrained_machine, "[Service]\nWatchdogSec=2\n")
    pids = _workers(undrained_machine) if whose == "the workers" else [int(undrained_machine.show("MainPID"))]
    undrained_machine.run(f"kill -STOP {' '.join(map(str, pids))}")
    wait_for(lambda: undrained_machine.show("NRestarts") == "1", "the watchdog")
    assert "Failed with result 'watchdog'" in undrained_machine.journal()
    assert rehydrate(undrained_machine, session).status == 200


def test_a_full_run_stops_neither_requests_nor_a_rotation(undrained_machine: Machine) -> None:
    """In a small /run of its own, so that it can be filled at once."""
    session = transform(undrained_machine)
    undrained_machine.run("mount -o remount,size=16M /run; dd if=/dev/zero of=/run/fill bs=64k || true")
    undrained_machine.run("dd if=/dev/zero of=/run/rest bs=1 count=4096 || true")
    assert undrained_machine.output("df --output=avail /run | tail -n 1").strip() == "0"
    with load(undrained_machine) as clients:
        undrained_machine.run("oguardai keyring adopt --reload && oguardai keyring rotate --reload")
    clients.check()
    assert set(clients.report["sessions"]) <= {"0", "1"}
    assert rehydrate(undrained_machine, session).status == 200
    assert "oguardai_active_kid 1.0" in undrained_machine.output(f"{ADMIN}/metrics")
    undrained_machine.run("systemctl restart oguardai-server && rm /run/fill /run/rest")
    assert rehydrate(undrained_machine, session).status == 200


def test_a_clock_that_jumps_ends_sessions_in_time_and_nothing_else(undrained_machine: Machine) -> None:
    """The service's own clock, by libfaketime: that of the machine is the host's."""
    library = undrained_machine.output("ls /usr/lib/*/faketime/libfaketimeMT.so.1")
    undrained_machine.run("echo +0 >/etc/faketime")
    # The library takes the sleeps of Python, which end at a moment of the monotonic clock, for an error.
    undrained_machine.run(f"for file in /etc/python3.*/sitecustomize.py; do echo '{_SLEEP}' >>$file; done")
    _drop_in(
        undrained_machine,
        f"[Service]\nEnvironment=LD_PRELOAD={library} FAKETIME_TIMESTAMP_FILE=/etc/faketime FAKETIME_NO_CACHE=1 "
        "FAKETIME_DONT_FAKE_MONOTONIC=1\n",
    )
    pid = undrained_machine.show("MainPID")
    session = transform(undrained_machine)
    undrained_machine.run("echo +2h >/etc/faketime")
    wait_for(lambda: rehydrate(undrained_machine, session).status == 410, "the session to be past its time")
    assert "reason=ttl" in undrained_machine.journal()
    later = transform(undrained_machine)
    undrained_machine.run("echo -10m >/etc/faketime")
    wait_for(lambda: rehydrate(undrained_machine, session).status == 200, "the clock to be back")
    assert rehydrate(undrained_machine, later).status == 200
    undrained_machine.run("oguardai keyring adopt --reload && oguardai keyring rotate --reload")
    assert rehydrate(undrained_machine, transform(undrained_machine)).status == 200
    assert ask(undrained_machine, "/v1/health").status == 200
    assert (undrained_machine.show("MainPID"), undrained_machine.show("NRestarts")) == (pid, "0")


def test_a_service_without_socket_and_network_says_so_and_does_not_start(
    undrained_machine: Machine,
) -> None:
    """As after a drop-in that takes the socket away."""
    undrained_machine.run("systemctl stop oguardai-server.socket oguardai-server.service")
    unit = undrained_machine.read("/usr/lib/systemd/system/oguardai-server.service")
    for loosened in ("", "RestrictAddressFamilies=AF_UNIX"):
        text = unit.replace("Requires=oguardai-server.socket\n", "").replace(loosened, "")
        undrained_machine.write("/run/systemd/system/alone.service", text)
        undrained_machine.run("systemctl daemon-reload")
        assert undrained_machine.run("systemctl start alone.service", check=False).returncode == 1
        assert undrained_machine.show("ExecMainStatus", "alone.service") == "78"
        said = undrained_machine.journal("alone")
        assert "systemd handed over no listening socket" in said
        assert ("PrivateNetwork=" if loosened else "RestrictAddressFamilies=") in said
    undrained_machine.run("systemctl start oguardai-server")
    assert undrained_machine.output("systemctl is-active oguardai-server.socket") == "active"
