"""Write oguardai(1) from the commands that click knows."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

import click
import roff

from oguardai.cli import cli
from oguardai.cli.failure import MEANING

_DESCRIPTION = """\
`oguardai` starts the OGuardAI server, looks after the keys that seal its sessions, and works as a filter without a
server. The service that the Debian package sets up is described in `oguardai-server`(8).

Commands that speak to a running server find it by the configuration that it was started with: if `oguardai serve` was
given `--port` or `--config-dir`, give it to them too. What edits the files or reloads the server is for root; what only
reads the files or asks the server of this host is for the service's user as well.

Results go to standard output, everything else to standard error, a line for each reason. `--json` gives one JSON
object: on one line, or indented on a terminal. No command prints a secret; values only come out of `rehydrate`, and of
`detect --values`.
"""

_ENVIRONMENT = (
    ("GUARDAI_CONFIG_DIR", "The configuration directory, instead of `/etc/guardai`. `--config-dir` wins over it."),
    (
        "GUARDAI_SESSION_SECRET",
        "The secret of a server without a keyring, as in `oguardai.env`(5). It wins over that file, and has to be the "
        "same for a command as for the server.",
    ),
    ("GUARDAI_...", "Every other variable of `oguardai.env`(5) counts as well, and wins over both files."),
    ("NO_COLOR", "If it is set and not empty, there is no colour, which otherwise terminals get."),
    (
        "SSL_CERT_FILE",
        "Certificates of the authorities that `--url` with `https` believes, instead of those of the system.",
    ),
    (
        "XDG_RUNTIME_DIR",
        "Where a server with another configuration directory than `/etc/guardai` keeps its socket, and is looked for.",
    ),
)

_FILES = (
    ("/etc/guardai/oguardai.yaml", "Settings and keyring, see `oguardai.yaml`(5)."),
    (
        "/etc/guardai/oguardai.yaml.bak",
        "The file as it was before the last change of the keyring, which `oguardai keyring rollback` goes back to.",
    ),
    ("/etc/guardai/oguardai.env", "Secrets, and settings by their variables, see `oguardai.env`(5)."),
    ("/run/oguardai/admin.sock", "Where the running server answers this command."),
    ("/var/lib/oguardai", "What the server remembers of each key: which are safe to remove is told from it."),
)

_EXAMPLES = (
    (
        "Once, before the first rotation: make a keyring of the single secret. No session is lost.",
        "sudo oguardai keyring adopt --reload",
    ),
    (
        "Rotate the key without a client noticing, and check that sessions from before still open.",
        "sudo oguardai doctor --save /root/before.json\n"
        "sudo oguardai keyring rotate --reload\n"
        "sudo oguardai doctor --baseline /root/before.json",
    ),
    ("Go back on it.", "sudo oguardai keyring rollback --reload"),
    (
        "See which key seals and when an old one may go; later take out what no session needs any more.",
        "sudo oguardai keyring status\nsudo oguardai keyring prune --reload",
    ),
    ("A secret was exposed: stop opening with its key at once.", "sudo oguardai keyring revoke 0"),
    (
        "Without a keyring: replace the secret, made here or elsewhere. Every session sealed before is lost.",
        "sudo oguardai secret set --reload\nopenssl rand -base64 32 | sudo oguardai secret set - --reload",
    ),
    (
        "Check a fleet: health, clocks, keyrings, and whether each instance opens what the others seal.",
        "oguardai doctor --url http://10.0.0.5:3000 --url http://10.0.0.6:3000",
    ),
    (
        "Ask a model without showing it personal data.",
        "oguardai transform --session s.blob < question.txt |\n"
        "    ask-a-model |\n"
        "    oguardai rehydrate --session s.blob > answer.txt",
    ),
)

_SEE_ALSO = ("oguardai-server(8)", "oguardai.yaml(5)", "oguardai.env(5)")


def render(version: str, date: str) -> str:
    """Return the page."""
    common = cli.params
    parts = [
        roff.title("oguardai", 1, "User Commands", version=version, date=date),
        roff.heading("Name"),
        "oguardai \\- keep personal data out of what is sent to a language model\n",
        roff.heading("Synopsis"),
        roff.paragraph(rf"{roff.bold('oguardai')} [\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]..."),
        roff.heading("Description"),
        roff.blocks(_DESCRIPTION),
        roff.heading("Options"),
        *(_option(option) for option in common if isinstance(option, click.Option)),
        roff.item(
            ", ".join(map(roff.bold, cli.context_settings["help_option_names"])),
            roff.inline("Print the help of the command in front of it and exit."),
        ),
        roff.paragraph(
            roff.inline("`--config-dir` may stand before the command as well as after it, and `--help` after each.")
        ),
        roff.heading("Commands"),
        *(_command(words, command) for words, command in walk(cli)),
        roff.heading("Exit status"),
        *(
            roff.item(roff.bold(f"{code:d}"), roff.inline(f"{text[0].upper()}{text[1:]}."))
            for code, text in MEANING.items()
        ),
        roff.heading("Environment"),
        *(roff.item(roff.bold(name), roff.inline(text)) for name, text in _ENVIRONMENT),
        roff.heading("Files"),
        *(roff.item(roff.italic(name), roff.inline(text)) for name, text in _FILES),
        roff.heading("Examples"),
        *(roff.paragraph(roff.inline(text)) + roff.example(lines) for text, lines in _EXAMPLES),
        roff.heading("See also"),
        roff.references(_SEE_ALSO),
    ]
    return roff.page(parts)


def walk(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something with its words, in the order of ``--help``."""
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from walk(command, f"{before}{name} ")
        elif not command.hidden:
            yield f"{before}{name}", command


def _command(words: str, command: click.Command) -> str:
    options = [one for one in command.params if isinstance(one, click.Option) and not _is_common(one)]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    usage = [roff.bold(f"oguardai {words}"), *map(_optional, options), *map(_operand, arguments)]
    return "".join(
        [
            roff.subheading(words),
            roff.paragraph(" ".join(usage)),
            *map(_help_block, inspect.cleandoc(command.help or "").split("\n\n")),
            *map(_option, options),
        ]
    )


def _is_common(option: click.Option) -> bool:
    """Tell whether it is an option of every command, which is described once."""
    return any(one.opts == option.opts and getattr(one, "help", None) == option.help for one in cli.params)


def _help_block(block: str) -> str:
    r"""Turn a paragraph of a docstring into roff; click shows one that begins with ``\b`` as it is."""
    if block.startswith("\b\n"):
        return roff.example(textwrap.dedent(block.removeprefix("\b\n")))
    return roff.paragraph(roff.inline(block))


def _option(option: click.Option) -> str:
    names = ", ".join(map(roff.bold, [*option.opts, *option.secondary_opts]))
    value = _value(option)
    return roff.item(f"{names} {value}" if value else names, roff.inline(option.help or ""))


def _optional(option: click.Option) -> str:
    value = _value(option)
    name = roff.bold(option.opts[-1])
    text = rf"{name}\ {value}" if value else name  # a blank at which no line ends
    return (text if option.required else f"[{text}]") + ("..." if option.multiple else "")


def _operand(argument: click.Argument) -> str:
    if isinstance(argument.type, click.Choice):
        text = _alternatives(argument.type)
    else:
        text = roff.italic((argument.metavar or argument.name or "").upper())
    return text if argument.required else f"[{text}]"


def _value(option: click.Option) -> str:
    """Return what an option takes; empty for a flag."""
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return _alternatives(option.type)
    return roff.italic(option.metavar or option.type.name.upper())


def _alternatives(choice: click.Choice[str]) -> str:
    return r"|\:".join(roff.bold(one) for one in choice.choices)  # where a line may end
