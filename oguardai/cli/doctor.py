"""``doctor``: check that instances are well, agree on the keys, and open each other's sessions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.files import name_of, read_session, replace_file
from oguardai.cli.options import config_dir_option, hint, json_option, port_option, read_config
from oguardai.cli.output import format_table, say, write, write_json
from oguardai.cli.remote import Instance, local_instance, token_file_option, url_option
from oguardai.errors import ConfigError

if TYPE_CHECKING:
    from oguardai.cli.checks import Check, Visit


@click.command(
    short_help="Check that instances are well, have the same keys, and open each other's sessions.",
    epilog=describe_codes(
        (
            ExitCode.OK,
            ExitCode.FAILED,
            ExitCode.USAGE,
            ExitCode.BAD_DATA,
            ExitCode.NO_INPUT,
            ExitCode.UNAVAILABLE,
            ExitCode.CANNOT_CREATE,
            ExitCode.NO_PERMISSION,
        )
    ),
)
@config_dir_option
@port_option
@url_option
@token_file_option
@click.option("--session", "session_file", metavar="FILE", help="A sealed session from before, which must still open.")
@click.option("--save", "save_file", metavar="FILE", help="Keep sessions and counters, before a rotation.")
@click.option("--baseline", "baseline_file", metavar="FILE", help="What --save kept, to compare with.")
@json_option("Print the checks as JSON.")
def doctor(
    *,
    urls: tuple[str, ...],
    token: str | None,
    port: int | None,
    session_file: str | None,
    save_file: str | None,
    baseline_file: str | None,
    as_json: bool,
) -> None:
    """Check that instances are well, have the same keys, and open each other's sessions, for instance after a rotation.

    Without --url, the server of this host is asked through its admin socket. Texts that are sent are made up; no
    secret, token or session is shown. Exit status 77: no check failed, but some could not be made, because an instance
    refuses this host.
    """
    from oguardai.cli import trials  # noqa: PLC0415 - see the package's docstring

    if urls and port is not None:
        raise click.UsageError("--port is for the server of this host, not for --url", click.get_current_context())
    blob = _read_kept(session_file) if session_file is not None else None
    baseline = trials.read_baseline(baseline_file) if baseline_file is not None else None
    instances = [Instance(url, token) for url in urls] or [local_instance(port, token)]
    visits, checks = _look(instances, is_local=not urls)
    usable = [found for found in visits if found.usable]
    counters: dict[str, trials.Counters] = {}
    if save_file is not None or baseline is not None:
        # Before the trials, whose failures would count.
        problems, counters = trials.read_counters(usable)
        checks += problems
    trips, sealed = trials.check_round_trips(usable)
    checks += trips
    if blob is not None:
        checks += trials.check_session(usable, blob, name_of(session_file or ""))
    if baseline is not None:
        checks += trials.check_saved_sessions(usable, baseline)
        checks += trials.check_failures(usable, counters, baseline)
    _report(checks, as_json=as_json)
    if save_file is not None and (sealed or counters):
        replace_file(save_file, trials.write_baseline(usable, sealed, counters, time.time()))
        say(f"kept for --baseline: {save_file}")
    _conclude(checks, visits, as_json=as_json)


def _read_kept(file: str) -> str:
    from oguardai.cli.trials import kid_of  # noqa: PLC0415

    blob = read_session(file) or ""
    if kid_of(blob) == "unknown":
        raise Failure(f"{name_of(file)}: does not hold a sealed session", ExitCode.BAD_DATA)
    return blob


def _look(instances: Sequence[Instance], *, is_local: bool) -> tuple[list[Visit], list[Check]]:
    """Make the checks that change nothing."""
    from oguardai.cli import checks  # noqa: PLC0415

    visits = [checks.visit(instance) for instance in instances]
    usable = [found for found in visits if found.usable]
    made = [check for found in visits for check in found.checks]
    made += checks.check_identities(usable)
    made += checks.check_versions(usable)
    made += checks.check_clocks(usable)
    made += checks.check_keyrings(usable, time.time())
    made += checks.check_reloads(usable)
    if is_local:
        made += [_check_files(found) for found in usable if found.diagnosis is not None]
    return visits, made


def _check_files(found: Visit) -> Check:
    """Compare the files of this host with what its server uses."""
    from oguardai.cli.checks import Check, Status  # noqa: PLC0415

    try:
        ring = read_config().keyring
    except Failure as failure:
        return Check("files", found.name, Status.SKIPPED, f"{failure.reasons[0]}; try with sudo", refused=True)
    except ConfigError as error:
        message = f"are not what the server runs with, and not valid: {error.reasons[0]}; mend them"
        return Check("files", found.name, Status.WARNING, message)
    if found.diagnosis is not None and found.diagnosis.fingerprint != ring.fingerprint:
        opening = [kid for kid, key in found.diagnosis.keys.items() if key.state != "revoked"]
        revoked = [str(key.kid) for key in ring.keys if not key.opens and key.kid in opening]
        if revoked:
            message = f"revoke kid {', '.join(revoked)}, WHICH THE SERVER STILL OPENS; at once: {hint('reload')}"
            return Check("files", found.name, Status.FAILED, message)
        message = f"hold another keyring than the server uses; to switch: {hint('reload')}"
        return Check("files", found.name, Status.WARNING, message)
    return Check("files", found.name, Status.OK, "hold the keyring that the server uses")


def _report(made: Sequence[Check], *, as_json: bool) -> None:
    from oguardai.cli.checks import Status  # noqa: PLC0415

    if as_json:
        is_ok = not any(check.status is Status.FAILED or check.refused for check in made)
        fields = ("name", "instance", "status", "message")
        write_json({"ok": is_ok, "checks": [{field: getattr(check, field) for field in fields} for check in made]})
        return
    rows = [
        (
            check.status.upper() if check.status is Status.FAILED else check.status,
            check.name,
            check.instance,
            check.message,
        )
        for check in made
    ]
    write(format_table(("STATUS", "CHECK", "INSTANCE", "RESULT"), rows))


def _conclude(made: Sequence[Check], visits: Sequence[Visit], *, as_json: bool) -> None:
    """Sum up, in a line.

    Raises:
        Failure: a check failed, or could not be made.
    """
    from oguardai.cli.checks import Status  # noqa: PLC0415

    if all(found.unreachable for found in visits):
        raise Failure("no server could be reached", ExitCode.UNAVAILABLE)
    count = {status: sum(check.status is status for check in made) for status in Status}
    warnings = f", with {_count(count[Status.WARNING], 'warning')}" if count[Status.WARNING] else ""
    if count[Status.FAILED]:
        raise Failure(f"{count[Status.FAILED]} of {_count(len(made), 'check')} failed{warnings}", ExitCode.FAILED)
    refused = sum(check.refused for check in made)
    if refused:
        what = f"no check failed{warnings}, but {refused} of {len(made)} could not be made from here"
        raise Failure(what, ExitCode.NO_PERMISSION)
    skipped = f", {count[Status.SKIPPED]} skipped" if count[Status.SKIPPED] else ""
    if not as_json:
        write(f"no check of {len(made)} failed{warnings}{skipped}\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
