"""Changes of the keyring: what each does to the file's text, and what to the keys.

A change is written only if the edited text, read as the server will read it, gives exactly the keys expected.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from oguardai.cli import keyedit
from oguardai.cli.failure import Failure
from oguardai.cli.files import check_unchanged, replace_file
from oguardai.cli.options import config_dir, hint, read_config
from oguardai.config import ENV_NAME, YAML_NAME, load_config
from oguardai.errors import ConfigError
from oguardai.keyring import Key, Keyring, KeyState
from oguardai.state import format_moment

if TYPE_CHECKING:
    from oguardai.config import Config

BACKUP_SUFFIX = ".bak"
_BEFORE = "# oguardai.yaml as it was before its keyring became "
_MARK = re.compile(rb"\n" + _BEFORE.encode() + rb"([0-9a-f]{16})\r?\n\Z")


class Change(Protocol):
    """One step of an edit."""

    def edit(self, text: str) -> str:
        """Return the text of oguardai.yaml with it; raises NotEditableError."""

    def apply(self, ring: Keyring) -> Keyring:
        """Return the keys with it."""


@dataclass(frozen=True, slots=True)
class Create:
    """Make a keyring of the one key that came from GUARDAI_SESSION_SECRET."""

    kid: int
    secret: str = field(repr=False)

    def edit(self, text: str) -> str:
        return keyedit.create_keyring(text, {"kid": str(self.kid), "secret": self.secret})

    def apply(self, ring: Keyring) -> Keyring:
        return Keyring((Key.from_secret(self.kid, self.secret),))


@dataclass(frozen=True, slots=True)
class Add:
    """Add a key at the end, where it seals, or will, unless it is staged."""

    kid: int
    secret: str = field(repr=False)
    state: KeyState = KeyState.IN_USE
    not_before: float | None = None  # whole unix seconds

    def edit(self, text: str) -> str:
        fields = {"kid": str(self.kid)}
        if self.state is not KeyState.IN_USE:
            fields["state"] = str(self.state)
        if self.not_before is not None:
            fields["not_before"] = format_moment(self.not_before)
        return keyedit.append_key(text, {**fields, "secret": self.secret})

    def apply(self, ring: Keyring) -> Keyring:
        new = Key.from_secret(self.kid, self.secret, state=self.state, not_before=self.not_before)
        return Keyring((*ring.keys, new))


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring back a key that a backup has, in front of all others, where it opens and hardly ever seals."""

    key: Key
    fields: Mapping[str, str] = field(repr=False)

    def edit(self, text: str) -> str:
        return keyedit.prepend_key(text, self.fields)

    def apply(self, ring: Keyring) -> Keyring:
        return Keyring((self.key, *ring.keys))


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a key out."""

    kid: int

    def edit(self, text: str) -> str:
        return keyedit.remove_key(text, self.kid)

    def apply(self, ring: Keyring) -> Keyring:
        return Keyring(tuple(key for key in ring.keys if key.kid != self.kid))


@dataclass(frozen=True, slots=True)
class SetState:
    """Let a key be used, stage it, or revoke it."""

    kid: int
    state: KeyState

    def edit(self, text: str) -> str:
        value = None if self.state is KeyState.IN_USE else str(self.state)
        return keyedit.set_field(text, self.kid, "state", value)

    def apply(self, ring: Keyring) -> Keyring:
        return _with(ring, self.kid, lambda key: replace(key, state=self.state))


@dataclass(frozen=True, slots=True)
class ClearNotBefore:
    """Let a key seal without waiting for its time."""

    kid: int

    def edit(self, text: str) -> str:
        return keyedit.set_field(text, self.kid, "not_before", None)

    def apply(self, ring: Keyring) -> Keyring:
        return _with(ring, self.kid, lambda key: replace(key, not_before=None))


@dataclass(frozen=True, slots=True)
class MoveLast:
    """Put a key at the end, where it wins over all others that can seal."""

    kid: int

    def edit(self, text: str) -> str:
        return keyedit.move_last(text, self.kid)

    def apply(self, ring: Keyring) -> Keyring:
        moved = [key for key in ring.keys if key.kid == self.kid]
        return Keyring((*(key for key in ring.keys if key.kid != self.kid), *moved))


def _with(ring: Keyring, kid: int, change: Callable[[Key], Key]) -> Keyring:
    return Keyring(tuple(change(key) if key.kid == kid else key for key in ring.keys))


# -- writing ------------------------------------------------------------------------------------------------------


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
        if not keyedit.lists(keyedit.decode(data), None):
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
