"""Write the completion for bash: what click cannot know, it is told by the names that the help uses for values."""

from __future__ import annotations

from pathlib import Path

import click
from command_page import walk

from oguardai.cli import cli

_TEMPLATE = Path(__file__).with_name("completion.bash.in")


def render() -> str:
    """Return the script."""
    options: dict[str | None, set[str]] = {"DIR": set(), "FILE": set(), None: set()}
    readers = set()
    for words, command in walk(cli):
        for one in command.params:
            if isinstance(one, click.Argument) and one.name == "file":
                readers.add(words.split()[-1])
            elif isinstance(one, click.Option) and not one.is_flag and not isinstance(one.type, click.Choice):
                options[one.metavar if one.metavar in options else None].update(one.opts)
    text = _TEMPLATE.read_text(encoding="ascii")
    for mark, names in (
        ("READERS", readers),
        ("DIRECTORIES", options["DIR"]),
        ("FILES", options["FILE"]),
        ("OTHERS", options[None]),
    ):
        text = text.replace(f"@{mark}@", " | ".join(sorted(names)))
    return text
