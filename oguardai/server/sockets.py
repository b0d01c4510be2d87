"""The listening sockets: our own, or those that systemd hands over (sd_listen_fds(3))."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oguardai.config import DEFAULT, Config
from oguardai.errors import ConfigError, OGuardAIError, Problem
from oguardai.server.network import EXAMPLE, find_shortage, may_open_sockets

_FIRST_INHERITED = 3  # SD_LISTEN_FDS_START
_BACKLOG = 2048
_DEFER_SECONDS = 30  # connections that send nothing stay in the kernel this long


class CannotListenError(OGuardAIError):
    """The address is in use, or is not this host's: that may pass, so it is no fault of the configuration."""


def open_listeners(config: Config) -> list[socket.socket]:
    """Return the listening sockets, inherited or our own.

    Raises:
        CannotListenError: the address cannot be used.
        ConfigError: the inherited socket contradicts the configured address, or there is none and no network either.
    """
    inherited = _inherited()
    if inherited:
        _check_address(config, inherited)
        listeners = inherited
    else:
        listeners = [_bind(config)]
    for listener in listeners:
        listener.setblocking(False)
        if listener.family in (socket.AF_INET, socket.AF_INET6):
            # A connection that sends nothing costs the application nothing.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DEFER_SECONDS)
    return listeners


def open_admin_socket(path: Path) -> socket.socket:
    """Listen on the admin Unix socket: for the service's user and root."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise ConfigError([Problem(f"cannot listen: {error.strerror or error}", file=str(path))]) from None
    finally:
        os.umask(before)
    listener.listen(64)
    listener.setblocking(False)
    return listener


def _inherited() -> list[socket.socket]:
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    sockets = []
    for descriptor in range(_FIRST_INHERITED, _FIRST_INHERITED + int(count)):
        os.set_inheritable(descriptor, False)
        sockets.append(socket.socket(fileno=descriptor))
    return sockets


def _check_address(config: Config, listeners: list[socket.socket]) -> None:
    """Refuse a host or port that was set and is not what systemd's socket has: whoever set it believes in it."""
    inet = [one.getsockname() for one in listeners if one.family in (socket.AF_INET, socket.AF_INET6)]
    if not inet:
        return
    server, sources = config.settings.server, config.sources
    problems = []
    if sources.get("server.port", DEFAULT) != DEFAULT and server.port not in {name[1] for name in inet}:
        problems.append(_contradiction("server.port", sources, inet, server.port, str(server.port)))
    if sources.get("server.host", DEFAULT) != DEFAULT and _unmapped(server.host) not in {_unmapped(n[0]) for n in inet}:
        host = f"[{server.host}]" if ":" in server.host else server.host
        problems.append(_contradiction("server.host", sources, inet, server.host, f"{host}:{server.port}"))
    if problems:
        raise ConfigError(problems)


def _contradiction(
    path: str, sources: Mapping[str, str], names: Sequence[tuple[Any, ...]], wanted: object, stream: str
) -> Problem:
    got = ", ".join(sorted(f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}" for name in names))
    return Problem(
        f"is {wanted} (from {sources[path]}), but systemd's socket listens on {got}, and the socket decides; remove the"
        " setting, or move the socket: systemctl edit oguardai-server.socket, and write"
        f" [Socket] / ListenStream= / ListenStream={stream}, each on a line",
        key=path,
    )


def _unmapped(host: str) -> str:
    """Return an address as one text, however it was written; ``::`` takes IPv4 as well, so it is ``0.0.0.0``."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    address = getattr(address, "ipv4_mapped", None) or address
    return "0.0.0.0" if address.is_unspecified else str(address)  # noqa: S104 - a comparison


def _bind(config: Config) -> socket.socket:
    host, port = config.settings.server.host, config.settings.server.port
    _check_reachable(host)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        source = config.sources.get("server.port", "default")
        message = f"cannot listen on {host} port {port} (from {source}): {error.strerror or error}"
        raise CannotListenError(message) from None
    return listener


def _check_reachable(host: str) -> None:
    """Refuse to listen where nobody is: the service would be active, and answer itself alone."""
    shortage = find_shortage()
    if shortage is None or (_is_loopback(host) and may_open_sockets()):
        return
    raise ConfigError(
        [
            Problem(
                f"systemd handed over no listening socket, and this service {shortage}, so nobody could reach it; start"
                " it by its socket: systemctl start oguardai-server.socket oguardai-server.service; or open the network"
                f" with the drop-in in {EXAMPLE}"
            )
        ]
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
