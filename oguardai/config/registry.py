"""The registry: the fields of the settings flattened to rows, by path and by variable, and their JSON form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oguardai.config.settings import (
    METADATA,
    DetectionSettings,
    DetectorSettings,
    Kind,
    LogSettings,
    ServerSettings,
    SessionSettings,
    Settings,
    Spec,
)

ENV_PREFIX = "GUARDAI_"
SECRET_ENV = "GUARDAI_SESSION_SECRET"  # noqa: S105 - the name of the variable
REVOCATION_ENV = "GUARDAI_REVOCATION_SECRET"  # kept for revocation lists; nothing is made of it yet
CONFIG_DIR_ENV = "GUARDAI_CONFIG_DIR"
KEYRING_PATH = "session.keyring"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the flattened registry."""

    path: str
    kind: Kind
    type: type
    default: object
    env: str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    restart: bool
    network: bool
    doc: str

    def get(self, settings: Settings) -> object:
        """Return this setting's value."""
        section, _, name = self.path.partition(".")
        return getattr(getattr(settings, section), name)

    @property
    def range(self) -> str:
        """The values it takes, in words: ``from 1 to 65535``, ``logfmt or json``; empty when any will do."""
        if self.choices:
            return " or ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"from {self.low:g} to {self.high:.0f}"
        return ""

    @property
    def expected(self) -> str:
        """What a refused value should have been: ``expected a whole number from 1 to 65535``."""
        match self.kind:
            case Kind.CHOICE:
                return f"expected {self.range}"
            case Kind.INT | Kind.FLOAT:
                unit = f" ({self.unit})" if self.unit else ""
                return f"expected a {self.kind} {self.range}{unit}"
            case Kind.BOOL:
                return "expected true or false"
            case Kind.HOST:
                return "expected an IP address or a host name"
            case Kind.DIRECTORY:
                return "expected the absolute path of a directory, or an empty text"
            case Kind.URL:
                return "expected http://host:port, https://host, unix:/path, local:rampart or an empty text"
            case Kind.NETWORKS | Kind.NAMES | Kind.TERMS | Kind.DETECTORS:
                return f"expected a {self.kind}"


_SECTIONS: dict[str, type[Any]] = {
    "server": ServerSettings,
    "session": SessionSettings,
    "detection": DetectionSettings,
    "detector": DetectorSettings,
    "log": LogSettings,
}
SECTIONS = tuple(_SECTIONS)


def env_name(path: str) -> str:
    """Return the variable of a setting: ``GUARDAI_<SECTION>_<NAME>``, without the section for ``server``."""
    return ENV_PREFIX + path.removeprefix("server.").replace(".", "_").upper()


def _flatten() -> tuple[Setting, ...]:
    rows = []
    for section, cls in _SECTIONS.items():
        for item in dataclasses.fields(cls):
            spec: Spec = item.metadata[METADATA]
            path = f"{section}.{item.name}"
            rows.append(
                Setting(
                    path=path,
                    kind=spec.kind,
                    type=type(item.default),
                    default=item.default,
                    env=env_name(path),
                    unit=spec.unit,
                    low=spec.low,
                    high=spec.high,
                    choices=spec.choices,
                    restart=spec.restart,
                    network=spec.network,
                    doc=spec.doc,
                )
            )
    return tuple(rows)


SETTINGS: tuple[Setting, ...] = _flatten()
BY_PATH: Mapping[str, Setting] = {setting.path: setting for setting in SETTINGS}
BY_ENV: Mapping[str, Setting] = {setting.env: setting for setting in SETTINGS}


def build_settings(values: Mapping[str, object]) -> Settings:
    """Make settings from checked values by path; what is missing takes its default."""
    sections: dict[str, dict[str, Any]] = {name: {} for name in _SECTIONS}
    for path, value in values.items():
        section, _, name = path.partition(".")
        sections[section][name] = value
    return Settings(**{name: cls(**sections[name]) for name, cls in _SECTIONS.items()})


def settings_to_json(settings: Settings) -> dict[str, object]:
    """Return the settings as what JSON can hold; :func:`settings_from_json` gives the same settings back."""
    result: dict[str, object] = {}
    for name in _SECTIONS:
        section = getattr(settings, name)
        result[name] = {
            item.name: list(value) if isinstance(value := getattr(section, item.name), tuple) else value
            for item in dataclasses.fields(section)
        }
    return result


def settings_from_json(data: Mapping[str, object]) -> Settings:
    """Rebuild settings from :func:`settings_to_json`; raises ValueError when it is something else."""
    values: dict[str, object] = {}
    for section, content in data.items():
        if not isinstance(content, Mapping):
            raise ValueError(f"{section} is not a section of settings")
        for name, value in content.items():
            setting = BY_PATH.get(f"{section}.{name}")
            if setting is None:
                raise ValueError(f"{section}.{name} is not a setting")
            kept = tuple(value) if isinstance(value, list) else value
            if setting.type is float and type(kept) is int:
                kept = float(kept)
            if type(kept) is not setting.type:
                raise ValueError(f"{setting.path} is of another type")
            values[setting.path] = kept
    return build_settings(values)
