"""Hold what detection finds: entities, the types they have, and the error for a detector that failed."""

from __future__ import annotations

from dataclasses import dataclass, field

from oguardai.detection.confidence import Evidence


class DetectionError(RuntimeError):
    """Report that a detector failed, so that the caller refuses the text instead of passing it on.

    The message names the detector and the kind of failure and never holds a part of the text. ``detector`` is its name
    for metrics: ``engine`` where no single one is to blame.
    """

    def __init__(self, message: str, detector: str = "engine") -> None:
        super().__init__(message)
        self.detector = detector


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the caller should know though detection succeeded; never with a value in it."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entity:
    """Describe one find: ``value == text[start:end]``, in code points, end exclusive.

    ``value`` is kept out of the representation, because representations end in logs and tracebacks.
    ``explanation`` is empty where none was asked for.
    """

    type: str
    start: int
    end: int
    value: str = field(repr=False)
    confidence: float
    detector: str
    explanation: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityType:
    """Describe a type of entity.

    ``level`` is 1 for identity documents, health, bank and card data and secrets, 2 for what is replaced and
    restored, 3 for what is abstracted. ``checksum`` says that every find passed a check digit. ``locales``
    are BCP 47 tags whose formats are known; none means that the format is the same everywhere. ``source`` is where the
    format is published: one document, by its name, number or issuer. A type that is not ``default`` is found only
    when it is asked for.
    """

    name: str
    level: int
    checksum: bool = False
    locales: tuple[str, ...] = ()
    default: bool = True
    source: str = ""
