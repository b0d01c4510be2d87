"""Options that several commands share, and how commands find the configuration and the running server."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from oguardai.cli.failure import ExitCode, Failure
from oguardai.errors import ConfigError

if TYPE_CHECKING:
    from oguardai.config import Config
    from oguardai.server.runtime import NotRunningError, RuntimeDirectory

_CONFIG_DIR = "oguardai.config_dir"  # in click's meta, which a command shares with the groups above it

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _remember_dir(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value == "":
        raise click.BadParameter("expected a directory", ctx, parameter)
    if value is not None:
        ctx.meta[_CONFIG_DIR] = value


def config_dir_option(command: _Command) -> _Command:
    """Add ``--config-dir``, which may stand before the command as well as after it."""
    option = click.option(
        "--config-dir",
        metavar="DIR",
        expose_value=False,
        callback=_remember_dir,
        help="Where oguardai.yaml and oguardai.env are.  [default: $GUARDAI_CONFIG_DIR, or /etc/guardai]",
    )
    return option(command)


def port_option(command: _Command) -> _Command:
    """Add ``--port``, for commands that look for a running server."""
    option = click.option(
        "--port", type=int, metavar="PORT", help="The port that `serve` was given, if it was given one."
    )
    return option(command)


def reload_option(command: _Command) -> _Command:
    """Add ``--reload``, for commands that edit the files."""
    option = click.option("--reload", "and_reload", is_flag=True, help="Reload the running server afterwards.")
    return option(command)


def read_duration(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Turn ``30s``, ``10m``, ``2h`` or ``90d`` into seconds, as the callback of an option."""
    if value is None:
        return None
    match = _DURATION.fullmatch(value)
    if match is None:
        raise click.BadParameter("expected a number and s, m, h or d, such as 10m", ctx, parameter)
    return float(int(match[1]) * _SECONDS[match[2]])


def json_option(text: str) -> Callable[[_Command], _Command]:
    """Add ``--json``."""

    def add(command: _Command) -> _Command:
        return click.option("--json", "as_json", is_flag=True, help=text)(command)

    return add


def config_dir() -> Path:
    """Return the configuration directory in force for this command."""
    from oguardai.config import find_config_dir  # noqa: PLC0415 - see the package's docstring

    chosen = click.get_current_context().meta.get(_CONFIG_DIR)
    return Path(chosen) if chosen is not None else find_config_dir(os.environ)


def load() -> Config:
    """Read the configuration; raises ConfigError with every problem."""
    from oguardai.config import load_config  # noqa: PLC0415

    return load_config(config_dir(), os.environ, now=time.time())


def read_config() -> Config:
    """Read the configuration for a command that works with it.

    Raises:
        Failure: this user may not read it.
        ConfigError: it is bad.
    """
    try:
        return load()
    except ConfigError as error:
        if is_unreadable(config_dir()):
            raise Failure([str(problem) for problem in error.problems], ExitCode.NO_PERMISSION) from None
        raise


def is_unreadable(directory: Path) -> bool:
    """Tell whether the files may be there but are not for this user."""
    from oguardai.config import ENV_NAME, YAML_NAME  # noqa: PLC0415

    for path in (directory, directory / ENV_NAME, directory / YAML_NAME):
        try:
            os.stat(path)
        except PermissionError:
            return True
        except (OSError, ValueError):
            continue
        if not os.access(path, os.R_OK, effective_ids=True):
            return True
    return False


def find_server(port: int | None) -> RuntimeDirectory:
    """Return where the running server of this configuration is heard, or would be; raises NotRunningError."""
    from oguardai.cli.locate import find_runtime  # noqa: PLC0415

    return find_runtime(config_dir(), os.environ, port=port)


def not_running(error: NotRunningError) -> Failure:
    """Return the failure for a server that is not heard, with what may help."""
    if isinstance(error.__context__, PermissionError):
        return Failure(str(error), ExitCode.NO_PERMISSION)
    try:
        load()
    except ConfigError as bad:  # which may say where the server is to be found
        code = ExitCode.NO_PERMISSION if is_unreadable(config_dir()) else ExitCode.CONFIG
        return Failure([*(str(problem) for problem in bad.problems), str(error)], code)
    reasons = [str(error)]
    if "port" in click.get_current_context().params and click.get_current_context().params["port"] is None:
        reasons.append("if `oguardai serve` was given --port, give it here too; --config-dir likewise")
    return Failure(reasons, ExitCode.UNAVAILABLE)


def hint(command: str) -> str:
    """Return a command line that the user can type for the configuration at hand."""
    chosen = click.get_current_context().meta.get(_CONFIG_DIR)
    return f"oguardai {command}" if chosen is None else f"oguardai {command} --config-dir {shlex.quote(chosen)}"
