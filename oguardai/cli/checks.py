"""What ``oguardai doctor`` can tell of instances by looking: health, versions, clocks, keyrings, reloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from oguardai.cli.output import format_time
from oguardai.cli.remote import AdminRefused, Answer, Instance, RemoteError, Unreachable
from oguardai.cli.ringdiff import ALL, RingView, find_differences, find_same, group, spread, view_ring

_SWITCH_SECONDS = 60.0  # around a not_before, in which instances may be asked before and after it
_MAX_REASONS = 3
_RELOAD_ADVICE = {
    "failed": "mend the file on that host, then `oguardai reload` there",
    "refused": "look at the file on that host, then `oguardai reload` there, with --force if it is what you want",
    "partial": "look at the workers that it names, then `oguardai reload` there again",
}


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the result.

    Attributes:
        instance: name of the instance that it is about, or ``all``.
        refused: it could not be made, because this host or user may not ask.
    """

    name: str
    instance: str
    status: Status
    message: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds by which a clock is ahead of another: somewhere from ``low`` to ``high``."""

    low: float
    high: float

    @property
    def most(self) -> float:
        """The largest difference that there can be."""
        return max(abs(self.low), abs(self.high))

    @property
    def least(self) -> float:
        """The smallest difference that there can be."""
        return max(0.0, self.low, -self.high)

    def narrowed(self, other: Clock) -> Clock:
        """Return what both say; the other alone when they exclude each other, because a clock was set in between."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Clock(low, high) if low <= high else other

    def ahead_of(self, other: Clock) -> Clock:
        """Return the difference of two clocks that were compared with the same third one."""
        return Clock(self.low - other.high, self.high - other.low)


@dataclass(frozen=True, slots=True)
class Diagnosis(RingView):
    """What ``/v1/diagnostics`` says, as far as the checks need it; times are unix seconds."""

    outcome: str | None
    reloaded_at: float | None
    reasons: Sequence[str]
    late_workers: Sequence[int]
    started_at: float | None
    pid: int | None = None


@dataclass(slots=True)
class Visit:
    """One instance and what it said when it was asked first.

    Attributes:
        usable: it is a server of ours, so that it makes sense to ask on.
        unreachable: no answer came at all.
        diagnosis: None where this host is no administrator, or the answer makes no sense; ``checks`` says which.
        clock: how far its clock is ahead of this host's.
    """

    instance: Instance
    checks: list[Check] = field(default_factory=list)
    usable: bool = False
    unreachable: bool = False
    version: str = ""
    diagnosis: Diagnosis | None = None
    clock: Clock | None = None

    @property
    def name(self) -> str:
        return self.instance.name


def visit(instance: Instance) -> Visit:
    """Ask an instance how it is; what comes of it is in ``checks``."""
    found = Visit(instance)
    try:
        health, ready = instance.get("/v1/health"), instance.get("/v1/ready")
        answer = health.json() if health.status == 200 else {}
        if "status" not in answer:
            doubt = f"answers {health.status} to /v1/health{health.detail()}; is this an OGuardAI server?"
            raise RemoteError(instance.name, doubt)
    except RemoteError as error:
        found.unreachable = isinstance(error, Unreachable)
        found.checks.append(Check("health", found.name, Status.FAILED, error.reason))
        return found
    found.usable, found.version = True, str(answer.get("version", "unknown"))
    refusal = None
    try:
        found.diagnosis = read_diagnosis(instance)
    except RemoteError as error:
        is_refused = isinstance(error, AdminRefused)
        refusal = Check(
            "keyring", found.name, Status.SKIPPED if is_refused else Status.FAILED, error.reason, is_refused
        )
    for one in (health, ready):
        clock = measure_clock(one.headers.get("date"), one.sent, one.elapsed)
        found.clock = clock if found.clock is None or clock is None else found.clock.narrowed(clock)
    found.checks.append(_check_health(found, answer["status"], ready))
    if refusal is not None:
        found.checks.append(refusal)
    return found


def read_diagnosis(instance: Instance) -> Diagnosis:
    """Ask for ``/v1/diagnostics``; raises as Instance.diagnostics() does, and RemoteError for what makes no sense."""
    status = instance.diagnostics()
    try:
        ring, reload, workers = view_ring(status["keyring"]), status["reload"], status["workers"]
        return Diagnosis(
            ring.fingerprint,
            ring.active_kid,
            ring.keys,
            outcome=reload.get("outcome"),
            reloaded_at=_moment(reload.get("at")),
            reasons=[str(reason) for reason in reload.get("reasons") or ()],
            late_workers=[int(one["pid"]) for one in workers if one["generation"] < status["generation"]],
            started_at=_moment(status.get("started_at")),
            pid=status.get("pid"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RemoteError(instance.name, "its /v1/diagnostics is not what this release understands") from None


def _moment(value: Any) -> float | None:
    return None if value is None else float(value)


def _check_health(found: Visit, status: object, ready: Answer) -> Check:
    problems = []
    if status != "healthy":
        problems.append(f"{status}: {_why_degraded(found.diagnosis)}")
    if ready.status != 200:
        problems.append(f"not ready, /v1/ready answers {ready.status}{ready.detail()}")
    if problems:
        return Check("health", found.name, Status.FAILED, "; ".join(problems))
    return Check("health", found.name, Status.OK, f"healthy and ready, version {found.version}")


def _why_degraded(diagnosis: Diagnosis | None) -> str:
    if diagnosis is not None and diagnosis.active_kid is None:
        return "no key can seal, all are staged, revoked or not_before later; mend session.keyring and reload"
    if diagnosis is not None and diagnosis.outcome not in {None, "ok"}:
        return f"the last reload ended as '{diagnosis.outcome}'"
    return "the last reload did not succeed, or no key can seal; look at the log of that host"


def check_identities(visits: Sequence[Visit]) -> list[Check]:
    """Find URLs that lead to one server, by two names or through a balancer: then another was not asked."""
    known = [(found.name, found.diagnosis) for found in visits if found.diagnosis is not None]
    message = "{} are one and the same server, so another was not asked: name each instance once, no balancer"
    return [
        Check("identity", ALL, Status.FAILED, message.format(names))
        for names in find_same((f"{one.pid} {one.started_at}", name) for name, one in known)
    ]


# --- versions and clocks -----------------------------------------------------------------------------------


def check_versions(visits: Sequence[Visit]) -> list[Check]:
    """Compare the versions of several instances."""
    if len(visits) < 2:
        return []
    versions = group((found.version, found.name) for found in visits)
    if len(versions) == 1:
        return [Check("version", ALL, Status.OK, f"{visits[0].version} on all {len(visits)}")]
    return [Check("version", ALL, Status.WARNING, f"differ: {spread(versions)}; if no upgrade is under way, upgrade")]


def measure_clock(date: str | None, sent: float, elapsed: float) -> Clock | None:
    """Return how far a server's clock is ahead, from the Date header of its answer (RFC 9110, section 6.6.1).

    The header counts whole seconds, cut off, and was written some time between request and answer.

    Args:
        date: the header; None: there was none, and so is the result.
        sent: when the request was sent, unix seconds by this host's clock.
        elapsed: seconds until the answer was there.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - see the package's docstring

    try:
        second = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return Clock(second - (sent + elapsed), second + 1 - sent)


def check_clocks(visits: Sequence[Visit]) -> list[Check]:
    """Compare every instance's clock with this host's, and all with each other."""
    checks = []
    for found in visits:
        if found.clock is None:
            checks.append(Check("clock", found.name, Status.WARNING, "cannot be told: its answers have no Date"))
            continue
        checks.append(_judge_clock(found.name, found.clock, "this host's clock"))
    known = [(found.name, found.clock) for found in visits if found.clock is not None]
    if len(known) > 1:
        pairs = [(name, other, clock.ahead_of(base)) for name, clock in known for other, base in known if name != other]
        name, other, worst = max(pairs, key=lambda pair: (pair[2].least, pair[2].most))
        checks.append(_judge_clock(ALL, worst, "each other", f"{name} and {other}: "))
    return checks


def _judge_clock(instance: str, clock: Clock, reference: str, who: str = "") -> Check:
    from oguardai.state import CLOCK_DIFFERENCE_SECONDS  # noqa: PLC0415

    bound = f"{CLOCK_DIFFERENCE_SECONDS:.0f} s"
    if clock.least > CLOCK_DIFFERENCE_SECONDS:
        message = f"{who}differs from {reference} by {clock.least:.1f} s at least, and {bound} are allowed: "
        return Check("clock", instance, Status.FAILED, message + "mend the time service of these hosts")
    if clock.most > CLOCK_DIFFERENCE_SECONDS:
        message = f"{who}may differ from {reference} by up to {clock.most:.1f} s: answers come too slowly to tell"
        return Check("clock", instance, Status.WARNING, message)
    return Check("clock", instance, Status.OK, f"differs from {reference} by {clock.most:.1f} s at most")


# --- keyrings and reloads ----------------------------------------------------------------------------------


def check_keyrings(visits: Sequence[Visit], now: float) -> list[Check]:
    """Compare the keyrings of the instances that show them."""
    rings = {found.name: found.diagnosis for found in visits if found.diagnosis is not None}
    if not rings:
        return []
    where = ALL if len(rings) > 1 else next(iter(rings))
    if len({ring.fingerprint for ring in rings.values()}) > 1:
        return [Check("keyring", place, Status.FAILED, message) for place, message in find_differences(rings)]
    ring = next(iter(rings.values()))
    actives = group((str(one.active_kid), name) for name, one in rings.items())
    if len(actives) == 1:
        count = f" on all {len(rings)}" if len(rings) > 1 else ""
        if ring.active_kid is None:
            return [Check("keyring", where, Status.FAILED, f"fingerprint {ring.fingerprint}{count}, and no key seals")]
        message = f"fingerprint {ring.fingerprint}{count}, kid {ring.active_kid} seals"
        return [Check("keyring", where, Status.OK, message)]
    message = f"the same, but not the kid that seals: {spread(actives)}"
    if any(key.not_before and abs(now - key.not_before) <= _SWITCH_SECONDS for key in ring.keys.values()):
        return [Check("keyring", where, Status.WARNING, f"{message}; a not_before just passes: try again in a minute")]
    return [Check("keyring", where, Status.FAILED, f"{message}; their clocks differ: mend the time service")]


def check_reloads(visits: Sequence[Visit]) -> list[Check]:
    """Tell how the last reload of each instance ended."""
    checks = []
    for found in visits:
        diagnosis = found.diagnosis
        if diagnosis is None:
            continue
        when = format_time(diagnosis.reloaded_at)
        if diagnosis.outcome not in {None, "ok"}:
            outcome = str(diagnosis.outcome)
            reasons = "".join(f": {reason}" for reason in diagnosis.reasons[:_MAX_REASONS])
            advice = _RELOAD_ADVICE.get(outcome, "look at its log")
            message = f"the last one ended as '{outcome}' at {when}{reasons}; {advice}"
            checks.append(Check("reload", found.name, Status.FAILED, message))
        elif diagnosis.late_workers:
            late = ", ".join(map(str, diagnosis.late_workers))
            message = f"workers that still use an older configuration: {late}; if they stay, `oguardai reload` there"
            checks.append(Check("reload", found.name, Status.WARNING, message))
        else:
            checks.append(Check("reload", found.name, Status.OK, f"the configuration was taken at {when}"))
    return checks
