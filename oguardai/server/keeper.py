"""The main process's side of the configuration: it alone reads the files, judges them, and publishes what is good."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from oguardai import __version__
from oguardai.config import (
    ENV_NAME,
    SECRET_ENV,
    SETTINGS,
    YAML_NAME,
    Config,
    Settings,
    settings_from_json,
    settings_to_json,
)
from oguardai.errors import ConfigError, Problem, StateError
from oguardai.keyring import MAX_KEYS, Keyring
from oguardai.logs import configure_logging, log_event, log_exception
from oguardai.server.memory import SharedMemory
from oguardai.server.runtime import RuntimeDirectory
from oguardai.server.source import Snapshot, file_identity, stamp_identity
from oguardai.state import State, load, review, save

logger = logging.getLogger(__name__)

_LOOK_INTERVAL_SECONDS = 1.0  # between looks at the file for an unknown kid, in the long run
_LOOKS_IN_A_ROW = 5.0  # so that two edits within a second are both seen at once
_SAVE_INTERVAL_SECONDS = 60.0
_LIBRARIES = ("flask", "gunicorn", "cryptography", "phonenumbers", "prometheus-client", "google-re2")
_MAX_LINES = 50
_MAX_LINE = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reload ended.

    Attributes:
        outcome: ``ok``; ``failed`` (the configuration is bad); ``refused`` (it is valid but looks like an accident,
            ``--force`` overrides); ``partial`` (in force, but some worker did not say that it has switched).
        reasons: why, one line each.
        digest: of the files as they were read, which is what ``--force`` is bound to.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    digest: str = ""


class Keeper:
    """Holds the configuration in force and changes it."""

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config],
        memory: SharedMemory,
        runtime: RuntimeDirectory,
        state_dir: Path,
    ) -> None:
        self.config = config
        self.memory = memory
        self._read = read
        self._runtime = runtime
        self._state_dir = state_dir
        self._columns: dict[tuple[int, str], int] = {}
        self._ring = config.keyring
        self._state = State()
        self._saved = State()
        self._saved_at = time.monotonic()
        self._looks_left = _LOOKS_IN_A_ROW
        self._looks_counted_at = time.monotonic()
        self._look_again_at: float | None = None  # what made a look fail may be mended without a change of the file
        self._counts = {"ok": 0, "refused": 0, "failed": 0, "partial": 0}
        self._last: dict[str, Any] = {"outcome": None, "at": None, "last_success_at": None, "reasons": []}
        self._started_at = time.time()
        self._unsettled = True
        self._active: int | None = None  # as the log has it

    # -- start ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the configuration that the server starts with, and publish it.

        What looks like an accident is logged loudly but does not keep the service down, with one exception.

        Raises:
            ConfigError: the env file's secret changed while something else wins over it.
        """
        now = time.time()
        try:
            before = load(self._state_dir)
        except StateError as error:
            log_event(logger, logging.ERROR, "StateUnreadable", reason=str(error))
            before = None
        if before is None:
            log_event(logger, logging.INFO, "StateUnknown", directory=str(self._state_dir))
            before = State()
        check_env_secret(self.config, before)
        for reason in review(before, self._ring, now=now):
            log_event(logger, logging.ERROR, "KeyringSuspicious", reason=reason)
        before = before.stopped(now)  # whoever sealed before is not running any more
        self._state = self._accept(before, self._ring, now, self.config)
        self._active = self._state.active
        self._save_or_log()
        self._publish(self.config.settings, self._ring)
        self.memory.looked_at = stamp_identity(self.config.yaml_stamp)
        self._last.update(outcome="ok", at=now, last_success_at=now)
        self._log_warnings(self.config)
        self.publish_status()

    # -- reload -----------------------------------------------------------------------------------------

    def reload(self, wait_for_workers: Callable[[int], list[int]]) -> Outcome:
        """Read the files again and switch every worker, or keep everything as it is and say why.

        ``wait_for_workers(generation)`` tells the workers and returns the process ids of those that did not follow.
        """
        try:
            outcome = self._try_reload(wait_for_workers)
        except Exception as error:  # whatever is in the files, it does not end the server
            log_exception(logger, "ReloadCrashed", error)
            outcome = Outcome("failed", (f"a fault of the server ({type(error).__name__}): see its log",))
        now = time.time()
        self._counts[outcome.outcome] += 1
        self._last.update(outcome=outcome.outcome, at=now, reasons=list(outcome.reasons))
        if outcome.outcome == "ok":
            self._last["last_success_at"] = now
        self.publish_status()
        return outcome

    def _try_reload(self, wait_for_workers: Callable[[int], list[int]]) -> Outcome:
        insisted_on = self._runtime.take_force()
        try:
            config = self._read()
            check_env_secret(config, self._state)
        except ConfigError as error:
            return Outcome("failed", shortened(error.reasons))
        if not self.memory.snapshot.fits(Snapshot(config.settings, config.keyring, {}).pack()):
            return Outcome("failed", ("the configuration is too large for the workers' memory",), config.digest)
        forced = insisted_on == config.digest
        reasons = self._review(config, forced)
        if reasons:
            return Outcome("refused", tuple(reasons), config.digest)
        return self._switch(config, wait_for_workers)

    def _review(self, config: Config, forced: bool) -> list[str]:
        now = time.time()
        reasons = review(self._with_seen(), config.keyring, now=now)
        if not reasons:
            try:
                accepted = self._accept(self._state, config.keyring, now, config)
                save(self._state_dir, accepted)
                self._state = self._saved = accepted
                return []
            except StateError as error:
                reasons = [str(error)]
                forced = forced or self._revokes(config.keyring)  # a leaked key must go, whatever the disk says
        if not forced:
            return reasons
        for reason in reasons:
            log_event(logger, logging.WARNING, "ReloadForced", reason=reason)
        self._state = self._accept(self._state, config.keyring, now, config)
        self._save_or_log()
        return []

    def _revokes(self, ring: Keyring) -> bool:
        """Tell whether a key that is in use is revoked by ``ring``."""
        return any((key := ring.find(old.kid)) is not None and old.opens and not key.opens for old in self._ring.keys)

    def _switch(self, config: Config, wait_for_workers: Callable[[int], list[int]]) -> Outcome:
        settings = self._keep_restart_settings(config.settings)
        self.config = dataclasses.replace(config, settings=settings)
        self._ring = config.keyring
        self._active = self._ring.active_kid(time.time())
        self._unsettled = True
        configure_logging(settings.log.format, settings.log.level)
        generation = self._publish(settings, self._ring)
        self.memory.looked_at = stamp_identity(config.yaml_stamp)
        late = wait_for_workers(generation)
        self._log_warnings(config)
        if late:
            names = ", ".join(str(pid) for pid in late)
            return Outcome("partial", (f"did not switch in time: worker {names}",), config.digest)
        self.settle()
        return Outcome("ok", (), config.digest)

    def _keep_restart_settings(self, new: Settings) -> Settings:
        """Return the new settings with the old value of each that needs a restart, and name those in the log."""
        merged, old = settings_to_json(new), settings_to_json(self.config.settings)
        for setting in SETTINGS:
            section, _, name = setting.path.partition(".")
            before, after = _at(old, section), _at(merged, section)
            if setting.restart and before[name] != after[name]:
                after[name] = before[name]
                log_event(logger, logging.WARNING, "RestartNeeded", setting=setting.path)
        return settings_from_json(merged)

    # -- look -------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at the file because a client showed a kid that is not known: take new kids, to open only.

        Once a second in the long run, and only if the file changed since the last look: no client decides when an edit
        goes live, or how often files are read.
        """
        identity = file_identity(self.config.config_dir / YAML_NAME)
        if identity == self.memory.looked_at:
            return
        now = time.monotonic()
        gained = (now - self._looks_counted_at) / _LOOK_INTERVAL_SECONDS
        self._looks_left, self._looks_counted_at = min(_LOOKS_IN_A_ROW, self._looks_left + gained), now
        if self._looks_left < 1.0:
            return
        self._looks_left -= 1.0
        try:
            config = self._read()
        except ConfigError as error:
            log_event(logger, logging.WARNING, "LookFailed", reason=error.reasons[0])
            self.memory.looked_at = identity  # nobody waits for what cannot be read
            self._look_again_at = time.monotonic() + _LOOK_INTERVAL_SECONDS
            return
        ring = self._ring.with_new_keys_staged(config.keyring)
        if ring is not self._ring:
            new = [key.kid for key in ring.keys if self._ring.find(key.kid) is None]
            log_event(logger, logging.INFO, "NewKidsTaken", kids=new, note="to open only, until a reload")
            self._ring = ring
            self._state = self._accept(self._state, ring, time.time())  # else nobody would miss a kid taken back
            self._unsettled = True
            self._save_or_log()
            self._publish(self.config.settings, ring)
            self.publish_status()
        self.memory.looked_at = stamp_identity(config.yaml_stamp)

    # -- all the time -----------------------------------------------------------------------------------

    def tick(self, all_acknowledged: bool) -> None:
        """Keep the state true as time passes: a not_before that comes, workers that followed late, sessions seen."""
        now = time.time()
        if self._look_again_at is not None and time.monotonic() >= self._look_again_at:
            self.memory.looked_at, self._look_again_at = 0, None
        active = self._ring.active_kid(now)
        if active != self._active:
            self._active = active
            self._unsettled = True
            log_event(logger, logging.INFO, "ActiveKeyChanged", kid=active)
        if self._unsettled and all_acknowledged:
            self.settle()
            if self._last["outcome"] == "partial":  # the late have followed, or were replaced
                self._last.update(outcome="ok", last_success_at=now)
            self.publish_status()
        if time.monotonic() - self._saved_at > _SAVE_INTERVAL_SECONDS:
            self._state = self._with_seen()
            self._save_or_log()

    def settle(self) -> None:
        """Note that no worker seals with any key but the active one."""
        self._state = self._with_seen().settle(self._ring, now=time.time())
        self._unsettled = False
        self._save_or_log()

    def stop(self) -> None:
        """Note that no worker runs any more."""
        self._state = self._with_seen().stopped(time.time())
        self._save_or_log()

    def publish_status(self) -> None:
        """Tell the workers what is true of the server as a whole, for diagnostics and metrics."""
        status = {
            "version": __version__,
            "python": platform.python_version(),
            "libraries": {name: _version_of(name) for name in _LIBRARIES},
            "pid": os.getpid(),
            "started_at": self._started_at,
            "config": {
                "dir": str(self.config.config_dir),
                "digest": self.config.digest,
                "sources": dict(self.config.sources),
                "warnings": shortened(str(problem) for problem in self.config.warnings),
            },
            "reload": {**self._last, "counts": self._counts},
            "highest_kid": self._state.highest_kid,
            "records": {str(kid): dataclasses.asdict(record) for kid, record in self._state.keys.items()},
        }
        self.memory.status.write(json.dumps(status).encode())

    # -- pieces -----------------------------------------------------------------------------------------

    def _accept(self, state: State, ring: Keyring, now: float, config: Config | None = None) -> State:
        """Return the state in which ``ring`` may be published, with the files that it came from if they changed."""
        ttl = (config or self.config).settings.session.ttl_seconds
        return state.accept(ring, now=now, ttl=ttl, env_file_secret=config.env_file_secret if config else None)

    def _publish(self, settings: Settings, ring: Keyring) -> int:
        listed = {(key.kid, key.fingerprint) for key in ring.keys}
        for gone in [one for one in self._columns if one not in listed]:
            del self._columns[gone]
        free = sorted(set(range(MAX_KEYS)) - set(self._columns.values()))
        for key, column in zip(sorted(listed - self._columns.keys()), free, strict=False):
            self._columns[key] = column
            self.memory.clear_column(column)
        columns = {kid: column for (kid, _), column in self._columns.items()}
        return self.memory.snapshot.write(Snapshot(settings, ring, columns).pack())

    def _with_seen(self) -> State:
        return self._state.with_seen(
            {kid: self.memory.total(column).latest_expiry for (kid, _), column in self._columns.items()}
        )

    def _save_or_log(self) -> None:
        self._saved_at = time.monotonic()
        if self._state == self._saved:
            return
        try:
            save(self._state_dir, self._state)
            self._saved = self._state
        except StateError as error:
            log_event(logger, logging.ERROR, "StateNotSaved", reason=str(error))

    def _log_warnings(self, config: Config) -> None:
        for problem in shortened(str(problem) for problem in config.warnings):
            log_event(logger, logging.WARNING, "ConfigWarning", problem=problem)


def shortened(lines: Iterable[str]) -> tuple[str, ...]:
    """Return as many lines as somebody reads and a report holds, and how many there are beyond."""
    cut = [line if len(line) <= _MAX_LINE else line[:_MAX_LINE] + "..." for line in lines]
    more = len(cut) - _MAX_LINES
    return (*cut[:_MAX_LINES], f"and {more} more") if more > 0 else tuple(cut)


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _at(settings: Mapping[str, object], section: str) -> dict[str, object]:
    value = settings[section]
    assert isinstance(value, dict)  # noqa: S101 - for the type checker
    return value


def check_env_secret(config: Config, state: State) -> None:
    """Refuse a secret that was changed where it has no effect: who changed it believes that the old one is gone."""
    if config.env_file_secret is None or config.env_file_secret_wins:
        return
    is_first = state.env_file_secret is None and state.active is None  # what stands there then was there before us
    if is_first or state.env_file_secret == config.env_file_secret:
        return
    winner = "session.keyring" if config.keyring.keys[0].source == "keyring" else "the process environment"
    raise ConfigError(
        [
            Problem(
                f"is new, but {winner} wins over it, so the key that seals is still the old one; "
                "to rotate, use: oguardai keyring rotate; or take the change back, or remove the line",
                file=str(config.config_dir / ENV_NAME),
                key=SECRET_ENV,
            )
        ]
    )
