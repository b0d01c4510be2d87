"""Declare the detectors of identity data: dates of birth, passports."""

from __future__ import annotations

from oguardai.detection import dates, validators
from oguardai.detection.detector import ALNUM, Detector, Near

_BIRTH_CONTEXT = (
    "birth*", "born", "dob", "d.o.b", "date_of_birth", "geburt*", "geb", "geboren*",
    "naissance", "né", "née", "ne le", "nacimiento", "nacid*", "f. nac", "fecha nac", "nascita", "nato",
    "nata", "data di nascita",
)  # fmt: skip
_BIRTH_ANCHORS = (
    "birth", "born", "dob", "d.o.b", "geb", "naiss", "né", "ne le", "naci", "f. nac", "fecha nac",
    "nascita", "nato", "nata",
)  # fmt: skip
_PASSPORT_CONTEXT = (
    "passport*", "reisepass*", "passnummer", "pass-nr", "passnr", "ausweis*", "passeport*", "pasaporte*",
    "passaporto", "passaporti",
)  # fmt: skip


def _date_of_birth(name: str, pattern: str, sample: str) -> Detector:
    return Detector(
        name=name,
        type="date_of_birth",
        pattern=pattern,
        sample=sample,
        trigger=Near(_BIRTH_ANCHORS, before=0, after=80, fold=True),
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
    _date_of_birth("date_of_birth", dates.NUMBER_FIRST, "1985-03-12"),
    _date_of_birth("date_of_birth_month_first", dates.MONTH_FIRST, "March 12, 1985"),
    Detector(
        name="passport",
        type="passport",
        pattern=r"(?:[A-Za-z]{1,3} ?)?[0-9][A-Za-z0-9]{5,9}|[A-Za-z]{1,2}[0-9]{2}[A-Za-z][A-Za-z0-9]{4,6}",
        sample="912803456",
        trigger=Near(
            (
                "passport",
                "reisepass",
                "passnummer",
                "pass-nr",
                "passnr",
                "ausweis",
                "passeport",
                "pasaporte",
                "passaport",
            ),
            before=0,
            after=80,
            fold=True,
        ),
        confidence=0.1,
        refine=validators.trim_passport,
        not_before=ALNUM | {"-"},
        not_after=ALNUM,
        context=_PASSPORT_CONTEXT,
        needs_context=True,
        retry=True,
        holds_digit=True,
    ),
)
