"""Turn what a file, a variable or the command line says into a setting's value, or say what was expected."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from oguardai.config.envfile import suggest
from oguardai.config.registry import Setting
from oguardai.config.settings import Kind
from oguardai.config.yamlfile import Mapping, Node, Scalar, Sequence, printable_key

# Canonical decimals only: 010 and 1_000 mean different things to different readers.
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*)(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*\.?")
_MOST_TERMS = 1000
_SEPARATORS = re.compile(r"[,\s]+")


class RefusedError(Exception):
    """A value is not what the setting takes; the message says what was expected, never what was given."""


def from_text(setting: Setting, text: str, own_types: Collection[str] = ()) -> object:
    """Read a value from a variable or the command line; lists are separated by commas or blanks, terms by commas.

    ``own_types`` are the entity types that come with own detectors.
    """
    text = text.strip()
    match setting.kind:
        case Kind.INT:
            return _ranged(setting, int(text) if _INT.fullmatch(text) else None)
        case Kind.FLOAT:
            return _ranged(setting, float(text) if _FLOAT.fullmatch(text) else None)
        case Kind.BOOL:
            if text not in {"true", "false"}:
                raise RefusedError(setting.expected)
            return text == "true"
        case Kind.NETWORKS | Kind.NAMES:
            return _list(setting, [item for item in _SEPARATORS.split(text) if item], own_types)
        case Kind.TERMS:
            return _list(setting, [item.strip() for item in text.split(",") if item.strip()])
        case Kind.DETECTORS:
            raise RefusedError("can be given in oguardai.yaml only")
        case _:
            return _text(setting, text)


def from_node(setting: Setting, node: Node, own_types: Collection[str] = ()) -> object:
    """Read a value from yaml; numbers and booleans must stand without quotes, texts may have them."""
    if setting.kind is Kind.DETECTORS:
        return _detectors(setting, node)
    if setting.kind in {Kind.NETWORKS, Kind.NAMES, Kind.TERMS}:
        if not isinstance(node, Sequence):
            raise RefusedError(f"{setting.expected}: [first, second], or a line '- …' for each")
        items = [item.text for item in node.items if isinstance(item, Scalar) and not item.is_empty]
        if len(items) != len(node.items):
            raise RefusedError(f"{setting.expected}, each entry a text")
        return _list(setting, items, own_types)
    if not isinstance(node, Scalar):
        raise RefusedError(setting.expected)
    if setting.kind in {Kind.INT, Kind.FLOAT, Kind.BOOL}:
        if not node.plain:
            raise RefusedError(f"{setting.expected}, without quotes")
        if node.text != node.text.strip():
            raise RefusedError(setting.expected)
        return from_text(setting, node.text)
    if node.is_empty:
        raise RefusedError(setting.expected)
    return _text(setting, node.text)


def from_object(setting: Setting, value: object, own_types: Collection[str] = ()) -> object:
    """Read a value from the command line, which may have typed it already."""
    if isinstance(value, str):
        return from_text(setting, value, own_types)
    match setting.kind:
        case Kind.INT if type(value) is int:
            return _ranged(setting, value)
        case Kind.FLOAT if type(value) in (int, float):
            return _ranged(setting, float(value))  # type: ignore[arg-type]
        case Kind.BOOL if isinstance(value, bool):
            return value
        case Kind.NETWORKS | Kind.NAMES | Kind.TERMS if isinstance(value, Iterable):
            items = list(value)
            if all(isinstance(item, str) for item in items):
                return _list(setting, items, own_types)
    raise RefusedError(setting.expected)


def _ranged(setting: Setting, value: float | None) -> float:
    low, high = setting.low, setting.high
    # Written so that NaN fails.
    if value is None or not ((low is None or value >= low) and (high is None or value <= high)):
        raise RefusedError(setting.expected)
    return value


def _text(setting: Setting, text: str) -> str:
    checks: dict[Kind, Callable[[str], bool]] = {
        Kind.CHOICE: lambda value: value in setting.choices,
        Kind.HOST: _is_host,
        Kind.DIRECTORY: _is_directory,
        Kind.URL: _is_url,
    }
    if not checks[setting.kind](text):
        raise RefusedError(setting.expected)
    return text


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # What is made of digits and dots only is a mistyped address; resolvers would read 127.1 as one.
        return bool(_HOST.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text)
    return True


def _is_directory(text: str) -> bool:
    return text == "" or (text.startswith("/") and text.isprintable())


_PLACE = re.compile(r"unix:/[!-~]{1,106}|local:rampart|")  # unix(7): a path has at most 107 bytes
_URL = re.compile(r"https?://(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?/?")


def _is_url(text: str) -> bool:
    if _PLACE.fullmatch(text):
        return True
    try:
        url = urlsplit(text)
        return _URL.fullmatch(text) is not None and _is_host(url.hostname or "") and url.port != 0
    except ValueError:  # no port, or no address in the brackets
        return False


def _detectors(setting: Setting, node: Node) -> tuple[str, ...]:
    """Read declarations of detectors to JSON, each checked; every problem of all of them is told."""
    from oguardai.detection import ENTITY_TYPES, custom  # noqa: PLC0415 - see _entity_type

    if not isinstance(node, Sequence) or len(node.items) > custom.MAX_DETECTORS:
        raise RefusedError(f"{setting.expected}, at most {custom.MAX_DETECTORS}: name:, type:, pattern: for each")
    wrong: list[str] = []
    read: list[str] = []
    names: set[str] = set()
    for item in node.items:
        declaration, problems = _declaration(item)
        problems += custom.check(declaration, ENTITY_TYPES)
        name = str(declaration.get("name"))
        if name in names:
            problems.append("name: stands twice")
        names.add(name)
        wrong += [f"line {item.line}: {problem}" for problem in problems]
        read.append(json.dumps(declaration, sort_keys=True))
    if wrong:
        raise RefusedError("; ".join(wrong))
    return tuple(read)


def _declaration(node: Node) -> tuple[dict[str, Any], list[str]]:
    from oguardai.detection.custom import FIELDS  # noqa: PLC0415 - see _entity_type

    if not isinstance(node, Mapping):
        return {}, ["expected name:, type: and pattern:"]
    declaration: dict[str, Any] = {}
    problems = []
    for name, entry in node.entries.items():
        if name not in FIELDS:
            shown = f"{name} " if printable_key(name) else ""
            problems.append(f"{shown}is no field of a detector; known are {', '.join(FIELDS)}")
            continue
        try:
            declaration[name] = _field(name, entry.value)
        except RefusedError as error:
            problems.append(f"{name}: {error}")
    return declaration, problems


def _field(name: str, node: Node) -> object:
    if name == "context":
        if not isinstance(node, Sequence) or not all(isinstance(item, Scalar) for item in node.items):
            raise RefusedError("expected a list of words")
        return [item.text for item in node.items if isinstance(item, Scalar)]
    if not isinstance(node, Scalar) or node.is_empty:
        raise RefusedError(_TYPED.get(name, "expected a text"))
    if name == "level":
        if node.text not in {"1", "2", "3"}:
            raise RefusedError(_TYPED[name])
        return int(node.text)
    if name == "confidence":
        if not _FLOAT.fullmatch(node.text) or not 0 < float(node.text) < 1:
            raise RefusedError(_TYPED[name])
        return float(node.text)
    if name in {"needs_context", "ignore_case"}:
        if node.text not in {"true", "false"}:
            raise RefusedError(_TYPED[name])
        return node.text == "true"
    return node.text


_TYPED = {
    "level": "expected 1, 2 or 3",
    "confidence": "expected a number between 0 and 1",
    "needs_context": "expected true or false",
    "ignore_case": "expected true or false",
}


def _list(setting: Setting, items: list[str], own_types: Collection[str] = ()) -> tuple[str, ...]:
    reads: dict[Kind, Callable[[str], str]] = {
        Kind.NETWORKS: _network,
        Kind.NAMES: lambda item: _entity_type(item, own_types),
        Kind.TERMS: _term,
    }
    read = reads[setting.kind]
    if setting.kind is Kind.TERMS and len(items) > _MOST_TERMS:
        raise RefusedError(f"{setting.expected}, at most {_MOST_TERMS}")
    values = []
    for number, item in enumerate(items, start=1):
        try:
            values.append(read(item))
        except RefusedError as error:
            raise RefusedError(f"entry {number}: {error}") from None
    return tuple(dict.fromkeys(values))


def _network(text: str) -> str:
    """Return a network in its canonical spelling; a bare address is a network of one."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise RefusedError("expected a network such as 10.0.0.0/8 or fc00::/7") from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise RefusedError("expected the IPv4 network: addresses like ::ffff:10.0.0.1 are unmapped first")
    try:
        ipaddress.ip_network(text, strict=True)
    except ValueError:
        raise RefusedError(f"has bits set behind the prefix; expected {network}") from None
    return str(network)


def _term(text: str) -> str:
    from oguardai.detection.terms import check_term  # noqa: PLC0415 - see _entity_type

    wrong = check_term(text)
    if wrong:
        raise RefusedError(wrong)
    return text


def _entity_type(text: str, own_types: Collection[str]) -> str:
    from oguardai.detection import ENTITY_TYPES  # noqa: PLC0415 - compiles every pattern; most starts need it later
    from oguardai.detection.plugins import installed_finders  # noqa: PLC0415 - as above

    if text in ENTITY_TYPES or text in own_types:
        return text
    names = (*ENTITY_TYPES, *own_types, *(kind for finder in installed_finders() for kind in finder.types))
    if text in names:
        return text
    shown = f"{text} " if printable_key(text) else ""
    raise RefusedError(f"{shown}is not an entity type{suggest(text, names)}; /v1/capabilities lists them")


def types_of_detectors(node: Node | None) -> frozenset[str]:
    """Return the entity types of own detectors, whatever else is wrong with them."""
    items = node.items if isinstance(node, Sequence) else []
    entries = [item.entries.get("type") for item in items if isinstance(item, Mapping)]
    return frozenset(entry.value.text for entry in entries if entry and isinstance(entry.value, Scalar))
