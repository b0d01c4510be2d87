"""A fleet in one process: real files, keepers, workers' sources and commands, and clocks that only the test moves.

Whatever happens to the fleet goes through :class:`Fleet`, which also knows what its clients hold, and checks after
every step what must always be true (see ``test_rotation_model.py``). Times are multiples of an eighth of a second, so
that no rounding blurs a comparison.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from oguardai import config as configuration
from oguardai.cli import keyfacts, remote
from oguardai.cli.failure import ExitCode
from oguardai.cli.keyfacts import THIS_HOST, Facts
from oguardai.config import Config, ensure_private_dir, load_config
from oguardai.errors import ConfigError, SessionExpiredError
from oguardai.keyring import Key, Keyring
from oguardai.rehydrate import RehydrateRequest, rehydrate
from oguardai.server import keeper as keeping
from oguardai.server.keeper import Keeper
from oguardai.server.memory import SharedMemory
from oguardai.server.runtime import RuntimeDirectory
from oguardai.server.source import WorkerSource
from oguardai.transform import TransformRequest, transform
from tests.cli.harness import Host, Outcome

EIGHTH = 0.125
BEGIN = 1_800_000_000.0
TEXT = "write to jane.roe@example.com"
SAFE = frozenset({"ok", "partial"})


@dataclass(frozen=True)
class Held:
    """A session as a client holds it."""

    text: str = field(repr=False)
    safe_text: str = field(repr=False)
    state: str = field(repr=False)
    kid: int
    fingerprint: str
    expires_at: int  # unix milliseconds, by the clock of the instance that sealed it


class Instance:
    """One host: its files, its clock and, while it runs, its main process and one worker."""

    def __init__(self, fleet: Fleet, index: int, offset: float) -> None:
        self.fleet = fleet
        self.name = f"http://instance-{index}:3000"
        self.offset = offset
        self.host = Host(fleet.root / str(index))
        self.host.config_dir.mkdir(parents=True)
        self.version = 0
        self.runtime = RuntimeDirectory(self.host.root / "run")
        self.runtime.path.mkdir()
        self.memory = SharedMemory()
        self.keeper: Keeper | None = None
        self.source: WorkerSource | None = None
        self.distrusts: set[str] = set()  # fingerprints of the revoked keys that it has taken as such

    @property
    def is_up(self) -> bool:
        return self.keeper is not None

    @property
    def now(self) -> float:
        return self.fleet.now + self.offset

    @property
    def now_ms(self) -> int:
        return int(self.now * 1000)

    @property
    def on_disk(self) -> Keyring:
        return self.fleet.rings[self.version]

    def read(self) -> Config:
        return load_config(self.host.config_dir, {}, now=time.time())

    def ring(self) -> Keyring:
        """Return the keys in force; of one that is down, those that it would start with."""
        return self.source.keyring() if self.source is not None else self.on_disk

    def start(self) -> None:
        """Start as the server does: a new main process with new memory, and what the state directory remembers."""
        with self.fleet.at(self):
            config = self.read()
            state_dir = ensure_private_dir(configuration.state_dir(config))
            self.memory = SharedMemory()
            self.keeper = Keeper(config, self.read, self.memory, self.runtime, state_dir)
            self.keeper.start()
            self.source = WorkerSource(self.memory, self.host.yaml, self.runtime.admin_socket)
            self.source.call_main = self.keeper.look  # type: ignore[method-assign]
            self.source.attach(0)
            self.keeper.tick(all_acknowledged=True)
        self._note_revoked()

    def stop(self) -> None:
        assert self.keeper is not None
        with self.fleet.at(self):
            self.keeper.stop()
        self.crash()

    def crash(self) -> None:
        """End as by SIGKILL: nothing more is written down."""
        self.keeper = self.source = None

    def reload(self, *, late: bool = False) -> str:
        """Reload; with a worker that does not say that it has switched, if ``late``."""
        assert self.keeper is not None
        with self.fleet.at(self):
            outcome = self.keeper.reload(lambda _generation: [os.getpid()] if late else [])
        if outcome.outcome in SAFE:
            self._note_revoked()
        assert outcome.outcome in SAFE, f"{self.name}: reload {outcome.outcome}: {outcome.reasons}"
        return outcome.outcome

    def _note_revoked(self) -> None:
        self.distrusts |= {key.fingerprint for key in self.ring().keys if not key.opens}

    def tick(self, *, acknowledged: bool = True) -> None:
        assert self.keeper is not None
        with self.fleet.at(self):
            self.keeper.tick(acknowledged)

    def facts(self, name: str | None = None) -> Facts:
        """Return what ``/v1/diagnostics`` says, or of an instance that is down, what its files say."""
        with self.fleet.at(self):
            if self.source is None:
                return keyfacts.read_files(self.read())
            return Facts(name or self.name, self.source.server_status()["keyring"], os.getpid())


class Fleet:
    """Instances, the files that they are given, and the clients.

    The first instance is the one on which the administrator edits, so its file is always the newest.
    """

    def __init__(self, offsets: Sequence[float], *, ttl: int, from_env: bool = False) -> None:
        self.now = BEGIN
        self.reached: Counter[str] = Counter()
        self.held: list[Held] = []
        self.revoked: set[str] = set()  # fingerprints of keys that some version of the file revokes
        self.latest_expiry: dict[tuple[int, str], int] = {}  # of the sessions that clients hold
        self.versions: list[bytes] = []
        self.rings: list[Keyring] = []
        self._stamps = itertools.count(1)
        self._disabled = logging.root.manager.disable
        self._patch = pytest.MonkeyPatch()
        self.root = Path(tempfile.mkdtemp(prefix="oguardai-fleet-"))
        self._prepare()
        self.instances = [Instance(self, index, offset) for index, offset in enumerate(offsets)]
        self.admin = self.instances[0]
        secret = self.admin.host.secrets[0]
        keyring = "" if from_env else f"  keyring:\n    - kid: 0\n      secret: {secret}\n"
        for one in self.instances:
            one.host.write(one.host.env, f"GUARDAI_SESSION_SECRET={secret if from_env else ''}\n")
            one.host.write(one.host.yaml, f"session:\n  ttl_seconds: {ttl}\n{keyring}")
            self._stamp(one)
        self._note_version()
        for one in self.instances:
            one.start()

    def _prepare(self) -> None:
        for name in [name for name in os.environ if name.startswith("GUARDAI_")]:
            self._patch.delenv(name)
        self._patch.setenv("XDG_RUNTIME_DIR", str(self.root))
        self._patch.setattr(os, "fsync", lambda _descriptor: None)  # no machine goes down here
        self._patch.setattr(keeping, "_LIBRARIES", ())  # slow to look up, and not what this is about
        self._patch.setattr(keeping, "configure_logging", lambda *_: None)
        self._patch.setattr(keyfacts, "ask_server", lambda _port: self._ask_admin_host())
        self._patch.setattr(remote.Instance, "diagnostics", lambda instance: self._ask(instance.url))
        logging.disable(logging.CRITICAL)

    def close(self) -> None:
        logging.disable(self._disabled)
        self._patch.undo()
        shutil.rmtree(self.root)

    # -- time -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def at(self, instance: Instance) -> Iterator[None]:
        """Let the clocks be those of an instance."""
        saved = time.time, time.monotonic, time.sleep
        time.time = lambda: instance.now
        time.monotonic = lambda: self.now
        time.sleep = lambda seconds: self.pass_time(math.ceil(seconds / EIGHTH) * EIGHTH)
        try:
            yield
        finally:
            time.time, time.monotonic, time.sleep = saved

    def pass_time(self, seconds: float) -> None:
        """Let time pass. The file of a key with a time is on every instance before that time comes."""
        until = self.now + seconds
        for one in self.instances:
            for key in one.ring().keys if one.is_up else ():
                waits = key.not_before is not None and one.now < key.not_before <= until + one.offset
                if waits and not self._is_everywhere(key):
                    self.ship_everywhere()
                    assert self._is_everywhere(key), f"kid {key.kid} waits for its time and is gone from the file"
        before = [one.ring().active_kid(one.now) for one in self.instances]
        self.now = until
        after = [one.ring().active_kid(one.now) for one in self.instances]
        switched = {new != old for old, new in zip(before, after, strict=True)}
        if len(switched) == 2:
            self.reached["some switched, some did not yet"] += 1

    def moments(self) -> list[float]:
        """Return when something comes to its time somewhere, soonest first, in seconds from now."""
        found: set[float] = set()
        for one in self.instances:
            for entry in one.facts().keyring["keys"]:
                found |= {entry[name] - one.now for name in ("not_before", "safe_to_remove_at") if entry[name]}
            found |= {expiry / 1000 - one.now for expiry in self.latest_expiry.values()}
        return sorted(moment for moment in found if moment > 0)

    # -- files ------------------------------------------------------------------------------------------

    def _stamp(self, instance: Instance) -> None:
        """Give the file a time of change of its own: here edits come faster than some file systems' clocks tick."""
        moment = int(BEGIN) * 10**9 + next(self._stamps)
        os.utime(instance.host.yaml, ns=(moment, moment))

    def _note_version(self) -> None:
        """Take note of the file as it is on the administrator's host; that it can be read is one of the checks."""
        self._stamp(self.admin)
        self.versions.append(self.admin.host.yaml.read_bytes())
        with self.at(self.admin):
            self.rings.append(self.admin.read().keyring)
        self.admin.version = len(self.versions) - 1
        self.revoked |= {key.fingerprint for key in self.rings[-1].keys if not key.opens}

    def ship(self, instance: Instance, version: int = -1) -> None:
        """Bring a version of the file to an instance, whole, and never an older one than it has."""
        version %= len(self.versions)
        if version <= instance.version:
            return
        new = instance.host.yaml.with_suffix(".new")
        instance.host.write(new, self.versions[version].decode())
        new.replace(instance.host.yaml)
        instance.version = version
        self._stamp(instance)

    def ship_everywhere(self) -> None:
        for one in self.instances:
            self.ship(one)

    def take_file(self, instance: Instance, *, late: bool = False) -> None:
        """Reload an instance, or start one that is down."""
        if instance.is_up:
            instance.reload(late=late)
        else:
            instance.start()

    # -- the administrator ------------------------------------------------------------------------------

    def command(self, *words: str) -> Outcome:
        """Run a command on the first instance."""
        with self.at(self.admin):
            done = self.admin.host.run("keyring", *words)
        assert done.code in (ExitCode.OK, ExitCode.FAILED, ExitCode.UNAVAILABLE), (words, done)
        if self.admin.host.yaml.read_bytes() != self.versions[-1]:
            assert done.code == 0, (words, done)
            self._note_version()
            self.reached[f"keyring {words[0]}"] += 1
        return done

    def rollback(self) -> Outcome:
        backup = self.admin.host.yaml.with_name("oguardai.yaml.bak")
        before = None
        if backup.exists():
            with self.at(self.admin), contextlib.suppress(ConfigError):
                data = backup.read_bytes()
                before = load_config(self.admin.host.config_dir, {}, now=time.time(), yaml_data=data).keyring
        done = self.command("rollback")
        if done.code == 0:
            assert before is not None
            assert self.rings[-1].active(self.admin.now).kid == before.active(self.admin.now).kid
        return done

    def remove(self, *words: str) -> Outcome:
        """Run ``remove`` or ``prune`` with every instance named."""
        return self.command(*words, *(f"--url={one.name}" for one in self.instances))

    def set_ttl(self, seconds: int) -> None:
        """Edit session.ttl_seconds by hand."""
        lines = self.versions[-1].decode().splitlines(keepends=True)
        lines = [f"  ttl_seconds: {seconds}\n" if "ttl_seconds:" in line else line for line in lines]
        self.admin.host.write(self.admin.host.yaml, "".join(lines))
        self._note_version()

    # -- what an administrator has to see to (the assumptions of test_rotation_model.py) -----------------

    def may_take_file(self, instance: Instance) -> bool:
        """Tell whether the file came first: what would seal here stands in the file of every other instance."""
        kid = instance.on_disk.active_kid(instance.now)
        key = instance.on_disk.find(kid) if kid is not None else None
        return key is None or self._is_everywhere(key)

    def _is_everywhere(self, key: Key) -> bool:
        """Tell whether every instance has a key in its file, to open with; what is revoked nobody needs."""
        if key.fingerprint in self.revoked:
            return True
        found = [one.on_disk.find(key.kid) for one in self.instances]
        return all(one is not None and one.opens and one.prk == key.prk for one in found)

    def _ask_admin_host(self) -> Facts | None:
        return self.admin.facts(THIS_HOST) if self.admin.is_up else None

    def _ask(self, url: str) -> dict[str, Any]:
        """Answer for the instance with this URL, as /v1/diagnostics does."""
        instance = next(one for one in self.instances if one.name == url)
        if not instance.is_up:
            raise remote.Unreachable(url, "cannot be reached")
        facts = instance.facts()
        return {"keyring": facts.keyring, "pid": facts.pid}

    # -- clients ----------------------------------------------------------------------------------------

    def seal(self, instance: Instance, continued: Held | None = None) -> Held | None:
        """Transform on an instance; None when the session to be continued is refused, as it may be."""
        source = instance.source
        assert source is not None
        if continued is not None:
            self._note_look(source, continued)
        with self.at(instance):
            now, text = time.time(), continued.text if continued is not None else TEXT
            try:
                result = transform(
                    TransformRequest(input=text, session_state=continued.state if continued is not None else None),
                    settings=source.settings(),
                    keyrings=source.keyring,
                    now=now,
                    open_with=source.keyring_knowing,
                )
            except SessionExpiredError as error:
                self._check_refusal(instance, continued, now, error)
                return None
            if continued is not None and result.opened_expires_at is not None:
                self._check_opening(instance, continued, now)
                source.record_open(continued.kid, result.opened_expires_at / 1000)
            source.record_seal(result.kid, result.expires_at / 1000)
        key = instance.ring().find(result.kid)
        assert key is not None
        held = Held(text, result.safe_text, result.session_state, key.kid, key.fingerprint, result.expires_at)
        self.held.append(held)
        identity = held.kid, held.fingerprint
        self.latest_expiry[identity] = max(held.expires_at, self.latest_expiry.get(identity, 0))
        return held

    def open(self, instance: Instance, held: Held) -> str:
        """Rehydrate on an instance; return ``opened`` or the reason for the refusal, which is checked."""
        source = instance.source
        assert source is not None
        self._note_look(source, held)
        with self.at(instance):
            now = time.time()
            try:
                result = rehydrate(
                    RehydrateRequest(output=held.safe_text, session_state=held.state),
                    settings=source.settings(),
                    keyrings=source.keyring,
                    now=now,
                    open_with=source.keyring_knowing,
                )
            except SessionExpiredError as error:
                self._check_refusal(instance, held, now, error)
                return error.reason
            self._check_opening(instance, held, now)
            source.record_open(result.kid, result.expires_at / 1000)
        assert result.restored_text == held.text
        return "opened"

    def _note_look(self, source: WorkerSource, held: Held) -> None:
        if source.keyring().find(held.kid) is None:
            self.reached["a kid that is not known"] += 1

    def _check_refusal(self, instance: Instance, held: Held | None, now: float, error: SessionExpiredError) -> None:
        assert held is not None, error.reason
        self.reached[f"refused: {error.reason}"] += 1
        is_over = held.expires_at <= int(now * 1000)
        assert is_over or held.fingerprint in self.revoked, f"{instance.name} lost {held}: {error.reason}"

    def _check_opening(self, instance: Instance, held: Held, now: float) -> None:
        assert held.expires_at > int(now * 1000)
        assert held.fingerprint not in instance.distrusts, f"{instance.name} opened {held}, of a revoked key"

    # -- what must always be true -----------------------------------------------------------------------

    def check(self) -> None:
        """Check every session that a client may hold against every instance."""
        self._check_keys()
        self._check_removal()

    def _check_keys(self) -> None:
        for one in self.instances:
            ring = one.ring()
            for key in ring.keys:
                assert not (key.opens and one.is_up and key.fingerprint in one.distrusts), (one.name, key)
            for (kid, fingerprint), expiry in self.latest_expiry.items():
                if expiry > one.now_ms and fingerprint not in self.revoked:
                    found = ring.find(kid) or one.on_disk.find(kid)
                    told = f"{one.name} cannot open kid {kid} {fingerprint}: has {found}"
                    assert found is not None, told
                    assert (found.opens, found.fingerprint) == (True, fingerprint), told

    def _check_removal(self) -> None:
        facts = [one.facts() for one in self.instances]
        keys = {(entry["kid"], entry["fingerprint"]) for one in facts for entry in one.keyring["keys"]}
        for kid, fingerprint in keys:
            if keyfacts.judge_removal(kid, facts).safe:
                self.reached["safe to remove"] += 1
                for one in self.instances:
                    expiry = self.latest_expiry.get((kid, fingerprint), 0)
                    assert expiry <= one.now_ms, f"kid {kid} is said to be safe, {one.name} opens it {expiry} ms"
