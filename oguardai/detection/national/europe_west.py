"""Declare the numbers of the west of Europe: persons, patients, taxpayers, firms, documents, vehicles, postcodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from stdnum.at import vnr
from stdnum.ch import ssn as ahv
from stdnum.ch import uid
from stdnum.de import vat as de_vat
from stdnum.es import cif, nie, nif
from stdnum.fr import nir, siren, siret
from stdnum.gb import nhs, utr
from stdnum.ie import pps
from stdnum.it import codicefiscale, iva
from stdnum.nl import bsn
from stdnum.pt import cc as pt_cc
from stdnum.pt import nif as pt_nif

from oguardai.detection.detector import NONE, STRONG, WEAK, Code
from oguardai.detection.entity import EntityType
from oguardai.detection.national.table import entity_type, is_date, number, total


def _cross_sums(digits: str, weights: tuple[int, ...]) -> int:
    return sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(digits, weights, strict=False))


# --- United Kingdom, Ireland -----------------------------------------------------------------------------------------

_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z][0-9]{6}[ABCD]?")
_DRIVER = re.compile(r"[A-Z]{1,5}9{0,4}[0-9][0156][0-9](?:0[1-9]|[12][0-9]|3[01])[0-9][A-Z9][A-Z9][0-9A-Z][A-Z]{2}")
_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|"
    "G|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|"
    "NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|"
    "WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
_POSTCODE = re.compile(rf"(?:(?:{_AREAS})[0-9](?:[0-9]|[A-HJKMNPR-Y])?[0-9][ABD-HJLNP-UW-Z]{{2}}|GIR0AA)")
# Since September 2001: memory tag, age identifier, three letters.
_PLATE = re.compile(
    r"[A-HJ-PR-Y][A-HJ-PR-Y](?:0[2-9]|[12][0-9]|5[1-9]|[67][0-9])[A-HJ-PR-Z]{3}"
    r"|[A-HJ-NPRSTV-Y][0-9]{1,3}[A-HJ-PR-Y]{3}|[A-HJ-PR-Y]{3}[0-9]{1,3}[A-HJ-NPRSTV-Y]"
)


def is_nino(value: str) -> bool:
    """Check prefix and suffix of a national insurance number (HMRC, National Insurance Manual NIM39110)."""
    return _NINO.fullmatch(value) is not None


def is_uk_driving_licence(value: str) -> bool:
    """Check surname, month (5 added for women) and day of a driver number (DVLA, INF45)."""
    if not _DRIVER.fullmatch(value) or not value[:5].rstrip("9").isalpha():
        return False
    return is_date(2000 + int(value[5] + value[10]), int(value[6:8]) % 50, int(value[8:10]))


def is_uk_postcode(value: str) -> bool:
    """Check area, district and unit (Royal Mail, Programmers' Guide to PAF)."""
    return _POSTCODE.fullmatch(value) is not None


def is_uk_plate(value: str) -> bool:
    """Check letters and age identifier of a registration number (DVLA, INF104)."""
    return _PLATE.fullmatch(value) is not None


# --- Germany, Austria, Switzerland -----------------------------------------------------------------------------------

_CARD_LETTERS = frozenset("CFGHJKLMNPRTVWXYZ")


def _icao_check(value: str) -> int:
    """Compute the check digit of ICAO Doc 9303-3, 4.9: weights 7, 3, 1."""
    return sum(int(char, 36) * (7, 3, 1)[at % 3] for at, char in enumerate(value)) % 10


def is_de_document(value: str) -> bool:
    """Check letter and check digit of a passport or an identity card (Bundesministerium des Innern, ICAO 9303)."""
    if value[0] not in _CARD_LETTERS or not value[-1].isdigit():
        return False
    if any(char in "ABDEIOQSU" for char in value):
        return False
    return _icao_check(value[:-1]) == int(value[-1])


def is_de_id_card(value: str) -> bool:
    """Check an identity card: as a document, or a T and eight digits of the old series."""
    if len(value) == 9 and value[0] == "T" and value[1:].isdigit():
        return True
    return is_de_document(value)


def is_lettered_id_card(value: str) -> bool:
    """Check an identity card whose serial has letters, as nearly all have: no order number looks so."""
    if value[0] not in "LMNPRTVWXYZ" or value[4:9].isdigit() or sum(char.isalpha() for char in value) < 3:
        return False
    return is_de_document(value)


def is_de_passport(value: str) -> bool:
    """Check a passport: the authority's letter and the check digit."""
    return value[0] in "CFGHJK" and is_de_document(value)


def is_de_tax_id(value: str) -> bool:
    """Check an identification number (Abgabenordnung 139b): ISO 7064 MOD 11,10, no digit more than three times."""
    if not value.isdigit() or value[0] == "0" or max(map(value[:10].count, value[:10])) > 3:
        return False
    product = 10
    for digit in value[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(value[10])


# Of the 13 digits, Bavaria and North Rhine-Westphalia have one for the state, the others two.
_STATES = frozenset(("10", "11", "21", "22", "23", "24", "26", "27", "28", "30", "31", "32", "40", "41"))


def is_de_tax_number(value: str) -> bool:
    """Accept the states' 10 or 11 digits, of the 13 of all states those with a state and a 0 in the fifth place."""
    if len(value) == 13:
        return value[4] == "0" and (value[0] in "59" or value[:2] in _STATES)
    return value.isdigit() and len(value) in (10, 11)


def is_de_social_security(value: str) -> bool:
    """Check area, birth date and check digit of an insurance number (VKVV 4): weighted cross sums."""
    if not (value[:8].isdigit() and value[8].isalpha() and value[9:].isdigit()):
        return False
    day, month = int(value[2:4]), int(value[4:6])
    day -= 50 if day > 50 else 0
    if day > 31 or month > 12 or (day and month and not is_date(2000 + int(value[6:8]), month, day)):
        return False
    digits = f"{value[:8]}{ord(value[8]) - 64:02d}{value[9:11]}"
    return _cross_sums(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(value[11])


def is_de_health_insurance(value: str) -> bool:
    """Check the digit of a health insurance number (SGB V 290): cross sums of 1, 2, 1 ..."""
    digits = f"{ord(value[0]) - 64:02d}{value[1:9]}"
    return _cross_sums(digits, (1, 2) * 5) % 10 == int(value[9])


def is_de_lanr(value: str) -> bool:
    """Check the seventh digit of a doctor's number (KBV, Richtlinie nach 75 SGB V): weights 4, 9."""
    total = sum(int(digit) * (4, 9)[at % 2] for at, digit in enumerate(value[:6]))
    return (10 - total % 10) % 10 == int(value[6]) and len(set(value)) > 1


def is_de_plate(value: str) -> bool:
    """Check the length of a plate, that its number has no leading zero, and its mark (FZV, Anlage 1 and 2)."""
    return len(value) <= 8 and re.fullmatch("[A-Z]{2,5}[1-9][0-9]{0,3}[EH]?", value) is not None


def is_ahv(value: str) -> bool:
    """Check a Swiss AHV number (EAN-13, country 756)."""
    return value.startswith("756") and bool(ahv.is_valid(value))


# --- France, Belgium, Netherlands ------------------------------------------------------------------------------------


def is_nir(value: str) -> bool:
    """Check sex, month and key of a French social security number (INSEE, code officiel)."""
    return value[0] in "123478" and bool(nir.is_valid(value))


def is_usual_nir(value: str) -> bool:
    """Check a French number of a person whose sex and month of birth are known, as nearly all are."""
    return value[0] in "12" and "01" <= value[3:5] <= "12" and bool(nir.is_valid(value))


def is_siret(value: str) -> bool:
    """Check a French establishment's number: Luhn, and of the post office the sum of digits."""
    return value.strip("0") != "" and bool(siret.is_valid(value))


def is_siren(value: str) -> bool:
    """Check a French firm's number: Luhn."""
    return value.strip("0") != "" and bool(siren.is_valid(value))


def is_nrn(value: str) -> bool:
    """Check month and key of a Belgian national number: 97 less the rest modulo 97, since 2000 with a 2 before it."""
    head, check, month = int(value[:9]), int(value[9:]), int(value[2:4])
    if month > 52 or month % 20 > 12 or int(value[4:6]) > 31 or head == 0:
        return False
    born = 2000 + int(value[:2]) <= date.today().year
    return check == 97 - head % 97 or (born and check == 97 - (2_000_000_000 + head) % 97)


def is_bsn(value: str) -> bool:
    """Check a Dutch citizen service number: the eleven test."""
    return len(set(value)) > 2 and bool(bsn.is_valid(value))


# --- Spain, Italy, Portugal ------------------------------------------------------------------------------------------

_OMOCODE = str.maketrans("LMNPQRSTUV", "0123456789")
_FISCAL = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")


_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_dni(value: str) -> bool:
    """Check the letter of a Spanish identity number (Real Decreto 1553/2005): the number modulo 23."""
    return value[:-1].isdigit() and _DNI_LETTERS[int(value[:-1]) % 23] == value[-1]


def is_long_dni(value: str) -> bool:
    """Check an identity number with its leading zeros that is no size, as ``16777216K`` is."""
    return len(value) == 9 and value[-1] not in "BKM" and is_dni(value)


def is_lettered_nif(value: str) -> bool:
    """Check a firm's number, or one of a person without identity card, which begins with K, L or M."""
    return value[0] not in "XYZ" and bool(nif.is_valid(value))


def is_fiscal_code(value: str) -> bool:
    """Check an Italian fiscal code (Decreto Ministeriale 23.12.1976): form, day, check letter."""
    if not _FISCAL.fullmatch(value):
        return False
    year, day = int(value[6:8].translate(_OMOCODE)), int(value[9:11].translate(_OMOCODE))
    if not is_date(2000 + year, "ABCDEHLMPRST".index(value[8]) + 1, day - 40 if day > 40 else day):
        return False
    return bool(codicefiscale.calc_check_digit(value[:15]) == value[15])


def is_iva(value: str) -> bool:
    """Check an Italian VAT number: Luhn, province."""
    number = value.removeprefix("IT")
    return number.isdigit() and number[:7] != "0000000" and bool(iva.is_valid(number))


# --- words -----------------------------------------------------------------------------------------------------------

_NHS = ("nhs", "nhsno", "nhsnumber*", "health service*", "patient*")
_NI = ("nino", "ni", "national insurance*", "nationalinsurance*", "ninumber*", "insurance number*")
_UK_LICENCE = ("driving licence*", "driving license*", "drivinglicence*", "licence*", "driver number", "dvla")
_PASS = ("passport*", "travel document*", "passeport*", "pasaporte*", "passaporto*", "reisepass*", "passnummer*",
         "pass nr", "paspoort*", "paszport*", "pas nr")  # fmt: skip
_UK_PASS = (*_PASS, "uk passport*", "british passport*")
_PLATE_WORDS = ("registration*", "reg", "number plate*", "licence plate*", "license plate*", "vrm", "plate*",
                "kennzeichen*", "kfz*", "amtl*", "plaka*", "immatricul*", "targa", "matrícula*", "matricula*",
                "kenteken*")  # fmt: skip
_PLATES = (*_PLATE_WORDS, "vehicle*", "car", "van", "auto", "fahrzeug*")
_ADDRESS = (
    "postcode*", "post code*", "postal code*", "address*", "zip", "lives", "live at", "london", "street", "road",
)  # fmt: skip
_TAX_ID = (
    "steuer id*", "steuerid*", "steueridentifikation*", "identifikationsnummer*", "idnr", "id nr", "tin", "tax id*",
    "taxid*", "steuernummer*", "steuer identifikation*", "steuerliche id*",
)  # fmt: skip
_TAX_NUMBER = (
    "steuernummer*", "steuernr*", "steuer nr*", "stnr", "st nr*", "st. nr", "tax number*", "taxnumber*", "finanzamt*",
)  # fmt: skip
_SOCIAL = (
    "sozialversicherung*", "rentenversicherung*", "versicherungsnummer*", "sv nummer*", "svnr", "sv nr", "rvnr",
    "rv nummer*", "vsnr", "ecard", "e card", "social security*", "social insurance*", "svn*", "insurance number*",
)  # fmt: skip
_CARD = ("personalausweis*", "ausweis*", "perso", "id card*", "identity card*", "idcard*", "carta d'identità",
         "carta identità", "carta d'identita", "carta identita", "cie", "documento*", "cni", "carte d'identité",
         "carte nationale*", "dni", "dowód*", "dowod*")  # fmt: skip
_HEALTH = ("krankenversicher*", "krankenkasse*", "kvnr", "kv nummer*", "kv nr*", "versichertennummer*",
           "versicherten nr*", "versichertennr*", "health insurance*", "egk", "gesundheitskarte*")  # fmt: skip
_VAT = ("ust idnr*", "ust id*", "ustid*", "umsatzsteuer*", "vat*", "mwst*", "tva*", "btw*", "uid")
_LICENCE = ("führerschein*", "fuehrerschein*", "fahrerlaubnis*", "patente*", "driving licen*", "driver licen*",
            "driver's licen*", "permis de conduire", "fs nummer*", "license number*", "licence number*")  # fmt: skip
_POST = ("plz", "postleitzahl*", "postcode*", "postal code*", "zip", "zip code")
_NIR = ("numéro de sécurité*", "sécurité sociale*", "securite sociale*", "sécu", "secu", "nir", "insee",
        "social security*", "assuré*", "assure")  # fmt: skip
_FIRM_FR = ("siret*", "siren*", "entreprise*", "établissement*", "etablissement*", "rcs")
_DNI = ("dni*", "d.n.i", "nif*", "n.i.f", "documento nacional*", "identificación*", "identificacion*", "cif", "nie")
_CIF = ("cif*", "c.i.f", "nif*", "empresa*", "sociedad*")
_NIE = ("nie*", "n.i.e", "extranjero*", "tie", "número de identidad*", "numero de identidad*", "foreigner*")
_FISCAL_WORDS = ("codice fiscale*", "codicefiscale*", "cod. fisc", "cod fisc", "c.f", "cf", "fiscal code*", "tax code*")
_IVA = ("partita iva*", "partitaiva*", "p.iva", "p. iva", "p iva", "piva", "iva", "vat*")
_BSN = ("bsn*", "burgerservicenummer*", "sofi*", "sofinummer*", "citizen service*")
_NRN = ("rijksregister*", "registre national*", "numéro national*", "numero national*", "nrn", "niss", "insz",
        "national register*", "nationaal nummer*")  # fmt: skip
_PT = ("nif*", "contribuinte*", "número de identificação fiscal*", "numero de contribuinte*", "nipc")
_AHV = ("ahv*", "avs*", "avs nr", "navs*", "svnr", "sozialversicherung*", "assurance vieillesse*")
_PPS = ("pps*", "ppsn*", "personal public service*", "rsi")


def _plates(*signs: tuple[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{'A' * area}{first}{'A' * letters}{second}{'9' * digits}{mark}"
        for area in (1, 2, 3)
        for letters in (1, 2)
        for digits in (1, 2, 3, 4)
        for first, second in signs
        for mark in ("", "A")
    )


_DE_PLATES = _plates(("-", " "), ("-", "-"), ("-", ""))
_DE_SPACED = _plates((" ", " "))
_HEAD_UK = ("A9", "A99", "AA9", "AA99", "A9A", "AA9A")


def _firm(  # noqa: PLR0917 - a row is read as a row
    name: str,
    layouts: tuple[str, ...],
    sample: str,
    confidence: float,
    validate: Callable[[str], object],
    context: tuple[str, ...],
    *,
    kind: str = "",
) -> Code:
    """Declare a checked number of a firm or a practice, which words for a person's number do not name."""
    return Code(name, kind or name, layouts, sample, confidence, " -", total(validate), WEAK, context)


CODES: tuple[Code, ...] = (
    number("uk_nhs", ("999 999 9999", "999-999-9999", "9999999999"), "943 476 5919", 0.1, nhs.is_valid, WEAK, _NHS),
    number("uk_nhs_spaced", ("999 999 9999",), "943 476 5919", 0.2, nhs.is_valid, WEAK, _NHS, kind="uk_nhs"),
    number(
        "uk_nino",
        ("AA999999A", "AA 99 99 99 A", "AA 999999 A", "AA-99-99-99-A"),
        "AB 12 34 56 C",
        0.4,
        is_nino,
        WEAK,
        _NI,
    ),
    number(
        "uk_utr",
        ("9999999999", "99999 99999"),
        "1955839661",
        0.1,
        utr.is_valid,
        WEAK,
        ("utr", "unique taxpayer*", "tax reference*"),
    ),
    number(
        "uk_driving_licence",
        tuple(f"{'A' * letters}{'9' * (11 - letters)}XXXAA" for letters in (5, 4, 3, 2, 1)),
        "MORGA657054SM9IJ",
        0.5,
        is_uk_driving_licence,
        WEAK,
        _UK_LICENCE,
    ),
    number("uk_passport", ("999999999",), "925665416", 0.15, lambda value: value != "123456789", NONE, _UK_PASS),
    number("uk_passport_new", ("AA9999999",), "AB1234567", 0.15, None, NONE, _UK_PASS, kind="uk_passport"),
    number(
        "uk_vehicle",
        ("AA99|AAA",),
        "AB51 ABC",
        0.3,
        is_uk_plate,
        NONE,
        _PLATES,
        upper=True,
    ),
    # Roads and prices look so too: "on the m25 and", "for 20k".
    number(
        "uk_vehicle_old",
        ("A999|AAA", "A99|AAA", "AAA|999A", "AAA|99A", "AAA|9A"),
        "M456 DEF",
        0.3,
        lambda value: value[-1] != "K" and is_uk_plate(value),
        NONE,
        _PLATE_WORDS,
        kind="uk_vehicle",
        upper=True,
    ),
    number(
        "uk_postcode",
        tuple(f"{head} 9AA" for head in _HEAD_UK),
        "SW1A 1AA",
        0.3,
        is_uk_postcode,
        WEAK,
        _ADDRESS,
        upper=True,
    ),
    number(
        "uk_postcode_glued",
        tuple(f"{head}9AA" for head in (*_HEAD_UK, "AAA")),
        "SW1A1AA",
        0.1,
        is_uk_postcode,
        WEAK,
        _ADDRESS,
        kind="uk_postcode",
    ),
    number("ie_pps", ("9999999A", "9999999AA", "9999999 A"), "6433435F", 0.2, pps.is_valid, WEAK, _PPS),
    # Germany
    number("de_tax_id", ("99999999999", "99 999 999 999"), "36574261809", 0.1, is_de_tax_id, WEAK, _TAX_ID),
    number(
        "de_tax_number",
        ("99/999/99999", "999/999/99999", "999/9999/9999", "99/999/9999", "99/9999/9999"),
        "181/815/08155",
        0.3,
        None,
        NONE,
        _TAX_NUMBER,
    ),
    number(
        "de_tax_number_plain",
        ("9999999999999", "9999999999", "99999999999", "99999/99999", "99 999 99999", "999 999 99999"),
        "2181081508155",
        0.15,
        is_de_tax_number,
        NONE,
        _TAX_NUMBER,
        kind="de_tax_number",
    ),
    number(
        "de_social_security",
        ("99999999A999", "99 999999 A 999", "99 999999 A999"),
        "15070649C103",
        0.5,
        is_de_social_security,
        WEAK,
        _SOCIAL,
    ),
    number("de_id_card", ("AXXXXXXX9", "AXXXXXXXX9"), "L01X00T471", 0.3, is_lettered_id_card, WEAK, _CARD, upper=True),
    number(
        "de_id_card_digits",
        ("AXXXXXXX9", "AXXXXXXXX9"),
        "T22000129",
        0.1,
        is_de_id_card,
        WEAK,
        _CARD,
        kind="de_id_card",
    ),
    number("de_id_card_serial", ("AXXXXXXXX",), "L01X00T47", 0.1, None, NONE, _CARD, kind="de_id_card"),
    number("de_passport", ("AXXXXXXX9", "AXXXXXXXX9"), "C01X00T41", 0.2, is_de_passport, WEAK, _PASS),
    number(
        "de_passport_serial",
        ("AXXXXXXXX",),
        "C01X00T47",
        0.15,
        lambda value: value[0] in "CFGHJK",
        NONE,
        _PASS,
        kind="de_passport",
    ),
    number("de_health_insurance", ("A999999999",), "M123456785", 0.2, is_de_health_insurance, WEAK, _HEALTH),
    number(
        "de_vat",
        ("AA999999999", "AA 999 999 999", "AA.999.999.999", "AA 999999999"),
        "DE136695976",
        0.4,
        lambda value: value.startswith("DE") and de_vat.is_valid(value),
        WEAK,
        _VAT,
    ),
    number(
        "de_driving_licence", ("AA99999999X", "A99XAAA9X99", "A999AAA9A99"), "BO12345678A", 0.3, None, NONE, _LICENCE
    ),
    number(
        "de_driving_licence_any",
        ("AXXXXXXXXXX",),
        "J010000SD51",
        0.1,
        lambda value: sum(char.isdigit() for char in value) >= 5,
        NONE,
        _LICENCE,
        kind="de_driving_licence",
    ),
    number("de_vehicle", _DE_PLATES, "B-AB 1234", 0.3, is_de_plate, NONE, _PLATES),
    # Three words of a sentence look so too.
    number("de_vehicle_spaced", _DE_SPACED, "B AB 1234", 0.3, is_de_plate, NONE, _PLATE_WORDS, kind="de_vehicle"),
    number("de_postcode", ("99999",), "80331", 0.1, lambda value: value >= "01001", NONE, _POST),
    number("de_bsnr", ("999999999",), "021234568", 0.1, None, NONE, ("bsnr", "betriebsstätte*", "betriebsstaette*")),
    _firm(
        "de_lanr",
        ("999999999",),
        "987654401",
        0.1,
        is_de_lanr,
        ("lanr", "arztnummer*", "lebenslange arzt*", "arzt nr*"),
    ),
    number(
        "de_company_register",
        tuple(f"AAA{gap}{'9' * count}" for gap in (" ", "") for count in range(2, 7)),
        "HRB 123456",
        0.6,
        lambda value: value[:3] in ("HRA", "HRB"),
        NONE,
        ("handelsregister*", "registergericht*", "amtsgericht*", "eingetragen"),
    ),
    number("at_svnr", ("9999 999999", "9999999999"), "1237 010180", 0.1, vnr.is_valid, WEAK, _SOCIAL),
    number(
        "ch_ahv",
        ("999.9999.9999.99", "9999999999999", "999 9999 9999 99"),
        "756.9217.0769.85",
        0.3,
        is_ahv,
        STRONG,
        _AHV,
    ),
    number("ch_uid", ("AAA-999.999.999", "AAA999999999"), "CHE-107.787.577", 0.5, uid.is_valid, WEAK, ("uid*", "ide")),
    # France, Belgium, Netherlands
    number(
        "fr_nir",
        ("999999999999999", "9 99 99 99 999 999 99", "9999999999999 99", "999999A99999999"),
        "2 94 03 75 120 005 91",
        0.15,
        is_usual_nir,
        STRONG,
        _NIR,
    ),
    number(
        "fr_nir_other",
        ("999999999999999", "9 99 99 99 999 999 99", "9999999999999 99", "999999A99999999"),
        "3 94 03 75 120 005 41",
        0.05,
        is_nir,
        STRONG,
        _NIR,
        kind="fr_nir",
    ),
    _firm("fr_siret", ("99999999999999", "999 999 999 99999"), "732 829 320 00074", 0.2, is_siret, _FIRM_FR),
    _firm("fr_siren", ("999999999", "999 999 999"), "732 829 320", 0.1, is_siren, _FIRM_FR),
    number("fr_passport", ("99AA99999",), "12AB34567", 0.2, None, NONE, _PASS),
    number("be_nrn", ("99.99.99-999.99", "99999999999"), "85.07.30-033.28", 0.15, is_nrn, STRONG, _NRN),
    number("nl_bsn", ("999999999", "9999.99.999", "999 999 999"), "111222333", 0.1, is_bsn, WEAK, _BSN),
    # Spain, Portugal, Italy
    number(
        "es_nif", ("99999999|A", "99.999.999-A", "99.999.999A"), "12345678Z", 0.3, is_long_dni, WEAK, _DNI, upper=True
    ),
    number(
        "es_nif_short",
        ("99999999|A", "9999999|A", "99.999.999-A", "99.999.999A"),
        "1111111G",
        0.15,
        is_dni,
        WEAK,
        _DNI,
        kind="es_nif",
    ),
    number(
        "es_cif",
        ("A9999999A", "A-9999999-A", "A9999999-A"),
        "P1234567D",
        0.3,
        is_lettered_nif,
        WEAK,
        _CIF,
        kind="es_nif",
    ),
    number("es_cif_digits", ("A99999999", "A-99999999"), "J99216582", 0.2, cif.is_valid, WEAK, _CIF, kind="es_nif"),
    number("es_nie", ("A9999999|A", "A-9999999-A"), "X2482300W", 0.4, nie.is_valid, WEAK, _NIE),
    number("es_passport", ("AAA999999",), "AAA123456", 0.15, None, NONE, _PASS),
    number("pt_nif", ("999999999", "999 999 999"), "501 964 843", 0.1, pt_nif.is_valid, WEAK, _PT),
    number(
        "pt_cc",
        ("99999999 9 AA9", "999999999AA9", "99999999 9AA9"),
        "00000000 0 ZZ4",
        0.4,
        pt_cc.is_valid,
        WEAK,
        ("cartão de cidadão*", "cartao de cidadao*", "cc"),
    ),
    number("it_fiscal_code", ("AAAAAAXXAXXAXXXA",), "RCCMNL83S18D969H", 0.6, is_fiscal_code, WEAK, _FISCAL_WORDS),
    _firm("it_vat", ("99999999999", "99999999_999"), "00743110157", 0.1, is_iva, _IVA),
    _firm("it_vat_prefixed", ("AA99999999999", "AA 99999999999"), "IT00743110157", 0.4, is_iva, _IVA, kind="it_vat"),
    number("it_identity_card", ("AA99999AA", "AA9999999", "9999999AA"), "CA12345BC", 0.2, None, NONE, _CARD),
    number("it_driving_licence", ("AA9999999A", "A9A99A999A", "AX99X999XA"), "AA0123456B", 0.3, None, NONE, _LICENCE),
    number("it_passport", ("AA9999999",), "YA1234567", 0.15, None, NONE, _PASS),
)


_DE, _GB, _FR, _ES, _IT = ("de-DE",), ("en-GB",), ("fr-FR",), ("es-ES",), ("it-IT",)
TYPES: tuple[EntityType, ...] = (
    entity_type(CODES, "uk_nhs", 1, _GB, "NHS Data Model and Dictionary, NHS Number"),
    entity_type(CODES, "uk_nino", 1, _GB, "HMRC, National Insurance Manual NIM39110"),
    entity_type(CODES, "uk_utr", 1, _GB, "HMRC, Unique Taxpayer Reference"),
    entity_type(CODES, "uk_driving_licence", 1, _GB, "DVLA, INF45"),
    entity_type(CODES, "uk_passport", 1, _GB, "ICAO Doc 9303-4"),
    entity_type(CODES, "uk_vehicle", 2, _GB, "DVLA, INF104"),
    entity_type(CODES, "uk_postcode", 2, _GB, "Royal Mail, Programmers' Guide to PAF"),
    entity_type(CODES, "ie_pps", 1, ("en-IE",), "Social Welfare Consolidation Act 2005, section 262"),
    entity_type(CODES, "de_tax_id", 1, _DE, "Abgabenordnung 139b"),
    entity_type(CODES, "de_tax_number", 1, _DE, "Bundeszentralamt für Steuern, Aufbau der Steuernummer"),
    entity_type(
        CODES,
        "de_social_security",
        1,
        _DE,
        "Versicherungsnummern-, Kontoführungs- und Versicherungsverlaufsverordnung 2, 4",
    ),
    entity_type(CODES, "de_id_card", 1, _DE, "Personalausweisverordnung, ICAO Doc 9303-5"),
    entity_type(CODES, "de_passport", 1, _DE, "Passverordnung, ICAO Doc 9303-4"),
    entity_type(CODES, "de_health_insurance", 1, _DE, "SGB V 290"),
    entity_type(CODES, "de_vat", 2, _DE, "Umsatzsteuergesetz 27a"),
    entity_type(CODES, "de_driving_licence", 1, _DE, "Fahrerlaubnis-Verordnung, Anlage 8"),
    entity_type(CODES, "de_vehicle", 2, _DE, "Fahrzeug-Zulassungsverordnung, Anlage 1"),
    entity_type(CODES, "de_postcode", 2, _DE, "Deutsche Post, Postleitzahlen"),
    entity_type(CODES, "de_bsnr", 2, _DE, "Kassenärztliche Bundesvereinigung, Richtlinie nach 75 SGB V"),
    entity_type(CODES, "de_lanr", 2, _DE, "Kassenärztliche Bundesvereinigung, Richtlinie nach 75 SGB V"),
    entity_type(CODES, "de_company_register", 2, _DE, "Handelsregisterverordnung 13"),
    entity_type(
        CODES, "at_svnr", 1, ("de-AT",), "Dachverband der Sozialversicherungsträger, Aufbau der Versicherungsnummer"
    ),
    entity_type(CODES, "ch_ahv", 1, ("de-CH", "fr-CH", "it-CH"), "AHVV 133bis"),
    entity_type(CODES, "ch_uid", 2, ("de-CH", "fr-CH", "it-CH"), "UIDV 3"),
    entity_type(CODES, "fr_nir", 1, _FR, "INSEE, numéro d'inscription au répertoire"),
    entity_type(CODES, "fr_siret", 2, _FR, "Code de commerce R123-221"),
    entity_type(CODES, "fr_siren", 2, _FR, "Code de commerce R123-220"),
    entity_type(CODES, "fr_passport", 1, _FR, "ICAO Doc 9303-4"),
    entity_type(CODES, "be_nrn", 1, ("fr-BE", "nl-BE"), "Arrêté royal du 3 avril 1984"),
    entity_type(CODES, "nl_bsn", 1, ("nl-NL",), "Besluit burgerservicenummer"),
    entity_type(CODES, "es_nif", 1, _ES, "Real Decreto 1065/2007, 18-22"),
    entity_type(CODES, "es_nie", 1, _ES, "Real Decreto 557/2011, 206"),
    entity_type(CODES, "es_passport", 1, _ES, "ICAO Doc 9303-4"),
    entity_type(CODES, "pt_nif", 1, ("pt-PT",), "Decreto-Lei 14/2013"),
    entity_type(CODES, "pt_cc", 1, ("pt-PT",), "Portaria 201/2007"),
    entity_type(CODES, "it_fiscal_code", 1, _IT, "Decreto Ministeriale 23.12.1976"),
    entity_type(CODES, "it_vat", 2, _IT, "DPR 633/1972, 35"),
    entity_type(CODES, "it_identity_card", 1, _IT, "Decreto Ministeriale 23.12.2015"),
    entity_type(CODES, "it_driving_licence", 1, _IT, "Decreto Legislativo 285/1992"),
    entity_type(CODES, "it_passport", 1, _IT, "ICAO Doc 9303-4"),
)
