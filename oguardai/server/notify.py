"""Tell systemd how the service is: sd_notify(3), without a dependency for its forty lines."""

from __future__ import annotations

import logging
import os
import socket
import time

from oguardai.logs import log_event

logger = logging.getLogger(__name__)

_MAX_STATUS = 1000  # characters; a datagram that is too large would be lost, and READY=1 with it


class Notifier:
    """Speaks to the socket that systemd named in the environment; does nothing where it named none.

    The variables are taken out of the environment, so that no worker and no library speaks for the service.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        watchdog = os.environ.pop("WATCHDOG_USEC", "")
        watchdog_pid = os.environ.pop("WATCHDOG_PID", "")
        mine = not watchdog_pid or watchdog_pid == str(os.getpid())
        self.watchdog = watchdog.isdigit() and mine  # whether systemd wants to hear that we are alive

    def ready(self, status: str) -> None:
        """Say that requests are served (also ends a reload)."""
        self._send("READY=1", status)

    def reloading(self) -> None:
        """Say that a reload has begun; systemd 253 and later match it to the signal by the time."""
        now = time.monotonic_ns() // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now}", "Reloading the configuration")

    def stopping(self, status: str) -> None:
        """Say that the service is on its way out."""
        self._send("STOPPING=1", status)

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, message: str, status: str | None = None) -> None:
        if not self._address:
            return
        if status is not None:  # what `systemctl status` shows: one line
            message += "\nSTATUS=" + " ".join(status.split())[:_MAX_STATUS]
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.connect(address)
                channel.sendall(message.encode())
        except OSError as error:
            log_event(logger, logging.WARNING, "NotifyFailed", error=error.strerror or type(error).__name__)
