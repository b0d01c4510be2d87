"""Edit ``GUARDAI_SESSION_SECRET`` in oguardai.env: the safe form of a ``sed`` on that line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from oguardai.cli.failure import Failure
from oguardai.cli.files import check_unchanged, replace_file
from oguardai.config import ENV_NAME, SECRET_ENV
from oguardai.config.envfile import parse_env
from oguardai.config.files import MAX_FILE_BYTES, FileContent, ProblemFound, read_file

if TYPE_CHECKING:
    from oguardai.config import Config

_BLANK = r"[^\S\r\n]"
_NAME = rf"(?:{SECRET_ENV}|'{SECRET_ENV}')"
_LINE = re.compile(rf"(?:^|(?<=\r))({_BLANK}*(?:export{_BLANK}+)?{_NAME}{_BLANK}*=)[^\r\n]*", re.MULTILINE)
_MARK = b"\xef\xbb\xbf"  # byte-order mark
_BARE = re.compile(r"[A-Za-z0-9_+/=.,:~^-]+")
_MOVED = "# The keys are in oguardai.yaml, session.keyring. To rotate: oguardai keyring rotate"


def read_secret(found: Config) -> str:
    """Return the secret in force, of the environment or of the env file, whose key ``found`` has."""
    from_environment = os.environ.get(SECRET_ENV, "").rstrip("\r\n")
    if from_environment.strip():
        return from_environment
    return _parse(_read(found.config_dir))[SECRET_ENV]


def empty_secret(found: Config) -> Path | None:
    """Empty every line of the secret in the env file, with a comment above; return the file, None when it has none."""
    content = _read(found.config_dir)
    if content is None or not _parse(content).get(SECRET_ENV, ""):
        return None
    text = _decode(content)
    edited = _LINE.sub(r"\1", text)
    first = _LINE.search(edited)
    assert first is not None  # noqa: S101 - the parser found it
    if _MOVED not in edited:
        newline = "\r\n" if "\r\n" in text else "\n"
        edited = edited[: first.start()] + _MOVED + newline + edited[first.start() :]
    _write(content, edited, "")
    return content.path


def set_secret(directory: Path, secret: str) -> Path:
    """Put a secret into the env file, in its line or in a new one; return the file.

    Raises:
        Failure: it is there already, or cannot be written in an env file, or the file was changed meanwhile.
    """
    content = _read(directory)
    value = secret if _BARE.fullmatch(secret) else "'" + secret.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if content is None:
        content = FileContent(directory / ENV_NAME, b"", 0o640, ())
    if _parse(content).get(SECRET_ENV) == secret:
        raise Failure(f"{content.path}: the secret is the one that is there already; nothing was written")
    text = _decode(content)
    if _LINE.search(text):
        edited = _LINE.sub(lambda match: match[1] + value, text)
    else:
        newline = "\r\n" if "\r\n" in text else "\n"
        edited = f"{text}{'' if not text or text.endswith(chr(10)) else newline}{SECRET_ENV}={value}{newline}"
    _write(content, edited, secret)
    return content.path


def _read(directory: Path) -> FileContent | None:
    try:
        return read_file(directory / ENV_NAME, MAX_FILE_BYTES)
    except ProblemFound as error:
        raise Failure(str(error.problem)) from None


def _parse(content: FileContent | None) -> dict[str, str]:
    if content is None:
        return {}
    return {name: item.value for name, item in parse_env(content)[0].items()}


def _decode(content: FileContent) -> str:
    return content.data.removeprefix(_MARK).decode()  # the parser has read it


def _write(content: FileContent, text: str, secret: str) -> None:
    """Replace the file, after a look whether its reader will find this secret and it still is what was read."""
    mark = _MARK if content.data.startswith(_MARK) else b""
    edited = FileContent(content.path, mark + text.encode(), content.mode, content.stamp)
    before, after = _parse(content), _parse(edited)
    if after.pop(SECRET_ENV, "") != secret or {**before, SECRET_ENV: ""} != {**after, SECRET_ENV: ""}:
        raise Failure(f"{content.path}: cannot be edited safely; make a secret with: oguardai secret generate")
    status = check_unchanged(content.path, content.stamp or None)
    replace_file(str(content.path), edited.data, like=status)
