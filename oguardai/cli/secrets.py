"""``secret``: make the secrets that keys are derived from."""

from __future__ import annotations

import click

from oguardai.cli.groups import CommandGroup
from oguardai.cli.output import write


@click.group(cls=CommandGroup, short_help="Make a secret.")
def secret() -> None:
    """Make a secret."""


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
