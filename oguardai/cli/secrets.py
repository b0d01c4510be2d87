"""``secret``: make the secrets that keys are derived from, and put one into oguardai.env."""

from __future__ import annotations

import os

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.files import STDIN, read_text
from oguardai.cli.groups import CommandGroup
from oguardai.cli.options import config_dir, config_dir_option, hint, is_unreadable, port_option, reload_option
from oguardai.cli.output import write
from oguardai.cli.processes import finish
from oguardai.errors import ConfigError, SecretError

_CODES = (
    *(ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.BAD_DATA, ExitCode.UNAVAILABLE),
    *(ExitCode.CANNOT_CREATE, ExitCode.NO_PERMISSION, ExitCode.CONFIG),
)


@click.group(cls=CommandGroup, short_help="Make and set a secret.")
@config_dir_option
def secret() -> None:
    """Make a secret, and set the one in oguardai.env."""


@secret.command(short_help="Print a new secret.")
def generate() -> None:
    """Print a new secret: 32 random bytes as URL-safe base64, in one line.

    It holds no character that sed, a shell, an env file or yaml reads as anything else:

    \b
        sudo sed -i "s/^GUARDAI_SESSION_SECRET=.*/GUARDAI_SESSION_SECRET=$(oguardai secret generate)/" \\
            /etc/guardai/oguardai.env
    """
    from oguardai.keyring import generate_secret  # noqa: PLC0415 - see the package's docstring

    write(generate_secret() + "\n")


@secret.command("set", short_help="Put a new secret into oguardai.env.", epilog=describe_codes(_CODES))
@config_dir_option
@port_option
@reload_option
@click.argument("source", type=click.Choice([STDIN]), required=False)
def set_(port: int | None, and_reload: bool, source: str | None) -> None:
    """Replace GUARDAI_SESSION_SECRET in oguardai.env: by a secret made here, or with `-` by standard input's line.

    Neither the old nor the new secret is shown or kept anywhere else. Every session sealed before is lost with the old
    one: its client is answered 410 and transforms again. To lose none, use `oguardai keyring adopt` and `rotate`.
    """
    from oguardai.cli.editor import locked  # noqa: PLC0415
    from oguardai.cli.envedit import set_secret  # noqa: PLC0415
    from oguardai.config import SECRET_ENV  # noqa: PLC0415
    from oguardai.keyring import generate_secret, secret_bytes  # noqa: PLC0415

    new = generate_secret() if source is None else read_text(STDIN).rstrip("\r\n")
    if new.startswith(SECRET_ENV) or new != new.strip():
        what = "a whole line of the file" if new.startswith(SECRET_ENV) else "blanks around it"
        raise Failure(f"standard input: has {what}; expected the secret alone", ExitCode.BAD_DATA)
    try:
        secret_bytes(new)
    except SecretError as error:
        raise Failure(f"standard input: the secret {error}", ExitCode.BAD_DATA) from None
    with locked(config_dir()):
        _check_takes_effect()
        path = set_secret(config_dir(), new)
    lost = "once the server has it, sessions sealed before are lost: clients are answered 410 and transform again"
    finish(f"{SECRET_ENV} in {path} is new; {lost}", port, and_reload)


def _check_takes_effect() -> None:
    """Raise Failure where something else wins over the env file: its author would believe that the old key is gone."""
    from oguardai.config import SECRET_ENV  # noqa: PLC0415
    from oguardai.config.layers import Layers  # noqa: PLC0415

    if os.environ.get(SECRET_ENV, "").strip():
        raise Failure(f"{SECRET_ENV} in the environment wins over the file: change it where that is set")
    layers = Layers(config_dir())
    layers.read_files()
    others = [problem for problem in layers.problems if problem.severity == "error" and problem.key != SECRET_ENV]
    if others and is_unreadable(config_dir()):
        raise Failure([str(problem) for problem in others], ExitCode.NO_PERMISSION)
    if others:
        raise ConfigError(others)
    if layers.directory_missing:
        raise Failure(f"{config_dir()}: is not there", ExitCode.CONFIG)
    if layers.keyring_entry is not None:
        raise Failure(
            f"session.keyring in oguardai.yaml wins over {SECRET_ENV}, so it would have no effect; "
            f"to rotate: {hint('keyring rotate')}"
        )
