"""``session.keyring`` in yaml: from nodes to keys, with every problem at its line."""

from __future__ import annotations

import re
from collections.abc import Mapping as EnvironMapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from oguardai.config.files import FileContent, ProblemFound, decode_text, exposure_warning, read_file
from oguardai.config.registry import KEYRING_PATH
from oguardai.config.yamlfile import Entry, Mapping, Node, Scalar, Sequence, printable_key
from oguardai.errors import NoActiveKeyError, Problem, SecretError
from oguardai.keyring import MAX_KEYS, MAX_KID, Key, Keyring, KeyState

MAX_SECRET_FILE_BYTES = 64 * 1024
CREDENTIALS_ENV = "CREDENTIALS_DIRECTORY"

# Name, what it takes, what it means: the reference prints this.
FIELDS: tuple[tuple[str, str, str], ...] = (
    (
        "kid",
        f"whole number from 0 to {MAX_KID}, required",
        "The key's id, sent in clear in front of every sealed session. Never give one to another secret.",
    ),
    (
        "secret",
        "text; this or `secret_file`",
        "The secret itself, taken literally: `oguardai secret generate` makes one.",
    ),
    (
        "secret_file",
        "path; this or `secret`",
        "File that holds the secret: an absolute path, one relative to the configuration directory, or a "
        "bare name, which is looked for among the unit's systemd credentials (`$CREDENTIALS_DIRECTORY`) first. A "
        f"line end after the secret is ignored; at most {MAX_SECRET_FILE_BYTES // 1024} KiB.",
    ),
    (
        "not_before",
        "time with an offset, such as `2026-12-01T09:00:00Z`",
        "The key opens at once and seals from then on. Lets an edit that reaches hosts at different times "
        "switch all of them at the same moment.",
    ),
    (
        "state",
        "`staged` or `revoked`",
        "`staged`: opens, never seals. `revoked`: does neither, for a secret that was exposed; stays listed "
        "so that logs and metrics can say why. Leave it out for a key in use.",
    ),
)
_FIELD_NAMES = tuple(name for name, _, _ in FIELDS)
_STATES = {"staged": KeyState.STAGED, "revoked": KeyState.REVOKED}
_KID = re.compile(r"0|[1-9][0-9]{0,9}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)  # RFC 3339, 5.6


@dataclass(slots=True)
class KeyringReader:
    """Reads one keyring; ``problems`` and the secret ``files`` that were read are left for the loader."""

    file: str
    config_dir: Path
    environ: EnvironMapping[str, str]
    now: float
    problems: list[Problem] = field(default_factory=list)
    files: list[FileContent] = field(default_factory=list)

    def read(self, entry: Entry) -> Keyring | None:
        """Return the ring, or None when a problem refuses it."""
        before = len(self._errors())
        node = entry.value
        if isinstance(node, Scalar) and node.is_empty:
            node = Sequence([], entry.line)
        if not isinstance(node, Sequence):
            self._problem(KEYRING_PATH, "expected a list of keys, each with kid: and secret:", entry.line)
            return None
        if not node.items:
            self._problem(
                KEYRING_PATH,
                "is empty: list a key, or remove the line to use GUARDAI_SESSION_SECRET",
                entry.line,
            )
        elif len(node.items) > MAX_KEYS:
            message = f"lists {len(node.items)} keys, at most {MAX_KEYS} are taken"
            self._problem(KEYRING_PATH, message, entry.line)
            return None
        keys: list[Key] = []
        kids: dict[int, int] = {}  # kid -> line
        for index, item in enumerate(node.items):
            key = self._key(index, item, kids)
            if key is not None:
                self._check_secret_is_new(index, key, keys, kids, item.line)
                keys.append(key)
        if len(self._errors()) > before:
            return None
        ring = Keyring(tuple(keys))
        try:
            ring.active(self.now)
        except NoActiveKeyError as error:
            self._problem(KEYRING_PATH, str(error), entry.line)
            return None
        return ring

    def _errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    def _problem(self, key: str, message: str, line: int | None) -> None:
        self.problems.append(Problem(message, file=self.file, line=line, key=key))

    def _key(self, index: int, node: Node, kids: dict[int, int]) -> Key | None:
        where = f"{KEYRING_PATH}[{index}]"
        if not isinstance(node, Mapping):
            self._problem(where, "expected a key with the fields kid: and secret:", node.line)
            return None
        for name, entry in node.entries.items():
            if name not in _FIELD_NAMES:
                shown = f"{where}.{name}" if printable_key(name) else where
                known = ", ".join(_FIELD_NAMES)
                self._problem(shown, f"is not a field of a key; known are {known}", entry.line)
        kid = self._kid(where, node, kids)
        secret = self._secret(where, node)
        not_before = self._not_before(where, node)
        state = self._state(where, node)
        if secret is None:
            return None
        text, line, name = secret
        try:
            # Made under kid 0 when the kid is bad, so that problems of the secret are told all the same.
            key = Key.from_secret(kid or 0, text, state=state, not_before=not_before)
        except SecretError as error:
            self._problem(f"{where}.{name}", str(error), line)
            return None
        return key if kid is not None else None

    def _scalar(self, where: str, name: str, node: Mapping, expected: str) -> Scalar | None:
        """Return a field that is a text with something in it; None when it is absent or refused."""
        entry = node.entries.get(name)
        if entry is None:
            return None
        if not isinstance(entry.value, Scalar) or entry.value.is_empty:
            self._problem(f"{where}.{name}", expected, entry.line)
            return None
        return entry.value

    def _kid(self, where: str, node: Mapping, kids: dict[int, int]) -> int | None:
        expected = f"expected a whole number from 0 to {MAX_KID}, without quotes"
        if "kid" not in node.entries:
            self._problem(where, f"has no kid; {expected}", node.line)
            return None
        scalar = self._scalar(where, "kid", node, expected)
        if scalar is None:
            return None
        if not scalar.plain or not _KID.fullmatch(scalar.text) or int(scalar.text) > MAX_KID:
            self._problem(f"{where}.kid", expected, scalar.line)
            return None
        kid = int(scalar.text)
        if kid in kids:
            message = f"kid {kid} is given twice, in lines {kids[kid]} and {scalar.line}"
            self._problem(f"{where}.kid", message, scalar.line)
            return None
        kids[kid] = scalar.line
        return kid

    def _secret(self, where: str, node: Mapping) -> tuple[str, int, str] | None:
        """Return secret, line and the name of the field that gave it."""
        given = [name for name in ("secret", "secret_file") if name in node.entries]
        if len(given) != 1:
            what = "has both secret and secret_file" if given else "has neither secret nor secret_file"
            self._problem(where, f"{what}; expected one of them", node.line)
            return None
        name = given[0]
        scalar = self._scalar(where, name, node, "expected a text" if name == "secret" else "expected a path")
        if scalar is None:
            return None
        if name == "secret":
            return scalar.text, scalar.line, name
        text = self._secret_from_file(f"{where}.secret_file", scalar)
        return None if text is None else (text, scalar.line, name)

    def _secret_from_file(self, key: str, scalar: Scalar) -> str | None:
        if not scalar.text.isprintable():
            self._problem(key, "expected a path", scalar.line)
            return None
        candidates = [self.config_dir / scalar.text]
        credentials = self.environ.get(CREDENTIALS_ENV)
        if credentials and "/" not in scalar.text:
            candidates.insert(0, Path(credentials) / scalar.text)
        try:
            for path in candidates:
                content = read_file(path, MAX_SECRET_FILE_BYTES)
                if content is not None:
                    self.files.append(content)
                    warning = exposure_warning(content, key)
                    if warning is not None:
                        self.problems.append(warning)
                    return decode_text(content).rstrip("\r\n")
        except ProblemFound as error:
            self._problem(key, f"the file {error.problem.message}", scalar.line)
            return None
        self._problem(
            key,
            "there is no such file; expected an absolute path, one relative to the configuration directory, or "
            "the name of a systemd credential",
            scalar.line,
        )
        return None

    def _not_before(self, where: str, node: Mapping) -> float | None:
        expected = "expected a time with an offset, such as 2026-12-01T09:00:00Z"
        scalar = self._scalar(where, "not_before", node, expected)
        if scalar is None:
            return None
        match = _TIME.fullmatch(scalar.text)
        try:
            if match is None:
                raise ValueError
            day, clock, fraction, offset = match.groups()
            return datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{offset.upper()}").timestamp()
        except (ValueError, OverflowError):
            self._problem(f"{where}.not_before", expected, scalar.line)
            return None

    def _state(self, where: str, node: Mapping) -> KeyState:
        expected = "expected staged or revoked, or no state at all for a key in use"
        scalar = self._scalar(where, "state", node, expected)
        if scalar is None:
            return KeyState.IN_USE
        if scalar.text not in _STATES:
            self._problem(f"{where}.state", expected, scalar.line)
        return _STATES.get(scalar.text, KeyState.IN_USE)

    def _check_secret_is_new(self, index: int, key: Key, earlier: list[Key], kids: dict[int, int], line: int) -> None:
        for other in earlier:
            if other.prk == key.prk:
                self._problem(
                    f"{KEYRING_PATH}[{index}]",
                    f"kid {key.kid} has the secret of kid {other.kid} (line {kids[other.kid]}): a new key needs "
                    "a new secret",
                    line,
                )
                return
