"""Write oguardai.yaml(5) and oguardai.env(5) from the registry of settings."""

from __future__ import annotations

import roff

from oguardai.config import SECRET_ENV, SETTINGS, Setting, reference
from oguardai.config.keys import FIELDS
from oguardai.config.registry import KEYRING_PATH, REVOCATION_ENV, SECTIONS
from oguardai.config.settings import LOOPBACK, PRIVATE

_MANUAL = "File Formats"
_REFERENCE_COPY = "/usr/share/doc/oguardai-server/examples/oguardai.yaml"

_YAML_VALUES = """\
A list stands in brackets (`[email, phone]`) or has a line `- ...` for each entry; `[]` is an empty list, and `''` an
empty text. A setting without a value is refused.
"""
_YAML_NAMES = """\
`server.port` is the line `port:` below the line `server:`. The variable is the same setting in `oguardai.env`(5) or in
the process environment.
"""

_YAML_EXAMPLE = """\
server:
  admin_networks:
    - 127.0.0.0/8
    - 10.1.2.3        # Prometheus

session:
  ttl_seconds: 1800

detection:
  types: [email, phone, iban]

log:
  format: json
"""

_YAML_FILES = (
    ("/etc/guardai/oguardai.yaml", "Belongs to root and the group `guardai`, mode 0640."),
    (_REFERENCE_COPY, "Every setting with its default and meaning, commented out: to copy from."),
)
_ENV_FILES = (("/etc/guardai/oguardai.env", "Belongs to root and the group `guardai`, mode 0640."),)

_ENV_READERS = """\
The server and the commands read the file themselves. It is not an `EnvironmentFile=` of the service, and no shell
sources it. `GUARDAI_CONFIG_DIR` cannot stand in it, since it says where the file is.
"""

_SECRETS = (
    (
        SECRET_ENV,
        "Seals and opens sessions, as kid 0, while there is no keyring. `oguardai secret set --reload` replaces it, by "
        "which every session sealed before is lost; `oguardai keyring adopt --reload` makes a keyring of it, whose "
        "keys can be replaced without losing any. Takes effect at a reload.",
    ),
    (
        REVOCATION_ENV,
        "For lists of what was revoked. It must not be a secret of a session, because it stays when those are "
        "replaced: under another one the lists are void. It is checked, and nothing is made of it yet. "
        "`oguardai secret generate` prints one.",
    ),
)
_WHAT_IS_ENOUGH = """\
A secret is base64 (either alphabet, padded or not) of 32 bytes or more, or any other text of at least 32 characters;
what is too short or guessable is refused.
"""

_ENV_EXAMPLE = """\
# Sessions can be opened for half an hour.
GUARDAI_SESSION_TTL_SECONDS=1800
GUARDAI_ADMIN_NETWORKS='127.0.0.0/8, 10.1.2.3'
GUARDAI_LOG_FORMAT=json
"""

_CHECK = "To try a change, and to let the server take it without a request failing:"
_CHECK_COMMANDS = "sudo oguardai config validate\nsudo oguardai reload"


def render_yaml_page(version: str, date: str) -> str:
    """Return oguardai.yaml(5)."""
    return roff.page(
        [
            roff.title("oguardai.yaml", 5, _MANUAL, version=version, date=date),
            roff.heading("Name"),
            "oguardai.yaml \\- settings and keyring of the OGuardAI server\n",
            roff.heading("Synopsis"),
            roff.paragraph(roff.italic("/etc/guardai/oguardai.yaml")),
            _description(),
            roff.heading("Syntax"),
            roff.blocks(reference.YAML_SYNTAX),
            roff.blocks(_YAML_VALUES),
            _reload(),
            roff.heading("Settings"),
            roff.blocks(_YAML_NAMES),
            *(_section(section) for section in SECTIONS),
            roff.heading("Networks allowed by default"),
            roff.blocks("`server.allow_networks` is loopback and the private ranges:"),
            roff.blocks("\n".join(f"- `{network}`" for network in LOOPBACK + PRIVATE)),
            roff.blocks(reference.NETWORKS),
            _files(_YAML_FILES),
            roff.heading("Examples"),
            roff.example(_YAML_EXAMPLE),
            roff.paragraph(_CHECK),
            roff.example(_CHECK_COMMANDS),
            roff.heading("See also"),
            roff.references(("oguardai.env(5)", "oguardai(1)", "oguardai-server(8)")),
        ]
    )


def render_env_page(version: str, date: str) -> str:
    """Return oguardai.env(5)."""
    return roff.page(
        [
            roff.title("oguardai.env", 5, _MANUAL, version=version, date=date),
            roff.heading("Name"),
            "oguardai.env \\- secrets and variables of the OGuardAI server\n",
            roff.heading("Synopsis"),
            roff.paragraph(roff.italic("/etc/guardai/oguardai.env")),
            _description(),
            roff.blocks(_ENV_READERS),
            roff.heading("Syntax"),
            roff.blocks(reference.ENV_SYNTAX),
            roff.blocks(reference.VARIABLES),
            _reload(),
            roff.heading("Secrets"),
            *(roff.item(roff.bold(name), roff.inline(text)) for name, text in _SECRETS),
            roff.blocks(_WHAT_IS_ENOUGH),
            roff.blocks(reference.ONE_KEY),
            roff.heading("Variables"),
            roff.blocks("Each is a setting of `oguardai.yaml`(5), over which the variable wins."),
            *(_item(setting, setting.env, f"Setting: `{setting.path}`") for setting in SETTINGS),
            _files(_ENV_FILES),
            roff.heading("Examples"),
            roff.example(_ENV_EXAMPLE),
            roff.paragraph(_CHECK),
            roff.example(_CHECK_COMMANDS),
            roff.heading("See also"),
            roff.references(("oguardai.yaml(5)", "oguardai(1)", "oguardai-server(8)")),
        ]
    )


def _description() -> str:
    return "".join([roff.heading("Description"), roff.blocks(reference.PLACES), roff.blocks(reference.PRECEDENCE)])


def _reload() -> str:
    return roff.heading("Reload or restart") + roff.blocks(reference.RELOAD)


def _files(files: tuple[tuple[str, str], ...]) -> str:
    return roff.heading("Files") + "".join(roff.item(roff.italic(name), roff.inline(text)) for name, text in files)


def _section(section: str) -> str:
    settings = (setting for setting in SETTINGS if setting.path.startswith(f"{section}."))
    items = "".join(_item(setting, setting.path, f"Variable: `{setting.env}`") for setting in settings)
    keyring = _keyring() if KEYRING_PATH.startswith(f"{section}.") else ""
    return f"{roff.subheading(section)}{items}{keyring}"


def _item(setting: Setting, name: str, other_name: str) -> str:
    change = "restart" if setting.restart else "reload"
    facts = (
        f"Takes: {reference.describe_values(setting)}. Default: {reference.describe_default(setting)}. "
        f"{other_name}. Change needs: *{change}*."
    )
    return roff.item(roff.bold(name), roff.with_line_below(roff.inline(setting.doc), roff.inline(facts)))


def _keyring() -> str:
    return "".join(
        [
            roff.subheading(KEYRING_PATH),
            roff.blocks(reference.KEYRING_PLACE),
            roff.example(reference.KEYRING_EXAMPLE),
            roff.blocks(reference.KEYRING_ACTIVE),
            *(
                roff.item(roff.bold(name), roff.with_line_below(roff.inline(meaning), roff.inline(f"Takes: {takes}.")))
                for name, takes, meaning in FIELDS
            ),
            roff.blocks(reference.KEYRING_RULES),
            roff.blocks(reference.ONE_KEY),
        ]
    )
