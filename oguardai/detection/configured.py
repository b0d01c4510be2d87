"""Detect as a configuration says: the built-in table, the terms, and what operators add."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from oguardai.detection.engine import detect
from oguardai.detection.entity import Entity, EntityType, Notice
from oguardai.detection.registry import ENTITY_TYPES
from oguardai.detection.terms import terms_finder

if TYPE_CHECKING:
    from oguardai.config import DetectionSettings, Settings


@dataclass(frozen=True, slots=True)
class Detected:
    """What was found, sorted by start and not overlapping, and what the caller should know beside it."""

    entities: Sequence[Entity]
    warnings: tuple[Notice, ...] = ()


class Detection:
    """Detect under one configuration.

    ``types`` are the entity types that it knows, by name.
    """

    def __init__(self, settings: DetectionSettings) -> None:
        self._settings = settings
        self.types: Mapping[str, EntityType] = MappingProxyType({**ENTITY_TYPES})

    def detect(
        self,
        text: str,
        *,
        types: Collection[str] | None = None,
        threshold: float | None = None,
        terms: Sequence[str] = (),
        explain: bool = False,
    ) -> Detected:
        """Find the entities of a text; what is not given (or no types) is as configured.

        Raises as :func:`oguardai.detection.engine.detect` does.
        """
        settings = self._settings
        finders = [terms_finder(terms)] if terms else []
        return Detected(
            detect(
                text,
                types=types or settings.types or None,
                threshold=settings.threshold if threshold is None else threshold,
                limit=settings.max_finds,
                finders=finders,
                explain=explain,
            )
        )


@lru_cache(maxsize=4)
def _detection(settings: DetectionSettings) -> Detection:
    return Detection(settings)


def detection_of(settings: Settings) -> Detection:
    """Return what detects under the settings; built once for equal ones."""
    return _detection(settings.detection)
