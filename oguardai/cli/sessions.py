"""``session``: look at a sealed session from outside and, with this host's keys, at what surrounds its values."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from oguardai.answers import rfc3339
from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.files import STDIN, name_of, read_session
from oguardai.cli.groups import CommandGroup
from oguardai.cli.options import config_dir_option, json_option, read_config
from oguardai.cli.output import complain, format_distance, format_time, write, write_json
from oguardai.errors import ConfigError, SessionExpiredError, SessionInvalidError

if TYPE_CHECKING:
    from oguardai.keyring import Keyring
    from oguardai.sealing import SealedBlob
    from oguardai.sessions import Session

_LARGEST_BLOB = 16 * 1024 * 1024  # the most that session.max_blob_bytes can allow


@dataclass(frozen=True, slots=True)
class Finding:
    """What can be told of a sealed session on this host.

    Attributes:
        status: ``valid``; ``expired``; ``unknown_kid``, ``revoked``, ``authentication`` and ``critical`` as the
            server logs them.
        session: what is in it, where the key could open it.
    """

    sealed: SealedBlob
    size: int
    status: str
    explanation: str
    session: Session | None = None


@click.group(cls=CommandGroup, short_help="Look at sealed sessions.")
@config_dir_option
def session() -> None:
    """Look at sealed sessions."""


@session.command(
    short_help="Tell what a sealed session is, and whether it opens here.",
    epilog=describe_codes(
        (
            ExitCode.OK,
            ExitCode.USAGE,
            ExitCode.BAD_DATA,
            ExitCode.NO_INPUT,
            ExitCode.NO_PERMISSION,
            ExitCode.CONFIG,
        )
    ),
)
@config_dir_option
@json_option("Print the findings as JSON.")
@click.argument("file", default=STDIN)
def inspect(file: str, as_json: bool) -> None:
    """Tell what the sealed session in FILE is (standard input without one), and whether it opens here.

    Its kid, format and size show always; its times, policy and the number of its entities with this host's keys.
    Values are never shown. The exit status is 0 only if the session can be opened now.
    """
    blob = read_session(file)
    if blob is None:
        raise Failure(f"{name_of(file)}: is empty", ExitCode.BAD_DATA)
    now = time.time()
    problem: Failure | ConfigError | None = None
    ring: Keyring | None = None
    try:
        ring = read_config().keyring
    except (Failure, ConfigError) as error:
        problem = error
    finding = examine(blob, ring, now, name_of(file))
    if as_json:
        write_json(_to_json(finding, ring))
    else:
        write(_to_text(finding, ring, now))
    if problem is not None:
        complain("the configuration cannot be read, so no more can be told:")
        raise problem
    if finding.status != "valid":
        raise Failure(f"{name_of(file)}: the session {finding.explanation}", ExitCode.BAD_DATA)


def examine(blob: str, ring: Keyring | None, now: float, name: str) -> Finding:
    """Find out what a blob is; without a keyring only what its outside says.

    Raises:
        Failure: it is not a sealed session at all.
    """
    from oguardai import sealing  # noqa: PLC0415 - see the package's docstring

    try:
        sealed = sealing.parse(blob, max_bytes=_LARGEST_BLOB)
    except SessionInvalidError:
        raise Failure(f"{name}: does not hold a sealed session", ExitCode.BAD_DATA) from None
    if ring is None:
        return Finding(sealed, len(blob), "unknown", "could not be opened without a configuration")
    return _open(sealed, len(blob), ring, now)


def _open(sealed: SealedBlob, size: int, ring: Keyring, now: float) -> Finding:
    from oguardai.sessions import Session  # noqa: PLC0415

    kid = sealed.kid
    key = ring.find(kid)
    if key is None:
        known = ", ".join(str(one.kid) for one in ring.keys)
        return Finding(
            sealed, size, "unknown_kid", f"is sealed with kid {kid}, and this host's keyring has only {known}"
        )
    if not key.opens:
        return Finding(sealed, size, "revoked", f"is sealed with kid {kid}, which is revoked")
    try:
        found = Session.unpack(sealed.open(key.session_key()))
    except SessionExpiredError as error:
        told = {
            "authentication": f"is sealed with another secret than this host has for kid {kid}, or was altered",
            "critical": "was sealed by a newer release, which this one cannot read",
        }
        return Finding(sealed, size, error.reason, told.get(error.reason, "cannot be opened"))
    expires = found.expires_at / 1000
    if expires <= now:
        explanation = f"expired at {format_time(expires)} ({format_distance(expires, now)})"
        return Finding(sealed, size, "expired", explanation, found)
    return Finding(sealed, size, "valid", f"can be opened until {format_time(expires)}", found)


class Refused(Failure):
    """What was given is a sealed session, and cannot be opened; one line says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, ExitCode.BAD_DATA)


def explain(blob: str, ring: Keyring, name: str) -> Failure:
    """Return the failure for a session that was refused, with the reason that a client of the server never learns."""
    try:
        finding = examine(blob, ring, time.time(), name)
    except Failure as failure:
        return failure
    if finding.status == "valid":  # it opens, but is over a limit of this configuration
        return Refused(f"{name}: the session is over session.max_age_seconds or session.max_blob_bytes")
    return Refused(f"{name}: the session {finding.explanation}")


def _to_json(finding: Finding, ring: Keyring | None) -> dict[str, Any]:
    key = ring.find(finding.sealed.kid) if ring is not None else None
    found = finding.session
    answer: dict[str, Any] = {
        "format": "og1",
        "kid": finding.sealed.kid,
        "size_bytes": finding.size,
        "status": finding.status,
        "explanation": finding.explanation,
        "key_fingerprint": key.fingerprint if key is not None else None,
    }
    if found is not None:
        answer |= {
            "session_id": found.id,
            "issued_at": rfc3339(found.issued_at),
            "expires_at": rfc3339(found.expires_at),
            "policy": found.policy,
            "token_style": found.token_style,
            "entities": found.count_by_type(),
        }
    return answer


def _to_text(finding: Finding, ring: Keyring | None, now: float) -> str:
    key = ring.find(finding.sealed.kid) if ring is not None else None
    lines = [("format", "og1"), ("kid", str(finding.sealed.kid)), ("size", f"{finding.size} bytes")]
    if key is not None:
        lines.append(("key", f"fingerprint {key.fingerprint}"))
    found = finding.session
    if found is not None:
        issued, expires = found.issued_at / 1000, found.expires_at / 1000
        counts = found.count_by_type()
        kinds = ", ".join(f"{name} {count}" for name, count in counts.items())
        lines += [
            ("session", found.id),
            ("issued", f"{format_time(issued)} ({format_distance(issued, now)})"),
            ("expires", f"{format_time(expires)} ({format_distance(expires, now)})"),
            ("policy", found.policy),
            ("tokens", found.token_style),
            ("entities", f"{len(found)} ({kinds})" if counts else "0"),
        ]
    if ring is not None:
        lines.append(("status", f"{finding.status}: {finding.explanation}"))
    return "".join(f"{name + ':':<10}{value}\n" for name, value in lines)
