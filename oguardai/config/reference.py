"""Render docs/configuration.md from the registry: ``python -m oguardai.config.reference > docs/configuration.md``."""

from __future__ import annotations

import sys

from oguardai.config.files import MAX_FILE_BYTES
from oguardai.config.keys import FIELDS
from oguardai.config.registry import KEYRING_PATH, REVOCATION_ENV, SECRET_ENV, SECTIONS, SETTINGS, Setting
from oguardai.config.settings import LOOPBACK, PRIVATE, Kind
from oguardai.keyring import MAX_KEYS

# Blocks of Markdown that the manual pages (packaging/man) and this page have in common.
PLACES = """\
Two files in `/etc/guardai`, or in the directory that `GUARDAI_CONFIG_DIR` or `--config-dir` names: `oguardai.yaml`
and `oguardai.env`. Either may be missing. `oguardai config validate` checks both without starting anything and lists
all problems with file and line. Both should be readable by the server's group only (`chmod 0640`), because they hold
secrets; others get a warning.
"""
PRECEDENCE = """\
Later wins:

1. the defaults below
2. `oguardai.yaml`
3. `oguardai.env`
4. the process environment
5. the command line

A value that loses is checked all the same. An unknown name in a file, a wrong type or a value out of range refuses
the whole configuration: a start ends, a reload leaves the old configuration in force. Unknown `GUARDAI_*` variables
of the process environment are ignored with a warning, and so are Kubernetes' service links
(`GUARDAI_PORT=tcp://10.0.0.1:3000` and its kind).
"""
YAML_SYNTAX = f"""\
`oguardai.yaml` is read strictly. A name may stand only once; whole numbers are plain decimals (`3600`, not `3_600`,
`0o17` or `"3600"`); only `true` and `false` are booleans; a text is taken as it stands, so a secret that looks like a
number, a date or `no` stays what it is. Anchors, aliases, merge keys, tags and several documents are refused. At most
{MAX_FILE_BYTES // 1024**2} MiB.
"""
ENV_SYNTAX = """\
`oguardai.env` has dotenv syntax, one line a variable: `NAME=value`, `NAME='value'` or `NAME="value"`, with or without
`export`. Nothing is expanded: `$` is a dollar sign. In a bare value, a blank and `#` begin a comment; in double quotes
a backslash escapes. When a name stands twice, the last line counts, with a warning. A line that is no assignment
refuses the file.
"""
VARIABLES = """\
In both and in the process environment an empty variable (`NAME=`) counts as absent. A list in a variable is separated
by commas or blanks; an empty list can be given in yaml only (`[]`).
"""
RELOAD = """\
`systemctl reload oguardai-server` (or `oguardai reload`) reads both files again; the process environment and the
command line stay as they were at the start. Settings marked *restart* keep their value until the next restart, and
the log names them when they changed.
"""
KEYRING_PLACE = f"The keys that seal and open sessions, in yaml only, at most {MAX_KEYS}. Takes effect at a *reload*.\n"
KEYRING_EXAMPLE = """\
session:
  keyring:
    - kid: 0
      secret: OLD
    - kid: 1
      secret: NEW
      not_before: 2026-12-01T09:00:00Z
"""
KEYRING_ACTIVE = """\
The **active** key is the last one that is neither staged nor revoked and whose `not_before` has passed: it seals.
Every listed key but a revoked one opens.
"""
KEYRING_RULES = """\
Refused with file and line: a kid that stands twice, two kids with one secret, an empty keyring, no key that can seal
now, and a secret that is too short or guessable. A secret is base64 (either alphabet, padded or not) of 32 bytes or
more, or any other text of at least 32 characters.
"""
ONE_KEY = f"""\
Without a keyring, `{SECRET_ENV}` (process environment or `oguardai.env`) is a keyring of one key, kid 0. With a
keyring it is ignored; but when the secret in `oguardai.env` changed since it was last accepted while a keyring or the
process environment wins over it, start and reload fail, so that nobody takes a leaked key for replaced:
`oguardai keyring rotate` is the way then.
"""
REVOCATION = f"""\
`{REVOCATION_ENV}` (process environment or `oguardai.env`) is kept for the revocation lists of a later release,
so that rotating the session key never undoes a revocation; until then it has no effect. It takes what a session
secret takes, and is refused when it is `{SECRET_ENV}` or the secret of a listed key.
"""
NETWORKS = """\
The shared address space of carriers, 100.64.0.0/10 (RFC 6598), is **not** among them; add it where a cluster or an
overlay network uses it. A bare address is a network of one. Bits behind the prefix must be zero: `10.0.0.0/8`, not
`10.0.0.1/8`. IPv4 addresses that arrive as `::ffff:10.0.0.1` are compared as IPv4.
"""

_HEAD = f"""\
# Configuration

<!-- Made by: python -m oguardai.config.reference > docs/configuration.md. Edit the registry, not this page. -->

{PLACES}
## Precedence

{PRECEDENCE}
## The files

{YAML_SYNTAX}
{ENV_SYNTAX}
{VARIABLES}
## Reload or restart

{RELOAD}"""

_KEYRING_HEAD = f"""\
### {KEYRING_PATH}

{KEYRING_PLACE}
```yaml
{KEYRING_EXAMPLE}```

{KEYRING_ACTIVE}
| field | takes | meaning |
|---|---|---|
"""

_KEYRING_TAIL = f"\n{KEYRING_RULES}\n{ONE_KEY}\n{REVOCATION}"

_NETWORKS_HEAD = """\
## Networks allowed by default

`server.allow_networks` is loopback and the private ranges:

"""


def render() -> str:
    """Return the whole page."""
    parts = [_HEAD, "## Settings\n"]
    for section in SECTIONS:
        rows = [_row(setting) for setting in SETTINGS if setting.path.startswith(f"{section}.")]
        parts.append(
            f"### {section}\n\n| name, variable | default | takes | change needs | meaning |\n|---|---|---|---|---|\n"
            + "".join(rows)
        )
        if section == "session":
            rows = [f"| `{name}` | {takes} | {meaning} |\n" for name, takes, meaning in FIELDS]
            parts.append(_KEYRING_HEAD + "".join(rows) + _KEYRING_TAIL)
    networks = "".join(f"- `{network}`\n" for network in LOOPBACK + PRIVATE)
    parts.append(f"{_NETWORKS_HEAD}{networks}\n{NETWORKS}")
    return "\n".join(parts)


def _row(setting: Setting) -> str:
    change = "restart" if setting.restart else "reload"
    return (
        f"| `{setting.path}`<br>`{setting.env}` | {describe_default(setting)} | {describe_values(setting)} | {change} "
        f"| {setting.doc} |\n"
    )


def describe_default(setting: Setting) -> str:
    """Return a setting's default as Markdown: ``empty`` for a text or a list without anything in it."""
    match setting.default:
        case bool(value):
            return f"`{str(value).lower()}`"
        case str(text):
            return f"`{text}`" if text else "empty"
        case tuple(items):
            return ", ".join(f"`{item}`" for item in items) or "empty"
        case value:
            return f"`{value}`"


def describe_values(setting: Setting) -> str:
    """Return what a setting takes as Markdown: its kind, range and unit."""
    if setting.kind is Kind.CHOICE:
        return " or ".join(f"`{choice}`" for choice in setting.choices)
    unit = f", {setting.unit}" if setting.unit else ""
    return f"{setting.kind} {setting.range}".rstrip() + unit


if __name__ == "__main__":
    sys.stdout.write(render())
