"""Write rows of a country's table, which all have the same parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from oguardai.detection.detector import NONE, Code
from oguardai.detection.entity import EntityType

# Words for any number that names a person, for those that are plain digits with a check digit.
_ANY_NUMBER = (
    "national id*", "nationalid*", "personal id*", "personal code*", "identity number*", "id number*", "id code*",
    "identification number*", "id card*", "numéro*", "personalnummer*", "ausweisnummer*",
)  # fmt: skip


def number(  # noqa: PLR0917 - a row is read as a row
    name: str,
    layouts: tuple[str, ...],
    sample: str,
    confidence: float,
    validate: Callable[[str], object] | None,
    checksum: float,
    context: tuple[str, ...],
    *,
    kind: str = "",
    separators: str = " -",
    upper: bool = False,
) -> Code:
    """Declare a number; ``kind`` is its type where several rows have one, otherwise its name."""
    return Code(
        name=name,
        type=kind or name,
        layouts=layouts,
        sample=sample,
        confidence=confidence,
        separators=separators,
        validate=total(validate) if validate else None,
        checksum=checksum,
        context=(*context, *(_ANY_NUMBER if confidence < 0.4 and checksum else ())),
        upper=upper,
    )


def total(check: Callable[[str], object]) -> Callable[[str], bool]:
    """Make a check that knows its own form only one that answers for every text."""

    def is_valid(value: str) -> bool:
        try:
            return bool(check(value))
        except (ValueError, KeyError, IndexError):
            return False

    return is_valid


def entity_type(codes: Iterable[Code], name: str, level: int, locales: tuple[str, ...], source: str) -> EntityType:
    """Declare a type; it has a check digit when each of its rows has."""
    checked = [code.checksum > NONE for code in codes if code.type == name]
    return EntityType(name, level, checksum=all(checked), locales=locales, source=source)


def is_date(year: int, month: int, day: int) -> bool:
    """Tell whether a day exists."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
