"""What ``oguardai doctor`` can tell of instances by using them: sessions there and back, and those from before."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from oguardai.cli.checks import Check, Status, Visit
from oguardai.cli.failure import ExitCode, Failure
from oguardai.cli.files import name_of, read_bytes
from oguardai.cli.output import format_time
from oguardai.cli.remote import AdminRefused, Answer, RemoteError
from oguardai.cli.ringdiff import ALL

BASELINE_VERSION = 1
# When failures have become too many: so much more of all sessions than before, and so many at least, or half of all.
MORE_FAILURES = 0.01
LEAST_FAILURES = 5
MANY_FAILURES = 0.5

_NOT_COUNTED = frozenset({"ttl", "invalid"})  # clients' own: always some, and no key's fault
_WORTH_A_WARNING = frozenset({"unknown_kid", "authentication"})
_ADVICE = {
    "unknown_kid": "a key was taken out too soon, or this instance lacks a new one: list it again and reload",
    "authentication": "a kid has another secret than before, or than elsewhere: give the old secret its kid back",
    "revoked": "which is what revoking a key does",
    "critical": "upgrade this instance",
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A session that an instance sealed for this command; its values are made up."""

    origin: str
    blob: str = field(repr=False)
    kid: str
    expires_at: str
    text: str = ""
    safe_text: str = ""


# --- there and back ----------------------------------------------------------------------------------------


def check_round_trips(visits: Sequence[Visit]) -> tuple[list[Check], list[Sealed]]:
    """Let every instance seal a session, and every one open it. Returns the sessions as well."""
    checks: list[Check] = []
    sealed: list[Sealed] = []
    for found in visits:
        made = _seal(found)
        if isinstance(made, Sealed):
            sealed.append(made)
        else:
            checks.append(made)
    refusing = {check.instance for check in checks if check.refused}  # which has been said
    for found in [one for one in visits if sealed and one.name not in refusing]:
        problems = [problem for one in sealed if (problem := _open(found, one, "round-trip")) is not None]
        good = "opens what every instance seals" if len(visits) > 1 else "opens what it seals"
        checks.extend(dict.fromkeys(problems) or [Check("round-trip", found.name, Status.OK, good)])
    return checks, sealed


def _seal(found: Visit) -> Sealed | Check:
    secret = f"doctor-{secrets.token_hex(8)}@example.com"
    text = f"Write to {secret} today."
    try:
        answer = found.instance.post("/v1/transform", {"input": text, "types": ["email"], "threshold": 0})
        if answer.status != 200:
            return _describe_answer("round-trip", found.name, answer, "/v1/transform")
        result = answer.json()
        blob, safe = str(result["session_state"]), str(result["safe_text"])
        if secret in safe:
            return Check(
                "round-trip", found.name, Status.FAILED, "its /v1/transform leaves an e-mail address in a text"
            )
        return Sealed(found.name, blob, kid_of(blob), str(result["expires_at"]), text, safe)
    except RemoteError as error:
        return Check("round-trip", found.name, Status.FAILED, error.reason)
    except KeyError:
        return Check("round-trip", found.name, Status.FAILED, "its /v1/transform answers what is no session")


def _open(found: Visit, sealed: Sealed, name: str) -> Check | None:
    """Let an instance restore a text; None when all is well."""
    whose = "what it" if sealed.origin == found.name else f"what {sealed.origin}"
    try:
        answer = found.instance.post("/v1/rehydrate", {"output": sealed.safe_text, "session_state": sealed.blob})
        if answer.status == 410:
            message = f"does not open {whose} sealed with kid {sealed.kid} (410): {_why_gone(found, sealed.kid)}"
            return Check(name, found.name, Status.FAILED, message)
        if answer.status != 200:
            return _describe_answer(name, found.name, answer, "/v1/rehydrate")
        if answer.json().get("restored_text") != sealed.text:
            message = f"opens {whose} sealed with kid {sealed.kid}, but does not restore the text"
            return Check(name, found.name, Status.FAILED, message)
    except RemoteError as error:
        return Check(name, found.name, Status.FAILED, f"cannot be asked for {whose} sealed: {error.reason}")
    return None


def _why_gone(found: Visit, kid: str) -> str:
    """Say why a session that is not past its time does not open, as far as the keyring tells."""
    if found.diagnosis is None:
        return "that kid is missing or revoked there, or has another secret"
    key = found.diagnosis.keys.get(int(kid)) if kid.isdecimal() else None
    if key is None:
        return "that kid is not in its keyring; list it there and reload"
    if key.state == "revoked":
        return "that kid is revoked there"
    return f"that kid seems to have another secret there (fingerprint {key.fingerprint})"


def _describe_answer(name: str, instance: str, answer: Answer, path: str) -> Check:
    message = f"answers {answer.status} to {path}{answer.detail()}"
    if answer.status in {401, 403}:
        advice = "add the address of this host to server.allow_networks of that instance, or give --token-file"
        return Check(name, instance, Status.SKIPPED, f"{message}; {advice}", refused=True)
    return Check(name, instance, Status.FAILED, message)


def kid_of(blob: str) -> str:
    """Return the kid in front of a sealed session; ``unknown`` for a format that this release does not know."""
    parts = blob.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == "og1" and parts[1].isdecimal() else "unknown"


# --- a session that was kept -------------------------------------------------------------------------------


def check_session(visits: Sequence[Visit], blob: str, file: str) -> list[Check]:
    """Tell whether a session that was sealed before still opens on every instance."""
    kid = kid_of(blob)
    checks = []
    for found in visits:
        try:
            answer = found.instance.post("/v1/rehydrate", {"output": "doctor", "session_state": blob})
        except RemoteError as error:
            checks.append(Check("session", found.name, Status.FAILED, error.reason))
            continue
        if answer.status == 200:
            message = f"the session in {file}, sealed with kid {kid}, opens"
            checks.append(Check("session", found.name, Status.OK, message))
        elif answer.status == 410:
            why = _why_gone(found, kid)
            message = (
                f"the session in {file}, sealed with kid {kid}, does not open (410): it is past its time, or {why}"
            )
            checks.append(Check("session", found.name, Status.FAILED, message))
        else:
            checks.append(_describe_answer("session", found.name, answer, "/v1/rehydrate"))
    return checks


# --- before and after --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counters:
    """What an instance has counted since it was started (unix seconds): sessions opened, and not, by reason."""

    started_at: float | None
    opened: float
    errors: Mapping[str, float]

    @property
    def failed(self) -> float:
        """Sessions that did not open for another reason than their age or form."""
        return sum(count for reason, count in self.errors.items() if reason not in _NOT_COUNTED)

    @property
    def share(self) -> float:
        """Failed ones among all, 0 to 1."""
        return self.failed / (self.opened + self.failed) if self.failed else 0.0

    def restarted_since(self, before: Counters) -> bool:
        """Tell whether counting began anew: another start, or a counter that went back."""
        return (
            self.started_at != before.started_at
            or self.opened < before.opened
            or any(self.errors.get(reason, 0.0) < count for reason, count in before.errors.items())
        )

    def since(self, before: Counters) -> Counters:
        """Return what was counted since; after a restart, all of it."""
        if self.restarted_since(before):
            return self
        errors = {reason: count - before.errors.get(reason, 0.0) for reason, count in self.errors.items()}
        return Counters(self.started_at, self.opened - before.opened, errors)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What ``--save`` wrote: sessions and counters by URL, and when (unix seconds)."""

    saved_at: float
    sessions: Mapping[str, Sealed]
    counters: Mapping[str, Counters]


def read_counters(visits: Sequence[Visit]) -> tuple[list[Check], dict[str, Counters]]:
    """Read ``/metrics`` of every instance; by name."""
    checks = []
    counters = {}
    for found in visits:
        try:
            text = found.instance.get_admin("/metrics").body.decode("utf-8", "replace")
            started_at = found.diagnosis.started_at if found.diagnosis is not None else None
            counters[found.name] = parse_counters(text, started_at)
        except RemoteError as error:
            is_refused = isinstance(error, AdminRefused)
            status = Status.SKIPPED if is_refused else Status.FAILED
            checks.append(Check("failures", found.name, status, error.reason, is_refused))
        except ValueError:
            checks.append(Check("failures", found.name, Status.FAILED, "its /metrics cannot be read"))
    return checks, counters


def parse_counters(text: str, started_at: float | None) -> Counters:
    """Find the counters of sessions in Prometheus' text format; raises ValueError."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - heavy

    opened, errors = 0.0, dict[str, float]()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "oguardai_sessions_opened_total":
                opened += sample.value
            elif sample.name == "oguardai_session_errors_total":
                reason = sample.labels.get("reason", "")
                errors[reason] = errors.get(reason, 0.0) + sample.value
    return Counters(started_at, opened, errors)


def write_baseline(
    visits: Sequence[Visit], sealed: Sequence[Sealed], counters: Mapping[str, Counters], now: float
) -> bytes:
    """Return the content of a baseline file."""
    sessions = {one.origin: one for one in sealed}
    instances = {}
    for found in visits:
        if found.name in sessions or found.name in counters:
            session, counted = sessions.get(found.name), counters.get(found.name)
            instances[found.instance.url] = {
                "session": asdict(session) if session is not None else None,
                "counters": asdict(counted) if counted is not None else None,
            }
    content = {"oguardai_doctor": BASELINE_VERSION, "saved_at": now, "instances": instances}
    return json.dumps(content, indent=1).encode() + b"\n"


def read_baseline(path: str) -> Baseline:
    """Read what :func:`write_baseline` made.

    Raises:
        Failure: it is missing, or something else.
    """
    data = read_bytes(path)
    try:
        content: dict[str, Any] = json.loads(data)
        if content["oguardai_doctor"] != BASELINE_VERSION:
            raise ValueError
        entries = content["instances"].items()
        return Baseline(
            float(content["saved_at"]),
            {url: _sealed_from(one["session"]) for url, one in entries if one["session"] is not None},
            {url: _counters_from(one["counters"]) for url, one in entries if one["counters"] is not None},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Failure(f"{name_of(path)}: is not what `oguardai doctor --save` writes", ExitCode.BAD_DATA) from None


def _sealed_from(entry: Mapping[str, Any]) -> Sealed:
    return Sealed(**{name: str(value) for name, value in entry.items()})


def _counters_from(entry: Mapping[str, Any]) -> Counters:
    started_at, errors = entry["started_at"], entry["errors"].items()
    return Counters(
        None if started_at is None else float(started_at),
        float(entry["opened"]),
        {str(reason): float(count) for reason, count in errors},
    )


def check_saved_sessions(visits: Sequence[Visit], baseline: Baseline) -> list[Check]:
    """Tell whether the sessions of a baseline still open on every instance."""
    checks = []
    valid = []
    if not any(found.instance.url in baseline.sessions for found in visits):
        message = "was saved for none of these servers: give the same --url, or none as then"
        checks.append(Check("baseline", ALL, Status.FAILED, message))
    for one in baseline.sessions.values():
        try:
            is_over = datetime.fromisoformat(one.expires_at).timestamp() <= time.time()
        except ValueError:  # after the year 9999
            is_over = False
        if is_over:
            message = f"the saved session has expired ({one.expires_at}), so it proves nothing: compare sooner"
            checks.append(Check("baseline", one.origin, Status.WARNING, message))
        else:
            valid.append(one)
    for found in visits if valid else ():
        problems = [problem for one in valid if (problem := _open(found, one, "baseline")) is not None]
        count = f"the saved session{'s' if len(valid) > 1 else ''} of {', '.join(one.origin for one in valid)}"
        good = f"opens {count} (kid {', '.join(sorted({one.kid for one in valid}))})"
        checks.extend(dict.fromkeys(problems) or [Check("baseline", found.name, Status.OK, good)])
    return checks


def check_failures(visits: Sequence[Visit], counters: Mapping[str, Counters], baseline: Baseline) -> list[Check]:
    """Compare the share of sessions that did not open since a baseline with the share before it."""
    checks = []
    for found in visits:
        before, now = baseline.counters.get(found.instance.url), counters.get(found.name)
        if now is None:
            continue  # read_counters() said why
        if before is None:
            message = "the baseline has no counters of it: save one with the same --url, where /metrics may be read"
            checks.append(Check("failures", found.name, Status.SKIPPED, message))
        else:
            checks.append(judge_failures(found.name, before, now, baseline.saved_at))
    return checks


def judge_failures(instance: str, before: Counters, now: Counters, saved_at: float) -> Check:
    """Judge one instance: failed when the share grew by more than MORE_FAILURES and LEAST_FAILURES did not open."""
    since = now.since(before)
    when = "its restart" if now.restarted_since(before) else format_time(saved_at)
    reasons = {
        reason: count for reason, count in sorted(since.errors.items()) if count > 0 and reason not in _NOT_COUNTED
    }
    total = since.opened + since.failed
    if not reasons:
        return Check("failures", instance, Status.OK, f"each of {total:.0f} sessions since {when} could be opened")
    named = ", ".join(f"{reason} {count:.0f}" for reason, count in reasons.items())
    advice = _ADVICE.get(max(reasons, key=lambda reason: reasons[reason]), "see its log")
    message = (
        f"{since.failed:.0f} of {total:.0f} sessions since {when} could not be opened ({named}): "
        f"{since.share:.1%}, before {before.share:.1%}; {advice}"
    )
    status = Status.OK
    is_enough = since.failed >= LEAST_FAILURES or since.share >= MANY_FAILURES
    if since.share > before.share + MORE_FAILURES and is_enough:
        status = Status.FAILED
    elif _WORTH_A_WARNING.intersection(reasons):
        status = Status.WARNING
    return Check("failures", instance, status, message)
