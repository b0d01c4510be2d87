"""What the documents show runs as it is written, and so do the operators' own commands."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from oguardai.keyring import generate_secret
from tests.server.harness import RunningServer, kid_of, yaml_of

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/http-api.md", "docs/observability.md", "docs/operations.md")
BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```\n(.*?)(?=^```|\Z)", re.MULTILINE | re.DOTALL)
PRINTS = re.compile(r"\A\s*prints `([^`]+)`")


def examples() -> list[tuple[str, str, str | None]]:
    """Return page, commands and what they are said to print, for each example that calls the server."""
    found = []
    for page in PAGES:
        for commands, after in BLOCK.findall((ROOT / page).read_text()):
            if "curl" in commands:
                said = PRINTS.match(after)
                found.append((page, commands, said.group(1) if said else None))
    return found


def shell(server: RunningServer, commands: str) -> str:
    """Run commands as somebody would paste them, with this server in place of the documents'."""
    here = commands.replace("127.0.0.1:3000", f"127.0.0.1:{server.port}")
    here = here.replace("guardai.internal:3000", f"127.0.0.1:{server.port}")
    here = here.replace("/etc/guardai", str(server.config_dir)).replace("/run/oguardai", str(server.root / "run"))
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", here], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, (here, done.stderr)
    return done.stdout


def test_there_are_examples_on_every_page() -> None:
    assert {page for page, _, _ in examples()} == set(PAGES)


def test_every_example_of_the_documents_runs(server: RunningServer) -> None:
    server.start()
    for page, commands, said in examples():
        printed = shell(server, commands)
        assert printed.strip(), (page, commands)
        if said is not None:
            assert said in printed, (page, commands)


GENERATE = "openssl rand -base64 32"
SED = "sed -i 's/^GUARDAI_SESSION_SECRET=.*/GUARDAI_SESSION_SECRET=<NEW_SECRET>/' /etc/guardai/oguardai.env"
TTL = "grep ttl /etc/guardai/oguardai.yaml"
VERIFY = """
curl -sf http://guardai.internal:3000/v1/health
curl -s -X POST http://guardai.internal:3000/v1/transform \\
-H "Content-Type: application/json" -d '{"input": "test@example.com"}' | jq .session_state
"""


@pytest.fixture
def env_server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server whose only key is the env file's secret, as installed."""
    server = make_server()
    server.write_yaml((ROOT / "etc/oguardai.yaml").read_text() + server.extra)
    server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[0]}\n")
    return server


def test_simple_rotation_by_sed_and_restart(env_server: RunningServer) -> None:
    env_server.start()
    old = env_server.transform()
    secret = shell(env_server, GENERATE).strip()
    while "/" in secret:  # sed would take it for its own delimiter and change nothing
        secret = shell(env_server, GENERATE).strip()
    shell(env_server, SED.replace("<NEW_SECRET>", secret))
    env_server.stop()
    env_server.start()
    assert not env_server.opens(old)
    assert "SessionExpired" in env_server.log()
    assert shell(env_server, VERIFY).count('"og1.0.') == 1
    assert "3600" in shell(env_server, TTL)


def test_a_secret_with_a_slash_stops_sed_and_changes_nothing(env_server: RunningServer) -> None:
    env_server.start()
    before = (env_server.config_dir / "oguardai.env").read_bytes()
    command = SED.replace("<NEW_SECRET>", "abc/def" + "x" * 40).replace("/etc/guardai", str(env_server.config_dir))
    assert subprocess.run(["bash", "-c", command], capture_output=True, check=False).returncode != 0
    assert (env_server.config_dir / "oguardai.env").read_bytes() == before


def test_our_own_secrets_are_always_safe_with_sed(env_server: RunningServer) -> None:
    for _ in range(200):
        secret = generate_secret()
        shell(env_server, SED.replace("<NEW_SECRET>", secret))
        assert (env_server.config_dir / "oguardai.env").read_text() == f"GUARDAI_SESSION_SECRET={secret}\n"


def test_zero_downtime_rotation_by_keyring(server: RunningServer) -> None:
    def edit(*kids: int) -> None:
        keys = [{"kid": kid, "secret": server.secrets[kid]} for kid in kids]
        server.write_yaml(yaml_of(keys, server.extra).replace("3600", "5"))

    edit(0)
    server.start()
    old = server.transform()
    edit(0, 1)
    assert server.reload().returncode == 0
    assert server.opens(old), "old sessions still decrypt with key 0"
    assert kid_of(server.transform()) == 1, "new sessions use key 1"
    status = json.loads(server.run("keyring", "status", "--json").stdout)
    assert status["active_kid"] == 1
    edit(1)
    while server.reload().returncode != 0:  # "wait one full session TTL"
        assert "kid 0" in server.log()
    assert '"og1.1.' in shell(server, VERIFY)
