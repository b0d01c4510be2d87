"""The four places that say something about a setting, read one over the other, with where each value came from."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from oguardai.config import envfile, yamlfile
from oguardai.config.files import MAX_FILE_BYTES, FileContent, ProblemFound, exposure_warning, read_file
from oguardai.config.registry import (
    BY_ENV,
    BY_PATH,
    CONFIG_DIR_ENV,
    ENV_PREFIX,
    KEYRING_PATH,
    REVOCATION_ENV,
    SECRET_ENV,
    SECTIONS,
    SETTINGS,
    Setting,
)
from oguardai.config.values import RefusedError, from_node, from_object, from_text, types_of_detectors
from oguardai.errors import Problem, Severity

YAML_NAME = "oguardai.yaml"
ENV_NAME = "oguardai.env"
ENVIRONMENT = "environment"
COMMAND_LINE = "command line"
DEFAULT = "default"

_LINK_VALUE = re.compile(r"(?:tcp|udp|sctp)://")
# What Kubernetes puts into every container for a service called guardai or guardai-something.
_LINK_NAME = re.compile(
    r"GUARDAI(?:_[A-Z0-9_]+)?_(?:SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)|"
    r"PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_Raw = TypeVar("_Raw")


@dataclass(frozen=True, slots=True)
class Secret:
    """The value of a variable that holds a secret, and where it stands."""

    text: str = field(repr=False)
    file: str
    line: int | None


@dataclass(slots=True)
class Layers:
    """What was read so far; a later layer wins over an earlier one.

    Attributes:
        values: checked values by setting path, without those that keep their default.
        sources: setting path -> where its value came from, in words.
        places: setting path -> file and line, for problems.
        variables: variables of the process environment that count.
        file_secret, environment_secret: GUARDAI_SESSION_SECRET of the env file, and of the process environment.
        revocation_secrets: GUARDAI_REVOCATION_SECRET, from wherever it is given.
        own_types: entity types of the detectors that the yaml declares.
        directory_missing: the configuration directory does not exist.
        illegible: some line or file could not be read at all, so a secret may stand there.
    """

    config_dir: Path
    problems: list[Problem] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=lambda: {setting.path: DEFAULT for setting in SETTINGS})
    places: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    yaml: FileContent | None = None
    env: FileContent | None = None
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    keyring_entry: yamlfile.Entry | None = None
    file_secret: Secret | None = None
    environment_secret: Secret | None = None
    revocation_secrets: list[Secret] = field(default_factory=list)
    own_types: frozenset[str] = frozenset()
    directory_missing: bool = False
    illegible: bool = False

    @property
    def refused(self) -> bool:
        """Whether any problem so far is an error."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def problem(
        self,
        message: str,
        file: str | None = None,
        line: int | None = None,
        key: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a problem."""
        self.problems.append(Problem(message, file, line, key, severity))

    def read_files(self, yaml_data: bytes | None = None) -> None:
        """Read oguardai.yaml and oguardai.env; either may be missing.

        Args:
            yaml_data: taken for what stands in oguardai.yaml, to try an edit before it is made.
        """
        try:
            status = os.stat(self.config_dir)
        except FileNotFoundError:
            self.directory_missing = True
        except OSError as error:
            self.problem(f"cannot be read: {os.strerror(error.errno or 0)}", str(self.config_dir))
        except ValueError:  # a NUL in the name
            self.problem("the name of the configuration directory is not a path")
        else:
            if stat.S_ISDIR(status.st_mode):
                self._read_yaml(yaml_data)
                self._read_env_file()
            else:
                self.problem("is not a directory", str(self.config_dir))

    def _read_file(self, name: str) -> FileContent | None:
        try:
            content = read_file(self.config_dir / name, MAX_FILE_BYTES)
        except ProblemFound as found:
            self.problems.append(found.problem)
            self.illegible = True
            return None
        if content is not None and (warning := exposure_warning(content)) is not None:
            self.problems.append(warning)
        return content

    def _read_yaml(self, data: bytes | None) -> None:
        self.yaml = self._read_file(YAML_NAME)
        if data is not None:
            path = self.config_dir / YAML_NAME
            self.yaml = FileContent(path, data, 0o600, ()) if self.yaml is None else replace(self.yaml, data=data)
        if self.yaml is None:
            return
        file = str(self.yaml.path)
        try:
            top, problems = yamlfile.parse_yaml(self.yaml)
        except ProblemFound as found:
            self.problems.append(found.problem)
            self.illegible = True
            return
        self.problems += problems
        detection = top.entries.get("detection")
        if detection is not None and isinstance(detection.value, yamlfile.Mapping):
            declared = detection.value.entries.get("detectors")
            self.own_types = types_of_detectors(declared.value if declared else None)
        for name, entry in top.entries.items():
            if name not in SECTIONS:
                self._unknown_in_yaml(file, entry, None, SECTIONS)
            elif isinstance(entry.value, yamlfile.Mapping):
                self._read_section(file, name, entry.value)
            elif not (isinstance(entry.value, yamlfile.Scalar) and entry.value.is_empty):
                self.problem("expected settings, a line 'name: value' for each", file, entry.line, name)

    def _read_section(self, file: str, section: str, node: yamlfile.Mapping) -> None:
        paths = (*BY_PATH, KEYRING_PATH)
        known = tuple(path.partition(".")[2] for path in paths if path.startswith(f"{section}."))
        for name, entry in node.entries.items():
            path = f"{section}.{name}"
            if path == KEYRING_PATH:
                self.keyring_entry = entry
            elif name in known:
                self._take(BY_PATH[path], from_node, entry.value, (file, entry.line), path)
            else:
                self._unknown_in_yaml(file, entry, section, known)

    def _unknown_in_yaml(self, file: str, entry: yamlfile.Entry, section: str | None, known: tuple[str, ...]) -> None:
        shown = yamlfile.printable_key(entry.key)
        key = ".".join(part for part in (section, shown) if part) or None
        if section:
            what = "is not a setting" if shown else "holds a name that is not a setting"
        else:
            what = "is not a section" if shown else "holds a name that is not a section"
        self.problem(f"{what}{envfile.suggest(entry.key, known)}", file, entry.line, key)

    def _read_env_file(self) -> None:
        self.env = self._read_file(ENV_NAME)
        if self.env is None:
            return
        file = str(self.env.path)
        try:
            values, problems = envfile.parse_env(self.env)
        except ProblemFound as found:
            self.problems.append(found.problem)
            self.illegible = True
            return
        self.problems += problems
        self.illegible |= any(problem.severity is Severity.ERROR for problem in problems)
        for name, item in values.items():
            if not item.value.strip():
                continue
            if name == SECRET_ENV:
                self.file_secret = Secret(item.value, file, item.line)
            elif name == REVOCATION_ENV:
                self.revocation_secrets.append(Secret(item.value, file, item.line))
            else:
                self._take(BY_ENV[name], from_text, item.value, (file, item.line), name)

    def read_environment(self, environ: Mapping[str, str]) -> None:
        """Take what the process environment says; an empty variable counts as absent."""
        links = []
        for name in sorted(name for name in environ if name.startswith(ENV_PREFIX)):
            # A secret made from a file often ends in that file's line end.
            value = environ[name].rstrip("\r\n")
            if name == CONFIG_DIR_ENV or not value.strip():
                continue
            if _LINK_NAME.fullmatch(name) or (name.endswith("_PORT") and _LINK_VALUE.match(value)):
                links.append(name)
            elif name == SECRET_ENV:
                self.variables[name] = value
                self.environment_secret = Secret(value, ENVIRONMENT, None)
            elif name == REVOCATION_ENV:
                self.variables[name] = value
                self.revocation_secrets.append(Secret(value, ENVIRONMENT, None))
            elif name in BY_ENV:
                self.variables[name] = value
                self._take(BY_ENV[name], from_text, value, (ENVIRONMENT, None), name)
            else:
                shown = name if envfile.printable_name(name) else None
                hint = envfile.suggest(name, envfile.known_names())
                what = "is not a setting" if shown else "holds a name that is not a setting"
                self.problem(f"{what}: ignored{hint}", ENVIRONMENT, None, shown, Severity.WARNING)
        if links:
            port = BY_PATH["server.port"].env
            self.problem(
                "is a Kubernetes service link, not a setting: ignored, as are all of its kind "
                "(enableServiceLinks: false in the pod's spec removes them)",
                ENVIRONMENT,
                None,
                port if port in links else links[0],
                Severity.WARNING,
            )

    def read_overrides(self, overrides: Mapping[str, object]) -> None:
        """Take what the command line says; None is an option that was not given."""
        for path, value in overrides.items():
            if value is None:
                continue
            if path in BY_PATH:
                self._take(BY_PATH[path], from_object, value, (COMMAND_LINE, None), path)
            else:
                self.problem("is not a setting", COMMAND_LINE, None, path)

    def _take(
        self,
        setting: Setting,
        read: Callable[[Setting, _Raw, frozenset[str]], object],
        raw: _Raw,
        place: tuple[str, int | None],
        key: str,
    ) -> None:
        try:
            value = read(setting, raw, self.own_types)
        except RefusedError as error:
            self.problem(str(error), *place, key)
            return
        self.values[setting.path] = value
        self.sources[setting.path] = in_words(place)
        self.places[setting.path] = place


def in_words(place: tuple[str, int | None]) -> str:
    """Return ``oguardai.yaml:3`` for a line of a file, the name itself for what has no lines."""
    file, line = place
    return file if line is None else f"{Path(file).name}:{line}"
