"""``serve`` and ``reload``: start the server, and make the running one read its files again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.options import (
    config_dir,
    config_dir_option,
    find_server,
    hint,
    json_option,
    not_running,
    port_option,
)
from oguardai.cli.output import complain, warn, write, write_json

if TYPE_CHECKING:
    from oguardai.server.runtime import RuntimeDirectory

_WHAT_TO_DO = {
    "failed": "the old configuration stays in force; mend the file, and check it with: {validate}",
    "refused": "the old configuration stays in force; look at the file, or, if this is what you want: {force}",
    "partial": "the new configuration is in force, but these workers may still use the old one; look at the log, "
    "then reload again, or restart the service",
}


@click.command(
    short_help="Start the server.",
    epilog=describe_codes((ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.CONFIG)),
)
@config_dir_option
@click.option("--host", metavar="HOST", help="Address to listen on, instead of server.host.")
@click.option("--port", type=int, metavar="PORT", help="Port to listen on, instead of server.port.")
@click.option("--workers", type=int, metavar="N", help="Worker processes, instead of server.workers.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Start the server and serve until told to stop.

    SIGTERM drains and stops, SIGHUP reloads the configuration (see `oguardai reload`).
    """
    from oguardai.server import serve as run_server  # noqa: PLC0415 - see the package's docstring

    overrides = {"server.host": host, "server.port": port, "server.workers": workers}
    run_server(config_dir(), os.environ, overrides)


@click.command(
    short_help="Make the running server read its configuration again.",
    epilog=describe_codes((ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.UNAVAILABLE, ExitCode.NO_PERMISSION)),
)
@config_dir_option
@port_option
@click.option(
    "--force",
    is_flag=True,
    help="Take a configuration that is valid but looks like an accident: once, and exactly as it is now.",
)
@json_option("Print the server's report as JSON.")
def reload(port: int | None, force: bool, as_json: bool) -> None:
    """Make the running server read its configuration again, and wait until every worker uses it.

    No connection is dropped and no request fails. What is bad is not taken: the old configuration stays in force.
    """
    report_reload(reload_and_wait(port, force=force), as_json=as_json)


def finish(message: str, port: int | None, and_reload: bool, *, force: bool = False) -> None:
    """Say what an edit has written, and reload the server if wanted, or say how."""
    if and_reload:
        reload_and_tell(message, lambda: [reload_and_wait(port, force=force)])
    else:
        write(f"{message}\nfor the server to use it: {hint('reload --force' if force else 'reload')}\n")


def reload_and_tell(message: str, reload: Callable[[], Sequence[dict[str, Any]]]) -> None:
    """Reload, then say what was written and what came of it; in this order, because the reader may have gone away.

    Raises:
        Failure: no server was heard, or a reload did not work (then with FAILED).
    """
    try:
        reports = reload()
    except Failure:
        write(f"{message}\n")
        raise
    write(f"{message}\n")
    for report in reports:
        report_reload(report)


def report_reload(report: dict[str, Any], *, as_json: bool = False) -> None:
    """Print what came of a reload.

    Raises:
        Failure: it did not work; the reasons have been printed.
    """
    outcome = report["outcome"]
    if as_json:
        write_json(report)
    elif outcome == "ok":
        write(f"reloaded: kid {report['active_kid']} seals, {_count(len(report['workers']), 'worker')} switched\n")
        for warning in report["warnings"]:
            warn(warning)
    else:
        for reason in report["reasons"]:
            complain(reason)
        advice = _WHAT_TO_DO.get(outcome, "look at the log")
        complain(advice.format(validate=hint("config validate"), force=hint("reload --force")))
    if outcome != "ok":
        raise Failure((), ExitCode.FAILED)


def reload_and_wait(port: int | None, *, force: bool = False) -> dict[str, Any]:
    """Reload the running server and return its report; raises Failure when none is heard."""
    return _reload(lambda: find_server(port), force=force)


def reload_others(port: int | None) -> list[dict[str, Any]]:
    """Reload the other servers that run with this configuration directory, on other ports; return their reports."""
    from oguardai.cli.locate import other_runtimes  # noqa: PLC0415

    others = other_runtimes(config_dir(), os.environ, find_server(port))
    return [_reload(lambda one=other: one, force=False) for other in others]  # type: ignore[misc]


def _reload(find: Callable[[], RuntimeDirectory], *, force: bool) -> dict[str, Any]:
    from oguardai.server.control import reload_server  # noqa: PLC0415
    from oguardai.server.runtime import NotRunningError  # noqa: PLC0415

    try:
        return reload_server(find(), force=force)
    except NotRunningError as error:
        raise not_running(error) from None
    except PermissionError:
        raise Failure(
            "this user may not reload the server: run this as root or as the server's user", ExitCode.NO_PERMISSION
        ) from None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
