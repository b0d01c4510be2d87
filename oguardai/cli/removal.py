"""``keyring revoke``, ``remove``, ``prune``: let a key go, at once because it leaked or when no session needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from oguardai.cli.failure import ExitCode, Failure
from oguardai.cli.options import config_dir_option, hint, port_option, reload_option
from oguardai.cli.output import warn, write
from oguardai.cli.processes import finish, reload_and_tell, reload_and_wait, reload_others
from oguardai.cli.remote import token_file_option, url_option
from oguardai.cli.rotation import CODES, check_is_keyring

if TYPE_CHECKING:
    from oguardai.cli.editor import Editor
    from oguardai.cli.keyfacts import Facts
    from oguardai.config import Config

_REVOKED = (
    "clients that hold a session under kid {kid} are answered 410 GUARDAI_SESSION_EXPIRED, and transform again",
    "what was opened before cannot be called back, and whoever has the leaked secret can read the sessions that were "
    "given out under it, without any server",
    "in a fleet: bring {path} to every instance and reload it now; until then that instance opens with kid {kid}",
)


@click.command(short_help="Stop opening with a key whose secret was exposed.", epilog=CODES)
@config_dir_option
@port_option
@click.option("--no-reload", is_flag=True, help="Do not reload the running server: the key opens until then.")
@click.argument("kid", type=int)
def revoke(port: int | None, no_reload: bool, kid: int) -> None:
    """Stop opening and sealing with key KID at once, because its secret was exposed.

    The running server is reloaded. If KID is the key that seals, a new one takes its place. The key stays listed as
    revoked, so that logs and metrics say why its sessions fail, and is taken out of the backup.
    """
    from oguardai.cli.changes import Add  # noqa: PLC0415 - see the package's docstring
    from oguardai.cli.editor import editing  # noqa: PLC0415
    from oguardai.cli.keyplans import plan_revocation  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        changes = plan_revocation(editor.found.keyring, kid, editor.now, _highest_kid(editor, port))
        if changes:
            editor.write(changes, scrub=[kid])
    added = "".join(f", and the new kid {change.kid} seals" for change in changes if isinstance(change, Add))
    lines = [f"kid {kid} is revoked in {editor.path}{added}" if changes else f"kid {kid} is revoked already"]
    if changes:
        lines += [f"  {line.format(kid=kid, path=editor.path)}" for line in _REVOKED]
    path = editor.secret_file_of(kid)
    if path is not None:
        lines.append(f"  {path} holds its secret, and must stay until: {hint('keyring prune')}")
    message = "\n".join(lines)
    if no_reload:
        write(f"{message}\n")
        warn(f"a server that runs opens with kid {kid} until: {hint('reload')}")
        return
    try:
        reload_and_tell(message, lambda: [reload_and_wait(port), *reload_others(port)])
    except Failure as failure:
        was_heard = failure.code is ExitCode.FAILED
        where = (
            "on this server, until a reload succeeds" if was_heard else "wherever a server runs, until that is reloaded"
        )
        raise Failure([*failure.reasons, f"kid {kid} STILL OPENS {where}"], failure.code) from None


def _highest_kid(editor: Editor, port: int | None) -> int:
    from oguardai.cli.keyfacts import ask_server, read_files  # noqa: PLC0415

    try:
        facts = ask_server(port)
    except Failure:  # a leaked key is revoked also where the server does not answer
        facts = None
    return (facts or read_files(editor.found)).highest_kid


@click.command(short_help="Take a key out, when no session needs it.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
@url_option
@token_file_option
@click.option("--force", is_flag=True, help="Also when sessions under it may still be valid: those are lost.")
@click.argument("kid", type=int)
def remove(
    kid: int, *, port: int | None, and_reload: bool, urls: tuple[str, ...], token: str | None, force: bool
) -> None:
    """Take key KID out of the keyring, unless a session may still need it.

    In a fleet name every instance with --url, which session.shared asks for: what was sealed on one of them may need
    the key as well. `keyring rollback` brings it back as long as nothing else is changed.
    """
    from oguardai.cli.changes import Remove  # noqa: PLC0415
    from oguardai.cli.editor import editing  # noqa: PLC0415
    from oguardai.cli.keyfacts import judge_removal  # noqa: PLC0415
    from oguardai.cli.keyplans import find_key  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        find_key(editor.found.keyring, kid)
        if not force:
            _check_instances_are_named(editor.found, urls)
        verdict = judge_removal(kid, _know_fleet(editor, port, urls, token), editor.found.keyring.fingerprint)
        if not verdict.safe and not force:
            raise Failure(
                (
                    f"kid {kid} is not safe to remove: {verdict.because}",
                    f"if its secret was exposed: {hint(f'keyring revoke {kid}')}; to remove it all the same, with "
                    "--force: the sessions under it are lost",
                )
            )
        path = editor.secret_file_of(kid)
        editor.write([Remove(kid)])
    if not verdict.safe:
        warn(f"kid {kid} was removed although {verdict.because}: the sessions under it are lost")
    if path is not None:
        warn(f"{path} still holds the secret of kid {kid}: remove it when there is no going back")
    finish(f"kid {kid} is out of {editor.path}", port, and_reload, force=not verdict.safe)


@click.command(short_help="Take every key out that no session needs.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
@url_option
@token_file_option
def prune(port: int | None, and_reload: bool, urls: tuple[str, ...], token: str | None) -> None:
    """Take out every key that has sealed and is safe to remove, or is revoked and as old, and say what stays and why.

    Staged keys and those that wait for their time stay. The keys are taken out of the backup as well: it cannot be gone
    back on. In a fleet name every instance with --url, which session.shared asks for.
    """
    from oguardai.cli.changes import Remove  # noqa: PLC0415
    from oguardai.cli.editor import editing  # noqa: PLC0415
    from oguardai.cli.keyfacts import judge_removal  # noqa: PLC0415
    from oguardai.keyring import KeyState  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        _check_instances_are_named(editor.found, urls)
        fleet = _know_fleet(editor, port, urls, token)
        gone = []
        for key in editor.found.keyring.keys:
            verdict = judge_removal(key.kid, fleet, editor.found.keyring.fingerprint)
            if key.state is KeyState.STAGED:
                write(f"kid {key.kid} stays: it is staged\n")
            elif verdict.safe:
                gone.append(key.kid)
            else:
                write(f"kid {key.kid} stays: {verdict.because}\n")
        if not gone:
            write("no key can go yet: nothing to do\n")
            return
        left = [(kid, path) for kid in gone if (path := editor.secret_file_of(kid)) is not None]
        editor.write([Remove(kid) for kid in gone], scrub=gone)
        for kid, path in left:
            warn(f"{path} still holds the secret of kid {kid}: remove it")
    names = f"kid {gone[0]} is" if len(gone) == 1 else f"kids {', '.join(map(str, gone))} are"
    finish(f"{names} out of {editor.path} and its backup", port, and_reload)


def _check_instances_are_named(found: Config, urls: tuple[str, ...]) -> None:
    """Raise Failure where others use the keyring and none of them is to be asked."""
    from oguardai.cli.keyfacts import tell_shared  # noqa: PLC0415

    shared = tell_shared(found)
    if shared is not None and not urls:
        raise Failure(
            f"{shared}: what another instance has sealed may need a key that this host does not; name every instance "
            "with --url"
        )


def _know_fleet(editor: Editor, port: int | None, urls: tuple[str, ...], token: str | None) -> list[Facts]:
    """Return what the instances and the server of this host say; where none runs here, its files only without URLs.

    Raises:
        Failure: an instance cannot be asked, or the server of this host has not taken the last edit.
    """
    from oguardai.cli.keyfacts import ask_instances, find_duplicate, know_this_host  # noqa: PLC0415

    here = know_this_host(editor.found, port)
    fleet, failures = ask_instances(urls, token)
    if failures:
        raise Failure([reason for failure in failures for reason in failure.reasons], failures[0].code)
    duplicate = find_duplicate(fleet)
    if duplicate is not None:
        raise Failure(duplicate)
    return [*([here] if here.pid is not None or not urls else []), *fleet]
