"""The operators' runbook, its lines for Docker taken from its text, typed in the checkout's top folder."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from oguardai.keyring import generate_secret
from tests.docker.client import ask, is_ready, opens, transform, wait_until_ready
from tests.docker.engine import TOP, Engine
from tests.server.harness import kid_of, wait_for

_TEXT = (TOP / "tests" / "runbook.txt").read_text().replace("\\\n", "")


def _line(pattern: str) -> str:
    """Return the command of the runbook that a pattern finds."""
    match = re.search(pattern, _TEXT)
    assert match is not None, pattern
    return match[0]


GENERATE = _line(r"openssl rand -base64 32")
EXPORT = _line(r"export GUARDAI_SESSION_SECRET=<NEW_SECRET>")
UP = _line(r"docker compose -f deploy/docker/docker-compose\.yml up -d --no-deps server # Docker")
GREP_TTL = _line(r"grep ttl .*\.yaml")
HEALTH = _line(r"curl -sf http://guardai\.internal:3000/v1/health")
TRANSFORM = _line(r"curl -s -X POST http://guardai\.internal:3000/v1/transform .*jq \.session_state")
COMPOSE = "docker compose -f deploy/docker/docker-compose.yml"


@pytest.fixture(scope="module", autouse=True)
def internal_name(work: Path) -> Iterator[None]:
    """Give the runbook's host a meaning, for the processes of this run alone."""
    hosts = work / "hosts"
    hosts.write_text("127.0.0.1 localhost guardai.internal\n")
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
    yield
    subprocess.run(["umount", "/etc/hosts"], check=True)


def _rotate_simply(engine: Engine) -> str:
    """Do steps 1 to 3 of option A in one shell; return the secret."""
    secret = engine.output(GENERATE)
    engine.run(f"{EXPORT.replace('<NEW_SECRET>', secret)}\n{UP}")
    wait_until_ready()
    return secret


def test_option_a(engine: Engine) -> None:
    first = _rotate_simply(engine)
    old = transform()
    assert opens(old)
    second = _rotate_simply(engine)
    assert not opens(old), "a client transforms again"
    assert opens(transform())
    assert "SessionExpired reason=authentication kid=0" in engine.output(
        f"{COMPOSE} logs server | grep 'SessionExpired'"
    )
    assert not {first, second} & set(re.findall(r"[\w+/=-]{40,}", engine.output(f"{COMPOSE} logs server")))

    assert json.loads(engine.output(HEALTH))["status"] == "healthy"
    assert re.fullmatch(r'"og1\.0\.[A-Za-z0-9_-]+"', engine.output(TRANSFORM))
    assert engine.output(f"{COMPOSE} exec -T server {GREP_TTL}") == "ttl_seconds: 3600"


@pytest.mark.parametrize(("given", "told"), [("", "there is no key to seal sessions with"), ("short", "is too short")])
def test_a_missing_or_short_secret_is_told_in_the_log(engine: Engine, given: str, told: str) -> None:
    engine.run(UP, GUARDAI_SESSION_SECRET=given)
    code = "docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' oguardai-server-1"
    wait_for(lambda: re.fullmatch(r"[1-9]\d* 78", engine.output(code)), "the server to be refused, and tried again")
    lines = engine.output(f"{COMPOSE} logs --no-log-prefix server").splitlines()
    assert len(set(lines)) == 1
    assert told in lines[0]
    assert "GUARDAI_SESSION_SECRET" in lines[0]
    assert lines[0].endswith("with: oguardai secret generate")
    _rotate_simply(engine)
    assert opens(transform()), "and a good one mends it"


def test_option_b_in_the_container(engine: Engine) -> None:
    """As docs/key-rotation.md has it: from the single secret to a keyring, no session lost, no secret in a shell."""
    _rotate_simply(engine)
    old = transform()
    for step in ("adopt --reload", "rotate --reload"):
        engine.run(f"{COMPOSE} exec -T server oguardai keyring {step}")
    assert kid_of(transform()) == 1
    assert opens(old)
    assert "ACTIVE" in engine.output(f"{COMPOSE} exec -T server oguardai keyring status")
    newer = transform()
    engine.run(UP)  # from another shell, without the variable
    wait_until_ready()
    assert opens(old)
    assert opens(newer)
    assert kid_of(transform()) == 1, "the keyring is in the volume, and the environment is needed no more"


def test_a_secret_in_a_file_is_shown_nowhere(engine: Engine, tmp_path: Path) -> None:
    secret = generate_secret()
    file = tmp_path / "session-secret"
    file.write_text(f"{secret}\n")
    file.chmod(0o400)
    engine.run(f"chown 10001 {file}; chmod 711 {tmp_path} {tmp_path.parent} {tmp_path.parent.parent}")
    both = f"{COMPOSE} -f deploy/docker/docker-compose.secret-file.yml"
    engine.run(f"{both} up -d --no-deps server", OGUARDAI_SECRET_FILE=str(file), GUARDAI_SESSION_SECRET="not-this-one")
    wait_until_ready()
    assert opens(transform())
    container = engine.output("docker ps -q")
    image = engine.output(f"docker inspect -f '{{{{.Image}}}}' {container}")
    shown = engine.output(f"docker inspect {container} {image}; docker history --no-trunc {image}")
    shown += engine.logs(container)
    shown += engine.output(f"docker exec {container} sh -c 'env; cat /proc/1/cmdline'")
    assert secret not in shown
    assert "not-this-one" not in shown
    engine.run(f"docker commit -q {container} committed && docker save committed | grep -c {secret} && exit 1 || true")

    file.write_text("short\n")
    engine.run(f"docker restart {container}")
    told = wait_for(
        lambda: [line for line in engine.logs(container).splitlines() if "too short" in line],
        "the short secret to be refused",
    )
    assert "session.keyring[0].secret_file" in told[0]
    assert "/etc/guardai/oguardai.yaml:6" in told[0].replace(", line ", ":")


def test_the_port_is_the_hosts_own_loopback_and_no_more(engine: Engine) -> None:
    _rotate_simply(engine)
    assert engine.output("docker port oguardai-server-1") == "3000/tcp -> 127.0.0.1:3000"
    assert ask("GET", "/metrics")[0] == 403, "the container's own loopback may, and its network may not"
    assert "oguardai_" in engine.output(
        f"{COMPOSE} exec -T server python3 -c "
        "'import urllib.request as r; print(r.urlopen(\"http://127.0.0.1:3000/metrics\").read().decode())'"
    )
    assert is_ready()
