"""Whether this process has a network: as a systemd service it may have none, on purpose."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from pathlib import Path

from oguardai.config import SETTINGS, Config, Setting
from oguardai.errors import ConfigError, Problem

EXAMPLE = "/usr/share/doc/oguardai-server/examples/oguardai-server.network.conf"

_INTERFACES = Path("/proc/self/net/dev")  # below the process, so that ProcSubset=pid does not hide it
_HEADER_LINES = 2


def find_shortage() -> str | None:
    """Say what keeps this process from the network; None when nothing does.

    Only of a service of systemd's is loopback alone called a shortage: elsewhere it may be all that the host has.
    """
    if not may_open_sockets():
        return "may open no IP socket (RestrictAddressFamilies=)"
    if os.environ.get("SYSTEMD_EXEC_PID") == str(os.getpid()) and has_loopback_only():
        return "has no network interface but loopback (PrivateNetwork=)"
    return None


def may_open_sockets() -> bool:
    """Tell whether the sandbox lets this process open an IP socket."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error.errno != errno.EAFNOSUPPORT
    return True


def has_loopback_only() -> bool:
    """Tell whether the network namespace is empty but for ``lo``."""
    try:
        lines = _INTERFACES.read_text().splitlines()[_HEADER_LINES:]
    except OSError:
        return False
    return {line.partition(":")[0].strip() for line in lines} <= {"lo"}


def check_needs(config: Config, settings: Iterable[Setting] = SETTINGS) -> None:
    """Refuse settings that make the server open connections, where it cannot.

    Raises:
        ConfigError: with the name of each.
    """
    needing = [one for one in settings if one.network and one.get(config.settings) != one.default]
    # A sidecar behind a Unix socket, or a model in this process, needs no network.
    needing = [one for one in needing if not str(one.get(config.settings)).startswith(("unix:", "local:"))]
    shortage = find_shortage() if needing else None
    if shortage is not None:
        advice = f"needs the network, and this service {shortage}; open it with the drop-in in {EXAMPLE}"
        raise ConfigError([Problem(f"(from {config.sources[one.path]}) {advice}", key=one.path) for one in needing])
