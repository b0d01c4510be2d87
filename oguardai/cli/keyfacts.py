"""What is known of the keys: from the running server of this host, from its files where none runs, from a fleet."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oguardai.cli.failure import ExitCode, Failure
from oguardai.cli.options import find_server, hint, not_running
from oguardai.cli.output import warn
from oguardai.errors import StateError
from oguardai.keystatus import Removal, describe_keyring

if TYPE_CHECKING:
    from oguardai.config import Config

THIS_HOST = "this host"


@dataclass(frozen=True, slots=True)
class Facts:
    """The keyring of one instance, in the shape of ``/v1/diagnostics``.

    Attributes:
        instance: its URL, or "this host".
        pid: of its main process; None: no server runs, and this is what its files say.
    """

    instance: str
    keyring: Mapping[str, Any]
    pid: int | None = None

    def entry(self, kid: int) -> Mapping[str, Any] | None:
        """Return what is known of a key, None when it is not listed."""
        return next((entry for entry in self.keyring["keys"] if entry["kid"] == kid), None)


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
    return Facts(THIS_HOST, found["keyring"], found["pid"])


def read_files(found: Config) -> Facts:
    """Return what the files say of the keys, and what the last server left in the state directory."""
    from oguardai.config import state_dir  # noqa: PLC0415
    from oguardai.state import load  # noqa: PLC0415

    now = time.time()
    try:
        state = load(state_dir(found))
    except StateError as error:
        warn(str(error))
        state = None
    records = state.stopped(now).keys if state is not None else {}
    ttl = found.settings.session.ttl_seconds
    return Facts(THIS_HOST, describe_keyring(found.keyring, now=now, ttl=ttl, records=records))


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
            fleet.append(Facts(url, found["keyring"], found["pid"]))
        except RemoteError as error:
            code = ExitCode.NO_PERMISSION if isinstance(error, AdminRefused) else ExitCode.UNAVAILABLE
            failures.append(Failure(str(error), code))
    return fleet, failures


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
