"""The listening sockets: our own, or those that systemd hands over (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from oguardai.config import Config
from oguardai.errors import ConfigError, OGuardAIError, Problem

_FIRST_INHERITED = 3  # SD_LISTEN_FDS_START
_BACKLOG = 2048
_DEFER_SECONDS = 30  # connections that send nothing stay in the kernel this long


class CannotListenError(OGuardAIError):
    """The address is in use, or is not this host's: that may pass, so it is no fault of the configuration."""


def open_listeners(config: Config) -> list[socket.socket]:
    """Return the listening sockets, inherited or our own.

    Raises:
        CannotListenError: the address cannot be used.
        ConfigError: the inherited socket contradicts the configured port.
    """
    inherited = _inherited()
    if inherited:
        _check_port(config, inherited)
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


def _check_port(config: Config, listeners: list[socket.socket]) -> None:
    ports = {one.getsockname()[1] for one in listeners if one.family in (socket.AF_INET, socket.AF_INET6)}
    wanted, source = config.settings.server.port, config.sources.get("server.port", "default")
    if source == "default" or not ports or wanted in ports:
        return
    got = ", ".join(map(str, sorted(ports)))
    raise ConfigError(
        [
            Problem(
                f"is {wanted} (from {source}), but systemd's socket listens on {got}, and the socket decides; remove"
                " the setting, or move the socket: systemctl edit oguardai-server.socket, and write"
                f" [Socket] / ListenStream= / ListenStream={wanted}, each on a line",
                key="server.port",
            )
        ]
    )


def _bind(config: Config) -> socket.socket:
    host, port = config.settings.server.host, config.settings.server.port
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
