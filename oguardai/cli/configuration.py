"""``config``: check the configuration without starting, and show what is in force and where it comes from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.groups import CommandGroup
from oguardai.cli.options import config_dir, config_dir_option, is_unreadable, json_option, load, read_config
from oguardai.cli.output import format_table, say, write, write_json
from oguardai.errors import ConfigError, Problem, Severity, StateError

if TYPE_CHECKING:
    from oguardai.config import Config

_CODES = describe_codes((ExitCode.OK, ExitCode.USAGE, ExitCode.NO_PERMISSION, ExitCode.CONFIG))


@click.group(cls=CommandGroup, short_help="Check and show the configuration.")
@config_dir_option
def config() -> None:
    """Check and show the configuration."""


@config.command(short_help="Check the configuration without starting.", epilog=_CODES)
@config_dir_option
@json_option("Print the result as JSON.")
def validate(as_json: bool) -> None:
    """Check the configuration as a start or a reload would, and print `valid` if it is.

    Every problem is a line on standard error: file, line, key, and what was expected.
    """
    problems = find_problems()
    refused = any(problem.severity is Severity.ERROR for problem in problems)
    if as_json:
        write_json(
            {
                "valid": not refused,
                "config_dir": str(config_dir()),
                "problems": [
                    {
                        "severity": str(problem.severity),
                        "file": problem.file,
                        "line": problem.line,
                        "key": problem.key,
                        "message": problem.message,
                    }
                    for problem in problems
                ],
            }
        )
    else:
        for problem in problems:
            say(_describe(problem))
        if not refused:
            write("valid\n")
    if refused:
        raise Failure((), ExitCode.NO_PERMISSION if is_unreadable(config_dir()) else ExitCode.CONFIG)


def find_problems() -> list[Problem]:
    """Return everything that is wrong with the configuration, warnings included."""
    try:
        found = load()
    except ConfigError as error:
        return list(error.problems)
    return [*found.warnings, *_compare_with_state(found)]


def _compare_with_state(found: Config) -> list[Problem]:
    """Say what a start or a reload would say of the keys, if this user may see what the server remembers."""
    from oguardai.config import ENV_NAME, KEYRING_PATH, YAML_NAME, state_dir  # noqa: PLC0415
    from oguardai.server.keeper import check_env_secret  # noqa: PLC0415
    from oguardai.state import load as load_state  # noqa: PLC0415
    from oguardai.state import review  # noqa: PLC0415

    try:
        state = load_state(state_dir(found))
    except StateError as error:
        if isinstance(error.__cause__, PermissionError):
            return []
        return [Problem(str(error), severity=Severity.WARNING)]
    if state is None:
        return []
    try:
        check_env_secret(found, state)
    except ConfigError as error:
        return list(error.problems)
    file = found.sources[KEYRING_PATH].partition(":")[0]
    where = str(found.config_dir / file) if file in {ENV_NAME, YAML_NAME} else None
    return [
        Problem(f"a reload would be refused without --force: {reason}", file=where, severity=Severity.WARNING)
        for reason in review(state, found.keyring, now=time.time())
    ]


def _describe(problem: Problem) -> str:
    """Write a problem as compilers do, so that editors can jump to it."""
    where = problem.file or ""
    if problem.file and problem.line:
        where = f"{problem.file}:{problem.line}"
    severity = "warning" if problem.severity is Severity.WARNING else ""
    return ": ".join(part for part in (where, severity, problem.key or "", problem.message) if part)


@config.command(short_help="Show every setting and where it comes from.", epilog=_CODES)
@config_dir_option
@json_option("Print the settings as JSON.")
def show(as_json: bool) -> None:
    """Show every setting in force, where it comes from, and the keys by their fingerprints.

    Secrets are never shown.
    """
    from oguardai.config import KEYRING_PATH, SETTINGS, runtime_dir, state_dir  # noqa: PLC0415

    found = read_config()
    values = {setting.path: setting.get(found.settings) for setting in SETTINGS}
    places = {"runtime_dir": str(runtime_dir(found)), "state_dir": str(state_dir(found))}
    keys = [
        {"kid": key.kid, "state": str(key.state), "fingerprint": key.fingerprint, "not_before": key.not_before}
        for key in found.keyring.keys
    ]
    if as_json:
        ring: dict[str, Any] = {"source": found.sources[KEYRING_PATH], "fingerprint": found.keyring.fingerprint}
        settings = {path: {"value": value, "source": found.sources[path]} for path, value in values.items()}
        write_json({"config_dir": str(config_dir()), **places, "settings": settings, "keyring": {**ring, "keys": keys}})
        return
    derived = {"server.runtime_dir": places["runtime_dir"], "server.state_dir": places["state_dir"]}
    rows = [
        (path, derived[path], "derived")
        if path in derived and value == ""
        else (path, _shown(value), found.sources[path])
        for path, value in values.items()
    ]
    fingerprints = ", ".join(f"kid {key.kid} {key.fingerprint}" for key in found.keyring.keys)
    rows.append((KEYRING_PATH, fingerprints, found.sources[KEYRING_PATH]))
    write(format_table(("SETTING", "VALUE", "FROM"), rows))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "[]"
    return str(value) or "(none)"
