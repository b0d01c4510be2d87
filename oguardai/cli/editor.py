"""Write changes of the keyring into oguardai.yaml: whole or not at all, checked, with a way back.

A change is written only if the edited text, read as the server will read it, gives exactly the keys expected.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from oguardai.cli import keyedit
from oguardai.cli.failure import Failure
from oguardai.cli.files import check_unchanged, replace_file
from oguardai.cli.options import config_dir, hint, read_config
from oguardai.config import ENV_NAME, YAML_NAME, load_config
from oguardai.errors import ConfigError
from oguardai.keyring import Keyring

if TYPE_CHECKING:
    from oguardai.cli.changes import Change
    from oguardai.config import Config

BACKUP_SUFFIX = ".bak"
_BEFORE = "# oguardai.yaml as it was before its keyring became "
_MARK = re.compile(rb"\n" + _BEFORE.encode() + rb"([0-9a-f]{16})\r?\n\Z")


@dataclass(frozen=True, slots=True)
class Editor:
    """The configuration as it is, while no other command changes it."""

    found: Config
    path: Path
    now: float  # unix seconds
    data: bytes = field(repr=False)  # of oguardai.yaml; empty when there is none

    @property
    def backup(self) -> Path:
        """Where the file goes as it was before the last edit."""
        return self.path.with_name(self.path.name + BACKUP_SUFFIX)

    def write(self, changes: Sequence[Change], *, scrub: Sequence[int] = ()) -> Keyring:
        """Make the changes, all or none, and keep the file as it was as the backup; return the new keys.

        Args:
            scrub: kids that the backup must not have: it is then the new file without them, and holds nothing to go
                back to.

        Raises:
            Failure: the file cannot be edited so, or was changed by somebody else; it is untouched.
        """
        expected = reduce(lambda ring, change: change.apply(ring), changes, self.found.keyring)
        try:
            edited = keyedit.edit(self.data, lambda text: reduce(lambda each, change: change.edit(each), changes, text))
        except keyedit.NotEditableError as error:
            raise Failure(f"{self.path}: {error}") from None
        self._check(edited, expected)
        status = check_unchanged(self.path, self.found.yaml_stamp)
        self._write_backup(edited if scrub else self.data, expected, scrub, status)
        replace_file(str(self.path), edited, like=status)
        return expected

    def _check(self, edited: bytes, expected: Keyring) -> None:
        """Read the edited file as the server will, before it takes the place of the old one."""
        try:
            new = load_config(self.found.config_dir, os.environ, now=self.now, yaml_data=edited)
        except ConfigError as error:
            raise Failure(["the file would be refused with this change; nothing was written", *error.reasons]) from None
        if new.keyring != expected or new.settings != self.found.settings:
            raise Failure(f"{self.path}: cannot be edited safely; change it by hand")

    def _write_backup(self, data: bytes, after: Keyring, scrub: Sequence[int], status: os.stat_result) -> None:
        """Keep the file as it was, without revoked keys, and in its last line of which keyring it is the way back."""
        kids = {*scrub, *(key.kid for key in self.found.keyring.keys if not key.opens)}
        secrets = [keyedit.fields_of(keyedit.decode(self.data), kid).get("secret", "") for kid in kids]
        left = [kid for kid in kids if keyedit.lists(keyedit.decode(data), kid)]
        with contextlib.suppress(keyedit.NotEditableError):  # the last key: there is nothing to keep
            data = keyedit.edit(data, lambda text: reduce(keyedit.remove_key, left, text))
            if data and not any(secret and secret.encode() in data for secret in secrets):
                end = b"" if data.endswith(b"\n") else b"\n"
                content = data + end + f"{_BEFORE}{after.fingerprint}\n".encode()
                replace_file(str(self.backup), content, like=status, follow=False)
                return
        self.backup.unlink(missing_ok=True)

    def read_backup(self) -> tuple[bytes, Config]:
        """Return the file as it was before the last edit, and the configuration that it was.

        Raises:
            Failure: there is none, it is not that of the keyring in the file, or not valid any more.
        """
        try:
            data = self.backup.read_bytes()
        except FileNotFoundError:
            raise Failure(f"there is no {self.backup}, so there is no last change to go back on") from None
        try:
            is_ring = keyedit.lists(keyedit.decode(data), None)
        except (UnicodeDecodeError, yaml.YAMLError, keyedit.NotEditableError):
            raise Failure(f"{self.backup}: is not valid: it is no yaml that these commands wrote") from None
        if not is_ring:
            raise Failure(
                f"{self.backup} is from before there was a keyring, so there is no change of it to go back on"
            )
        mark = _MARK.search(data)
        is_ours = mark is not None and mark[1].decode() == self.found.keyring.fingerprint
        if not is_ours and not data.startswith(self.data):  # if so, the edit that left it was cut short
            raise Failure(
                (
                    f"the keyring in {self.path} is not the one whose edit left {self.backup}: it came from "
                    "elsewhere, or was changed by hand",
                    f"to let an earlier key seal: {hint('keyring activate')} KID",
                )
            )
        try:
            return data, load_config(self.found.config_dir, os.environ, now=self.now, yaml_data=data)
        except ConfigError as error:
            raise Failure([f"{self.backup}: is not valid:", *error.reasons]) from None

    def secret_file_of(self, kid: int) -> str | None:
        """Return the ``secret_file`` of a key, None for one whose secret stands in oguardai.yaml."""
        return keyedit.fields_of(keyedit.decode(self.data), kid).get("secret_file")


@contextlib.contextmanager
def editing() -> Iterator[Editor]:
    """Read the configuration and keep other commands from changing it meanwhile.

    Raises:
        Failure: another command is changing it.
        ConfigError: it is bad.
    """
    with locked(config_dir()):
        found = read_config()
        path = found.config_dir / YAML_NAME
        yield Editor(found, path, time.time(), path.read_bytes() if found.yaml_stamp is not None else b"")


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other commands from changing what is in the directory; clear what a killed one left there.

    Raises:
        Failure: another command is changing it.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # the configuration's own problem, which its reader tells
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"{directory}: is being changed by another command; try again") from None
        for folder in {directory, *((directory / name).resolve().parent for name in (YAML_NAME, ENV_NAME))}:
            for leftover in folder.glob(".oguardai.*.tmp"):
                with contextlib.suppress(OSError):
                    leftover.unlink()
        yield
    finally:
        os.close(descriptor)
