"""The settings: nested frozen dataclasses whose fields carry what the loader and the docs need to know.

One table: a field here is at once the type, the default, the bounds and the documentation of a setting;
:mod:`oguardai.config.registry` flattens it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_WORKERS = 64
METADATA = "oguardai"  # where in a field's metadata our Spec is

_KIB = 1024
_MIB = 1024 * _KIB
_YEAR = 365 * 86_400

LOOPBACK = ("127.0.0.0/8", "::1/128")
PRIVATE = (
    "10.0.0.0/8",  # RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",  # RFC 3927, link-local: no router forwards it
    "fc00::/7",  # RFC 4193
    "fe80::/10",  # RFC 4291, link-local
)
# 100.64.0.0/10 (RFC 6598) is left out: behind a carrier's NAT it is where strangers are.


class Kind(StrEnum):
    """What a setting's value is."""

    INT = "whole number"
    FLOAT = "number"
    BOOL = "true or false"
    CHOICE = "choice"
    HOST = "address or host name"
    DIRECTORY = "directory"
    NETWORKS = "list of networks"
    NAMES = "list of entity types"
    TERMS = "list of terms"
    DETECTORS = "list of detectors"
    URL = "URL"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a field's metadata hold."""

    kind: Kind
    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    restart: bool = False
    network: bool = False  # anything but the default makes the server open connections


def _setting(
    default: object,
    kind: Kind,
    doc: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    restart: bool = False,
    network: bool = False,
) -> Any:
    return field(default=default, metadata={METADATA: Spec(kind, doc, unit, low, high, choices, restart, network)})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Sockets, processes, and the limits that keep one client from starving the others."""

    host: str = _setting(
        "0.0.0.0",  # noqa: S104 - who may call is decided by allow_networks
        Kind.HOST,
        "Address to listen on. Who may call is decided by `server.allow_networks`, not by this.",
        restart=True,
    )
    port: int = _setting(
        3000,
        Kind.INT,
        "TCP port to listen on. With an inherited socket (systemd socket activation) the socket decides, and a "
        "different value here is refused.",
        low=1,
        high=65_535,
        restart=True,
    )
    workers: int = _setting(
        0,
        Kind.INT,
        "Worker processes. 0: as many as the CPU quota of the control group and the CPU affinity give, at "
        f"least 1 and at most {MAX_WORKERS}.",
        low=0,
        high=MAX_WORKERS,
        restart=True,
    )
    threads: int = _setting(
        4, Kind.INT, "Threads of a worker: requests it serves at one time.", low=1, high=64, restart=True
    )
    max_body_bytes: int = _setting(
        4 * _MIB,
        Kind.INT,
        "Largest request body, also of a chunked one. Stops a client that fills the memory with one request.",
        unit="bytes",
        low=_KIB,
        high=256 * _MIB,
    )
    drain_seconds: int = _setting(
        5,
        Kind.INT,
        "How long requests are still served after SIGTERM while `/v1/ready` already answers 503, so that a load "
        "balancer has moved on before the port closes.",
        unit="seconds",
        low=0,
        high=600,
    )
    keepalive_seconds: int = _setting(
        15,
        Kind.INT,
        "How long an idle connection is kept open; 0 closes it after each answer. Stops clients that hoard "
        "idle connections.",
        unit="seconds",
        low=0,
        high=3600,
    )
    request_timeout_seconds: int = _setting(
        30,
        Kind.INT,
        "Time in which the whole request, headers and body, must have arrived. Stops slow-loris clients, which "
        "hold a connection each by sending a byte now and then.",
        unit="seconds",
        low=1,
        high=3600,
    )
    worker_timeout_seconds: int = _setting(
        60,
        Kind.INT,
        "A worker that has not shown a sign of life for this long is replaced.",
        unit="seconds",
        low=5,
        high=3600,
        restart=True,
    )
    max_connections: int = _setting(
        2000,
        Kind.INT,
        "Open connections of a worker, idle ones included. Stops a connection flood from using up the file "
        "descriptors.",
        low=1,
        high=100_000,
    )
    max_queued: int = _setting(
        128,
        Kind.INT,
        "Requests of a worker that wait for a thread; one more is answered 503 with `Retry-After`. Stops an "
        "overload from growing into a queue that answers only clients which have long given up.",
        low=1,
        high=100_000,
    )
    allow_networks: tuple[str, ...] = _setting(
        LOOPBACK + PRIVATE,
        Kind.NETWORKS,
        "Networks that may transform, rehydrate and detect without credentials. There are no credentials yet: "
        "any allowed host that holds a sealed session can rehydrate it.",
    )
    admin_networks: tuple[str, ...] = _setting(
        LOOPBACK,
        Kind.NETWORKS,
        "Networks that may read `/v1/diagnostics` and `/metrics`; the admin Unix socket may always.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        Kind.NETWORKS,
        "Proxies whose `X-Forwarded-For` counts. From anyone else the header is not believed, which stops a "
        "client that claims to be loopback.",
    )
    runtime_dir: str = _setting(
        "",
        Kind.DIRECTORY,
        "Directory of pid file, status, metrics and admin socket. Empty: `/run/oguardai` for `/etc/guardai`, "
        "otherwise one derived from the configuration directory and the port.",
        restart=True,
    )
    state_dir: str = _setting(
        "",
        Kind.DIRECTORY,
        "Directory that remembers across restarts when each key sealed last. Empty: `/var/lib/oguardai` for "
        "`/etc/guardai`, otherwise beside the derived runtime directory.",
        restart=True,
    )


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Sealed sessions; the keyring itself is not here, so that settings hold no secret."""

    backend: str = _setting(
        "sealed", Kind.CHOICE, "Where sessions live: `sealed`, with the client, encrypted.", choices=("sealed",)
    )
    ttl_seconds: int = _setting(
        3600,
        Kind.INT,
        "How long a session can be opened after the transform that sealed it. Bounds what a stolen session and "
        "an old key are good for.",
        unit="seconds",
        low=1,
        high=_YEAR,
    )
    max_age_seconds: int = _setting(
        86_400,
        Kind.INT,
        "How long a session can be continued, counted from its first transform; at least `session.ttl_seconds`. "
        "Stops a session from being kept alive for ever.",
        unit="seconds",
        low=1,
        high=_YEAR,
    )
    max_blob_bytes: int = _setting(
        _MIB,
        Kind.INT,
        "Largest sealed session, checked before it is decrypted. Stops a client that makes the server decrypt "
        "megabytes of noise.",
        unit="bytes",
        low=_KIB,
        high=16 * _MIB,
    )
    max_entities: int = _setting(
        10_000,
        Kind.INT,
        "Most values that one session can hold. Stops a session that grows with every turn of a conversation.",
        low=1,
        high=100_000,
    )
    shared: bool = _setting(
        False,
        Kind.BOOL,
        "Whether other servers, a fleet, open sessions with this keyring as well. Then one file is brought to all, and "
        "no host changes it by itself: scheduled rotation is refused, and so are `keyring prune` and `remove` without "
        "`--url`. Set it in a file: the commands must see it as well.",
    )


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """What counts as personal data when the request does not say."""

    threshold: float = _setting(
        0.5,
        Kind.FLOAT,
        "Least confidence of a find. Lower finds more and errs more often.",
        low=0,
        high=1,
    )
    types: tuple[str, ...] = _setting(
        (),
        Kind.NAMES,
        "Entity types to look for, as `/v1/capabilities` names them. Empty: all that are on by default.",
    )
    terms: tuple[str, ...] = _setting(
        (),
        Kind.TERMS,
        "Words that are always found, as type `term`, beside those of a request: names of people and projects. Whole "
        "words, in any case, of 2 to 200 characters, at most 1,000. In a variable they are separated by commas.",
    )
    detectors: tuple[str, ...] = _setting(
        (),
        Kind.DETECTORS,
        "Own detectors, in yaml only, at most 100: a list with `name`, `type`, `pattern` and, if need be, `context`, "
        "`needs_context`, `confidence`, `level`, `validator` and `ignore_case` each. See docs/detectors.md.",
    )
    max_finds: int = _setting(
        50_000,
        Kind.INT,
        "Most finds in one request, the same value counted each time. Stops a small request that makes an answer of a "
        "hundred megabytes.",
        low=100,
        high=1_000_000,
    )


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """A model that sees names where no pattern does: in a sidecar, or in this process."""

    mode: str = _setting(
        "builtin",
        Kind.CHOICE,
        "What detects: the `builtin` table, the `advanced` detector alone, or `both`. Own detectors and terms always "
        "do.",
        choices=("builtin", "both", "advanced"),
    )
    advanced_url: str = _setting(
        "",
        Kind.URL,
        "Where the advanced detector is: `http://host:port` or `https://host` of a sidecar, `unix:/path` of its "
        "socket, or `local:rampart` for the model that the extra `ner` installs.",
        network=True,
    )
    timeout_ms: int = _setting(
        2000,
        Kind.INT,
        "Time that the advanced detector may take for one text.",
        unit="milliseconds",
        low=10,
        high=60_000,
    )
    on_failure: str = _setting(
        "closed",
        Kind.CHOICE,
        "What happens when the advanced detector does not answer. `closed`: the request is refused with 503. `open`: "
        "what is found without it is answered, with a warning. Either way `/v1/health` says `degraded`.",
        choices=("closed", "open"),
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Lines on standard output, which the journal keeps."""

    format: str = _setting("logfmt", Kind.CHOICE, "Form of a log line.", choices=("logfmt", "json"))
    level: str = _setting(
        "info", Kind.CHOICE, "Least level that is logged.", choices=("debug", "info", "warning", "error")
    )
    requests: bool = _setting(
        False,
        Kind.BOOL,
        "Whether each request gets a line. The journal drops lines of a service that writes very many, and those that "
        "matter with them; `/metrics` has the counts.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting but the keyring; immutable, holds no secret."""

    server: ServerSettings = field(default_factory=ServerSettings)
    session: SessionSettings = field(default_factory=SessionSettings)
    detection: DetectionSettings = field(default_factory=DetectionSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    log: LogSettings = field(default_factory=LogSettings)
