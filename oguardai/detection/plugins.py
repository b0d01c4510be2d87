"""Load detectors that other packages bring: the entry-point group ``oguardai.detectors``.

An entry point names a :class:`oguardai.detection.detector.Finder`, or a function without arguments that returns some.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from oguardai.detection.detector import Finder
from oguardai.detection.entity import DetectionError

GROUP = "oguardai.detectors"


@cache
def installed_finders() -> tuple[Finder, ...]:
    """Return what is installed; raises DetectionError that names the entry point when one cannot be loaded."""
    return tuple(finder for point in sorted(entry_points(group=GROUP)) for finder in _load(point))


def _load(point: EntryPoint) -> tuple[Finder, ...]:
    try:
        loaded = point.load()
        found = (loaded,) if isinstance(loaded, Finder) else tuple(loaded())
    except Exception as error:
        raise DetectionError(_named(point, f"cannot be loaded: {type(error).__name__}"), point.name) from error
    if not isinstance(found, Iterable) or not all(isinstance(finder, Finder) for finder in found):
        raise DetectionError(_named(point, "gives something else than Finder objects"), point.name)
    return found


def _named(point: EntryPoint, wrong: str) -> str:
    package = point.dist.name if point.dist else "a package"
    return f"the detector {point.name} of {package} ({point.value}) {wrong}"
