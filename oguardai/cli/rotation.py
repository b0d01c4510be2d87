"""``keyring add``, ``rotate``, ``activate``, ``rollback``, ``adopt``: bring a new key in without a client noticing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.options import config_dir_option, hint, port_option, read_duration, reload_option
from oguardai.cli.output import format_distance, format_time, write
from oguardai.cli.processes import finish

if TYPE_CHECKING:
    from oguardai.cli.editor import Editor
    from oguardai.cli.keyfacts import Facts
    from oguardai.config import Config
    from oguardai.keyring import Keyring

CODES = describe_codes(
    (
        ExitCode.OK,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.UNAVAILABLE,
        ExitCode.CANNOT_CREATE,
        ExitCode.NO_PERMISSION,
        ExitCode.CONFIG,
    )
)
_activate_in_option = click.option(
    "--activate-in",
    "delay",
    metavar="TIME",
    callback=read_duration,
    help="Let the key open at once and seal only after this time (30s, 10m, 2h, 1d): for a fleet, which must all "
    "have the file by then.",
)


@click.command(short_help="Add a new key.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
@_activate_in_option
@click.option("--staged", is_flag=True, help="Let the key open only, until `keyring activate`.")
def add(port: int | None, and_reload: bool, delay: float | None, staged: bool) -> None:
    """Add a new key to session.keyring: it seals from the next reload on, unless told otherwise.

    Nothing else in oguardai.yaml changes. The secret is made here and not shown.
    """
    if staged and delay is not None:
        raise click.UsageError("--staged and --activate-in exclude each other", click.get_current_context())
    _add(port, and_reload, delay, staged=staged)


@click.command(short_help="Add a new key, which seals from now on.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
@_activate_in_option
@click.option(
    "--if-older-than",
    "age",
    metavar="TIME",
    callback=read_duration,
    help="Do nothing while the key that seals is younger (90d): for a timer, on a host that is alone.",
)
@click.option(
    "--adopt", "and_adopt", is_flag=True, help="Where the key comes from GUARDAI_SESSION_SECRET, first `keyring adopt`."
)
def rotate(port: int | None, and_reload: bool, delay: float | None, age: float | None, and_adopt: bool) -> None:
    """Add a new key to session.keyring, which seals from now on, while the old ones go on opening.

    Nothing else in oguardai.yaml changes. The secret is made here and not shown. The old key is not removed: `oguardai
    keyring status` says when that is safe, and `oguardai keyring prune` does it. In a fleet, do this on one host and
    bring the file to the others: two hosts that make a key each have two keys under one kid. Therefore --if-older-than
    is refused with session.shared.
    """
    if and_adopt:
        _adopt_first(port, and_reload, age)
    _add(port, and_reload, delay, age=age)


def _add(
    port: int | None, and_reload: bool, delay: float | None, *, staged: bool = False, age: float | None = None
) -> None:
    from oguardai.cli.editor import editing  # noqa: PLC0415 - see the package's docstring
    from oguardai.cli.keyfacts import know_this_host  # noqa: PLC0415
    from oguardai.cli.keyplans import find_pending, plan_addition  # noqa: PLC0415

    with editing() as editor:
        ring = editor.found.keyring
        _check_schedule(editor.found, age)
        check_is_keyring(editor.found)
        pending = find_pending(ring, editor.now)
        if pending is not None and age is None:
            raise Failure(
                f"kid {pending.kid} is waiting to seal from {format_time(pending.not_before)}: wait for it, or go back "
                f"on it with: {hint('keyring rollback')}"
            )
        facts = know_this_host(editor.found, port)
        if age is not None and not _is_due(facts, ring, editor.now, age):
            return
        begins = float(int(editor.now + delay) + 1) if delay is not None else None
        new = plan_addition(ring, facts.highest_kid, not_before=begins, staged=staged)
        editor.write([new])
    then = f"seals from {format_time(begins)}" if begins is not None else "seals"
    if staged:
        then = f"opens; to let it seal later: {hint(f'keyring activate {new.kid}')}"
    _finish(f"kid {new.kid} is in {editor.path}: once the server has it, it {then}", editor, port, and_reload)


def _finish(message: str, editor: Editor, port: int | None, and_reload: bool) -> None:
    """Say what an edit has written, remind of the other instances of a fleet, and reload the server if wanted."""
    from oguardai.cli.keyfacts import tell_shared  # noqa: PLC0415

    shared = tell_shared(editor.found)
    if shared is not None:
        message += f"\n{shared}: bring {editor.path} to every other instance, then reload each"
    finish(message, port, and_reload)


def _check_schedule(found: Config, age: float | None) -> None:
    """Raise Failure where others use the keyring and a timer, which runs on each host, would make a key."""
    from oguardai.cli.keyfacts import tell_shared  # noqa: PLC0415

    shared = tell_shared(found)
    if shared is not None and age is not None:
        raise Failure(
            (
                f"{shared}: a host of a fleet must not invent a key of its own, which no other could open",
                'rotate on one host and distribute the file: see docs/key-rotation.md, "Rotate a fleet"',
            ),
            ExitCode.CONFIG,
        )


def _is_due(facts: Facts, ring: Keyring, now: float, age: float) -> bool:
    """Tell whether the key that seals is at least ``age`` seconds old and no rotation is under way; says why not."""
    from oguardai.cli.keyplans import find_pending  # noqa: PLC0415
    from oguardai.keyring import KeyState  # noqa: PLC0415

    pending = find_pending(ring, now)
    if pending is not None:
        begins = format_time(pending.not_before)
        write(f"kid {pending.kid} is waiting to seal from {begins}, so a rotation is under way: nothing to do\n")
        return False
    staged = [key.kid for key in ring.keys if key.state is KeyState.STAGED]
    if staged:  # a timer must not undo a rollback
        write(f"kid {staged[-1]} is staged, so a rotation is under way or was gone back on: nothing to do\n")
        return False
    active = ring.active(now).kid
    entry = facts.entry(active)
    since = entry["listed_since"] if entry is not None else None
    if since is None:
        raise Failure(f"this host does not know how old kid {active} is: no server has run with it here")
    if now - since >= age:
        return True
    write(f"kid {active} seals, and was first seen here {format_distance(since, now)}: nothing to do\n")
    return False


def _is_keyring(found: Config) -> bool:
    """Tell whether the keys come from session.keyring; else there is one, from GUARDAI_SESSION_SECRET."""
    return found.keyring.keys[0].source == "keyring"


def check_is_keyring(found: Config) -> None:
    """Raise Failure where the key comes from GUARDAI_SESSION_SECRET, with the commands for that."""
    from oguardai.config import KEYRING_PATH  # noqa: PLC0415

    if not _is_keyring(found):
        raise Failure(
            (
                f"the key comes from GUARDAI_SESSION_SECRET ({found.sources[KEYRING_PATH]}): one key, no keyring",
                f"to move it into one, by which no session is lost: {hint('keyring adopt')}",
                f"to replace it, by which every session is: {hint('secret set')}",
            )
        )


@click.command(short_help="Let a key seal.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
@click.argument("kid", type=int)
def activate(port: int | None, and_reload: bool, kid: int) -> None:
    """Let key KID seal: one that is staged or waits for its time, or an earlier one.

    In a fleet every instance must be able to open with it before: `oguardai doctor` and `oguardai keyring status` with
    --url tell. All other keys go on opening.
    """
    from oguardai.cli.editor import editing  # noqa: PLC0415
    from oguardai.cli.keyfacts import know_this_host  # noqa: PLC0415
    from oguardai.cli.keyplans import plan_activation  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        changes = plan_activation(editor.found.keyring, kid, editor.now)
        know_this_host(editor.found, port)
        if not changes:
            write(f"kid {kid} seals already: nothing to do\n")
            return
        editor.write(changes)
    _finish(f"kid {kid} seals once the server has {editor.path}", editor, port, and_reload)


@click.command(short_help="Go back on the last change, losing no session.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
def rollback(port: int | None, and_reload: bool) -> None:
    """Let the key seal that sealed before the last change of the keyring.

    No session is lost: a key that the change brought goes on opening, staged, and one that it removed opens again. A
    revoked key stays revoked, and what was pruned is gone from the backup too.
    """
    from oguardai.cli.editor import editing  # noqa: PLC0415
    from oguardai.cli.keyedit import decode, fields_of  # noqa: PLC0415
    from oguardai.cli.keyplans import plan_rollback  # noqa: PLC0415

    with editing() as editor:
        check_is_keyring(editor.found)
        data, before = editor.read_backup()
        changes = plan_rollback(
            editor.found.keyring, before.keyring, editor.now, lambda kid: fields_of(decode(data), kid)
        )
        if not changes:
            write("the keys are as they were before the last change: nothing to do\n")
            return
        active = editor.write(changes).active(time.time()).kid
    _finish(
        f"kid {active} seals, as before the last change, once the server has {editor.path}", editor, port, and_reload
    )


@click.command(short_help="Move the key from GUARDAI_SESSION_SECRET into a keyring.", epilog=CODES)
@config_dir_option
@port_option
@reload_option
def adopt(port: int | None, and_reload: bool) -> None:
    """Make a keyring of the key that comes from GUARDAI_SESSION_SECRET, as kid 0, so that it can be rotated.

    No session is lost: it is the same key under the same kid. In oguardai.env the line stays, empty, so that a secret
    that somebody puts there later is noticed, instead of being without effect.
    """
    from oguardai.cli.editor import editing  # noqa: PLC0415
    from oguardai.config import SECRET_ENV  # noqa: PLC0415

    with editing() as editor:
        if _is_keyring(editor.found) and editor.found.env_file_secret is None:
            write(f"the keys are in {editor.path} already: nothing to do\n")
            return
        if _is_keyring(editor.found):  # an earlier call was cut short, or it is a leftover
            message = _empty_line(editor, f"the keys are in {editor.path}, and {SECRET_ENV} had no effect")
        else:
            message = _move_secret(editor, port)
    finish(message, port, and_reload)


def _adopt_first(port: int | None, and_reload: bool, age: float | None) -> None:
    """Adopt the key if it comes from GUARDAI_SESSION_SECRET, as ``keyring adopt``, in front of a rotation.

    A secret that stands there although there is a keyring is left for a person to look at.
    """
    from oguardai.cli.editor import editing  # noqa: PLC0415

    with editing() as editor:
        _check_schedule(editor.found, age)
        if _is_keyring(editor.found):
            return
        message = _move_secret(editor, port)
    finish(message, port, and_reload)


def _move_secret(editor: Editor, port: int | None) -> str:
    """Make a keyring of the key that comes from GUARDAI_SESSION_SECRET; return what to say of it."""
    from oguardai.cli.changes import Create  # noqa: PLC0415
    from oguardai.cli.envedit import read_secret  # noqa: PLC0415
    from oguardai.config import KEYRING_PATH, SECRET_ENV  # noqa: PLC0415

    found = editor.found
    _check_same_secret(found, port)
    editor.write([Create(0, read_secret(found))])
    return _empty_line(editor, f"kid 0 in {editor.path} is the key of {SECRET_ENV} ({found.sources[KEYRING_PATH]}) now")


def _empty_line(editor: Editor, message: str) -> str:
    """Empty the line of GUARDAI_SESSION_SECRET in oguardai.env; return the message with what became of it."""
    from oguardai.cli.envedit import empty_secret  # noqa: PLC0415
    from oguardai.config import SECRET_ENV  # noqa: PLC0415

    emptied = empty_secret(editor.found)
    if emptied is not None:
        message += f"; its line in {emptied} is empty now"
    if os.environ.get(SECRET_ENV, "").strip():
        message += "; take it out of the environment as well"
    return message


def _check_same_secret(found: Config, port: int | None) -> None:
    """Raise Failure where the running server has its secret from elsewhere: this one would lose every session."""
    from oguardai.cli.keyfacts import ask_server  # noqa: PLC0415

    running = ask_server(port)
    if running is not None and running.keyring["fingerprint"] != found.keyring.fingerprint:
        raise Failure(
            "the running server has another key than this command sees, probably from GUARDAI_SESSION_SECRET in its "
            f"own environment: run this with the same; or, if the file was changed since, first: {hint('reload')}"
        )
