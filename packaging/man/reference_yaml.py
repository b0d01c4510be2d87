"""Write a copy of oguardai.yaml that has every setting, commented out, with default and meaning."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from oguardai.config import SETTINGS, Setting, reference
from oguardai.config.keys import FIELDS
from oguardai.config.registry import KEYRING_PATH, SECTIONS

_WIDTH = 100
_HEAD = (
    "OGuardAI: every setting with its default and its meaning. What you want to change goes into "
    "/etc/guardai/oguardai.yaml.",
    'A line that begins with "#" and a word is a setting; a line with a blank behind the "#" explains one. The entries '
    'of a list are the lines "#- ..." below its name.',
    'Check with "oguardai config validate"; "systemctl reload oguardai-server" lets the server take it. A setting '
    "marked (restart) waits for the next restart. See oguardai.yaml(5).",
)
_BARE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_./:-]*[A-Za-z0-9_/-])?")


def render() -> str:
    """Return the file: as it is it sets nothing, and without the ``#`` of its settings it sets the defaults."""
    return "\n".join([_comment(*_HEAD), *(_section(section) for section in SECTIONS)])


def _section(section: str) -> str:
    settings = [setting for setting in SETTINGS if setting.path.startswith(f"{section}.")]
    parts = [f"{section}:\n", *map(_setting, settings)]
    if KEYRING_PATH.startswith(f"{section}."):
        parts.append(_keyring())
    return "\n".join(parts)


def _setting(setting: Setting) -> str:
    change = " (restart)" if setting.restart else ""
    facts = f"{setting.path}, {setting.env}: {reference.describe_values(setting)}{change}"
    lines = "".join(f"  #{line}\n" for line in _lines(setting))
    return "".join(_wrap(text, "  # ") for text in (facts, setting.doc)) + lines


def _lines(setting: Setting) -> Iterator[str]:
    """Yield the lines that set a setting to its default."""
    name = setting.path.partition(".")[2]
    match setting.default:
        case tuple(items) if items:
            yield f"{name}:"
            yield from (f"- {_scalar(str(item))}" for item in items)
        case tuple():
            yield f"{name}: []"
        case bool(value):
            yield f"{name}: {str(value).lower()}"
        case value:
            yield f"{name}: {_scalar(str(value))}"


def _scalar(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _keyring() -> str:
    fields = "".join(_wrap(f"{name}: {takes}. {meaning}", "  # ", "  #     ") for name, takes, meaning in FIELDS)
    _, _, example = reference.KEYRING_EXAMPLE.partition("\n")  # without its "session:", which stands above
    parts = (
        _comment(f"{KEYRING_PATH}: {reference.KEYRING_PLACE}", reference.KEYRING_ACTIVE, indent="  "),
        fields,
        # With two marks, so that taking one off, as for a setting, leaves a comment: nobody's key is named OLD.
        textwrap.indent(textwrap.dedent(example), "  # # "),
    )
    return "  #\n".join(parts)


def _comment(*paragraphs: str, indent: str = "") -> str:
    """Return paragraphs of Markdown as lines of a comment, with an empty one between two."""
    return f"{indent}#\n".join(_wrap(paragraph, f"{indent}# ") for paragraph in paragraphs)


def _wrap(text: str, first: str, others: str = "") -> str:
    """Return a paragraph of Markdown as plain lines, each begun so."""
    lines = textwrap.wrap(
        re.sub(r"(\*{1,2})(\w[^*]*)\1", r"\2", text.replace("`", "")),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others or first,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "".join(f"{line}\n" for line in lines)
