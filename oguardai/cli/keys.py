"""``keyring``: the keys of this host, which one seals, and which may go."""

from __future__ import annotations

import time
from typing import Any

import click

from oguardai.cli.failure import ExitCode, describe_codes
from oguardai.cli.groups import CommandGroup
from oguardai.cli.options import (
    config_dir_option,
    find_server,
    hint,
    json_option,
    load,
    not_running,
    port_option,
    read_config,
)
from oguardai.cli.output import warn, write, write_json
from oguardai.errors import ConfigError, StateError

_DEFAULT_TTL = 3600.0
_FOOTER = "Counts and times are what this host knows; in a fleet, ask every instance before a key is removed.\n"


@click.group(cls=CommandGroup, short_help="Show the keys, and rotate them.")
@config_dir_option
def keyring() -> None:
    """Show the keys, and rotate them."""


@keyring.command(
    short_help="Show the keys, the one that seals, and which may be removed.",
    epilog=describe_codes((ExitCode.OK, ExitCode.USAGE, ExitCode.UNAVAILABLE, ExitCode.NO_PERMISSION, ExitCode.CONFIG)),
)
@config_dir_option
@port_option
@json_option("Print the keys as JSON.")
def status(port: int | None, as_json: bool) -> None:
    """Show the keys, the one that seals, and which may be removed.

    Asks the running server; where none runs, the files and what the last server remembered. Secrets are never shown.
    """
    now = time.time()
    running, ring, ttl = _ask_server(port), None, _DEFAULT_TTL
    try:
        found = load() if running is not None else read_config()
        ring, ttl = found.keyring, float(found.settings.session.ttl_seconds)
    except ConfigError as error:
        if running is None:
            raise
        warn(f"the files are not what the server runs with, and not valid: {error.reasons[0]}")
    if running is not None:
        keys: dict[str, Any] = running["keyring"]
        if ring is not None and ring.fingerprint != keys["fingerprint"]:
            warn(f"the files hold another keyring than the server uses; to switch: {hint('reload')}")
    else:
        keys = _from_files(found)
    from oguardai.cli.keytable import judge_removal, tabulate  # noqa: PLC0415 - see the package's docstring

    removals = {entry["kid"]: judge_removal(entry, now=now, ttl=ttl) for entry in keys["keys"]}
    if as_json:
        for entry in keys["keys"]:
            removal = removals[entry["kid"]]
            entry["safe_to_remove"] = removal.safe
            entry["safe_to_remove_because"] = removal.because
            entry["safe_to_remove_at"] = removal.at
        write_json({"running": running is not None, "pid": running["pid"] if running else None, **keys})
        return
    where = f"running (process {running['pid']})" if running else "not running: this is what its files say"
    write(f"server: {where}\nkeyring fingerprint: {keys['fingerprint']}\n\n{tabulate(keys, removals)}\n{_FOOTER}")


def _ask_server(port: int | None) -> dict[str, Any] | None:
    """Return what the running server says of itself; None where none runs."""
    from oguardai.server.control import ask_admin  # noqa: PLC0415
    from oguardai.server.runtime import NotRunningError  # noqa: PLC0415

    runtime = find_server(port)
    try:
        runtime.running_pid()
    except NotRunningError as error:
        if isinstance(error.__context__, PermissionError):
            raise not_running(error) from None
        return None
    try:
        return ask_admin(runtime, "/v1/diagnostics")
    except NotRunningError as error:
        raise not_running(error) from None


def _from_files(found: Any) -> dict[str, Any]:
    from oguardai.cli.keytable import describe_keyring  # noqa: PLC0415
    from oguardai.config import state_dir  # noqa: PLC0415
    from oguardai.state import load as load_state  # noqa: PLC0415

    try:
        remembered = load_state(state_dir(found))
    except StateError as error:
        warn(str(error))
        remembered = None
    return describe_keyring(found.keyring, remembered, time.time())
