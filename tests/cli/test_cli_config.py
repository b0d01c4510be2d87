"""`config`: what is wrong is said with file and line, what is in force with its source, and never a secret."""

from __future__ import annotations

import json
import os
import time

import pytest

from oguardai.keyring import Keyring
from oguardai.state import State, save
from tests.cli.harness import Host


def remember(host: Host, ring: Keyring, *, env_file_secret: str | None = None) -> None:
    """Write the state that a server leaves which ran with this keyring."""
    directory = host.root / "state"
    directory.mkdir(mode=0o700)
    now = time.time()
    save(directory, State().accept(ring, now=now, ttl=3600, env_file_secret=env_file_secret).settle(ring, now=now))


def test_a_good_configuration_is_called_valid(host: Host) -> None:
    done = host.run("config", "validate")
    assert (done.code, done.out, done.err) == (0, b"valid\n", "")


def test_every_problem_is_a_line_with_file_line_and_key(host: Host) -> None:
    host.write_yaml("  ttl_seconds: soon\n", "log:\n  colour: red\n")
    host.write(host.env, f"GUARDAI_SESSION_SECRET={host.secrets[0]}\nGUARDAI_PORT=high\n")
    done = host.run("config", "validate")
    assert (done.code, done.out) == (78, b"")
    lines = done.err.splitlines()
    assert len(lines) == 3
    assert any(line.startswith(f"{host.yaml}:2: session.ttl_seconds: expected ") for line in lines)
    assert any(line.startswith(f"{host.yaml}:7: log.colour: is not a setting") for line in lines)
    assert any(line.startswith(f"{host.env}:2: GUARDAI_PORT: expected ") for line in lines)


def test_warnings_are_told_and_do_not_refuse(host: Host) -> None:
    host.env.chmod(0o644)
    done = host.run("config", "validate")
    assert (done.code, done.out) == (0, b"valid\n")
    assert done.err.startswith(f"{host.env}: warning: ")
    assert done.err.count("\n") == 1


def test_the_result_can_be_had_as_json(host: Host) -> None:
    assert json.loads(host.run("config", "validate", "--json").out) == {
        "valid": True,
        "config_dir": str(host.config_dir),
        "problems": [],
    }
    host.write_yaml("  ttl_seconds: soon\n")
    done = host.run("config", "validate", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["valid"], done.err) == (78, False, "")
    (problem,) = answer["problems"]
    message = problem.pop("message")
    assert message.startswith("expected ")
    assert problem == {"severity": "error", "file": str(host.yaml), "line": 2, "key": "session.ttl_seconds"}


def test_a_secret_changed_where_it_has_no_effect_is_refused(host: Host) -> None:
    host.write_keys("1")
    config = host.config()
    remember(host, config.keyring, env_file_secret=config.env_file_secret)
    assert host.run("config", "validate").code == 0
    host.write(host.env, f"GUARDAI_SESSION_SECRET={host.secrets[2]}\n")
    done = host.run("config", "validate")
    assert (done.code, done.out) == (78, b"")
    assert "GUARDAI_SESSION_SECRET: is new, but session.keyring wins over it" in done.err


def test_what_a_reload_would_refuse_is_a_warning(host: Host) -> None:
    host.write_keys("0", "1")
    remember(host, host.config().keyring, env_file_secret=host.config().env_file_secret)
    host.write_keys("0")
    done = host.run("config", "validate")
    assert (done.code, done.out) == (0, b"valid\n")
    assert "a reload would be refused without --force: kid 1 seals sessions now" in done.err


def test_a_state_that_makes_no_sense_is_a_warning(host: Host) -> None:
    (host.root / "state").mkdir(mode=0o700)
    host.write(host.root / "state" / "keys.json", "{")
    done = host.run("config", "validate")
    assert (done.code, done.out) == (0, b"valid\n")
    assert "keys.json: cannot be read" in done.err


# --- where the configuration is ----------------------------------------------------------------------------


def test_the_directory_may_stand_before_or_after_the_command(host: Host) -> None:
    place = ("--config-dir", str(host.config_dir))
    for words in (
        (*place, "config", "validate"),
        ("config", *place, "validate"),
        ("config", "validate", *place),
        ("--config-dir", "/nonexistent", "config", "validate", *place),
    ):
        assert host.run(*words, where=False).code == 0, words


def test_the_directory_comes_from_the_environment_otherwise(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDAI_CONFIG_DIR", str(host.config_dir))
    assert host.run("config", "validate", where=False).code == 0
    other = host.run("--config-dir", "/nonexistent", "config", "validate", where=False)
    assert (other.code, other.err.startswith("/nonexistent: ")) == (78, True)


def test_an_empty_directory_name_is_a_usage_error(host: Host) -> None:
    assert host.run("--config-dir", "", "config", "validate", where=False).code == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who may not read")
@pytest.mark.parametrize("hidden", ["env", "config_dir"])
@pytest.mark.parametrize("words", ["config validate", "config show", "detect", "keyring status"])
def test_files_that_are_not_for_this_user_have_their_exit_status(host: Host, words: str, hidden: str) -> None:
    assert host.run(*words.split()).code == 0  # imports everything, which that user may not read either
    for folder in (host.root, host.root.parent, host.root.parent.parent):
        folder.chmod(0o755)
    host.config_dir.chmod(0o755)
    getattr(host, hidden).chmod(0o600)
    os.seteuid(65534)
    try:
        done = host.run(*words.split())
    finally:
        os.seteuid(0)
    assert (done.code, done.out) == (77, b"")
    assert "cannot be read: Permission denied" in done.err


# --- show --------------------------------------------------------------------------------------------------


def test_show_names_every_setting_and_its_source(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from oguardai.config import SETTINGS  # noqa: PLC0415

    host.write_yaml("  ttl_seconds: 1800\n")
    monkeypatch.setenv("GUARDAI_LOG_LEVEL", "debug")
    rows = {line.split()[0]: line.split()[1:] for line in host.run("config", "show").out.decode().splitlines()}
    assert rows["session.ttl_seconds"] == ["1800", "oguardai.yaml:2"]
    assert rows["log.level"] == ["debug", "environment"]
    assert rows["server.host"] == ["0.0.0.0", "default"]
    assert rows["session.keyring"][-1] == "oguardai.env:1"
    assert {setting.path for setting in SETTINGS} <= rows.keys()


def test_show_as_json_has_values_and_places(host: Host) -> None:
    answer = json.loads(host.run("config", "show", "--json").out)
    assert answer["settings"]["session.ttl_seconds"] == {"value": 3600, "source": "default"}
    assert answer["settings"]["server.trusted_proxies"]["value"] == []
    assert answer["runtime_dir"] == f"{host.root}/run"
    assert answer["state_dir"] == f"{host.root}/state"
    (key,) = answer["keyring"]["keys"]
    assert (key["kid"], key["state"], len(key["fingerprint"])) == (0, "in_use", 16)
