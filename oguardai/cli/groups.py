"""A group of commands that says what it has when it is called without one."""

from __future__ import annotations

import contextlib
from typing import Any

import click

from oguardai.cli.failure import ExitCode


class CommandGroup(click.Group):
    """Answers a call without a command with its help page on standard error, the same in every version of click."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        extra["no_args_is_help"] = False
        super().__init__(*args, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options of the group; ends the command when there is nothing to parse."""
        if not args and not ctx.resilient_parsing:
            with contextlib.suppress(OSError):
                click.echo(ctx.get_help(), err=True)
            ctx.exit(ExitCode.USAGE)
        return super().parse_args(ctx, args)
