"""HAProxy and nginx in front of a fleet, as foreground child processes with files of their own."""

from __future__ import annotations

import csv
import http.client
import io
import os
import random
import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path

from tests.server.harness import wait_for

_HAPROXY = """\
global
    maxconn 1000
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check 5s  # else it is `inter`, and an instance that is busy for that long counts as down
frontend clients
    bind 127.0.0.1:{port}
    default_backend fleet
frontend statistics
    bind 127.0.0.1:{statistics_port}
    stats enable
    stats uri /
backend fleet
    balance roundrobin
    option redispatch
    option httpchk
    http-check send meth GET uri /v1/ready
    http-check expect status 200
    http-response set-header X-Instance %s
    default-server check inter 100ms fall 1 rise 1
{servers}
"""

_NGINX = """\
daemon off;
pid {root}/nginx.pid;
error_log stderr warn;
worker_processes 1;
{user}
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {root}/nginx-body;
    proxy_temp_path {root}/nginx-proxy;
    fastcgi_temp_path {root}/nginx-fastcgi;
    uwsgi_temp_path {root}/nginx-uwsgi;
    scgi_temp_path {root}/nginx-scgi;
    upstream fleet {{
{servers}
        keepalive 32;
        keepalive_timeout 5s;  # less than server.keepalive_seconds: else a POST may meet a connection that is closing
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://fleet;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            add_header X-Instance $upstream_addr always;
        }}
    }}
}}
"""


def fixed_port() -> int:
    """Find a free port that no outgoing connection can take while its server restarts."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(1000):
        port = random.randrange(10240, max(lowest, 10241))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


class Balancer(ABC):
    """A balancer between clients and the instances, whose names and ports are given."""

    name: str

    def __init__(self, root: Path, instances: dict[str, int]) -> None:
        self.root, self.instances = root, instances
        self.port = fixed_port()
        self.log_path = root / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Write the configuration and return the command line."""

    @abstractmethod
    def is_up(self) -> bool:
        """Tell whether every instance gets requests."""

    def instance(self, marked: str | None) -> str:
        """Return the name of the instance that an answer's X-Instance stands for."""
        return marked or "none"

    def start(self) -> None:
        command = self.command()
        program = shutil.which(command[0], path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        assert program, f"{command[0]} is missing: run script/test-fleet, which sees to it"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen([program, *command[1:]], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self._is_up_or_ended, f"{self.name} to see every instance")

    def _is_up_or_ended(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended: {self.log_path.read_text()}"
        try:
            return self.is_up()
        except (OSError, http.client.HTTPException):
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class HAProxy(Balancer):
    """Asks /v1/ready of every instance all the time and sends requests to those that are."""

    name = "haproxy"

    def command(self) -> list[str]:
        self.statistics_port = fixed_port()
        servers = "\n".join(f"    server {name} 127.0.0.1:{port}" for name, port in self.instances.items())
        path = self.root / "haproxy.cfg"
        path.write_text(_HAPROXY.format(port=self.port, statistics_port=self.statistics_port, servers=servers))
        return ["haproxy", "-db", "-f", str(path)]

    def statuses(self) -> dict[str, str]:
        """Return what HAProxy thinks of each instance: UP, DOWN and the like."""
        rows = csv.DictReader(io.StringIO(_get(self.statistics_port, "/;csv").removeprefix("# ")))
        return {row["svname"]: row["status"] for row in rows if row["svname"] in self.instances}

    def is_up(self) -> bool:
        return list(self.statuses().values()) == ["UP"] * len(self.instances) and bool(_get(self.port, "/v1/ready"))


class Nginx(Balancer):
    """Sends each request to the next instance, without asking whether it is ready."""

    name = "nginx"

    def command(self) -> list[str]:
        servers = "\n".join(f"        server 127.0.0.1:{port} max_fails=0;" for port in self.instances.values())
        path = self.root / "nginx.conf"
        user = "user root root;" if os.geteuid() == 0 else ""  # who may enter the folder of a test
        path.write_text(_NGINX.format(root=self.root, port=self.port, servers=servers, user=user))
        return ["nginx", "-e", "stderr", "-p", str(self.root), "-c", str(path)]

    def is_up(self) -> bool:
        return bool(_get(self.port, "/v1/ready"))

    def instance(self, marked: str | None) -> str:
        last = (marked or "").rpartition(", ")[2]  # it lists all that were tried
        return next((name for name, port in self.instances.items() if last == f"127.0.0.1:{port}"), "none")


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        return body if response.status == 200 else ""
    finally:
        connection.close()
