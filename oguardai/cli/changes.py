"""Changes of the keyring: what each does to the text of oguardai.yaml, and what to the keys.

The one is held against the other before anything is written (``editor.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from oguardai.cli import keyedit
from oguardai.keyring import Key, Keyring, KeyState
from oguardai.state import format_moment


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
