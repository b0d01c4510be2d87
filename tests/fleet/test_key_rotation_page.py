"""Every command of docs/key-rotation.md is run, in the order in which it stands there, against real servers.

What an operator has around the service (sudo, ssh, rsync, systemctl, docker, kubectl) is stood in for by shell
functions that do the same to the servers of the test; `oguardai` itself, jq, base64 and the shell are the real ones.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.harness import RunningServer, kid_of, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "key-rotation.md"
README = Path(__file__).parents[2] / "README.md"
PRELUDE = r"""
sudo() { "$@"; }
oguardai() { "$SHIMS/$HOST" "$@"; }
ssh() { local HOST=$1; shift; "$@"; }
rsync() { local target=${*: -1}; cp -p "$SHIMS/guardai-1.etc/oguardai.yaml" "$SHIMS/${target%%:*}.etc/oguardai.yaml"; }
systemctl() {
  [[ $2 == oguardai-server ]] || return 5
  case $1 in reload) oguardai reload ;; restart) touch "$SHIMS/restart.$HOST" ;; *) return 1 ;; esac
}
docker() { [[ "$1 $2 $3" == "compose exec server" ]] || return 1; shift 3; "$@"; }
kubectl() {
  local etc=$SHIMS/guardai-1.etc
  case $* in
    "get secret oguardai-config -o jsonpath={.data.oguardai\.yaml}") base64 -w 0 "$etc/oguardai.yaml" ;;
    "create secret generic oguardai-config --from-file=guardai/oguardai.yaml --dry-run=client -o yaml")
      cat guardai/oguardai.yaml ;;
    "apply -f -") cat >"$etc/.new" && mv "$etc/.new" "$etc/oguardai.yaml" ;;
    "rollout restart deployment/guardai") touch "$SHIMS/restart.$HOST" ;;
    "rollout status deployment/guardai --timeout=5m") ;;
    "get pods -l app.kubernetes.io/name=guardai -o name") echo pod/guardai-1 ;;
    "exec deployment/guardai -- "*) shift 3; "$@" ;;
    "exec pod/guardai-1 -- "*) shift 3; "$@" ;;
    *) return 1 ;;
  esac
}
"""


def blocks(section: str) -> list[str]:
    """Return the shell blocks below a heading, in their order."""
    _, found, rest = PAGE.read_text().partition(f"\n## {section}\n")
    assert found, section
    body = rest.partition("\n## ")[0]
    return [
        re.sub(r"^ {3}", "", block, flags=re.MULTILINE)
        for block in re.findall(r"^ *```sh\n(.*?)^ *```$", body, re.MULTILINE | re.DOTALL)
    ]


class Operator:
    """Somebody at the first of the hosts, who pastes what the page says."""

    def __init__(self, root: Path, servers: list[RunningServer]) -> None:
        self.root = root
        self.hosts = {f"guardai-{number}": server for number, server in enumerate(servers, start=1)}
        self.shims = root / "shims"
        self.shims.mkdir()
        for host, server in self.hosts.items():
            shim = self.shims / host
            environ = " ".join(shlex.quote(f"{name}={value}") for name, value in self._environ(server).items())
            shim.write_text(f'#!/bin/sh\nexec env {environ} {shlex.join(server.command())} "$@"\n')
            shim.chmod(0o755)
            (self.shims / f"{host}.etc").symlink_to(server.config_dir)
        self.ran: list[str] = []

    @staticmethod
    def _environ(server: RunningServer) -> dict[str, str]:
        own = {name: value for name, value in server.environ().items() if name.startswith("GUARDAI_")}
        return own | {"GUARDAI_CONFIG_DIR": str(server.config_dir)}

    def paste(self, commands: str, *, status: int = 0) -> str:
        """Run a block of the page; then do the restarts that it asked systemd or Kubernetes for."""
        here = commands.replace("/root/", f"{self.root}/").replace("--activate-in 10m", "--activate-in 10s")
        for host, server in self.hosts.items():
            here = here.replace(f"http://{host}:3000", f"http://127.0.0.1:{server.port}")
        fleet = " ".join(f"--url http://127.0.0.1:{server.port}" for server in self.hosts.values())
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", f"{PRELUDE}HOST=guardai-1\nFLEET='{fleet}'\n{here}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.root,
            env=self.hosts["guardai-1"].environ() | {"SHIMS": str(self.shims)},
        )
        assert done.returncode == status, (here, done.stdout, done.stderr)
        for host, server in self.hosts.items():
            if (self.shims / f"restart.{host}").exists():
                (self.shims / f"restart.{host}").unlink()
                server.stop()
                server.start()
        return done.stdout + done.stderr


@pytest.fixture
def make_operator(make_server: Callable[..., RunningServer], tmp_path: Path) -> Callable[..., Operator]:
    """Make an operator of so many servers, which have started with one secret."""

    def make(hosts: int = 1, *, keyring: bool = True) -> Operator:
        servers = [make_server(workers=1) for _ in range(hosts)]
        for server in servers:
            server.secrets = servers[0].secrets
            if keyring:
                server.write_keys(server.key(0))
                yaml = server.config_dir / "oguardai.yaml"
                server.write_yaml(yaml.read_text().replace("ttl_seconds: 3600", "ttl_seconds: 15"))
            else:
                server.write_yaml("session:\n  ttl_seconds: 2\n" + server.extra)
                server.write_env(f"GUARDAI_SESSION_SECRET={server.secrets[0]}\n")
            server.start()
        return Operator(tmp_path, servers)

    return make


def is_safe(server: RunningServer, kid: int) -> bool:
    keys = server.diagnostics()["keyring"]["keys"]
    return any(key["kid"] == kid and key["safe_to_remove"] for key in keys)


def kids(server: RunningServer) -> dict[int, str]:
    return {key["kid"]: key["state"] for key in server.diagnostics()["keyring"]["keys"]}


def test_one_machine_from_a_single_secret_to_the_first_key_pruned(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(keyring=False)
    server = operator.hosts["guardai-1"]
    adopt, status = blocks("Once: from a single secret to a keyring")
    sealed = server.transform()
    operator.paste(adopt)
    assert "ACTIVE" in operator.paste(status)
    assert server.opens(sealed)
    save, rotate, rollback, forward, verify, prune, timer = blocks("Rotate on one machine")
    assert "kept for --baseline" in operator.paste(save)
    sealed = server.transform()
    assert "reloaded: kid 1 seals" in operator.paste(rotate)
    new = server.transform()
    assert (kid_of(new), server.opens(sealed)) == (1, True)
    operator.paste(rollback)
    assert (kids(server), server.opens(new)) == ({0: "ACTIVE", 1: "staged"}, True)
    operator.paste(forward)
    assert kids(server) == {0: "standby", 1: "ACTIVE"}
    operator.paste(verify)
    wait_for(lambda: is_safe(server, 0), "kid 0 to be safe to remove")
    operator.paste(prune)
    assert kids(server) == {1: "ACTIVE"}
    assert "nothing to do" in operator.paste(timer)


def test_the_first_rotation_of_the_readme(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(keyring=False)
    _, _, section = README.read_text().partition("## Rotating the key\n")
    (commands,) = re.findall(r"^```\n(.*?)^```$", section.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    printed = operator.paste(commands)
    assert "reloaded: kid 1 seals" in printed
    assert "kid 0 stays: sessions under it may be valid until" in printed


def test_a_fleet_switches_at_one_moment(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(3)
    servers = list(operator.hosts.values())
    save, rotate, ship, reload, check, rollback, verify, prune, staged, activate, restart = blocks("Rotate a fleet")
    operator.paste(save)
    sealed = servers[0].transform()
    for block in (rotate, ship, reload):
        operator.paste(block)
    assert "pending until" in operator.paste(check)
    for block in (rollback, ship, reload):
        operator.paste(block)
    assert [kids(server) for server in servers] == [{0: "ACTIVE", 1: "staged"}] * 3
    for block in (rollback, ship, reload):  # forward again
        operator.paste(block)
    wait_for(lambda: all(kids(server)[1] == "ACTIVE" for server in servers), "all to seal with kid 1")
    assert all(server.opens(sealed) for server in servers)
    operator.paste(verify)
    wait_for(lambda: all(is_safe(server, 0) for server in servers), "kid 0 to be safe to remove")
    for block in (prune, ship, reload):
        operator.paste(block)
    assert [kids(server) for server in servers] == [{1: "ACTIVE"}] * 3
    for block in (staged, ship, reload, activate, ship, reload):
        operator.paste(block)
    assert [kids(server) for server in servers] == [{1: "standby", 2: "ACTIVE"}] * 3
    operator.paste(restart)
    assert servers[0].transform()


def test_an_exposed_key_stops_opening_on_every_host(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(3)
    servers = list(operator.hosts.values())
    _, revoke_everywhere, check, replace = blocks("The secret was exposed")
    sealed = servers[0].transform()
    assert "410" in operator.paste(revoke_everywhere)
    assert not any(server.opens(sealed) for server in servers)
    assert "revoked" in operator.paste(check)
    assert "keyring wins" in operator.paste(replace, status=1).replace("session.keyring in oguardai.yaml", "keyring")


def test_an_exposed_key_stops_opening_on_one_machine(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator()
    server = operator.hosts["guardai-1"]
    sealed = server.transform()
    printed = operator.paste(blocks("The secret was exposed")[0])
    assert "reloaded: kid 1 seals" in printed
    assert not server.opens(sealed)


def test_an_exposed_single_secret_is_replaced(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(keyring=False)
    server = operator.hosts["guardai-1"]
    sealed = server.transform()
    operator.paste(blocks("The secret was exposed")[-1])
    assert not server.opens(sealed)
    assert server.opens(server.transform())


def test_in_a_container(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(keyring=False)
    (commands,) = blocks("In containers")
    assert "reloaded: kid 1 seals" in operator.paste(commands)
    assert kids(operator.hosts["guardai-1"]) == {0: "revoked", 1: "staged", 2: "ACTIVE"}


def test_in_kubernetes(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator()
    server = operator.hosts["guardai-1"]
    rotate, check, rollback, safe, remove, revoke = blocks("In Kubernetes")
    _, _, _, create, restart, wait = rotate.splitlines()
    apply = f"{create}\n{restart}\n{wait}"
    operator.paste(rotate)
    assert "pending" in operator.paste(check)
    operator.paste(f"{rollback}\n{apply}")
    assert kids(server) == {0: "ACTIVE", 1: "staged"}
    operator.paste(f"{rollback}\n{apply}")
    wait_for(lambda: kids(server)[1] == "ACTIVE", "kid 1 to seal")
    wait_for(lambda: "true" in operator.paste(safe), "kid 0 to be safe to remove")
    operator.paste(f"{remove}\n{apply}")
    assert kids(server) == {1: "ACTIVE"}
    sealed = server.transform()
    assert "revoked" in operator.paste(revoke)
    assert not server.opens(sealed)
    assert json.loads((server.root / "state" / "keys.json").read_text())["active"] == 2


def test_no_block_of_the_page_is_left_out() -> None:
    headings = re.findall(r"^## (.*)$", PAGE.read_text(), re.MULTILINE)
    assert {heading: len(blocks(heading)) for heading in headings if blocks(heading)} == {
        "Once: from a single secret to a keyring": 2,
        "Rotate on one machine": 7,
        "Rotate a fleet": 11,
        "The secret was exposed": 4,
        "In containers": 1,
        "In Kubernetes": 6,
    }
