"""The answers of version 1 as what JSON can hold: one shape for the HTTP API and for ``--json`` of the commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oguardai.detection import Detected, Entity
    from oguardai.rehydrate import RehydrateResult
    from oguardai.transform import TransformResult


def transform_answer(result: TransformResult) -> dict[str, Any]:
    """Return the answer of ``/v1/transform``."""
    return {
        "safe_text": result.safe_text,
        "session_id": result.session_id,
        "session_state": result.session_state,
        "expires_at": rfc3339(result.expires_at),
        "entities": [
            {
                "token": entity.token,
                "type": entity.type,
                "span": {"start": entity.start, "end": entity.end},
                "confidence": entity.confidence,
            }
            for entity in result.entities
        ],
        "entity_context": result.entity_context,
        "warnings": [{"code": warning.code, "detail": warning.detail} for warning in result.warnings],
    }


def rehydrate_answer(result: RehydrateResult) -> dict[str, Any]:
    """Return the answer of ``/v1/rehydrate``."""
    return {
        "restored_text": result.restored_text,
        "restored": result.restored,
        "unknown_tokens": list(result.unknown_tokens),
        "repaired": list(result.repaired),
    }


def detect_answer(found: Detected, *, values: bool) -> dict[str, Any]:
    """Return the answer of ``/v1/detect``."""
    return {
        "entities": [entity_answer(entity, values=values) for entity in found.entities],
        "warnings": [{"code": warning.code, "detail": warning.detail} for warning in found.warnings],
    }


def entity_answer(entity: Entity, *, values: bool) -> dict[str, Any]:
    """Return one of the ``entities`` of ``/v1/detect``, with what was found or without, and why if it says so."""
    answer = {
        "type": entity.type,
        **({"value": entity.value} if values else {}),
        "span": {"start": entity.start, "end": entity.end},
        "confidence": entity.confidence,
        "detector": entity.detector,
    }
    if entity.explanation:
        answer["explanation"] = [
            {"evidence": evidence.kind, "weight": evidence.weight, "detail": evidence.detail}
            for evidence in entity.explanation
        ]
    return answer


def rfc3339(milliseconds: int) -> str:
    """Write unix milliseconds as RFC 3339 in UTC; a time after the year 9999 as the number that it is."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
