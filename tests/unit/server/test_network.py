"""A service without a network says so, instead of being active and answering nobody."""

from __future__ import annotations

import dataclasses
import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from oguardai.config import SETTINGS, Config, load_config
from oguardai.errors import ConfigError
from oguardai.keyring import generate_secret
from oguardai.server import network, sockets

_NET_DEV = """\
Inter-|   Receive       |  Transmit
 face |bytes    packets |bytes    packets
    lo:       0       0         0       0
"""
_LIKE_A_URL = dataclasses.replace(
    next(one for one in SETTINGS if one.path == "server.runtime_dir"), path="server.state_dir", network=True
)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make this process look as if systemd ran it in an empty network namespace."""
    interfaces = tmp_path / "dev"
    interfaces.write_text(_NET_DEV)
    monkeypatch.setattr(network, "_INTERFACES", interfaces)
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
    return interfaces


@pytest.fixture
def shut_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse IP sockets as RestrictAddressFamilies=AF_UNIX does."""

    class Refused(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *rest: Any, **names: Any) -> None:
            if family != socket.AF_UNIX:
                raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
            super().__init__(family, *rest, **names)

    monkeypatch.setattr(socket, "socket", Refused)


def _config(tmp_path: Path, **environ: str) -> Config:
    return load_config(tmp_path, {"GUARDAI_SESSION_SECRET": generate_secret(), **environ}, now=0.0)


def _listen(config: Config) -> None:
    for listener in sockets.open_listeners(config):
        listener.close()


@pytest.mark.usefixtures("alone")
def test_a_service_alone_in_its_network_and_without_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        _listen(_config(tmp_path))
    assert "PrivateNetwork=" in str(refused.value)
    assert "systemctl start oguardai-server.socket" in str(refused.value)


@pytest.mark.usefixtures("shut_in")
def test_a_service_that_may_open_no_ip_socket_is_refused_wherever_it_is_to_listen(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "127.0.0.1"):
        with pytest.raises(ConfigError, match="RestrictAddressFamilies="):
            _listen(_config(tmp_path, GUARDAI_HOST=host))


@pytest.mark.usefixtures("alone")
def test_loopback_is_no_shortage_where_it_is_what_was_asked_for(tmp_path: Path) -> None:
    _listen(_config(tmp_path, GUARDAI_HOST="127.0.0.1", GUARDAI_PORT=str(_free_port())))


def test_loopback_is_no_shortage_of_a_program_that_systemd_did_not_start(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert network.find_shortage() is not None
    monkeypatch.setenv("SYSTEMD_EXEC_PID", "1")
    assert network.find_shortage() is None
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
    alone.write_text(_NET_DEV + "  eth0:       1       1         1       1\n")
    assert network.find_shortage() is None


@pytest.mark.usefixtures("alone")
def test_a_setting_that_needs_the_network_is_refused_by_its_name(tmp_path: Path) -> None:
    config = _config(tmp_path, GUARDAI_STATE_DIR="/srv/state")
    with pytest.raises(ConfigError, match=r"^server\.state_dir: \(from environment\) needs the network") as refused:
        network.check_needs(config, [_LIKE_A_URL])
    assert network.EXAMPLE in str(refused.value)
    network.check_needs(_config(tmp_path), [_LIKE_A_URL])


def test_a_setting_that_needs_the_network_is_taken_where_there_is_one(tmp_path: Path) -> None:
    network.check_needs(_config(tmp_path, GUARDAI_STATE_DIR="/srv/state"), [_LIKE_A_URL])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _hand_over(monkeypatch: pytest.MonkeyPatch, host: str) -> int:
    """Listen on a socket as systemd would hand it over; return its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind((host, 0))
    listener.listen()
    monkeypatch.setattr(sockets, "_FIRST_INHERITED", listener.fileno())
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    port: int = listener.getsockname()[1]
    listener.detach()  # it is the server's now
    return port


@pytest.mark.parametrize(("host", "wanted"), [("::", "0.0.0.0"), ("::", "::"), ("127.0.0.1", "127.0.0.1")])
def test_a_host_and_port_that_are_those_of_the_inherited_socket_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, wanted: str
) -> None:
    port = _hand_over(monkeypatch, host)
    _listen(_config(tmp_path, GUARDAI_HOST=wanted, GUARDAI_PORT=str(port)))


def test_host_and_port_of_the_default_leave_the_decision_to_the_inherited_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hand_over(monkeypatch, "127.0.0.1")
    _listen(_config(tmp_path))
