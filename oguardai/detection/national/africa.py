"""Declare the numbers of Africa: persons, taxpayers and vehicles."""

from __future__ import annotations

from stdnum import verhoeff

from oguardai.detection.detector import NONE, STRONG, WEAK, Code
from oguardai.detection.entity import EntityType
from oguardai.detection.national.table import entity_type, is_date
from oguardai.detection.validators import is_luhn


def is_za_id(value: str) -> bool:
    """Check birth date, citizenship and Luhn digit of a South African number (Identification Act 68 of 1997)."""
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    born = is_date(1900 + year, month, day) or is_date(2000 + year, month, day)
    return born and value[10] in "012" and value[11] in "89" and is_luhn(value)


def is_nin(value: str) -> bool:
    """Check a Nigerian national identification number: Verhoeff."""
    return bool(verhoeff.is_valid(value)) and len(set(value)) > 2


def is_egyptian(value: str) -> bool:
    """Check century, birth date and governorate of an Egyptian number (Civil Status Law 143/1994)."""
    if value[0] not in "23":
        return False
    year = (1900 if value[0] == "2" else 2000) + int(value[1:3])
    governorate = int(value[7:9])
    return is_date(year, int(value[3:5]), int(value[5:7])) and (governorate <= 35 or governorate == 88)


_ID = ("national id*", "nationalid*", "id number*", "identity number*", "identification number*", "numéro*")
_ZA = ("rsa id*", "sa id*", "south african id*", "resident number*", "id no", "id", *_ID)

CODES: tuple[Code, ...] = (
    Code(
        name="za_id",
        type="za_id",
        layouts=("9999999999999", "999999 9999 999"),
        sample="8001015009087",
        confidence=0.12,
        validate=is_za_id,
        checksum=STRONG,
        context=_ZA,
    ),
    Code(
        name="ng_nin",
        type="ng_nin",
        layouts=("99999999999",),
        sample="01234567895",
        confidence=0.1,
        validate=is_nin,
        checksum=WEAK,
        context=("nin", "nimc", "national identification*", *_ID),
    ),
    Code(
        name="ng_vehicle",
        type="ng_vehicle",
        layouts=("AAA|999AA",),
        separators="-",
        sample="ABJ-001AA",
        confidence=0.3,
        context=("vehicle*", "plate*", "registration*", "car", "frsc"),
    ),
    Code(
        name="eg_nid",
        type="eg_nid",
        layouts=("99999999999999",),
        sample="29001011234567",
        confidence=0.12,
        validate=is_egyptian,
        checksum=WEAK,
        context=("*الرقم القومي*", "*القومي*", "egyptian id*", *_ID),
    ),
    Code(
        name="ke_id",
        type="ke_id",
        layouts=("99999999", "9999999"),
        sample="12345678",
        confidence=0.1,
        context=("kenyan id*", "huduma*", "kitambulisho*"),
    ),
    Code(
        name="ke_pin",
        type="ke_pin",
        layouts=("A999999999A",),
        sample="A123456789B",
        confidence=0.35,
        validate=lambda value: value[0] in "AP",
        checksum=NONE,
        context=("kra", "kra pin*", "pin"),
    ),
)


TYPES: tuple[EntityType, ...] = (
    entity_type(CODES, "za_id", 1, ("en-ZA", "af-ZA"), "Identification Act 68 of 1997"),
    entity_type(CODES, "ng_nin", 1, ("en-NG",), "National Identity Management Commission Act 23 of 2007"),
    entity_type(
        CODES, "ng_vehicle", 2, ("en-NG",), "Federal Road Safety Corps, National Road Traffic Regulations 2012"
    ),
    entity_type(CODES, "eg_nid", 1, ("ar-EG",), "Civil Status Law 143/1994"),
    entity_type(CODES, "ke_id", 1, ("en-KE", "sw-KE"), "Registration of Persons Act, chapter 107"),
    entity_type(CODES, "ke_pin", 1, ("en-KE", "sw-KE"), "Kenya Revenue Authority, personal identification number"),
)
