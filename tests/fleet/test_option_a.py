"""Option A of the runbook: a short time in which clients have to transform again, and no longer than that."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.fleet.clients import Clients
from tests.fleet.harness import Fleet

_YAML = "session:\n  backend: sealed\n  ttl_seconds: {ttl}\nserver:\n  drain_seconds: 1\n"


def test_a_changed_secret_costs_errors_for_one_ttl_after_the_last_restart_and_none_after_it(
    make_fleet: Callable[..., Fleet], record: Callable[..., None]
) -> None:
    fleet = make_fleet(start=False)
    old, new = (fleet.key(kid)["secret"] for kid in (0, 1))
    for instance in fleet.instances:
        instance.write_yaml(_YAML.format(ttl=fleet.ttl))
        instance.write_env(f"GUARDAI_SESSION_SECRET={old}\n")
    fleet.start()
    with Clients([fleet.haproxy]) as clients:
        clients.wait_for_turns(10)
        for instance in fleet.instances:
            edit = f"s/^GUARDAI_SESSION_SECRET=.*/GUARDAI_SESSION_SECRET={new}/"
            subprocess.run(["sed", "-i", edit, str(instance.config_dir / "oguardai.env")], check=True)
        clients.wait_for_turns(10)
        began = time.time()
        fleet.roll_by_restart()
        ended = time.time() + fleet.ttl  # by then no session under the old secret has any time left
        time.sleep(fleet.ttl)
        before = clients.figures()["requests"]
        clients.wait_for_turns(40)
    record(clients.figures())
    failures = clients.failures
    assert failures, "sessions under the old secret cannot be opened"
    assert {(failure.status, failure.code) for failure in failures} == {(410, "GUARDAI_SESSION_EXPIRED")}
    assert failures[0].at >= began, "an edit alone changes nothing"
    assert failures[-1].at <= ended, "and in the end it is over"
    assert clients.figures()["requests"] - before >= 40 * len(clients.clients)
    for instance in fleet.instances:
        assert {reason for reason, _ in instance.expired()} <= {"authentication", "ttl"}
