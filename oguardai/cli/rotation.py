"""``keyring rotate``: add a new key to the keyring, so that it seals and the old ones go on opening."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.files import replace_file
from oguardai.cli.options import config_dir, config_dir_option, find_server, hint, port_option, read_config
from oguardai.cli.output import format_time, write
from oguardai.cli.processes import report_reload
from oguardai.errors import ConfigError

if TYPE_CHECKING:
    from oguardai.config import Config

_MOVE_FIRST = (
    "the key comes from GUARDAI_SESSION_SECRET ({source}), and a second one can only stand in a keyring",
    "first, in {yaml} under session:, write keyring: and below it - kid: 0 with the present secret as secret:, "
    "then: {reload}; no session is lost by that, and the line of GUARDAI_SESSION_SECRET can go",
)
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _read_duration(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    match = _DURATION.fullmatch(value)
    if match is None:
        raise click.BadParameter("expected a number and s, m, h or d, such as 10m", ctx, parameter)
    return float(int(match[1]) * _SECONDS[match[2]])


@click.command(
    short_help="Add a new key, which seals from now on.",
    epilog=describe_codes(
        (
            ExitCode.OK,
            ExitCode.FAILED,
            ExitCode.USAGE,
            ExitCode.UNAVAILABLE,
            ExitCode.CANNOT_CREATE,
            ExitCode.NO_PERMISSION,
            ExitCode.CONFIG,
        )
    ),
)
@config_dir_option
@port_option
@click.option("--reload", "and_reload", is_flag=True, help="Reload the running server afterwards.")
@click.option(
    "--activate-in",
    "delay",
    metavar="TIME",
    callback=_read_duration,
    help="Let the key open at once and seal only after this time (30s, 10m, 2h, 1d): for a fleet, which must all "
    "have the file by then.",
)
def rotate(port: int | None, and_reload: bool, delay: float | None) -> None:
    """Add a new key to session.keyring, which seals from now on, while the old ones go on opening.

    Nothing else in oguardai.yaml changes. The secret is made here and not shown. The old key is not removed: `oguardai
    keyring status` says when that is safe.
    """
    with _lock(config_dir()):
        kid, begins = _add_key(port, delay)
    place = config_dir() / _yaml_name()
    when = f"seals from {format_time(begins)}" if begins is not None else "seals"
    if not and_reload:
        write(f"kid {kid} is in {place}; for the server to use it: {hint('reload')}\n")
        return
    write(f"kid {kid} is in {place} and {when} once the server has it\n")
    report_reload(port)


def _add_key(port: int | None, delay: float | None) -> tuple[int, float | None]:
    """Edit the file; return the new kid, and when it begins to seal if that is later."""
    from oguardai.cli.keyedit import NotEditableError, append_key  # noqa: PLC0415 - see the package's docstring
    from oguardai.keyring import MAX_KID, generate_secret  # noqa: PLC0415

    found, now = read_config(), time.time()
    path = found.config_dir / _yaml_name()
    _check_may_rotate(found, path, port, now)
    kid = max(key.kid for key in found.keyring.keys) + 1
    if kid > MAX_KID:
        raise Failure(f"{path}: the highest kid there can be is in use")
    begins = float(int(now + delay) + 1) if delay is not None else None
    fields = {"kid": str(kid), "secret": generate_secret()}
    if begins is not None:
        fields["not_before"] = format_time(begins)
    try:
        data = path.read_bytes()
        edited = append_key(data.decode("utf-8-sig"), fields).encode()
    except NotEditableError as error:
        raise Failure(f"{path}: {error}") from None
    if data.startswith(b"\xef\xbb\xbf"):
        edited = b"\xef\xbb\xbf" + edited
    _check_edit(found, edited, kid, now)
    status = os.stat(path)
    if (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) != found.yaml_stamp:
        raise Failure(f"{path}: was changed by somebody else meanwhile; nothing was written, try again")
    replace_file(str(path), edited, like=status)
    return kid, begins


def _check_may_rotate(found: Config, path: Path, port: int | None, now: float) -> None:
    """Refuse where a new key would not do what the operator expects of it."""
    from oguardai.config import KEYRING_PATH  # noqa: PLC0415

    if found.keyring.keys[0].source == "env":
        facts = {"source": found.sources[KEYRING_PATH], "yaml": path, "reload": hint("reload")}
        raise Failure(line.format_map(facts) for line in _MOVE_FIRST)
    for key in found.keyring.keys:
        if key.not_before is not None and key.not_before > now:
            raise Failure(
                f"kid {key.kid} is waiting to seal from {format_time(key.not_before)}: wait for it, or remove it first"
            )
    running = _running_fingerprint(port)
    if running is not None and running != found.keyring.fingerprint:
        raise Failure(f"the server does not use the keyring of the file yet; first: {hint('reload')}")


def _running_fingerprint(port: int | None) -> str | None:
    from oguardai.server.control import ask_admin  # noqa: PLC0415
    from oguardai.server.runtime import NotRunningError  # noqa: PLC0415

    try:
        return str(ask_admin(find_server(port), "/v1/diagnostics")["keyring"]["fingerprint"])
    except NotRunningError:
        return None


def _check_edit(found: Config, edited: bytes, kid: int, now: float) -> None:
    """Read the edited file as the server will, before it takes the place of the old one.

    Raises:
        Failure: it is not what it was, with one key more.
    """
    from oguardai.config import load_config  # noqa: PLC0415

    with _beside(found.config_dir) as directory:
        descriptor = os.open(directory / _yaml_name(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(edited)
        try:
            new = load_config(directory, os.environ, now=now)
        except ConfigError as error:
            reasons = [str(problem).replace(str(directory), str(found.config_dir)) for problem in error.problems]
            raise Failure(["with one key more the file would be refused; nothing was written", *reasons]) from None
    *old, added = new.keyring.keys
    if tuple(old) != found.keyring.keys or added.kid != kid or new.settings != found.settings:
        raise Failure(f"{found.config_dir / _yaml_name()}: cannot be edited safely; add the key by hand")


@contextlib.contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """Make a private directory that holds links to everything in this one but oguardai.yaml, and remove it."""
    try:
        temporary = Path(tempfile.mkdtemp(dir=directory, prefix=".rotate."))
    except OSError as error:
        raise Failure(f"{directory}: cannot be written: {error.strerror}", ExitCode.CANNOT_CREATE) from None
    try:
        for name in os.listdir(directory):
            if name not in {_yaml_name(), temporary.name}:
                (temporary / name).symlink_to(Path("..") / name)
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """Keep a second rotation out."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # the configuration's own problem, which its reader tells
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Failure(f"{directory}: is being changed by another command; try again") from None
    finally:
        os.close(descriptor)


def _yaml_name() -> str:
    from oguardai.config import YAML_NAME  # noqa: PLC0415

    return YAML_NAME
