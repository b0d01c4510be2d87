"""Detect as a configuration says: the built-in table, the terms, and what operators add."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from oguardai.detection import custom, ner
from oguardai.detection.advanced import Advanced, AdvancedError
from oguardai.detection.detector import Finder
from oguardai.detection.engine import detect
from oguardai.detection.entity import Entity, EntityType, Notice
from oguardai.detection.plugins import installed_finders
from oguardai.detection.registry import ENTITY_TYPES
from oguardai.detection.sidecar import Sidecar
from oguardai.detection.terms import terms_finder
from oguardai.errors import DetectorUnavailableError

if TYPE_CHECKING:
    from oguardai.config import DetectionSettings, DetectorSettings, Settings

BUILTIN, ADVANCED = "builtin", "advanced"
_LOCAL = "local:"


@dataclass(frozen=True, slots=True)
class Detected:
    """What was found, sorted by start and not overlapping, and what the caller should know beside it.

    ``unavailable`` says why the advanced detector did not answer, where that is let pass; empty when it did.
    """

    entities: Sequence[Entity]
    warnings: tuple[Notice, ...] = ()
    unavailable: str = ""


class Detection:
    """Detect under one configuration.

    ``types`` are the entity types that it knows, by name; ``mode`` is that of the settings.
    """

    def __init__(self, settings: DetectionSettings, detector: DetectorSettings) -> None:
        self._settings = settings
        self._fails_open = detector.on_failure == "open"
        self.mode = detector.mode
        declared, finders = custom.load(settings.detectors)
        self._finders: tuple[Finder, ...] = (*finders, *installed_finders())
        plugged = {kind for finder in installed_finders() for kind in finder.types}
        added = {
            kind.name: kind for kind in (*declared, *(EntityType(name, 2, source="a plug-in") for name in plugged))
        }
        self.types: Mapping[str, EntityType] = MappingProxyType({**added, **ENTITY_TYPES})
        self._terms = terms_finder(settings.terms) if settings.terms else None
        self._advanced = _make_advanced(detector) if detector.mode != BUILTIN else None

    def is_degraded(self) -> bool:
        """Tell whether the advanced detector failed the last time that it was asked."""
        return self._advanced is not None and self._advanced.is_failing()

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

        Raises as :func:`oguardai.detection.engine.detect` does, and DetectorUnavailableError when the advanced
        detector does not answer and that is not to be let pass.
        """
        settings = self._settings
        types = types or settings.types or None
        finders = [*self._finders]
        if self._terms is not None:
            finders.append(self._terms)
        if terms:
            finders.append(terms_finder(terms))
        failed = ""
        if self._advanced is not None:
            try:
                finders.append(_seen(self._advanced, text, frozenset(types or self.types)))
            except AdvancedError as error:
                if not self._fails_open:
                    raise DetectorUnavailableError(error.reason) from None
                failed = error.reason
        entities = detect(
            text,
            types=types,
            threshold=settings.threshold if threshold is None else threshold,
            limit=settings.max_finds,
            finders=finders,
            builtin=self.mode != ADVANCED or bool(failed),
            explain=explain,
        )
        return Detected(entities, _notices(failed), failed)


def _seen(advanced: Advanced, text: str, types: frozenset[str]) -> Finder:
    """Ask the advanced detector, and return its answer as a finder's."""
    found = advanced.find(text, types)
    return Finder(ADVANCED, types, lambda _: found)


def _notices(failed: str) -> tuple[Notice, ...]:
    if not failed:
        return ()
    detail = f"the advanced detector did not answer ({failed}): names may have been missed"
    return (Notice("advanced_detector_unavailable", detail),)


def _make_advanced(settings: DetectorSettings) -> Advanced:
    if settings.advanced_url.startswith(_LOCAL):
        return ner.LocalModel(settings.timeout_ms)
    return Sidecar(settings.advanced_url, settings.timeout_ms)


@lru_cache(maxsize=4)
def _detection(settings: DetectionSettings, detector: DetectorSettings) -> Detection:
    return Detection(settings, detector)


def detection_of(settings: Settings) -> Detection:
    """Return what detects under the settings; built once for equal ones."""
    return _detection(settings.detection, settings.detector)
