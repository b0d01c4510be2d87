"""Where the application gets its settings and keys from: a server that can change them, or fixed ones."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oguardai import __version__
from oguardai.keyring import Keyring
from oguardai.keystatus import Usage, describe_keyring

if TYPE_CHECKING:
    from oguardai.config import Config, Settings


class Source(Protocol):
    """What the application asks the server it runs in. Every method is called by several threads at once."""

    def settings(self) -> Settings:
        """Return the settings in force; called once a request."""
        ...

    def keyring(self) -> Keyring:
        """Return the keyring in force; cheap, called each time a session is opened or sealed."""
        ...

    def keyring_knowing(self, kid: int) -> Keyring:
        """Return the keyring after one more look for a kid that is not in it; waits for a bounded time."""
        ...

    def draining(self) -> bool:
        """Tell whether the server is about to stop; requests are still served."""
        ...

    def serving(self) -> bool:
        """Tell whether the server is up: configuration taken, workers running."""
        ...

    def uptime_seconds(self) -> float:
        """Return the time since the server, not this worker, was started."""
        ...

    def reload_outcome(self) -> str | None:
        """Return how the last reload ended; cheap, for the health check."""
        ...

    def server_status(self) -> Mapping[str, Any]:
        """Return what is true of the server as a whole, ready for JSON and without any secret.

        Times are unix seconds; what is not known is None or missing::

            {"version", "pid", "started_at", "generation",
             "config": {"dir", "digest", "sources": {setting: where}, "warnings": [text]},
             "keyring": as describe_keyring() of keystatus.py gives it,
             "reload": {"outcome": ok|partial|refused|failed, "at", "last_success_at", "reasons": [text],
                        "counts": {outcome: number}},
             "workers": [{"pid", "generation", "heartbeat_age_seconds"}]}
        """
        ...

    def record_seal(self, kid: int, expires_at: float) -> None:
        """Note that a session was sealed under a kid and runs until ``expires_at`` (unix seconds)."""
        ...

    def record_open(self, kid: int, expires_at: float) -> None:
        """Note that a session was opened under a kid and runs until ``expires_at`` (unix seconds)."""
        ...


class StaticSource:
    """Settings and keys that never change, in one process: for tests and for use without the server."""

    def __init__(self, settings: Settings, keyring: Keyring, *, config: Config | None = None) -> None:
        self._settings = settings
        self._keyring = keyring
        self._config = config
        self._started = time.monotonic()
        self._started_at = time.time()
        self._usage: dict[int, Usage] = {}

    def settings(self) -> Settings:
        return self._settings

    def keyring(self) -> Keyring:
        return self._keyring

    def keyring_knowing(self, kid: int) -> Keyring:
        return self._keyring

    def draining(self) -> bool:
        return False

    def serving(self) -> bool:
        return True

    def uptime_seconds(self) -> float:
        return time.monotonic() - self._started

    def record_seal(self, kid: int, expires_at: float) -> None:
        self._count(kid, Usage(sealed=1, last_seal=time.time(), latest_expiry=expires_at))

    def record_open(self, kid: int, expires_at: float) -> None:
        self._count(kid, Usage(opened=1, last_open=time.time(), latest_expiry=expires_at))

    def _count(self, kid: int, usage: Usage) -> None:
        self._usage[kid] = self._usage.get(kid, Usage()).merged(usage)

    def reload_outcome(self) -> str | None:
        return None

    def server_status(self) -> dict[str, Any]:
        config = self._config
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started_at": self._started_at,
            "generation": 0,
            "config": {
                "dir": str(config.config_dir) if config else None,
                "digest": config.digest if config else None,
                "sources": dict(config.sources) if config else {},
                "warnings": [str(warning) for warning in config.warnings] if config else [],
            },
            "keyring": describe_keyring(
                self._keyring, now=time.time(), ttl=self._settings.session.ttl_seconds, usage=self._usage
            ),
            "reload": {
                "outcome": "ok",
                "at": self._started_at,
                "last_success_at": self._started_at,
                "reasons": [],
                "counts": {},
            },
            "workers": [{"pid": os.getpid(), "generation": 0, "heartbeat_age_seconds": 0.0}],
        }
