"""Declare the numbers of Europe: persons, patients, taxpayers, firms, documents, vehicles and postcodes."""

from __future__ import annotations

import re
from datetime import date

from stdnum.at import vnr
from stdnum.bg import egn
from stdnum.ch import ssn as ahv
from stdnum.ch import uid
from stdnum.cz import rc
from stdnum.de import vat as de_vat
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import cif, nie
from stdnum.fr import nir, siren, siret
from stdnum.gb import nhs, utr
from stdnum.gr import amka
from stdnum.gr import vat as gr_vat
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.it import codicefiscale, iva
from stdnum.lt import asmens
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import nip, pesel, regon
from stdnum.pt import cc as pt_cc
from stdnum.pt import nif as pt_nif
from stdnum.ro import cnp
from stdnum.se import orgnr
from stdnum.si import emso

from oguardai.detection.detector import NONE, STRONG, WEAK, Code
from oguardai.detection.entity import EntityType
from oguardai.detection.national.table import entity_type, is_date, number

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


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
    month = value[6:8]
    if not _DRIVER.fullmatch(value) or not value[:5].rstrip("9").isalpha():
        return False
    return month.isdigit() and int(month) % 50 in range(1, 13)


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


def is_de_tax_number(value: str) -> bool:
    """Accept what has the length of a tax number, of 13 digits the states' numbers (ELSTER)."""
    if len(value) == 13:
        return value[4] == "0" and value[:2] in _STATES
    return (value.isdigit() and value[0] != "0") or len(value) in (10, 11)


_STATES = frozenset(("10", "11", "21", "22", "23", "24", "26", "27", "28", "30", "31", "32", "40", "41", "51", "91",
                     "92", "01", "02", "03", "04", "05"))  # fmt: skip


def is_de_social_security(value: str) -> bool:
    """Check area, birth date and check digit of an insurance number (VKVV 4): weighted cross sums."""
    if not (value[:8].isdigit() and value[8].isalpha() and value[9:].isdigit()):
        return False
    day, month = int(value[2:4]), int(value[4:6])
    if not (1 <= day <= 31 or 51 <= day <= 81 or day == 0) or month > 12:
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


def is_ahv(value: str) -> bool:
    """Check a Swiss AHV number (EAN-13, country 756)."""
    return value.startswith("756") and bool(ahv.is_valid(value))


# --- France, Belgium, Netherlands, Luxembourg ------------------------------------------------------------------------


def is_nir(value: str) -> bool:
    """Check sex, month and key of a French social security number (INSEE, code officiel)."""
    return value[0] in "123478" and bool(nir.is_valid(value))


def is_siret(value: str) -> bool:
    """Check a French establishment's number: Luhn, and of the post office the sum of digits."""
    return value.strip("0") != "" and bool(siret.is_valid(value))


def is_siren(value: str) -> bool:
    """Check a French firm's number: Luhn."""
    return value.strip("0") != "" and bool(siren.is_valid(value))


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


def is_fiscal_code(value: str) -> bool:
    """Check an Italian fiscal code (Decreto Ministeriale 23.12.1976): form, day, check letter."""
    if not _FISCAL.fullmatch(value):
        return False
    day = int(value[9:11].translate(_OMOCODE))
    if not (0 <= day <= 31 or 41 <= day <= 71):
        return False
    return bool(codicefiscale.calc_check_digit(value[:15]) == value[15])


def is_iva(value: str) -> bool:
    """Check an Italian VAT number: Luhn, province."""
    number = value.removeprefix("IT")
    return number.isdigit() and number[:7] != "0000000" and bool(iva.is_valid(number))


# --- the North -------------------------------------------------------------------------------------------------------

_HETU_SIGNS = {"A": 2000, "B": 2000, "C": 2000, "D": 2000, "E": 2000, "F": 2000}
_HETU_CHECKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def is_hetu(value: str) -> bool:
    """Check date and character of a Finnish personal identity code (Valtioneuvoston asetus 128/2010)."""
    if len(value) == 10:
        value = f"{value[:6]}U{value[6:]}"
    if not (value[:6].isdigit() and value[7:10].isdigit()) or value[6] not in "ABCDEFUVWXY" or int(value[7:10]) < 2:
        return False
    century = _HETU_SIGNS.get(value[6], 1900)
    if not is_date(century + int(value[4:6]), int(value[2:4]), int(value[:2])):
        return False
    return _HETU_CHECKS[int(value[:6] + value[7:10]) % 31] == value[10]


def is_personnummer(value: str) -> bool:
    """Check a Swedish personal identity number: date (60 added to the day of coordination numbers), Luhn."""
    if len(value) == 12 and value[:2] not in ("18", "19", "20"):
        return False
    if len(value) == 12 and value[:8] > date.today().strftime("%Y%m%d") and int(value[6:8]) <= 31:
        return False
    digits = value[-10:]
    day = int(digits[4:6])
    day -= 60 if day > 60 else 0
    century = int(value[:2]) * 100 if len(value) == 12 else 2000 if int(digits[:2]) % 4 == 0 else 1900
    if not is_date(century + int(digits[:2]), int(digits[2:4]), day):
        return False
    total = sum(sum(divmod(int(digit) * (2, 1)[at % 2], 10)) for at, digit in enumerate(digits))
    return total % 10 == 0


def is_orgnr(value: str) -> bool:
    """Check a Swedish organisation number: Luhn, the third digit at least 2."""
    return value[2] >= "2" and bool(orgnr.is_valid(value))


def is_cpr(value: str) -> bool:
    """Check the date of a Danish CPR number; since 2007 not all have a check digit."""
    return bool(cpr.is_valid(value)) or is_date(1900 + int(value[4:6]), int(value[2:4]) or 13, int(value[:2]))


# --- the East --------------------------------------------------------------------------------------------------------


def is_rc(value: str) -> bool:
    """Check a Czech or Slovak birth number: date, and of ten digits divisibility by 11."""
    return len(value) == 10 and bool(rc.is_valid(value))


def is_latvian(value: str) -> bool:
    """Check a Latvian personal code with a birth date (Ministru kabineta noteikumi 281/2011)."""
    day, month, year, century = int(value[:2]), int(value[2:4]), int(value[4:6]), value[6]
    if century not in "012" or not is_date(1800 + 100 * int(century) + year, month or 13, day or 32):
        return False
    weights = (10, 5, 8, 4, 2, 1, 6, 3, 7, 9)
    return (1 + sum(int(d) * w for d, w in zip(value, weights, strict=False))) % 11 % 10 == int(value[10])


def is_tckn(value: str) -> bool:
    """Check a Turkish identity number (Nüfus Hizmetleri Kanunu): no leading zero, two check digits."""
    digits = [ord(char) - 48 for char in value]
    odd, even = sum(digits[0:9:2]), sum(digits[1:8:2])
    return digits[0] > 0 and (7 * odd - even) % 10 == digits[9] and sum(digits[:10]) % 10 == digits[10]


def is_nrn(value: str) -> bool:
    """Check month and key of a Belgian national number: 97 less the rest modulo 97, since 2000 with a 2 before it."""
    head, check = int(value[:9]), int(value[9:])
    if int(value[2:4]) % 20 > 12 or int(value[4:6]) > 31:
        return False
    return check in (97 - head % 97, 97 - (2_000_000_000 + head) % 97)


def is_fnr(value: str) -> bool:
    """Check date (40 added to the day or the month of some) and check digits of a Norwegian number."""
    if not 1 <= int(value[:2]) % 40 <= 31 or not 1 <= int(value[2:4]) % 40 <= 12:
        return False
    return bool(fodselsnummer.is_valid(value))


def is_hungarian_tax_id(value: str) -> bool:
    """Check a Hungarian tax identification mark: 8, then digits weighted 1 to 9 modulo 11 (2017. évi CL. törvény)."""
    return value[0] == "8" and sum(int(d) * w for w, d in enumerate(value[:9], 1)) % 11 % 10 == int(value[9])


# --- words -----------------------------------------------------------------------------------------------------------

_NHS = ("nhs", "nhs no", "nhsnumber", "health service*", "patient*")
_NI = ("nino", "national insurance*", "nationalinsurance*", "ni number", "ni no", "insurance number*")
_UK_LICENCE = ("driving licence*", "driving license*", "drivinglicence*", "licence*", "driver number", "dvla")
_PASS = ("passport*", "travel document*", "passeport*", "pasaporte*", "passaporto*", "reisepass*", "passnummer*",
         "pass nr", "paspoort*", "paszport*", "pas nr")  # fmt: skip
_UK_PASS = (*_PASS, "uk passport*", "british passport*")
_PLATES = ("registration*", "reg", "number plate*", "licence plate*", "license plate*", "vehicle*", "car", "vrm", "van",
           "plate*", "kennzeichen*", "kfz*", "amtl*", "auto", "fahrzeug*", "plaka*", "immatricul*", "targa",
           "matrícula*", "matricula*", "kenteken*")  # fmt: skip
_ADDRESS = (
    "postcode*", "post code*", "postal code*", "address*", "zip", "lives", "live at", "london", "street", "road",
)  # fmt: skip
_TAX_ID = (
    "steuer id", "steuerid*", "steueridentifikation*", "identifikationsnummer*", "idnr", "id nr", "tin", "tax id*",
    "taxid", "steuernummer*", "steuer identifikation*", "steuerliche identifikation*",
)  # fmt: skip
_TAX_NUMBER = (
    "steuernummer*", "steuernr*", "steuer nr*", "st nr*", "st. nr", "st.-nr", "tax number*", "finanzamt*",
)  # fmt: skip
_SOCIAL = ("sozialversicherung*", "rentenversicherung*", "versicherungsnummer*", "sv nummer*", "svnr", "sv nr", "rvnr",
           "rv nummer*", "vsnr", "social security*", "social insurance*", "svn*", "insurance number*")  # fmt: skip
_CARD = ("personalausweis*", "ausweis*", "perso", "id card*", "identity card*", "idcard*", "carta d'identità",
         "carta identità", "carta d'identita", "carta identita", "cie", "documento*", "cni", "carte d'identité",
         "carte nationale*", "dni", "dowód*", "dowod*")  # fmt: skip
_HEALTH = ("krankenversicherten*", "krankenversicherung*", "krankenkasse*", "kvnr", "kv nummer*", "versichertennummer*",
           "versicherten nr*", "versichertennr*", "health insurance*", "egk", "gesundheitskarte*")  # fmt: skip
_VAT = ("ust idnr*", "ust id*", "ustid*", "umsatzsteuer*", "vat*", "mwst*", "tva*", "btw*", "uid")
_LICENCE = ("führerschein*", "fuehrerschein*", "fahrerlaubnis*", "patente*", "driving licen*", "driver licen*",
            "driver's licen*", "permis de conduire")  # fmt: skip
_POST = ("plz", "postleitzahl*", "postcode*", "postal code*", "zip", "zip code")
_NIR = ("numéro de sécurité*", "sécurité sociale*", "securite sociale*", "sécu", "secu", "nir", "insee",
        "social security*", "assuré*", "assure")  # fmt: skip
_FIRM_FR = ("siret*", "siren*", "entreprise*", "établissement*", "etablissement*", "rcs")
_DNI = ("dni*", "nif*", "documento nacional*", "identificación*", "identificacion*", "cif", "nie")
_NIE = ("nie*", "extranjero*", "tie", "número de identidad*", "numero de identidad*", "foreigner*")
_FISCAL_WORDS = ("codice fiscale*", "codicefiscale*", "cod. fisc", "cod fisc", "c.f", "cf", "fiscal code*", "tax code*")
_IVA = ("partita iva*", "partitaiva*", "p.iva", "p. iva", "p iva", "piva", "iva", "vat*")
_BSN = ("bsn*", "burgerservicenummer*", "sofi*", "sofinummer*", "citizen service*")
_NRN = ("rijksregister*", "registre national*", "numéro national*", "numero national*", "nrn", "niss", "insz",
        "national register*", "nationaal nummer*")  # fmt: skip
_PESEL = ("pesel*", "numer ewidencyjny*", "ewidencyjny*")
_NIP = ("nip*", "numer identyfikacji podatkowej*", "podatk*", "vat*")
_PNR = ("personnummer*", "personnr*", "pnr", "person nr", "samordningsnummer*", "födelsenummer*", "svensk*", "swedish*")
_ORG = ("organisationsnummer*", "organisationsnr*", "orgnr*", "org nr*", "orgnummer*", "org.nr", "organisasjonsnummer*",
        "företag*", "bolag*")  # fmt: skip
_HETU = ("hetu*", "henkilötunnu*", "henkilotunnu*", "personbeteckning*", "sotu", "finnish*", "personal identity code*")
_CPR = ("cpr*", "personnummer*", "cpr nr", "danish*", "civil registration*")
_FNR = ("fødselsnummer*", "fodselsnummer*", "fnr", "personnummer*", "f.nr", "d nummer*", "norwegian*", "personnr*")
_PT = ("nif*", "contribuinte*", "número de identificação fiscal*", "numero de contribuinte*", "nipc")
_AHV = ("ahv*", "avs*", "avs nr", "navs*", "svnr", "sozialversicherung*", "assurance vieillesse*")
_PPS = ("pps*", "ppsn*", "personal public service*", "rsi")
_CNP = ("cnp*", "cod numeric personal*", "numeric personal*")
_RC = ("rodné číslo*", "rodne cislo*", "rodného čísla*", "rč", "r.č", "rodné*", "birth number*", "rodne*")
_EGN = ("егн*", "egn*", "единен граждански*", "единен*")
_AMKA = ("αμκα*", "amka*", "α.μ.κ.α", "κοινωνικής ασφάλισης*")
_TCKN = ("tckn*", "tc kimlik*", "t.c. kimlik*", "kimlik*", "t.c", "tc no", "turkish id*", "vatandaşlık*")


_DE_PLATES = tuple(
    f"{'A' * area}{first}{'A' * letters}{second}{'9' * digits}{mark}"
    for area in (1, 2, 3)
    for letters in (1, 2)
    for digits in (1, 2, 3, 4)
    for first, second in ((" ", " "), ("-", " "), ("-", "-"), ("-", ""))
    for mark in ("", "A")
)
_HEAD_UK = ("A9", "A99", "AA9", "AA99", "A9A", "AA9A")

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
        (
            "AAAAA999999XXXAA",
            "AAAA9999999XXXAA",
            "AAA99999999XXXAA",
            "AA999999999XXXAA",
            "AAAAA999999AA9AA",
            "AAAAA999999A99AA",
        ),
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
        ("AA99|AAA", "A999|AAA", "A99|AAA", "AAA|999A", "AAA|99A", "AAA|9A"),
        "AB51 ABC",
        0.3,
        is_uk_plate,
        NONE,
        _PLATES,
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
    number("ie_pps", ("9999999A", "9999999AA", "9999999 A"), "6433435F", 0.3, pps.is_valid, WEAK, _PPS),
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
        ("9999999999999", "9999999999", "99999999999"),
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
    number("de_id_card", ("AXXXXXXX9", "AXXXXXXX99"), "L01X00T471", 0.3, is_de_id_card, WEAK, _CARD),
    number("de_id_card_digits", ("A99999999",), "T22000129", 0.1, is_de_id_card, WEAK, _CARD, kind="de_id_card"),
    number("de_id_card_serial", ("AXXXXXXXX",), "L01X00T47", 0.1, None, NONE, _CARD, kind="de_id_card"),
    number("de_passport", ("AXXXXXXX9", "A99999999"), "C01X00T41", 0.2, is_de_passport, WEAK, _PASS),
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
    number("de_health_insurance", ("A999999999",), "M123456785", 0.3, is_de_health_insurance, WEAK, _HEALTH),
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
    number("de_vehicle", _DE_PLATES, "B-AB 1234", 0.3, None, NONE, _PLATES),
    number("de_postcode", ("99999",), "80331", 0.1, lambda value: value >= "01001", NONE, _POST),
    number("de_bsnr", ("999999999",), "021234568", 0.1, None, NONE, ("bsnr", "betriebsstätte*", "betriebsstaette*")),
    number(
        "de_lanr",
        ("999999999",),
        "987654401",
        0.1,
        is_de_lanr,
        WEAK,
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
        is_nir,
        STRONG,
        _NIR,
    ),
    number("fr_siret", ("99999999999999", "999 999 999 99999"), "732 829 320 00074", 0.2, is_siret, WEAK, _FIRM_FR),
    number("fr_siren", ("999999999", "999 999 999"), "732 829 320", 0.1, is_siren, WEAK, _FIRM_FR),
    number("fr_passport", ("99AA99999",), "12AB34567", 0.2, None, NONE, _PASS),
    number("be_nrn", ("99.99.99-999.99", "99999999999"), "85.07.30-033.28", 0.15, is_nrn, STRONG, _NRN),
    number("nl_bsn", ("999999999", "9999.99.999", "999 999 999"), "111222333", 0.1, is_bsn, WEAK, _BSN),
    # Spain, Portugal, Italy
    number("es_nif", ("99999999|A", "9999999|A", "99.999.999-A", "99.999.999A"), "54362315K", 0.3, is_dni, WEAK, _DNI),
    number(
        "es_cif",
        ("A99999999", "A-99999999", "A9999999A", "A-9999999-A", "A9999999-A"),
        "J99216582",
        0.25,
        cif.is_valid,
        WEAK,
        ("cif*", "nif*", "empresa*", "sociedad*"),
        kind="es_nif",
    ),
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
    number("it_vat", ("99999999999", "99999999_999", "AA99999999999"), "00743110157", 0.1, is_iva, WEAK, _IVA),
    number("it_identity_card", ("AA99999AA", "AA9999999", "9999999AA"), "CA12345BC", 0.2, None, NONE, _CARD),
    number("it_driving_licence", ("AA9999999A", "A9A99A999A", "AX99X999XA"), "AA0123456B", 0.3, None, NONE, _LICENCE),
    number("it_passport", ("AA9999999",), "YA1234567", 0.15, None, NONE, _PASS),
    # Poland, Czechia, Slovakia, Hungary, Romania, Bulgaria
    number("pl_pesel", ("99999999999",), "44051401458", 0.1, pesel.is_valid, WEAK, _PESEL),
    number("pl_nip", ("9999999999", "999-999-99-99", "999-99-99-999"), "856-734-62-15", 0.1, nip.is_valid, WEAK, _NIP),
    number("pl_regon", ("999999999", "99999999999999"), "192598184", 0.1, regon.is_valid, WEAK, ("regon*",)),
    number("pl_id_card", ("AAA999999", "AAA 999999"), "ABA300000", 0.2, None, NONE, ("dowód*", "dowod*", "id card*")),
    number("cz_rc", ("999999/9999", "9999999999"), "710319/2745", 0.25, is_rc, WEAK, _RC),
    number(
        "hu_tax_id",
        ("9999999999",),
        "8071592153",
        0.1,
        is_hungarian_tax_id,
        WEAK,
        ("adóazonosító*", "adoazonosito*", "tax identification*"),
    ),
    number("ro_cnp", ("9999999999999",), "1630615123457", 0.15, cnp.is_valid, WEAK, _CNP),
    number("bg_egn", ("9999999999",), "7523169263", 0.1, egn.is_valid, WEAK, _EGN),
    # Croatia, Slovenia, Greece, Turkey
    number("hr_oib", ("99999999999",), "33392005961", 0.1, oib.is_valid, WEAK, ("oib*",)),
    number("si_emso", ("9999999999999",), "0101006500006", 0.15, emso.is_valid, WEAK, ("emšo*", "emso*", "jmbg*")),
    number("gr_amka", ("99999999999",), "01013099997", 0.1, amka.is_valid, WEAK, _AMKA),
    number("gr_afm", ("999999999",), "094259216", 0.1, gr_vat.is_valid, WEAK, ("αφμ*", "afm*", "α.φ.μ", "φορολογικ*")),
    number("tr_id", ("99999999999",), "17291716060", 0.05, is_tckn, STRONG, _TCKN),
    number(
        "tr_plate",
        ("99 A 999", "99 AA 99", "99 AA 999", "99 AAA 99", "99 A 9999", "99 AA 9999", "99 AAA 999"),
        "07 AB 123",
        0.3,
        lambda value: "01" <= value[:2] <= "81",
        NONE,
        _PLATES,
    ),
    # The North, the Baltic
    number("se_personnummer", ("999999-9999", "99999999-9999"), "871220-2384", 0.3, is_personnummer, WEAK, _PNR),
    number(
        "se_personnummer_plain",
        ("9999999999", "999999999999"),
        "198712202384",
        0.1,
        is_personnummer,
        WEAK,
        _PNR,
        kind="se_personnummer",
    ),
    number("se_orgnr", ("999999-9999",), "556703-7485", 0.3, is_orgnr, WEAK, _ORG),
    number("se_orgnr_plain", ("9999999999",), "5567037485", 0.1, is_orgnr, WEAK, _ORG, kind="se_orgnr"),
    number("fi_hetu", ("999999-999X", "999999A999X"), "131052-308T", 0.5, is_hetu, WEAK, _HETU),
    number("dk_cpr", ("999999-9999",), "211062-5629", 0.3, is_cpr, NONE, _CPR),
    number("dk_cpr_checked", ("999999-9999",), "211062-5629", 0.3, cpr.is_valid, WEAK, _CPR, kind="dk_cpr"),
    number("dk_cpr_plain", ("9999999999",), "2110625629", 0.1, cpr.is_valid, WEAK, _CPR, kind="dk_cpr"),
    number("no_fnr", ("99999999999", "999999 99999"), "15108695088", 0.12, is_fnr, STRONG, _FNR),
    number("ee_isikukood", ("99999999999",), "36805280109", 0.1, ik.is_valid, WEAK, ("isikukood*", "ik", "estonian*")),
    number(
        "lt_asmens",
        ("99999999999",),
        "33309240064",
        0.1,
        asmens.is_valid,
        WEAK,
        ("asmens kodas*", "asmens*", "lithuanian*"),
    ),
    number(
        "lv_pk", ("999999-99999",), "161175-19997", 0.3, is_latvian, WEAK, ("personas kods*", "personas*", "latvian*")
    ),
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
    entity_type(CODES, "pl_pesel", 1, ("pl-PL",), "Ustawa o ewidencji ludności, 15"),
    entity_type(CODES, "pl_nip", 2, ("pl-PL",), "Ustawa o zasadach ewidencji i identyfikacji podatników"),
    entity_type(CODES, "pl_regon", 2, ("pl-PL",), "Główny Urząd Statystyczny, REGON"),
    entity_type(CODES, "pl_id_card", 1, ("pl-PL",), "Ustawa o dowodach osobistych"),
    entity_type(CODES, "cz_rc", 1, ("cs-CZ", "sk-SK"), "Zákon 133/2000 Sb., 13"),
    entity_type(CODES, "hu_tax_id", 1, ("hu-HU",), "2017. évi CL. törvény"),
    entity_type(CODES, "ro_cnp", 1, ("ro-RO",), "Legea 105/1996"),
    entity_type(CODES, "bg_egn", 1, ("bg-BG",), "Закон за гражданската регистрация, 11"),
    entity_type(CODES, "hr_oib", 1, ("hr-HR",), "Zakon o osobnom identifikacijskom broju"),
    entity_type(CODES, "si_emso", 1, ("sl-SI",), "Zakon o centralnem registru prebivalstva"),
    entity_type(CODES, "gr_amka", 1, ("el-GR",), "Νόμος 3655/2008, 153"),
    entity_type(CODES, "gr_afm", 1, ("el-GR",), "Α.Υ.Ο. Μητρώο Φορολογουμένων"),
    entity_type(CODES, "tr_id", 1, ("tr-TR",), "5490 sayılı Nüfus Hizmetleri Kanunu"),
    entity_type(CODES, "tr_plate", 2, ("tr-TR",), "Karayolları Trafik Yönetmeliği"),
    entity_type(CODES, "se_personnummer", 1, ("sv-SE",), "Skatteverket, SKV 704"),
    entity_type(CODES, "se_orgnr", 2, ("sv-SE",), "Lag 1974:174 om identitetsbeteckning"),
    entity_type(CODES, "fi_hetu", 1, ("fi-FI", "sv-FI"), "Valtioneuvoston asetus väestötietojärjestelmästä 128/2010"),
    entity_type(CODES, "dk_cpr", 1, ("da-DK",), "CPR-kontoret, Personnummeret i CPR-systemet"),
    entity_type(CODES, "no_fnr", 1, ("nb-NO", "nn-NO"), "Folkeregisterforskriften 2-2-1"),
    entity_type(CODES, "ee_isikukood", 1, ("et-EE",), "EVS 585:2007"),
    entity_type(CODES, "lt_asmens", 1, ("lt-LT",), "Lietuvos Respublikos gyventojų registro įstatymas"),
    entity_type(CODES, "lv_pk", 1, ("lv-LV",), "Fizisko personu reģistra likums"),
)
