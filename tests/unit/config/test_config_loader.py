"""What operators are promised of the configuration as a whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oguardai.config import SETTINGS, ServerSettings, find_config_dir, load_config
from oguardai.errors import ConfigError, Severity
from oguardai.keyring import Key

from .conftest import NOW, Directory


def test_a_secret_in_the_env_file_is_all_that_is_needed(directory: Directory, secret: str) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    config = directory.load()
    assert config.keyring.keys == (Key.from_secret(0, secret, source="env"),)
    assert config.sources["session.keyring"] == "oguardai.env:1"
    assert config.env_file_secret_wins
    assert config.env_file_secret == config.keyring.keys[0].fingerprint
    assert config.settings.server == ServerSettings()
    assert config.warnings == ()
    assert config.yaml_stamp is None


def test_later_layers_win(directory: Directory, secret: str) -> None:
    directory.yaml("server:\n  port: 3001\n  threads: 5\nsession:\n  ttl_seconds: 60\nlog:\n  level: debug\n")
    directory.env(
        f"GUARDAI_PORT=3002\nGUARDAI_SESSION_TTL_SECONDS=61\nGUARDAI_LOG_LEVEL=error\nGUARDAI_SESSION_SECRET={secret}\n"
    )
    config = directory.load({"GUARDAI_PORT": "3003", "GUARDAI_LOG_LEVEL": "warning"}, {"server.port": 3004})
    settings = config.settings
    assert (settings.server.port, settings.server.threads) == (3004, 5)
    assert (settings.session.ttl_seconds, settings.log.level) == (61, "warning")
    assert config.sources["server.port"] == "command line"
    assert config.sources["server.threads"] == "oguardai.yaml:3"
    assert config.sources["session.ttl_seconds"] == "oguardai.env:2"
    assert config.sources["log.level"] == "environment"
    assert config.sources["log.format"] == "default"


def test_an_option_that_was_not_given_changes_nothing(directory: Directory, secret: str) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    assert directory.load(overrides={"server.port": None}).settings.server.port == 3000


@pytest.mark.parametrize("value", [3001, "3001"])
def test_the_command_line_may_give_text_or_a_number(directory: Directory, secret: str, value: object) -> None:
    config = directory.load({"GUARDAI_SESSION_SECRET": secret}, {"server.port": value})
    assert config.settings.server.port == 3001


@pytest.mark.parametrize(
    "overrides", [{"server.prot": 1}, {"server.port": True}, {"server.port": 0}, {"log.requests": 1}]
)
def test_a_bad_option_is_refused(directory: Directory, secret: str, overrides: dict[str, object]) -> None:
    problem = directory.refused_once({"GUARDAI_SESSION_SECRET": secret}, overrides=overrides)
    assert problem.file == "command line"
    assert problem.key in overrides


def test_all_problems_are_told_at_once_with_file_line_key_and_what_was_expected(directory: Directory) -> None:
    yaml = directory.yaml("server:\n  port: 70000\n  treads: 4\nlog:\n  format: xml\nsesion:\n  x: 1\n")
    env = directory.env("GUARDAI_SESSION_SECRET=short\nGUARDAI_PROT=1\nGUARDAI_WORKERS=many\n")
    problems = directory.refused({"GUARDAI_DETECTION_THRESHOLD": "2"})
    told = {(problem.file, problem.line, problem.key): problem.message for problem in problems}
    assert told.keys() == {
        (str(yaml), 2, "server.port"),
        (str(yaml), 3, "server.treads"),
        (str(yaml), 5, "log.format"),
        (str(yaml), 6, "sesion"),
        (str(env), 1, "GUARDAI_SESSION_SECRET"),
        (str(env), 2, "GUARDAI_PROT"),
        (str(env), 3, "GUARDAI_WORKERS"),
        ("environment", None, "GUARDAI_DETECTION_THRESHOLD"),
    }
    assert told[str(yaml), 2, "server.port"] == "expected a whole number from 1 to 65535"
    assert told[str(yaml), 3, "server.treads"] == "is not a setting; did you mean threads?"
    assert told[str(yaml), 5, "log.format"] == "expected logfmt or json"
    assert told[str(yaml), 6, "sesion"] == "is not a section; did you mean session?"
    assert told[str(env), 2, "GUARDAI_PROT"] == "is not a setting; did you mean GUARDAI_PORT?"
    assert told["environment", None, "GUARDAI_DETECTION_THRESHOLD"] == "expected a number from 0 to 1"
    assert "oguardai secret generate" in told[str(env), 1, "GUARDAI_SESSION_SECRET"]
    assert [problem.line for problem in problems[:7]] == [2, 3, 5, 6, 1, 2, 3]


def test_a_bad_value_is_an_error_even_where_something_wins_over_it(directory: Directory, secret: str) -> None:
    directory.yaml("server:\n  port: no\n")
    problem = directory.refused_once({"GUARDAI_PORT": "3001", "GUARDAI_SESSION_SECRET": secret})
    assert (problem.line, problem.key) == (2, "server.port")


def test_unknown_variables_of_the_process_are_only_a_warning(directory: Directory, secret: str) -> None:
    environ = {
        "GUARDAI_PROT": "3001",
        "GUARDAI_CONFIG_DIR": "/elsewhere",
        "GUARDAI_SESSION_SECRET": secret,
        "PATH": "/bin",
    }
    (warning,) = directory.load(environ).warnings
    assert warning.severity is Severity.WARNING
    assert (warning.key, warning.file) == ("GUARDAI_PROT", "environment")
    assert "GUARDAI_PORT" in warning.message


def test_kubernetes_service_links_are_ignored_with_one_warning(directory: Directory, secret: str) -> None:
    links = {
        "GUARDAI_PORT": "tcp://10.0.0.1:3000",
        "GUARDAI_PORT_3000_TCP": "tcp://10.0.0.1:3000",
        "GUARDAI_PORT_3000_TCP_PROTO": "tcp",
        "GUARDAI_PORT_3000_TCP_PORT": "3000",
        "GUARDAI_PORT_3000_TCP_ADDR": "10.0.0.1",
        "GUARDAI_SERVICE_HOST": "10.0.0.1",
        "GUARDAI_SERVICE_PORT": "3000",
        "GUARDAI_SERVICE_PORT_HTTP": "3000",
        "GUARDAI_SERVER_PORT": "tcp://10.0.0.2:3000",
        "GUARDAI_SERVER_SERVICE_HOST": "10.0.0.2",
        "GUARDAI_SERVER_PORT_3000_TCP_ADDR": "10.0.0.2",
    }
    config = directory.load({**links, "GUARDAI_SESSION_SECRET": secret})
    assert config.settings.server.port == 3000
    assert config.sources["server.port"] == "default"
    (warning,) = config.warnings
    assert warning.key == "GUARDAI_PORT"
    assert "enableServiceLinks" in warning.message


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_an_empty_variable_counts_as_absent(directory: Directory, secret: str, value: str) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\nGUARDAI_PORT=\n")
    config = directory.load({"GUARDAI_SESSION_SECRET": value, "GUARDAI_PORT": value})
    assert config.env_file_secret_wins
    assert config.settings.server.port == 3000


def test_without_any_secret_both_ways_to_give_one_are_named(directory: Directory) -> None:
    directory.env("GUARDAI_SESSION_SECRET=\n")
    message = directory.refused_once().message
    for part in ("GUARDAI_SESSION_SECRET", "oguardai.env", "session.keyring", "oguardai secret generate"):
        assert part in message


def test_a_file_that_cannot_be_understood_is_not_called_a_missing_secret(directory: Directory) -> None:
    directory.yaml("session: [\n")
    assert directory.refused_once().line


def test_the_environment_wins_over_the_env_file_whose_secret_is_still_watched(
    directory: Directory, secret: str, other_secret: str
) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    config = directory.load({"GUARDAI_SESSION_SECRET": other_secret + "\n"})  # from a file made by openssl
    assert config.keyring.keys == (Key.from_secret(0, other_secret, source="env"),)
    assert config.sources["session.keyring"] == "environment"
    assert not config.env_file_secret_wins
    assert config.env_file_secret == Key.from_secret(0, secret).fingerprint


@pytest.mark.parametrize(("first", "second"), [("short", "shorter"), ("<NEW_SECRET>", "other")])
def test_a_change_of_a_losing_secret_is_seen_even_when_it_is_no_good_secret(
    directory: Directory, other_secret: str, first: str, second: str
) -> None:
    seen = []
    for text in (first, second, first):
        directory.env(f"GUARDAI_SESSION_SECRET={text}\n")
        seen.append(directory.load({"GUARDAI_SESSION_SECRET": other_secret}).env_file_secret)
    assert seen[0] == seen[2] != seen[1]
    assert str(seen[0]).startswith("bad:")
    assert first not in str(seen[0])


def test_a_missing_directory_is_an_error_unless_the_environment_has_the_secret(tmp_path: Path, secret: str) -> None:
    missing = tmp_path / "none"
    with pytest.raises(ConfigError, match=r"no such directory.*--config-dir") as caught:
        load_config(missing, {}, now=NOW)
    assert len(caught.value.problems) == 1
    (warning,) = load_config(missing, {"GUARDAI_SESSION_SECRET": secret}, now=NOW).warnings
    assert warning.file == str(missing)


def test_a_directory_that_is_a_file_is_an_error(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ConfigError, match="is not a directory"):
        load_config(path, {"GUARDAI_SESSION_SECRET": secret}, now=NOW)


def test_an_unreadable_file_is_named_with_the_reason(
    directory: Directory, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")

    def deny(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", deny)
    problem = directory.refused_once()
    assert problem.file == str(path)
    assert "Permission denied" in problem.message


def test_something_other_than_a_file_is_refused_and_not_waited_for(directory: Directory) -> None:
    os.mkfifo(directory.path / "oguardai.yaml")
    (directory.path / "oguardai.env").mkdir()
    assert [problem.message for problem in directory.refused()] == ["is not a regular file"] * 2


def test_a_file_of_a_megabyte_is_too_large(directory: Directory) -> None:
    directory.yaml(b"#" * (1024 * 1024 + 1))
    assert "too large" in directory.refused_once().message


@pytest.mark.parametrize(("mode", "warned"), [(0o640, False), (0o600, False), (0o644, True), (0o666, True)])
def test_files_that_others_can_read_give_a_warning(directory: Directory, secret: str, mode: int, warned: bool) -> None:
    path = directory.write("oguardai.env", f"GUARDAI_SESSION_SECRET={secret}\n", mode)
    assert [f"chmod 0640 {path}" in warning.message for warning in directory.load().warnings] == [True] * warned


def test_a_file_that_changes_while_it_is_read_is_read_again(
    directory: Directory, secret: str, other_secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = directory.env(f"GUARDAI_SESSION_SECRET={secret[:20]}")
    real = os.stat
    looks = 0

    def look(name: object, **kwargs: object) -> os.stat_result:
        nonlocal looks
        if str(name) == str(path):
            looks += 1
            if looks == 2:  # between the read and the look after it, the writer goes on
                path.write_text(f"GUARDAI_SESSION_SECRET={other_secret}\nGUARDAI_PORT=3001\n")
        return real(name, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", look)
    assert directory.load().settings.server.port == 3001


def test_a_file_that_never_rests_is_refused(directory: Directory, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    real = os.stat

    def look(name: object, **kwargs: object) -> os.stat_result:
        if str(name) == str(path):
            with open(path, "a") as stream:
                stream.write("\n")
        return real(name, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", look)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert "changes all the time" in directory.refused_once().message


def test_the_digest_tells_every_edit_apart(directory: Directory, secret: str, other_secret: str) -> None:
    directory.write("key", other_secret)
    directory.yaml("")
    digests = []

    def note(environ: dict[str, str] | None = None) -> None:
        digests.append(directory.load(environ).digest)

    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    note()
    note({"GUARDAI_PORT": "3001"})
    directory.yaml("# a comment\n")
    note()
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n\n")
    note()
    directory.yaml("session: {keyring: [{kid: 1, secret_file: key}]}\n")
    note()
    directory.write("key", secret)
    note()
    assert len(set(digests)) == len(digests) == 6
    note({"HOME": "/root", "GUARDAI_CONFIG_DIR": "/x", "GUARDAI_SERVICE_HOST": "10.0.0.1"})
    assert digests[-1] == digests[-2]


def test_the_stamp_is_that_of_the_yaml_as_read(directory: Directory, secret: str) -> None:
    status = directory.yaml("log: {}\n").stat()
    stamp = directory.load({"GUARDAI_SESSION_SECRET": secret}).yaml_stamp
    assert stamp == (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def test_a_session_cannot_outlive_its_greatest_age(directory: Directory, secret: str) -> None:
    path = directory.yaml("session:\n  ttl_seconds: 90000\n")
    problem = directory.refused_once({"GUARDAI_SESSION_SECRET": secret})
    assert (problem.file, problem.line, problem.key) == (str(path), 2, "session.max_age_seconds")
    assert "session.ttl_seconds" in problem.message
    directory.yaml("session:\n  ttl_seconds: 90000\n  max_age_seconds: 90000\n")
    directory.load({"GUARDAI_SESSION_SECRET": secret})


def test_trusting_everybody_gives_a_warning(directory: Directory, secret: str) -> None:
    directory.yaml("server:\n  trusted_proxies: [0.0.0.0/0]\n")
    (warning,) = directory.load({"GUARDAI_SESSION_SECRET": secret}).warnings
    assert (warning.key, warning.line) == ("server.trusted_proxies", 2)


def test_sessions_larger_than_a_request_give_a_warning(directory: Directory, secret: str) -> None:
    directory.yaml("server:\n  max_body_bytes: 4096\n")
    (warning,) = directory.load({"GUARDAI_SESSION_SECRET": secret}).warnings
    assert warning.key == "session.max_blob_bytes"


def test_nothing_shown_of_a_config_holds_the_secret(directory: Directory, secret: str, other_secret: str) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    directory.yaml(f"session: {{keyring: [{{kid: 1, secret: {other_secret}}}]}}\n")
    shown = repr(directory.load({"GUARDAI_SESSION_SECRET": secret}))
    assert secret not in shown
    assert other_secret not in shown


def test_every_setting_can_be_given_by_its_variable(directory: Directory, secret: str) -> None:
    samples = {
        "server.host": "::1",
        "server.runtime_dir": "/run/x",
        "server.state_dir": "/var/x",
        "session.backend": "sealed",
        "session.shared": "true",
        "detection.threshold": "0.25",
        "detection.types": "email",
        "detection.terms": "Project Aurora, Borealis",
        "detector.mode": "both",
        "detector.advanced_url": "unix:/run/sidecar",
        "detector.on_failure": "open",
        "log.format": "json",
        "log.level": "debug",
        "log.requests": "false",
        "server.allow_networks": "10.0.0.0/8, 192.0.2.1",
        "server.admin_networks": "10.0.0.0/8 192.0.2.1",
        "server.trusted_proxies": "10.0.0.0/8,192.0.2.1",
    }
    given = [setting for setting in SETTINGS if setting.path != "detection.detectors"]  # in yaml only
    environ = {setting.env: samples.get(setting.path, str(setting.high or 0)) for setting in given}
    config = directory.load({**environ, "GUARDAI_SESSION_SECRET": secret})
    for setting in given:
        assert config.sources[setting.path] == "environment"
        assert type(setting.get(config.settings)) is setting.type
    assert config.settings.server.trusted_proxies == ("10.0.0.0/8", "192.0.2.1/32")
    assert config.settings.log.requests is False


def test_the_directory_is_that_of_the_variable_or_the_packages_own() -> None:
    assert find_config_dir({}) == find_config_dir({"GUARDAI_CONFIG_DIR": ""}) == Path("/etc/guardai")
    assert find_config_dir({"GUARDAI_CONFIG_DIR": "/x"}) == Path("/x")
