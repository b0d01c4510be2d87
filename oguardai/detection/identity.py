"""Declare the detectors of identity data: dates of birth, passports."""

from __future__ import annotations

from oguardai.detection import dates, validators
from oguardai.detection.detector import ALNUM, Code, Detector, Digits, Near, Trigger

_BIRTH_CONTEXT = (
    "birth*", "born", "dob", "d.o.b", "date_of_birth", "geburt*", "geb", "geboren*",
    "naissance", "né", "née", "ne le", "nacimiento", "nacid*", "f. nac", "fecha nac", "nascita", "nato",
    "nata", "data di nascita", "nascimento", "nascid*", "geboorte*", "urodz*", "ur.", "narozen*", "född*",
    "födelse*", "født", "fødsels*", "syntymä*", "syntynyt", "doğum*", "*дата рождения*", "*生年月日*", "*생년월일*",
    "*出生日期*",
)  # fmt: skip
_ANCHORED = Near(
    (
        "birth", "born", "dob", "d.o.b", "geb", "naiss", "né", "ne le", "naci", "f. nac", "fecha nac", "nascita",
        "nato", "nata", "nascim", "nascid", "geboor", "urodz", "ur.", "naroz", "född", "födel", "født", "føds",
        "synty", "doğum", "рождения",
    ),
    before=0,
    after=80,
    fold=True,
)  # fmt: skip
_PASSPORT_CONTEXT = (
    "passport*", "reisepass*", "passnummer", "pass-nr", "passnr", "ausweis*", "passeport*", "pasaporte*",
    "passaporto", "passaporti",
)  # fmt: skip


def _date_of_birth(name: str, pattern: str, sample: str, trigger: Trigger = _ANCHORED) -> Detector:
    return Detector(
        name=name,
        type="date_of_birth",
        pattern=pattern,
        sample=sample,
        trigger=trigger,
        confidence=0.7,
        validate=dates.is_date,
        not_before=ALNUM | frozenset("-/."),
        not_after=ALNUM | frozenset("-/"),
        context=_BIRTH_CONTEXT,
        needs_context=True,
        retry=True,
        holds_digit=True,
    )


DETECTORS = (
    _date_of_birth("date_of_birth", dates.NUMBERS, "1985-03-12", Digits()),
    _date_of_birth("date_of_birth_day_first", dates.DAY_FIRST, "12 March 1985", dates.DAY),
    _date_of_birth("date_of_birth_month_first", dates.MONTH_FIRST, "March 12, 1985"),
)

CODES = (
    Code(
        name="passport",
        type="passport",
        # Seven to ten letters and digits; those of ICAO Doc 9303-4 have up to nine.
        layouts=(
            *("9" * count for count in range(7, 11)),
            *("A" * letters + "9" * (size - letters) for letters in (1, 2, 3) for size in range(7, 11)),
            *("A" * letters + "|" + "9" * (size - letters) for letters in (1, 2, 3) for size in (7, 8, 9)),
            "99AA99999",
            "A99A99999",
            "A9A999999",
            "AXXXXXXXX",
            "9XXXXXXXX",
        ),
        sample="12AB34567",
        confidence=0.1,
        separators=" ",
        validate=validators.is_passport,
        context=_PASSPORT_CONTEXT,
    ),
)
