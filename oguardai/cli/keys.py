"""``keyring``: the keys of this host or of a fleet, which one seals, and which may go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.groups import CommandGroup
from oguardai.cli.options import config_dir_option, hint, json_option, load, port_option, read_config
from oguardai.cli.output import emphasise_alarm, warn, write, write_json
from oguardai.cli.remote import token_file_option, url_option
from oguardai.errors import ConfigError

if TYPE_CHECKING:
    from oguardai.cli.keyfacts import Facts

_ALONE = "Counts and times are what this host knows; in a fleet, name every instance with --url before a key goes.\n"


@click.group(cls=CommandGroup, short_help="Show the keys, and rotate them.")
@config_dir_option
def keyring() -> None:
    """Show the keys, and rotate them."""


@keyring.command(
    short_help="Show the keys, the one that seals, and which may be removed.",
    epilog=describe_codes(
        (ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.UNAVAILABLE, ExitCode.NO_PERMISSION, ExitCode.CONFIG)
    ),
)
@config_dir_option
@port_option
@url_option
@token_file_option
@json_option("Print the keys as JSON.")
def status(port: int | None, urls: tuple[str, ...], token: str | None, as_json: bool) -> None:
    """Show the keys, the one that seals, and which may be removed.

    Asks the running server; where none runs, the files and what the last server remembered. With --url the servers
    there instead, all keys in one table; the status is 1 when their keyrings differ. Secrets are never shown.
    """
    from oguardai.cli.keyfacts import ask_instances, find_duplicate  # noqa: PLC0415 - see the package's docstring
    from oguardai.cli.keytable import merge, tabulate  # noqa: PLC0415
    from oguardai.cli.ringdiff import find_differences, view_ring  # noqa: PLC0415

    fleet, failures = ask_instances(urls, token) if urls else ([_know_this_host(port)], [])
    missing = [reason for failure in failures for reason in failure.reasons]
    if not fleet:
        raise Failure(missing, failures[0].code)
    duplicate = find_duplicate(fleet)
    if duplicate is not None:
        missing.append(duplicate)
    found = find_differences({facts.instance: view_ring(facts.keyring) for facts in fleet})
    differences = [f"{place}: {message}" for place, message in found]
    keys = merge(fleet)
    if missing:
        for key in keys:
            key |= {"safe_to_remove": False, "safe_to_remove_because": "not every instance could be asked"}
            key["safe_to_remove_at"] = None
    if as_json:
        write_json(_as_json(fleet, keys, differences) | {"unreachable": missing})
    else:
        heads = "".join(
            f"{facts.instance}: {_describe(facts)}, keyring {facts.keyring['fingerprint']}, sessions last "
            f"{facts.keyring['ttl_seconds']} s\n"
            for facts in fleet
        )
        write(f"{heads}{_loud([*missing, *differences])}\n{tabulate(keys, time.time())}\n{'' if urls else _ALONE}")
    if failures:
        raise Failure((), failures[0].code)
    if differences or duplicate is not None:
        raise Failure((), ExitCode.FAILED)


def _know_this_host(port: int | None) -> Facts:
    from oguardai.cli.keyfacts import ask_server, read_files  # noqa: PLC0415

    running = ask_server(port)
    if running is None:
        return read_files(read_config())
    try:
        if load().keyring.fingerprint != running.keyring["fingerprint"]:
            warn(f"the files hold another keyring than the server uses; to switch: {hint('reload')}")
    except ConfigError as error:
        warn(f"the files are not what the server runs with, and not valid: {error.reasons[0]}")
    return running


def _describe(facts: Facts) -> str:
    return f"running (process {facts.pid})" if facts.pid is not None else "no server runs, this is what its files say"


def _loud(differences: Sequence[str]) -> str:
    return "".join(f"\n{emphasise_alarm(line)}" for line in differences) + ("\n" if differences else "")


def _as_json(fleet: Sequence[Facts], keys: Sequence[dict[str, Any]], differences: Sequence[str]) -> dict[str, Any]:
    first = fleet[0]
    return {
        "fingerprint": first.keyring["fingerprint"] if not differences else None,
        "active_kid": first.keyring["active_kid"] if not differences else None,
        "ttl_seconds": max(facts.keyring["ttl_seconds"] for facts in fleet),
        "keys": keys,
        "differences": list(differences),
        "instances": [
            {
                "instance": facts.instance,
                "running": facts.pid is not None,
                "pid": facts.pid,
                "fingerprint": facts.keyring["fingerprint"],
                "active_kid": facts.keyring["active_kid"],
            }
            for facts in fleet
        ],
    }
