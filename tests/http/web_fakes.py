"""A source that tests can change, and what was logged: not in conftest.py, since other folders have one too."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

from oguardai.config import Settings
from oguardai.keyring import Key, Keyring, KeyState
from oguardai.web import StaticSource

SECRETS = {
    0: "m4Vt8kQz1pWx6RbYd3HsJ9gLf2NcA7eU",
    1: "T5uKq2ZrXw8Lb1NvPd6HsJ4gMf9YcA3e",
    2: "c7Rj3MxPz5Wk9TbQv1HsD8gLf4NyA6eU",
}


def make_key(kid: int, state: KeyState = KeyState.IN_USE, not_before: float | None = None) -> Key:
    return Key.from_secret(kid, SECRETS[kid], state=state, not_before=not_before)


class FakeSource(StaticSource):
    """A StaticSource whose answers a test sets, and that notes what it was told."""

    def __init__(self) -> None:
        super().__init__(Settings(), Keyring((make_key(0), make_key(1))))
        self.is_draining = False
        self.is_serving = True
        self.outcome = "ok"
        self.fresh_keyring: Keyring | None = None  # what a second look finds
        self.looked_for: list[int] = []
        self.seals: list[tuple[int, float]] = []
        self.opens: list[tuple[int, float]] = []

    def draining(self) -> bool:
        return self.is_draining

    def serving(self) -> bool:
        return self.is_serving

    def set_keys(self, *keys: Key) -> None:
        self._keyring = Keyring(keys)

    def set_setting(self, section: str, **values: Any) -> None:
        old = self._settings
        self._settings = dataclasses.replace(old, **{section: dataclasses.replace(getattr(old, section), **values)})

    def keyring_knowing(self, kid: int) -> Keyring:
        self.looked_for.append(kid)
        if self.fresh_keyring is not None:
            self._keyring = self.fresh_keyring
        return self._keyring

    def record_seal(self, kid: int, expires_at: float) -> None:
        self.seals.append((kid, expires_at))
        super().record_seal(kid, expires_at)

    def record_open(self, kid: int, expires_at: float) -> None:
        self.opens.append((kid, expires_at))
        super().record_open(kid, expires_at)

    def reload_outcome(self) -> str | None:
        return self.outcome

    def server_status(self) -> dict[str, Any]:
        status = super().server_status()
        status["reload"]["outcome"] = self.outcome
        return status


class Lines:
    """Every line that was logged, as the journal would get it."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def of(self, event: str) -> list[dict[str, Any]]:
        events = [json.loads(line) for line in self.text.splitlines()]
        return [one for one in events if one["event"] == event]
