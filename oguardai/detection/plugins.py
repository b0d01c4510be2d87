"""Load detectors that other packages bring: the entry-point group ``oguardai.detectors``.

An entry point names a :class:`oguardai.detection.detector.Finder`, or a function without arguments that returns some.
Their names and types are checked here, what they find at each use.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from oguardai.detection.detector import Finder
from oguardai.detection.entity import DetectionError
from oguardai.tokens import LITERAL, is_type_name

GROUP = "oguardai.detectors"


@cache
def installed_finders() -> tuple[Finder, ...]:
    """Return what is installed; raises DetectionError that names the entry point when one is not sound."""
    finders: dict[str, Finder] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        for finder in _load(point):
            if finder.name in finders:
                raise _error(point, f"is the second with a finder called {finder.name}")
            finders[finder.name] = finder
    return tuple(finders.values())


def _load(point: EntryPoint) -> tuple[Finder, ...]:
    try:
        loaded = point.load()
        found = (loaded,) if isinstance(loaded, Finder) else tuple(loaded())
    except Exception as error:
        raise _error(point, f"cannot be loaded: {type(error).__name__}") from error
    for finder in found:
        if not isinstance(finder, Finder):
            raise _error(point, "gives something else than Finder objects")
        if not _is_name(finder.name) or not finder.types or not all(map(_is_name, finder.types)):
            raise _error(point, "has a finder without a name and types of a-z, 0-9 and _, of at most 32 characters")
        if LITERAL in finder.types:
            raise _error(point, f"has a finder of the type {LITERAL}, which is what text like a token is called")
    return found


def _is_name(name: object) -> bool:
    return isinstance(name, str) and is_type_name(name)


def _error(point: EntryPoint, wrong: str) -> DetectionError:
    package = point.dist.name if point.dist else "a package"
    return DetectionError(f"the detector {point.name} of {package} ({point.value}) {wrong}", point.name)
