"""What is known of the keys: from the running server of this host, from its files where none runs, from a fleet."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oguardai.cli.failure import ExitCode, Failure
from oguardai.cli.options import find_server, hint, not_running
from oguardai.cli.output import one_line, warn
from oguardai.cli.ringdiff import find_same
from oguardai.errors import StateError
from oguardai.keystatus import Removal, describe_keyring

if TYPE_CHECKING:
    from oguardai.config import Config

THIS_HOST = "this host"
_NOT_UNDERSTOOD = "{}: its /v1/diagnostics is not what this release understands; restart it after an upgrade"
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """The keyring of one instance, in the shape of ``/v1/diagnostics``.

    Attributes:
        instance: its URL, or "this host".
        pid: of its main process; None: no server runs, and this is what its files say.
        started_at: unix seconds; with ``pid`` this tells servers apart.
    """

    instance: str
    keyring: Mapping[str, Any]
    pid: int | None = None
    started_at: float | None = None

    @classmethod
    def read(cls, instance: str, shown: Mapping[str, Any]) -> Facts:
        """Take what a server shows of itself, which may be of another release, or no server of ours at all.

        Raises:
            ValueError: it makes no sense.
        """
        try:
            ring = shown["keyring"]
            keyring = {
                "fingerprint": _text(ring["fingerprint"]),
                "active_kid": None if ring["active_kid"] is None else int(ring["active_kid"]),
                "highest_kid": int(ring.get("highest_kid", -1)),
                "ttl_seconds": _number(ring.get("ttl_seconds")) or 0.0,
                "keys": [_read_entry(entry) for entry in ring["keys"]],
            }
            return cls(instance, keyring, int(shown["pid"]), _number(shown.get("started_at")))
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError("no keyring of this release") from error

    @property
    def highest_kid(self) -> int:
        """The highest kid of any key that the instance remembers."""
        return int(self.keyring["highest_kid"])

    def entry(self, kid: int) -> Mapping[str, Any] | None:
        """Return what is known of a key, None when it is not listed."""
        return next((entry for entry in self.keyring["keys"] if entry["kid"] == kid), None)


def _read_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("not_before", "sealed", "opened", "last_seal", "last_open", "listed_since", "safe_to_remove_at")
    because = entry.get("safe_to_remove_because", "this server is of a release that does not say")
    return {
        "kid": int(entry["kid"]),
        "fingerprint": _text(entry["fingerprint"]),
        "state": _text(entry["state"]),
        "source": _text(entry.get("source", "")),
        "safe_to_remove": entry.get("safe_to_remove") is True,
        "safe_to_remove_because": _text(because),
        **{name: _number(entry.get(name)) for name in numbers},
    }


def _text(value: Any) -> str:
    return one_line(str(value))[:_LONGEST_TEXT]


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return value


def ask_server(port: int | None) -> Facts | None:
    """Return what the running server of this host says of its keys; None where none runs."""
    from oguardai.server.control import ask_admin  # noqa: PLC0415 - see the package's docstring
    from oguardai.server.runtime import NotRunningError  # noqa: PLC0415

    runtime = find_server(port)
    try:
        runtime.running_pid()
    except NotRunningError as error:
        if isinstance(error.__context__, PermissionError):
            raise not_running(error) from None
        return None
    try:
        found = ask_admin(runtime, "/v1/diagnostics")
    except NotRunningError as error:
        raise not_running(error) from None
    try:
        return Facts.read(THIS_HOST, found)
    except ValueError:
        raise Failure(_NOT_UNDERSTOOD.format(THIS_HOST), ExitCode.UNAVAILABLE) from None


def read_files(found: Config) -> Facts:
    """Return what the files say of the keys, and what the last server left in the state directory."""
    from oguardai.config import state_dir  # noqa: PLC0415
    from oguardai.state import State, load  # noqa: PLC0415

    now = time.time()
    try:
        state = load(state_dir(found))
    except StateError as error:
        warn(str(error))
        state = None
    state = state.stopped(now) if state is not None else State()
    ttl = found.settings.session.ttl_seconds
    shown = describe_keyring(found.keyring, now=now, ttl=ttl, records=state.keys, highest_kid=state.highest_kid)
    return Facts(THIS_HOST, shown)


def know_this_host(found: Config, port: int | None) -> Facts:
    """Return what the running server says, which must use the keyring of the files; else what the files say.

    Raises:
        Failure: the server has not taken the last edit, so an edit now would not do what its author expects.
    """
    running = ask_server(port)
    if running is None:
        return read_files(found)
    if running.keyring["fingerprint"] != found.keyring.fingerprint:
        raise Failure(f"the server does not use the keyring of the file yet; first: {hint('reload')}")
    return running


def ask_instances(urls: Sequence[str], token: str | None) -> tuple[list[Facts], list[Failure]]:
    """Return what the instances with these URLs say of their keys, and a failure for each that cannot be asked."""
    from oguardai.cli.remote import AdminRefused, Instance, RemoteError  # noqa: PLC0415

    fleet, failures = [], []
    for url in urls:
        try:
            found = Instance(url, token).diagnostics()
            fleet.append(Facts.read(url, found))
        except ValueError:
            failures.append(Failure(_NOT_UNDERSTOOD.format(url), ExitCode.UNAVAILABLE))
        except RemoteError as error:
            code = ExitCode.NO_PERMISSION if isinstance(error, AdminRefused) else ExitCode.UNAVAILABLE
            failures.append(Failure(str(error), code))
    return fleet, failures


def find_duplicate(fleet: Sequence[Facts]) -> str | None:
    """Say which URLs lead to one server: then another was not asked."""
    known = [facts for facts in fleet if facts.started_at is not None]
    same = find_same((f"{facts.pid} {facts.started_at}", facts.instance) for facts in known)
    return f"{same[0]} are one and the same server: name each instance once, no balancer" if same else None


def tell_shared(found: Config) -> str | None:
    """Say that other servers use this keyring as well, and where that is set; None for a server that is alone."""
    return f"session.shared is true ({found.sources['session.shared']})" if found.settings.session.shared else None


def judge_removal(kid: int, fleet: Sequence[Facts], fingerprint: str | None = None) -> Removal:
    """Tell whether every instance lets a key go; the reason is that of the one that keeps it longest.

    An instance with another keyring may seal with the key yet, or meet it for the first time.

    Args:
        fingerprint: of the keyring that all must use; None: that of any of them.
    """
    wanted = fingerprint or fleet[0].keyring["fingerprint"]
    others = [facts.instance for facts in fleet if facts.keyring["fingerprint"] != wanted]
    if others:
        if fingerprint is None:
            return Removal(False, "the instances do not use the same keyring")
        return Removal(False, f"the keyring of the file is not in use yet on {', '.join(others)}: reload there")
    verdicts = []
    for facts in fleet:
        entry = facts.entry(kid)
        if entry is None:
            return Removal(False, f"{facts.instance} does not list it")
        because = entry["safe_to_remove_because"]
        if len(fleet) > 1:
            because = f"{because} ({facts.instance})"
        verdicts.append(Removal(entry["safe_to_remove"], because, entry["safe_to_remove_at"]))
    return max(verdicts, key=lambda one: (not one.safe, one.at if one.at is not None else float("inf")))
