"""The command line: one module a group of commands.

Nothing heavy is imported before a command runs: ``oguardai secret generate`` needs no web framework, and
``serve`` must say where metrics live before prometheus-client is imported for the first time.
"""

from __future__ import annotations

from collections.abc import Sequence

from oguardai.cli.root import cli


def main(args: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit status."""
    cli.main(args=args, prog_name="oguardai")


__all__ = ["cli", "main"]
