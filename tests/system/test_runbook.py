"""The operators' runbook, its lines taken from its text, on a machine with systemd.

Option B under load is in test_under_load.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.system.clients import kid_of, rehydrate, transform
from tests.system.machine import Machine

_TEXT = (Path(__file__).parents[1] / "runbook.txt").read_text()


def _line(pattern: str) -> str:
    """Return the command of the runbook that a pattern finds; lines that end with a backslash are joined."""
    match = re.search(pattern, _TEXT.replace("\\\n", ""))
    assert match is not None, pattern
    return match[0]


GENERATE = _line(r"openssl rand -base64 32")
SED = _line(r"sudo sed -i '.*oguardai\.env")
RESTART = _line(r"sudo systemctl restart oguardai-server")
GREP_TTL = _line(r"grep ttl .*\.yaml")
HEALTH = _line(r"curl -sf http://guardai\.internal:3000/v1/health")
TRANSFORM = _line(r"curl -s -X POST http://guardai\.internal:3000/v1/transform .*jq \.session_state")


def _secret(machine: Machine, *, with_slash: bool) -> str:
    """Return what the runbook's command gives, once it has a slash in it, or none."""
    for _ in range(200):
        secret = machine.output(GENERATE)
        if ("/" in secret) == with_slash:
            return secret
    raise AssertionError("half of all secrets have a slash")


def test_post_rotation_verification(machine: Machine) -> None:
    assert json.loads(machine.output(HEALTH))["status"] == "healthy"
    assert re.fullmatch(r'"og1\.0\.[A-Za-z0-9_-]+"', machine.output(TRANSFORM))


def test_the_ttl_is_written_out(machine: Machine) -> None:
    assert machine.output(GREP_TTL).strip() == "ttl_seconds: 3600"


def test_option_a_with_a_secret_that_sed_takes(fresh_machine: Machine) -> None:
    old = transform(fresh_machine)
    assert rehydrate(fresh_machine, old).status == 200
    before = fresh_machine.output("stat -c '%a %U:%G' /etc/guardai/oguardai.env")
    fresh_machine.run(SED.replace("<NEW_SECRET>", _secret(fresh_machine, with_slash=False)))
    assert fresh_machine.output("stat -c '%a %U:%G' /etc/guardai/oguardai.env") == before == "640 root:guardai"
    fresh_machine.run(RESTART)

    expired = rehydrate(fresh_machine, old)
    assert (expired.status, expired.body["code"]) == (410, "GUARDAI_SESSION_EXPIRED")
    found = fresh_machine.output("journalctl -u oguardai-server | grep 'SessionExpired'")
    assert "reason=authentication kid=0" in found
    assert rehydrate(fresh_machine, transform(fresh_machine)).status == 200


def test_option_a_with_a_secret_that_sed_refuses_and_what_to_do_instead(fresh_machine: Machine) -> None:
    old = transform(fresh_machine)
    secret = _secret(fresh_machine, with_slash=True)
    before = fresh_machine.read("/etc/guardai/oguardai.env")
    assert fresh_machine.run(SED.replace("<NEW_SECRET>", secret), check=False).returncode == 1
    assert fresh_machine.read("/etc/guardai/oguardai.env") == before
    fresh_machine.run(RESTART)
    assert rehydrate(fresh_machine, old).status == 200, "the old secret is in force still"

    done = fresh_machine.run("sudo oguardai secret set - --reload", given=f"{secret}\n")
    assert secret not in done.stdout + done.stderr
    assert f"GUARDAI_SESSION_SECRET={secret}\n" in fresh_machine.read("/etc/guardai/oguardai.env")
    assert rehydrate(fresh_machine, old).status == 410
    assert rehydrate(fresh_machine, transform(fresh_machine)).status == 200


def test_option_b_on_one_machine(fresh_machine: Machine) -> None:
    """The runbook's keyring, written by hand: the env file's secret as kid 0, a new one as kid 1."""
    old = transform(fresh_machine)
    secrets = [
        fresh_machine.output("sed -n 's/^GUARDAI_SESSION_SECRET=//p' /etc/guardai/oguardai.env"),
        fresh_machine.output(GENERATE),
    ]
    keys = "".join(f"    - kid: {kid}\n      secret: {secret}\n" for kid, secret in enumerate(secrets))
    text = fresh_machine.read("/etc/guardai/oguardai.yaml")
    fresh_machine.write("/etc/guardai/oguardai.yaml", f"{text}  backend: sealed\n  keyring:\n{keys}")
    fresh_machine.run(RESTART)
    assert rehydrate(fresh_machine, old).status == 200
    assert kid_of(transform(fresh_machine)) == 1
    assert not any(secret in fresh_machine.journal() for secret in secrets)
