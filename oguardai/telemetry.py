"""Metrics in Prometheus' text format: what this process counts, and what is true of the server as a whole.

With PROMETHEUS_MULTIPROC_DIR set before the first import of prometheus_client, every worker writes its counts to a
file there and whoever is asked adds them up. What only the main process knows (keyring, reloads) comes from the
server's status at scrape time, since prometheus-client 0.16 cannot merge such gauges. The catalogue is
docs/observability.md.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from oguardai.keyring import Keyring
from oguardai.logs import log_event

log = logging.getLogger(__name__)

FILE_BYTES = 1 << 18  # of each file of counts: the labels are bounded, and fill a small part of it
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN_KID = "unknown"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
RELOAD_OUTCOMES = ("ok", "partial", "refused", "failed")
# Seconds. Detection of 1 kB takes a tenth of a millisecond, of 4 MiB about a second.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def kid_label(kid: int | None, keyring: Keyring) -> str:
    """Return the ``kid`` label: only kids of the ring, so that no client can make up labels."""
    return str(kid) if kid is not None and keyring.find(kid) is not None else UNKNOWN_KID


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            "oguardai_http_requests", "Requests answered.", ["endpoint", "method", "status"], registry=registry
        )
        self._durations = Histogram(
            "oguardai_http_request_duration_seconds",
            "Time that a thread spends on a request.",
            ["endpoint"],
            registry=registry,
            buckets=BUCKETS,
        )
        self._entities = Counter("oguardai_entities", "Entities found.", ["type"], registry=registry)
        self._sealed = Counter("oguardai_sessions_sealed", "Sessions sealed.", ["kid"], registry=registry)
        self._opened = Counter("oguardai_sessions_opened", "Sessions opened.", ["kid"], registry=registry)
        self._errors = Counter(
            "oguardai_session_errors", "Sessions that could not be opened.", ["reason", "kid"], registry=registry
        )
        self._failures = Counter(
            "oguardai_detection_failures",
            "Requests in which a detector failed.",
            ["detector"],
            registry=registry,
        )

        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._lock = threading.Lock()
        self._counting_pid: int | None = None
        self._counts = False

    def _usable(self) -> bool:
        """Tell whether this process can count; asked first by every method that does.

        Counts are in files mapped into memory: without room for them on the disk a write would end the process
        (SIGBUS). So the room is taken before the first count, and without it nothing is counted.
        """
        if self._counting_pid != os.getpid():
            with self._lock:  # the other threads' first counts wait for the room as well
                if self._counting_pid != os.getpid():
                    self._counts = self._begin()
                    self._counting_pid = os.getpid()
        return self._counts

    def _begin(self) -> bool:
        if is_multiprocess() and not _take_room(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")):
            return False
        # From 0 on: a burst that begins a series would be invisible to increase().
        self._errors.labels("unknown_kid", UNKNOWN_KID)
        return True

    def count_request(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count an answer; ``endpoint`` is the route's template, never the path."""
        if not self._usable():
            return
        labels = (endpoint, method if method in METHODS else "other", status)
        children = self._children.get(labels)
        if children is None:  # bounded: so are the routes, the methods and the statuses
            children = self._requests.labels(*labels), self._durations.labels(endpoint)
            self._children[labels] = children
        children[0].inc()
        children[1].observe(seconds)

    def count_entities(self, types: Iterable[str]) -> None:
        """Count entities by type."""
        if not self._usable():
            return
        counts: dict[str, int] = {}
        for name in types:
            counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            self._entities.labels(name).inc(count)

    def count_sealed(self, kid: int) -> None:
        """Count a session sealed under a key of the ring."""
        if self._usable():
            self._sealed.labels(kid).inc()

    def count_opened(self, kid: int) -> None:
        """Count a session opened under a key of the ring."""
        if self._usable():
            self._opened.labels(kid).inc()

    def count_session_error(self, reason: str, kid: str) -> None:
        """Count a session that could not be opened; ``kid`` as :func:`kid_label` gives it."""
        if self._usable():
            self._errors.labels(reason, kid).inc()

    def count_detection_failure(self, detector: str) -> None:
        """Count a detector that failed, by its name in the table."""
        if self._usable():
            self._failures.labels(detector).inc()

    def render(self, status: Mapping[str, Any], now: float | None = None) -> bytes:
        """Return the exposition: the counts of all workers, then the server's status (see web/source.py)."""
        if is_multiprocess():
            workers = CollectorRegistry()
            MultiProcessCollector(workers)  # type: ignore[no-untyped-call]
        else:
            workers = self._registry
        server = CollectorRegistry()
        server.register(_StatusCollector(status, time.time() if now is None else now))
        return generate_latest(workers) + generate_latest(server)


def _take_room(directory: str) -> bool:
    """Create this process's files before prometheus_client does, with all the room that they will need."""
    paths = [os.path.join(directory, f"{kind}_{os.getpid()}.db") for kind in ("counter", "histogram")]
    try:
        for path in paths:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, FILE_BYTES)
            finally:
                os.close(descriptor)
    except OSError as error:
        log_event(log, logging.ERROR, "MetricsUnavailable", error=error.strerror)
        for path in paths:  # an empty file would spoil the counts of all other workers
            with contextlib.suppress(OSError):
                os.unlink(path)
        return False
    return True


def reload_failed(reload: Mapping[str, Any]) -> bool:
    """Tell whether the last reload, as the server's status has it, did not reach every worker."""
    return reload.get("outcome") not in {None, "ok"}


def is_multiprocess() -> bool:
    """Tell whether prometheus_client settled on files shared between processes when it was imported."""
    return bool(getattr(values.ValueClass, "_multiprocess", False))


class _StatusCollector:
    """Turn a server's status into metrics; what the status does not know is left out."""

    def __init__(self, status: Mapping[str, Any], now: float) -> None:
        self._status = status
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield _gauge(
            "oguardai_build_info",
            "The running version.",
            [((str(self._status.get("version", "")), platform.python_version()), 1)],
            ["version", "python"],
        )
        yield from self._keyring(self._status.get("keyring") or {})
        yield from self._reload(self._status.get("reload") or {})

    def _keyring(self, keyring: Mapping[str, Any]) -> Iterator[Metric]:
        if keyring.get("fingerprint"):
            yield _gauge(
                "oguardai_keyring_fingerprint_info",
                "Fingerprint of the keyring: equal on hosts with equal keyrings.",
                [((str(keyring["fingerprint"]),), 1)],
                ["fingerprint"],
            )
        if keyring.get("active_kid") is not None:
            yield _gauge("oguardai_active_kid", "The kid that seals new sessions.", [((), keyring["active_kid"])])
        keys: list[Mapping[str, Any]] = list(keyring.get("keys") or ())
        yield _gauge(
            "oguardai_keyring_key_info",
            "The keys of the ring and their states.",
            [((str(key["kid"]), str(key.get("fingerprint", "")), str(key.get("state", ""))), 1) for key in keys],
            ["kid", "fingerprint", "state"],
        )
        for name, text, field in (
            ("oguardai_key_safe_to_remove_timestamp_seconds", "When no session needs the key.", "safe_to_remove_at"),
            ("oguardai_key_last_seal_timestamp_seconds", "When a session was last sealed under the key.", "last_seal"),
            ("oguardai_key_last_open_timestamp_seconds", "When a session was last opened under the key.", "last_open"),
        ):
            known = [((str(key["kid"]),), key[field]) for key in keys if key.get(field) is not None]
            yield _gauge(name, text, known, ["kid"])
        ages = [
            ((str(key["kid"]),), max(0.0, self._now - key["listed_since"]))
            for key in keys
            if key.get("listed_since") is not None
        ]
        yield _gauge("oguardai_key_age_seconds", "Time since this server first saw the key.", ages, ["kid"])

    def _reload(self, reload: Mapping[str, Any]) -> Iterator[Metric]:
        yield _gauge(
            "oguardai_config_last_reload_successful",
            "1 when the last reload, or else the start, took the configuration.",
            [((), 0 if reload_failed(reload) else 1)],
        )
        if reload.get("last_success_at") is not None:
            yield _gauge(
                "oguardai_config_last_reload_success_timestamp_seconds",
                "When a configuration was last taken.",
                [((), reload["last_success_at"])],
            )
        counts: Mapping[str, Any] = reload.get("counts") or {}
        family = CounterMetricFamily("oguardai_config_reloads", "Reloads by outcome.", labels=["outcome"])
        for outcome in RELOAD_OUTCOMES:
            family.add_metric([outcome], counts.get(outcome, 0))
        yield family


def _gauge(
    name: str, text: str, samples: Iterable[tuple[tuple[str, ...], float]], labels: Iterable[str] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    for label_values, value in samples:
        family.add_metric(list(label_values), value)
    return family
