"""Declare the numbers of Australia and New Zealand: tax payers, firms and patients."""

from __future__ import annotations

import re

from stdnum.au import abn, acn, tfn
from stdnum.nz import ird

from oguardai.detection.detector import STRONG, WEAK, Code
from oguardai.detection.entity import EntityType

TYPES: tuple[EntityType, ...] = (
    EntityType("au_tfn", 1, checksum=True, locales=("en-AU",), source="Taxation Administration Act 1953, part VA"),
    EntityType("au_medicare", 1, checksum=True, locales=("en-AU",), source="AIHW, METEOR 270101, Medicare card number"),
    EntityType(
        "au_abn", 2, checksum=True, locales=("en-AU",), source="Australian Business Register, Format of the ABN"
    ),
    EntityType(
        "au_acn",
        2,
        checksum=True,
        locales=("en-AU",),
        source="Australian Securities and Investments Commission, ACN check digit",
    ),
    EntityType(
        "nz_ird",
        1,
        checksum=True,
        locales=("en-NZ",),
        source="Inland Revenue, Resident Withholding Tax and Non-Resident Withholding Tax Specification",
    ),
    EntityType("nz_nhi", 1, checksum=True, locales=("en-NZ",), source="HISO 10046:2023"),
)


def _has_digits(compact: str, *sizes: int) -> bool:
    return len(compact) in sizes and compact.isdigit() and len(set(compact)) > 1


def is_tfn(compact: str) -> bool:
    """Check the weighted sum, modulo 11."""
    return _has_digits(compact, 8, 9) and tfn.is_valid(compact)


def is_medicare(compact: str) -> bool:
    """Check the first digit, 2 to 6, and the ninth: the weighted sum of those before it, modulo 10.

    The issue number, and the person's own number on the card, follow and are not 0.
    """
    if not _has_digits(compact, 10, 11) or compact[0] not in "23456" or "0" in compact[9:]:
        return False
    total = sum(weight * int(c) for weight, c in zip((1, 3, 7, 9, 1, 3, 7, 9), compact[:8], strict=True))
    return total % 10 == int(compact[8])


def is_abn(compact: str) -> bool:
    """Check the two leading check digits, modulo 89."""
    return _has_digits(compact, 11) and compact[0] != "0" and abn.is_valid(compact)


def is_acn(compact: str) -> bool:
    """Check the check digit, modulo 10."""
    return _has_digits(compact, 9) and acn.is_valid(compact)


def is_ird(compact: str) -> bool:
    """Check the range and the check digit, modulo 11."""
    return _has_digits(compact, 8, 9) and ird.is_valid(compact)


_NHI = re.compile("[A-HJ-NP-Z]{3}(?:[0-9]{4}|[0-9]{2}[A-HJ-NP-Z]{2})")
_NHI_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def is_nhi(compact: str) -> bool:
    """Check the check digit of the old form, modulo 11, or the check letter of the new one, modulo 23."""
    if _NHI.fullmatch(compact) is None:
        return False
    values = [int(c) if c.isdigit() else _NHI_LETTERS.index(c) + 1 for c in compact]
    total = sum(weight * value for weight, value in zip(range(7, 1, -1), values[:6], strict=True))
    if compact[6].isdigit():
        return total % 11 != 0 and (11 - total % 11) % 10 == values[6]
    return 23 - total % 23 == values[6]


_TFN = ("tfn", "tfns", "tax file*", "taxfile*")
_MEDICARE = ("medicare*",)
_ABN = ("abn", "abns", "a.b.n", "australian business*", "business number*")
_ACN = ("acn", "acns", "a.c.n", "arbn", "australian company*", "company number*")
_IRD = ("ird", "ird number*", "inland revenue*", "gst number*", "gst no*")
_NHI_WORDS = ("nhi", "nhis", "national health index*", "health index*")

CODES: tuple[Code, ...] = (
    Code(
        name="au_tfn",
        type="au_tfn",
        layouts=("999 999 999", "99 999 999", "999999999", "99999999", "999-999-999"),
        sample="123 456 782",
        confidence=0.1,
        validate=is_tfn,
        checksum=WEAK,
        context=_TFN,
    ),
    Code(
        name="au_medicare",
        type="au_medicare",
        layouts=(
            "9999 99999 9",
            "9999-99999-9",
            "9999 99999 9 9",
            "9999-99999-9-9",
            "9999 99999 9-9",
            "9999 99999 9/9",
        ),
        sample="2123 45670 1",
        confidence=0.4,
        validate=is_medicare,
        checksum=WEAK,
        context=_MEDICARE,
    ),
    Code(
        name="au_medicare_plain",
        type="au_medicare",
        layouts=("9999999999", "99999999999", "9999999999-9", "9999999999/9"),
        sample="2123456701",
        confidence=0.1,
        validate=is_medicare,
        checksum=WEAK,
        context=_MEDICARE,
    ),
    Code(
        name="au_abn",
        type="au_abn",
        layouts=("99 999 999 999", "99-999-999-999"),
        sample="83 914 571 673",
        confidence=0.3,
        validate=is_abn,
        checksum=STRONG,
        context=_ABN,
    ),
    Code(
        name="au_abn_plain",
        type="au_abn",
        layouts=("99999999999",),
        sample="83914571673",
        confidence=0.05,
        validate=is_abn,
        checksum=STRONG,
        context=_ABN,
    ),
    Code(
        name="au_acn",
        type="au_acn",
        layouts=("999 999 999", "999999999", "999-999-999"),
        sample="004 085 616",
        confidence=0.1,
        validate=is_acn,
        checksum=WEAK,
        context=_ACN,
    ),
    Code(
        name="nz_ird",
        type="nz_ird",
        layouts=("99-999-999", "999-999-999", "99 999 999", "999 999 999", "99999999", "999999999"),
        sample="49-098-576",
        confidence=0.1,
        validate=is_ird,
        checksum=WEAK,
        context=_IRD,
    ),
    Code(
        name="nz_nhi",
        type="nz_nhi",
        # As short as the names of many things.
        layouts=("AAA9999",),
        sample="WLD9413",
        confidence=0.2,
        validate=is_nhi,
        checksum=WEAK,
        context=_NHI_WORDS,
        upper=True,
    ),
    Code(
        name="nz_nhi_letters",
        type="nz_nhi",
        layouts=("AAA99AA",),
        sample="ZSC21TN",
        confidence=0.3,
        validate=is_nhi,
        checksum=WEAK,
        context=_NHI_WORDS,
        upper=True,
    ),
)
