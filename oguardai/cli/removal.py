"""``keyring revoke``, ``remove``, ``prune``: let a key go, at once because it leaked or when no session needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from oguardai.cli.failure import Failure
from oguardai.cli.options import config_dir_option, hint, port_option, reload_option
from oguardai.cli.output import warn, write
from oguardai.cli.processes import report_reload
from oguardai.cli.remote import token_file_option, url_option
from oguardai.cli.rotation import CODES, check_is_keyring, finish

if TYPE_CHECKING:
    from oguardai.cli.changes import Editor
    from oguardai.cli.keyfacts import Facts

_REVOKED = (
    "clients that hold a session under kid {kid} are answered 410 GUARDAI_SESSION_EXPIRED from then on, and transform "
    "again",
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
    from oguardai.cli.changes import Add, editing  # noqa: PLC0415 - see the package's docstring
    from oguardai.cli.keyplans import plan_revocation  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        changes = plan_revocation(editor.found.keyring, kid, editor.now)
        if changes:
            editor.write(changes, scrub=[kid])
    added = "".join(f", and the new kid {change.kid} seals" for change in changes if isinstance(change, Add))
    write(f"kid {kid} is revoked in {editor.path}{added}\n" if changes else f"kid {kid} is revoked already\n")
    for line in _REVOKED if changes else ():
        write(f"  {line.format(kid=kid, path=editor.path)}\n")
    _reload_after_revocation(port, no_reload)


def _reload_after_revocation(port: int | None, no_reload: bool) -> None:
    from oguardai.cli.keyfacts import ask_server  # noqa: PLC0415

    if no_reload:
        warn(f"the running server opens with it until: {hint('reload')}")
    elif ask_server(port) is None:
        warn("no server with this configuration runs on this host, so none was reloaded")
    else:
        report_reload(port)


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

    In a fleet name every instance with --url: what was sealed on one of them may need the key as well. `keyring
    rollback` brings it back as long as nothing else is changed.
    """
    from oguardai.cli.changes import Remove, editing  # noqa: PLC0415
    from oguardai.cli.keyfacts import judge_removal  # noqa: PLC0415
    from oguardai.cli.keyplans import find_key  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        find_key(editor.found.keyring, kid)
        verdict = judge_removal(kid, _know_fleet(editor, port, urls, token), editor.found.keyring.fingerprint)
        if not verdict.safe and not force:
            raise Failure(
                (
                    f"kid {kid} is not safe to remove: {verdict.because}",
                    f"if its secret was exposed: {hint(f'keyring revoke {kid}')}; to remove it all the same, with "
                    "--force: the sessions under it are lost",
                )
            )
        if not verdict.safe:
            warn(f"kid {kid} is removed although {verdict.because}: the sessions under it are lost")
        editor.write([Remove(kid)])
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
    back on. In a fleet name every instance with --url.
    """
    from oguardai.cli.changes import Remove, editing  # noqa: PLC0415
    from oguardai.cli.keyfacts import judge_removal  # noqa: PLC0415
    from oguardai.keyring import KeyState  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
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
    finish(f"kid {', '.join(map(str, gone))} is out of {editor.path} and its backup", port, and_reload)


def _know_fleet(editor: Editor, port: int | None, urls: tuple[str, ...], token: str | None) -> list[Facts]:
    """Return what the instances and the server of this host say; where none runs here, its files only without URLs.

    Raises:
        Failure: an instance cannot be asked, or the server of this host has not taken the last edit.
    """
    from oguardai.cli.keyfacts import ask_instances, know_this_host  # noqa: PLC0415

    here = know_this_host(editor.found, port)
    fleet, failures = ask_instances(urls, token)
    if failures:
        raise Failure([reason for failure in failures for reason in failure.reasons], failures[0].code)
    return [*([here] if here.pid is not None or not urls else []), *fleet]
