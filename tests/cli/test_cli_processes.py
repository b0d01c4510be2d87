"""`serve` and `reload`: exit statuses to rely on, and a server that is found whatever the file says."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import oguardai.server
from oguardai.cli.locate import find_runtime
from oguardai.config import load_config, runtime_dir
from oguardai.errors import ConfigError, Problem, Severity
from oguardai.server import control
from oguardai.server.runtime import AlreadyRunningError, NotRunningError, RuntimeDirectory
from tests.cli.harness import Host

REPORT: dict[str, Any] = {
    "outcome": "ok",
    "reasons": [],
    "warnings": [],
    "active_kid": 1,
    "workers": [10, 11],
    "generation": 3,
    "digest": "00",
}


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the server reports when it is reloaded, one after the other; what was asked is put at the end."""
    script: list[Any] = []

    def reload_server(runtime: RuntimeDirectory, *, force: bool = False) -> dict[str, Any]:
        answer = script.pop(0)
        script.append((runtime.path, force))
        if isinstance(answer, Exception):
            raise answer
        return {**REPORT, **answer}

    monkeypatch.setattr(control, "reload_server", reload_server)
    return script


# --- reload ------------------------------------------------------------------------------------------------


def test_a_reload_that_worked_is_one_line(host: Host, reports: list[Any]) -> None:
    reports.append({})
    done = host.run("reload")
    assert (done.code, done.out, done.err) == (0, b"reloaded: kid 1 seals, 2 workers switched\n", "")
    assert reports == [(host.root / "run", False)]


def test_warnings_of_a_reload_are_shown(host: Host, reports: list[Any]) -> None:
    reports.append({"warnings": ["/etc/x: can be read by everybody"]})
    done = host.run("reload")
    assert (done.code, done.err) == (0, "oguardai: warning: /etc/x: can be read by everybody\n")


@pytest.mark.parametrize(
    ("outcome", "advice"),
    [
        ("failed", "oguardai config validate --config-dir "),
        ("refused", "oguardai reload --force --config-dir "),
        ("partial", "the new configuration is in force"),
    ],
)
def test_a_reload_that_did_not_work_says_why_and_what_to_do(
    host: Host, reports: list[Any], outcome: str, advice: str
) -> None:
    reports.append({"outcome": outcome, "reasons": ["first reason", "second reason"]})
    done = host.run("reload")
    assert (done.code, done.out) == (1, b"")
    first, second, last = done.err.splitlines()
    assert (first, second) == ("oguardai: first reason", "oguardai: second reason")
    assert advice in last


def test_a_report_can_be_had_as_json(host: Host, reports: list[Any]) -> None:
    reports += [{"outcome": "refused", "reasons": ["why"]}]
    done = host.run("reload", "--json", "--force")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out) == {**REPORT, "outcome": "refused", "reasons": ["why"]}
    assert reports == [(host.root / "run", True)]


def test_no_server_is_unavailable(host: Host) -> None:
    done = host.run("reload")
    assert (done.code, done.out) == (69, b"")
    assert f"looked in {host.root}/run" in done.err
    assert "--port" in done.err


@pytest.mark.parametrize(("error", "code"), [(NotRunningError("it ended"), 69), (PermissionError(1, "no"), 77)])
def test_a_server_out_of_reach_has_its_exit_status(host: Host, reports: list[Any], error: Exception, code: int) -> None:
    reports.append(error)
    done = host.run("reload")
    assert (done.code, done.out) == (code, b"")
    assert done.err.startswith("oguardai: ")


# --- where a server is found -------------------------------------------------------------------------------


def place(host: Host, **environ: str) -> Path:
    return find_runtime(host.config_dir, environ).path


def test_commands_look_where_the_configuration_says(host: Host) -> None:
    assert place(host) == runtime_dir(host.config())
    host.write(host.yaml, "server:\n  port: 4000\n")
    host.write(host.env, f"GUARDAI_SESSION_SECRET={host.secrets[0]}\nGUARDAI_PORT=4001\n")
    assert place(host) == runtime_dir(host.config(), {})
    assert place(host, GUARDAI_PORT="4002") != place(host)
    assert find_runtime(host.config_dir, {}, port=4002).path == place(host, GUARDAI_PORT="4002")


@pytest.fixture
def claimed(host: Host, tmp_path: Path) -> Callable[[int], Path]:
    """Claim the runtime directory of a server with a port of the command line, as that server does."""
    host.write(host.yaml, "session:\n  ttl_seconds: 3600\n")

    def claim(port: int) -> Path:
        config = load_config(host.config_dir, {}, {"server.port": port}, now=time.time())
        runtime = RuntimeDirectory(runtime_dir(config, {"XDG_RUNTIME_DIR": str(tmp_path)}))
        runtime.claim()
        return runtime.path

    return claim


@pytest.mark.parametrize("damage", ["session: [\n", "session:\n\tttl_seconds: 1\n", "nonsense\n", "x: \x07\n"])
def test_a_broken_file_does_not_hide_the_server(
    host: Host, tmp_path: Path, claimed: Callable[[int], Path], damage: str
) -> None:
    running = claimed(4567)
    host.write(host.yaml, damage)
    assert place(host, XDG_RUNTIME_DIR=str(tmp_path)) == running


def test_several_servers_with_one_configuration_are_told_apart_by_their_ports(
    host: Host, tmp_path: Path, claimed: Callable[[int], Path]
) -> None:
    one, two = claimed(4567), claimed(4568)
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    with pytest.raises(NotRunningError, match=r"--port \(4567, 4568\)"):
        find_runtime(host.config_dir, environ)
    assert find_runtime(host.config_dir, environ, port=4568).path == two
    assert find_runtime(host.config_dir, environ | {"GUARDAI_PORT": "4567"}).path == one


def test_a_secret_that_only_the_server_has_is_not_needed_to_find_it(host: Host) -> None:
    host.env.unlink()
    assert place(host) == host.root / "run"


def test_files_that_are_not_there_mean_the_usual_place() -> None:
    assert find_runtime(Path("/etc/guardai"), {}).path == Path("/run/oguardai")


# --- serve -------------------------------------------------------------------------------------------------


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Takes the place of the server: raises what the test puts here, and notes with what it was called."""
    script: list[Any] = []

    def serve(config_dir: Path, environ: Mapping[str, str], overrides: Mapping[str, object]) -> None:
        outcome = script.pop() if script else SystemExit(0)
        script.append((config_dir, environ is os.environ, dict(overrides)))
        raise outcome

    monkeypatch.setattr(oguardai.server, "serve", serve)
    return script


def test_serve_passes_on_what_it_was_given(host: Host, serving: list[Any]) -> None:
    assert host.run("serve", "--port", "4000", "--host", "127.0.0.1").code == 0
    overrides = {"server.host": "127.0.0.1", "server.port": 4000, "server.workers": None}
    assert serving == [(host.config_dir, True, overrides)]


def test_serve_with_a_bad_configuration_tells_every_problem(host: Host, serving: list[Any]) -> None:
    problems = [Problem("is wrong", "f", 3, "a"), Problem("b"), Problem("c", severity=Severity.WARNING)]
    serving.append(ConfigError(problems))
    done = host.run("serve")
    assert (done.code, done.out) == (78, b"")
    assert done.err == "oguardai: f:3: a: is wrong\noguardai: b\noguardai: warning: c\n"


def test_serve_beside_a_running_server_fails(host: Host, serving: list[Any]) -> None:
    serving.append(AlreadyRunningError("runs already (process 7)"))
    done = host.run("serve")
    assert (done.code, done.err) == (1, "oguardai: runs already (process 7)\n")


def test_serve_really_refuses_what_it_reads(host: Host) -> None:
    host.write_yaml("  ttl_seconds: soon\n")
    done = host.process("serve", "--port", "1")
    assert (done.code, done.out) == (78, b"")
    assert f"oguardai: {host.yaml}:2: session.ttl_seconds: expected " in done.err


def test_a_port_that_is_no_number_is_a_usage_error(host: Host) -> None:
    assert host.run("serve", "--port", "http").code == 2
