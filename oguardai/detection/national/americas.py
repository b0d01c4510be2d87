"""Declare the numbers of North and South America: persons, patients, firms, bank accounts and postcodes."""

from __future__ import annotations

import re
from datetime import date

from stdnum.ar import cuit
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.ec import ci
from stdnum.mx import curp, rfc
from stdnum.pe import cui, ruc
from stdnum.us import rtn

from oguardai.detection.detector import STRONG, WEAK, Code
from oguardai.detection.entity import EntityType
from oguardai.detection.validators import is_luhn, is_ssn

TYPES: tuple[EntityType, ...] = (
    EntityType("us_ssn", 1, locales=("en-US",), source="Social Security Administration, POMS RM 10201"),
    EntityType("us_itin", 1, locales=("en-US",), source="Internal Revenue Service, Publication 1915"),
    EntityType("us_ein", 2, locales=("en-US",), source="Internal Revenue Service, Publication 1635"),
    EntityType("us_npi", 2, checksum=True, locales=("en-US",), source="45 CFR 162.406"),
    EntityType(
        "us_mbi", 1, locales=("en-US",), source="Centers for Medicare & Medicaid Services, Understanding the MBI Format"
    ),
    EntityType(
        "us_dea", 1, checksum=True, locales=("en-US",), source="Drug Enforcement Administration, Practitioner's Manual"
    ),
    EntityType("us_driver_license", 1, locales=("en-US",), source="AAMVA, DL/ID Card Design Standard"),
    EntityType("us_passport", 1, locales=("en-US",), source="Department of State, 22 CFR 51"),
    EntityType(
        "us_bank_routing",
        2,
        checksum=True,
        locales=("en-US",),
        source="American Bankers Association, Routing Number Policy",
    ),
    EntityType("us_bank_number", 1, locales=("en-US",), source="Nacha Operating Rules, ACH file specifications"),
    EntityType(
        "ca_sin",
        1,
        checksum=True,
        locales=("en-CA", "fr-CA"),
        source="Employment and Social Development Canada, Social Insurance Number Code of Practice",
    ),
    EntityType("ca_postcode", 2, locales=("en-CA", "fr-CA"), source="Canada Post, Addressing Guidelines"),
    EntityType(
        "ca_health",
        1,
        locales=("en-CA", "fr-CA"),
        source="Ontario Ministry of Health, Health Card Validation Reference Manual",
    ),
    EntityType(
        "br_cpf", 1, checksum=True, locales=("pt-BR",), source="Receita Federal, Instrução Normativa RFB 2.172/2024"
    ),
    EntityType(
        "br_cnpj", 2, checksum=True, locales=("pt-BR",), source="Receita Federal, Instrução Normativa RFB 2.229/2024"
    ),
    EntityType("br_rg", 1, locales=("pt-BR",), source="Lei 7.116/1983"),
    EntityType(
        "mx_curp",
        1,
        checksum=True,
        locales=("es-MX",),
        source="RENAPO, Instructivo normativo para la asignación de la CURP",
    ),
    EntityType(
        "mx_rfc", 1, locales=("es-MX",), source="Servicio de Administración Tributaria, Instructivo de la clave del RFC"
    ),
    EntityType("ar_cuit", 1, checksum=True, locales=("es-AR",), source="AFIP, Resolución General 10/1997"),
    EntityType("ar_dni", 1, locales=("es-AR",), source="Ley 17.671"),
    EntityType("cl_rut", 1, checksum=True, locales=("es-CL",), source="Decreto con Fuerza de Ley 3/1969"),
    EntityType("co_nit", 2, checksum=True, locales=("es-CO",), source="DIAN, Orden Administrativa 4/1989"),
    EntityType("pe_dni", 1, locales=("es-PE",), source="Ley 26497"),
    EntityType("pe_ruc", 2, checksum=True, locales=("es-PE",), source="SUNAT, Decreto Legislativo 943"),
    EntityType(
        "ec_ci", 1, checksum=True, locales=("es-EC",), source="Ley Orgánica de Gestión de la Identidad y Datos Civiles"
    ),
)


# --- rules -------------------------------------------------------------------------------------------------------


def _has_digits(compact: str, *sizes: int) -> bool:
    return len(compact) in sizes and compact.isdigit()


def _is_ssn(compact: str) -> bool:
    return _has_digits(compact, 9) and is_ssn(compact)


# Publication 1915 (rev. 2023): the fourth and fifth digit.
_ITIN_GROUPS = (*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100))


def is_itin(compact: str) -> bool:
    """Check the first digit and the groups that the Internal Revenue Service assigns (Publication 1915)."""
    return _has_digits(compact, 9) and compact[0] == "9" and int(compact[3:5]) in _ITIN_GROUPS


# Prefixes that no campus of the Internal Revenue Service has been given.
_NO_EIN = frozenset(
    ("00", "07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89", "96", "97")
)


def is_ein(compact: str) -> bool:
    """Check the prefix (Internal Revenue Service, how EINs are assigned and valid EIN prefixes)."""
    return _has_digits(compact, 9) and compact[:2] not in _NO_EIN and len(set(compact[2:])) > 1


def is_npi(compact: str) -> bool:
    """Check the first digit and the Luhn digit, with the issuer's prefix 80840 before the number (45 CFR 162.406)."""
    return _has_digits(compact, 10) and compact[0] in "12" and is_luhn("80840" + compact)


_MBI_LETTER = "[AC-HJKMNP-RT-Y]"
_MBI = re.compile(
    rf"[1-9]{_MBI_LETTER}(?:[0-9]|{_MBI_LETTER})[0-9]{_MBI_LETTER}(?:[0-9]|{_MBI_LETTER})[0-9]{_MBI_LETTER}{{2}}[0-9]{{2}}"
)


def is_mbi(compact: str) -> bool:
    """Check the characters that each place of a Medicare number can have: no S, L, O, I, B, Z."""
    return _MBI.fullmatch(compact) is not None


_DEA = re.compile("[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}")


def is_dea(compact: str) -> bool:
    """Check the registrant's letter and the check digit: d1 + d3 + d5 + 2 (d2 + d4 + d6) ends with d7."""
    if _DEA.fullmatch(compact) is None:
        return False
    d = [int(c) for c in compact[2:]]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def _is_washington_license(compact: str) -> bool:
    return compact.startswith("WDL") and not compact[3:].isdigit()


def is_routing(compact: str) -> bool:
    """Check the district that the first two digits name, and the check digit (American Bankers Association)."""
    if not _has_digits(compact, 9) or compact == "000000000":
        return False
    district = int(compact[:2])
    return (district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80) and rtn.is_valid(compact)


def is_sin(compact: str) -> bool:
    """Check the first digit, which names the province and is never 0 or 8, and the Luhn digit."""
    return _has_digits(compact, 9) and compact[0] not in "08" and sin.is_valid(compact)


_POSTCODE = re.compile("[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][0-9][ABCEGHJ-NPRSTV-Z][0-9]")


def is_ca_postcode(compact: str) -> bool:
    """Check the letters that Canada Post uses: no D, F, I, O, Q, U; the first no W or Z either."""
    return _POSTCODE.fullmatch(compact) is not None


def is_ontario_health(compact: str) -> bool:
    """Check the first digit and the Luhn digit; a version code of two letters may follow."""
    digits, version = compact[:10], compact[10:]
    if version and not (len(version) == 2 and version.isalpha()):
        return False
    return _has_digits(digits, 10) and digits[0] != "0" and is_luhn(digits)


def is_bc_health(compact: str) -> bool:
    """Check the first digit, 9, and the check digit, modulo 11 (British Columbia Ministry of Health)."""
    if not _has_digits(compact, 10) or compact[0] != "9":
        return False
    weights = (2, 4, 8, 5, 10, 9, 7, 3)
    total = sum(weight * int(c) for weight, c in zip(weights, compact[1:9], strict=True))
    return (11 - total % 11) % 11 == int(compact[9])


def is_quebec_health(compact: str) -> bool:
    """Check the date of birth in a number of Quebec's health insurance: the month has 50 added for women."""
    if not (len(compact) == 12 and compact[:4].isalpha() and compact[4:].isdigit()):
        return False
    return _is_date(compact[4:6], f"{int(compact[6:8]) % 50:02d}", compact[8:10])


def _is_date(year: str, month: str, day: str) -> bool:
    """Tell whether a date with a year of two digits exists in one of the two centuries."""
    for century in (1900, 2000):
        try:
            date(century + int(year), int(month), int(day))
        except ValueError:
            continue
        return True
    return False


def is_cpf(compact: str) -> bool:
    """Check both check digits; a row of one digit passes them, and is nobody's."""
    return _has_digits(compact, 11) and len(set(compact)) > 1 and cpf.is_valid(compact)


_CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def is_cnpj(compact: str) -> bool:
    """Check both check digits, modulo 11 over the characters' ASCII codes less 48.

    Letters are issued from July 2026 on (Instrução Normativa RFB 2.229/2024).
    """
    if not (len(compact) == 14 and compact.isalnum() and compact[12:].isdigit()) or len(set(compact[:12])) == 1:
        return False
    values = [ord(c) - 48 for c in compact]
    for size in (12, 13):
        total = sum(w * v for w, v in zip(_CNPJ_WEIGHTS[13 - size :], values[:size], strict=True))
        if (11 - total % 11) % 11 % 10 != values[size]:
            return False
    return True


_RG = re.compile("(?:A[CLMP]|BA|CE|DF|ES|GO|M[AGST]|P[ABEIR]|R[JNORS]|S[CEP]|TO)?[0-9]{7,8}[0-9X]?")


def is_rg(compact: str) -> bool:
    """Check length and characters: each state has rules of its own, most without a check digit."""
    return _RG.fullmatch(compact) is not None and len(set(compact)) > 1


def is_curp(compact: str) -> bool:
    """Check date, sex, state and check digit."""
    return bool(curp.is_valid(compact))


def is_rfc(compact: str) -> bool:
    """Check the date, and with it the length."""
    return len(compact) in (12, 13) and bool(rfc.is_valid(compact))


def is_checked_rfc(compact: str) -> bool:
    """Check the date and the check digit, which not every number has right."""
    return len(compact) in (12, 13) and bool(rfc.is_valid(compact, validate_check_digits=True))


def is_cuit(compact: str) -> bool:
    """Check the kind of person that the first two digits name, and the check digit."""
    return _has_digits(compact, 11) and cuit.is_valid(compact)


def is_dni(compact: str) -> bool:
    """Check the range: numbers of Argentina have been issued from about one million on."""
    return _has_digits(compact, 7, 8) and int(compact) >= 1_000_000 and len(set(compact)) > 1


def is_pe_dni(compact: str) -> bool:
    """Check the length, and the check digit or letter where the number has one."""
    return compact[:8].isdigit() and len(set(compact)) > 1 and cui.is_valid(compact)


def is_rut(compact: str) -> bool:
    """Check the check digit, which may be K."""
    return len(compact) in (8, 9) and compact[:-1].isdigit() and len(set(compact)) > 1 and rut.is_valid(compact)


def is_nit(compact: str) -> bool:
    """Check the check digit."""
    return _has_digits(compact, 9, 10, 11) and len(set(compact)) > 1 and nit.is_valid(compact)


def is_ruc(compact: str) -> bool:
    """Check the kind of taxpayer that the first two digits name, and the check digit."""
    return _has_digits(compact, 11) and ruc.is_valid(compact)


def is_ec_ci(compact: str) -> bool:
    """Check province, third digit and check digit."""
    return _has_digits(compact, 10) and ci.is_valid(compact)


# --- words -------------------------------------------------------------------------------------------------------


def _labels(*words: str) -> tuple[str, ...]:
    """Return words as labels of a field, for those that mean something else in another language."""
    marks = (":", " :", '":', "':", "=", "#", " #", " no", " nr", " num*", " n\u00b0", " n\u00ba", " is", " es", " est")
    return tuple(word + mark for word in words for mark in marks)


_SSN = (
    "ssn", "ssns", "ssn*", "social security*", "social sec*", "soc sec*", "ss#", "ss no*", "us ssn", "taxpayer*",
    "socialsecurity*",
)  # fmt: skip
_NO_SSN = (
    "suite*",
    "apt*",
    "apartment*",
    "unit",
    "flat",
    "phone*",
    "tel",
    "fax",
    "order*",
    "invoice*",
    "ticket*",
    "isbn",
)
_ITIN = ("itin*", "individual taxpayer*", "taxpayer*", "tax id*", "taxid", "tin", "tax identification*")
_FIRM = (
    "fein", "employer id*", "employer ident*", "federal tax*", "federal id*", "tax id*", "taxid",
    "tax identification*", "taxpayer*", "tin", *_labels("ein"),
)  # fmt: skip
_EIN = ("ein", *_FIRM)
_NPI = ("npi", "npis", "national provider*", "provider id*", "provider number*", "provider no*")
_MBI_WORDS = ("mbi", "mbis", "medicare*", "beneficiary*")
_DEA_WORDS = ("dea", "drug enforcement*", "prescriber*", "medical license*", "medical licence*", "controlled subst*")
_DRIVER = (
    "driver lic*", "drivers lic*", "driver's lic*", "driver\u2019s lic*", "drivers' lic*", "driving lic*",
    "driverslic*", "driverlic*", "driver id*", "operator lic*", "operator's lic*", "dln", "dl no", "dl number",
    "dl num", "dl #", "dl:",
)  # fmt: skip
_LICENSE = (*_DRIVER, "license", "licence", "lic no", "lic #", "dl", "permit no*", "permit number*")
_NO_LICENSE = ("plate*", "key", "keys", "serial*", "version", "order*", "invoice*", "phone*", "tel", "fax")
_PASSPORT = ("*passport*", "travel document*")
_ROUTING = ("routing*", "aba", "aba#", "rtn", "transit number*", "transit no*", "bank code", "wire transfer*")
_ACCOUNT = (
    "bank account*", "bankaccount*", "bank acct*", "account number*", "accountnumber*", "account no", "account num",
    "account nr", "account #", "account#", "acct*", "checking account*",
    "savings account*", "checking acct*", "savings acct*", "deposit account*", "direct deposit*",
)  # fmt: skip
_NO_ACCOUNT = (
    "routing*", "aba", "rtn", "card*", "iban", "phone*", "tel", "fax", "order*", "invoice*", "ticket*", "reference",
    "ref", "tracking", "transaction*", "ssn", "social security*", "version", "timestamp",
)  # fmt: skip
_SIN = (
    "my sin", "his sin", "her sin", "sin card", "canadian sin", "mon nas", "son nas", "votre nas", "social insurance*",
    "socialinsurance*", "assurance sociale", "numero d'assurance", "numéro d'assurance", *_labels("sin", "nas"),
)  # fmt: skip
_CA_POSTCODE = (
    "postcode*", "postal*", "postalcode*", "zip", "code postal*", "codepostal", "canada", "ontario", "québec",
    "quebec", "qc", "bc", "british columbia", "alberta", "manitoba", "saskatchewan", "nova scotia", "new brunswick",
    "newfoundland", "yukon", "nunavut", "toronto", "montréal", "montreal", "vancouver", "ottawa", "calgary", "address*",
    "adresse*",
)  # fmt: skip
_CA_HEALTH = (
    "health card*", "healthcard*", "health number*", "health insurance*", "health no*", "health id*", "ohip", "phn",
    "personal health*", "hcn", "ramq", "assurance maladie", "carte santé", "carte soleil", "medicare*", "msp",
    *_labels("nam"),
)  # fmt: skip
_CPF = (
    "cpf", "cpfs", "cpf/mf", "cadastro de pessoa*", "cadastro de pessoas*", "cic", "contribuinte*", "national id*",
    "documento*",
)  # fmt: skip
_CNPJ = ("cnpj", "cnpjs", "cnpj/mf", "cadastro nacional*", "cgc", "inscrição federal", "inscricao federal")
_RG_WORDS = (
    "rg", "r.g", "registro geral", "identidade", "carteira de identidade", "cédula de identidade",
    "cedula de identidade", "documento de identidade",
)  # fmt: skip
_CURP = ("curp", "clave única*", "clave unica*", "registro de población", "registro de poblacion")
_RFC = ("rfc", "r.f.c", "registro federal*", "contribuyente*")
_CUIT = ("cuit", "cuits", "cuil", "cuils", "cdi", "c.u.i.t", "c.u.i.l", "clave única*", "clave unica*")
_DNI = (
    "dni", "d.n.i", "documento nacional*", "documento de identidad", "libreta cívica", "libreta civica",
    "libreta de enrolamiento",
)  # fmt: skip
_RUT = ("rut", "ruts", "r.u.t", "r.u.n", "rol único*", "rol unico*", "cédula de identidad", "cedula de identidad")
_NIT = (
    "nit", "n.i.t", "identificación tributaria", "identificacion tributaria", "número de identificación*",
    "numero de identificacion*", "dian",
)  # fmt: skip
_PE_DNI = ("dni", "d.n.i", "documento nacional*", "documento de identidad", "reniec", *_labels("cui"))
# The word is Polish for days, too.
_NO_DNI = (
    "robocz*", "kalendarz*", "zamówien*", "zamowien*", "faktur*", "pedido*", "factura*", "expediente*", "order*",
    "invoice*", "tel", "teléfono", "telefono", "phone*",
)  # fmt: skip
_RUC = ("ruc", "r.u.c", "registro único*", "registro unico*", "sunat")
_EC_CI = (
    "cédula*", "cedula*", "c.i", "documento de identidad", "identificación", "identificacion", "registro civil",
    *_labels("ci"),
)  # fmt: skip


# --- layouts -----------------------------------------------------------------------------------------------------

# The states' forms, as AAMVA's members publish them.
_DRIVER_LAYOUTS = (
    *("A" + "9" * count for count in range(5, 15)),
    *("AA" + "9" * count for count in range(5, 8)),
    "AA999999A", "AAA|99|9999", "AAA99999999", "A999999A", "99999999AA", "9999999A", "999999999A", "999A999999",
    "999AA9999", "99AAA99999", "AAAAAAA999AX",
    "A999-9999-9999", "A999-9999-9999-99", "A999-999-99-999-9", "A|999|999|999|999", "A9999 99999 99999",
    "A99-99-9999", "A99-999-999", "A999-9999-999",
)  # fmt: skip
_DRIVER_DIGITS = (
    *("9" * count for count in range(7, 14)),
    "99-999-9999", "999 999 999", "99 999 999", "999999-999", "9999-99-9999", "999-999-999",
)  # fmt: skip

CODES: tuple[Code, ...] = (
    Code(
        name="us_ssn",
        type="us_ssn",
        layouts=("999-99-9999",),
        sample="219-09-9998",
        confidence=0.7,
        validate=_is_ssn,
        context=_SSN,
    ),
    Code(
        name="us_ssn_spaced",
        type="us_ssn",
        layouts=("999 99 9999", "999.99.9999"),
        sample="219 09 9998",
        confidence=0.6,
        validate=_is_ssn,
        context=_SSN,
        veto=_NO_SSN,
    ),
    Code(
        name="us_ssn_plain",
        type="us_ssn",
        layouts=("999999999",),
        sample="219099998",
        confidence=0.1,
        validate=_is_ssn,
        context=_SSN,
    ),
    Code(
        name="us_itin",
        type="us_itin",
        layouts=("999-99-9999", "999 99 9999"),
        sample="911-70-1234",
        confidence=0.4,
        validate=is_itin,
        checksum=WEAK,
        context=_ITIN,
    ),
    Code(
        name="us_itin_plain",
        type="us_itin",
        layouts=("999999999",),
        sample="911701234",
        confidence=0.1,
        validate=is_itin,
        checksum=WEAK,
        context=_ITIN,
    ),
    Code(
        name="us_ein",
        type="us_ein",
        layouts=("99-9999999",),
        sample="04-2103594",
        confidence=0.3,
        validate=is_ein,
        context=_EIN,
    ),
    Code(
        name="us_ein_plain",
        type="us_ein",
        layouts=("999999999",),
        sample="042103594",
        confidence=0.1,
        validate=is_ein,
        context=_FIRM,
    ),
    Code(
        name="us_npi",
        type="us_npi",
        layouts=("9999-999-999", "9999 999 999"),
        sample="1234-567-893",
        confidence=0.2,
        validate=is_npi,
        checksum=WEAK,
        context=_NPI,
    ),
    Code(
        name="us_npi_plain",
        type="us_npi",
        layouts=("9999999999",),
        sample="1234567893",
        confidence=0.1,
        validate=is_npi,
        checksum=WEAK,
        context=_NPI,
    ),
    Code(
        name="us_mbi",
        type="us_mbi",
        layouts=("9AX9-AX9-AA99", "9AX9 AX9 AA99"),
        sample="1EG4-TE5-MK73",
        confidence=0.6,
        validate=is_mbi,
        context=_MBI_WORDS,
        upper=True,
    ),
    Code(
        name="us_mbi_plain",
        type="us_mbi",
        layouts=("9AX9AX9AA99",),
        sample="1EG4TE5MK73",
        confidence=0.5,
        validate=is_mbi,
        context=_MBI_WORDS,
        upper=True,
    ),
    Code(
        name="us_dea",
        type="us_dea",
        layouts=("AA9999999",),
        sample="BG8207032",
        confidence=0.4,
        validate=is_dea,
        checksum=WEAK,
        context=_DEA_WORDS,
        upper=True,
    ),
    Code(
        name="us_dea_business",
        type="us_dea",
        layouts=("A99999999",),
        sample="A91234563",
        confidence=0.2,
        validate=is_dea,
        checksum=WEAK,
        context=_DEA_WORDS,
    ),
    Code(
        name="us_driver_license",
        type="us_driver_license",
        layouts=_DRIVER_LAYOUTS,
        sample="LH329609T",
        confidence=0.2,
        context=_LICENSE,
        veto=_NO_LICENSE,
    ),
    Code(
        name="us_driver_license_washington",
        type="us_driver_license",
        layouts=("AAAXXXXXXXXX",),
        sample="WDLABCD456DG",
        confidence=0.3,
        validate=_is_washington_license,
        context=_LICENSE,
        veto=_NO_LICENSE,
    ),
    Code(
        name="us_driver_license_digits",
        type="us_driver_license",
        layouts=_DRIVER_DIGITS,
        sample="425700624",
        confidence=0.1,
        context=_DRIVER,
        veto=_NO_LICENSE,
    ),
    Code(
        name="us_passport",
        type="us_passport",
        layouts=("999999999", "A99999999"),
        sample="912803456",
        confidence=0.2,
        context=_PASSPORT,
    ),
    Code(
        name="us_bank_routing",
        type="us_bank_routing",
        layouts=("999999999",),
        sample="121000358",
        confidence=0.1,
        validate=is_routing,
        checksum=WEAK,
        context=_ROUTING,
    ),
    Code(
        name="us_bank_routing_grouped",
        type="us_bank_routing",
        layouts=("9999-9999-9",),
        sample="3222-7162-7",
        confidence=0.3,
        validate=is_routing,
        checksum=WEAK,
        context=_ROUTING,
    ),
    Code(
        name="us_bank_number",
        type="us_bank_number",
        layouts=tuple("9" * count for count in range(8, 18)),
        sample="945456787654",
        confidence=0.1,
        context=_ACCOUNT,
        veto=_NO_ACCOUNT,
    ),
    Code(
        name="ca_sin",
        type="ca_sin",
        # Groups of three digits are as often an amount, or a part's number.
        layouts=("999|999|999",),
        sample="435 418 165",
        confidence=0.1,
        validate=is_sin,
        checksum=WEAK,
        context=_SIN,
    ),
    Code(
        name="ca_postcode",
        type="ca_postcode",
        layouts=("A9A 9A9",),
        sample="K1A 0B1",
        confidence=0.4,
        validate=is_ca_postcode,
        context=_CA_POSTCODE,
    ),
    Code(
        name="ca_postcode_plain",
        type="ca_postcode",
        layouts=("A9A9A9", "A9A-9A9"),
        sample="K1A0B1",
        confidence=0.2,
        validate=is_ca_postcode,
        context=_CA_POSTCODE,
    ),
    Code(
        name="ca_health_ontario",
        type="ca_health",
        layouts=("9999|999|999",),
        sample="9876-543-217",
        confidence=0.2,
        validate=is_ontario_health,
        checksum=WEAK,
        context=_CA_HEALTH,
    ),
    Code(
        name="ca_health_ontario_version",
        type="ca_health",
        layouts=("9999|999|999|AA", "9999999999-AA"),
        sample="9876-543-217-ML",
        confidence=0.4,
        validate=is_ontario_health,
        checksum=WEAK,
        context=_CA_HEALTH,
        upper=True,
    ),
    Code(
        name="ca_health_british_columbia",
        type="ca_health",
        layouts=("9999|999|999",),
        sample="9698 658 215",
        confidence=0.2,
        validate=is_bc_health,
        checksum=WEAK,
        context=_CA_HEALTH,
    ),
    Code(
        name="ca_health_quebec",
        type="ca_health",
        layouts=("AAAA|9999|9999",),
        sample="DOEJ 8551 1510",
        confidence=0.2,
        validate=is_quebec_health,
        checksum=WEAK,
        context=_CA_HEALTH,
    ),
    Code(
        name="br_cpf",
        type="br_cpf",
        layouts=("999.999.999-99", "999999999-99"),
        sample="390.533.447-05",
        confidence=0.3,
        validate=is_cpf,
        checksum=STRONG,
        context=_CPF,
    ),
    Code(
        name="br_cpf_plain",
        type="br_cpf",
        layouts=("99999999999", "999 999 999 99"),
        sample="39053344705",
        confidence=0.1,
        validate=is_cpf,
        checksum=STRONG,
        context=_CPF,
    ),
    Code(
        name="br_cnpj",
        type="br_cnpj",
        layouts=("99.999.999/9999-99", "99999999/9999-99"),
        sample="16.727.230/0001-97",
        confidence=0.5,
        validate=is_cnpj,
        checksum=STRONG,
        context=_CNPJ,
    ),
    Code(
        name="br_cnpj_letters",
        type="br_cnpj",
        layouts=("XX.XXX.XXX/XXXX-99", "XXXXXXXX/XXXX-99"),
        sample="12.ABC.345/01DE-35",
        confidence=0.5,
        validate=is_cnpj,
        checksum=STRONG,
        context=_CNPJ,
        upper=True,
    ),
    Code(
        name="br_cnpj_plain",
        type="br_cnpj",
        # Time stamps have fourteen digits too.
        layouts=("99999999999999", "XXXXXXXXXXXX99"),
        sample="16727230000197",
        confidence=0.05,
        validate=is_cnpj,
        checksum=STRONG,
        context=_CNPJ,
    ),
    Code(
        name="br_rg",
        type="br_rg",
        layouts=("99.999.999-X", "9.999.999-9", "99.999.999", "9.999.999", "AA-99.999.999", "99999999-X"),
        sample="12.345.678-X",
        confidence=0.2,
        validate=is_rg,
        context=_RG_WORDS,
    ),
    Code(
        name="br_rg_plain",
        type="br_rg",
        layouts=("99999999X", "99999999", "9999999", "AA99999999", "AA-99999999"),
        sample="12345678X",
        confidence=0.1,
        validate=is_rg,
        context=_RG_WORDS,
    ),
    Code(
        name="mx_curp",
        type="mx_curp",
        layouts=("AAAA999999AAAAAAX9",),
        sample="BOXW310820HNERXN09",
        confidence=0.5,
        validate=is_curp,
        checksum=STRONG,
        context=_CURP,
    ),
    Code(
        name="mx_rfc_checked",
        type="mx_rfc",
        layouts=("AAAA999999XXX", "AAA999999XXX", "AAAA|999999|XXX", "AAA|999999|XXX"),
        sample="MAB9307148T4",
        confidence=0.4,
        validate=is_checked_rfc,
        checksum=STRONG,
        context=_RFC,
    ),
    Code(
        name="mx_rfc",
        type="mx_rfc",
        layouts=("AAAA999999XXX", "AAA999999XXX", "AAAA|999999|XXX", "AAA|999999|XXX"),
        sample="GODE561231GR8",
        confidence=0.2,
        validate=is_rfc,
        context=_RFC,
    ),
    Code(
        name="ar_cuit",
        type="ar_cuit",
        layouts=("99-99999999-9", "99-99.999.999-9", "99 99999999 9"),
        sample="20-05536168-2",
        confidence=0.3,
        validate=is_cuit,
        checksum=STRONG,
        context=_CUIT,
    ),
    Code(
        name="ar_cuit_plain",
        type="ar_cuit",
        layouts=("99999999999",),
        sample="20055361682",
        confidence=0.05,
        validate=is_cuit,
        checksum=STRONG,
        context=_CUIT,
    ),
    Code(
        name="ar_dni",
        type="ar_dni",
        layouts=("99.999.999", "9.999.999"),
        sample="20.123.456",
        confidence=0.2,
        validate=is_dni,
        context=_DNI,
        veto=_NO_DNI,
    ),
    Code(
        name="ar_dni_plain",
        type="ar_dni",
        layouts=("99999999", "9999999"),
        sample="20123456",
        confidence=0.1,
        validate=is_dni,
        context=_DNI,
        veto=_NO_DNI,
    ),
    Code(
        name="cl_rut",
        type="cl_rut",
        layouts=("99.999.999-X", "9.999.999-X"),
        sample="12.531.909-2",
        confidence=0.4,
        validate=is_rut,
        checksum=WEAK,
        context=_RUT,
    ),
    Code(
        name="cl_rut_plain",
        type="cl_rut",
        # Versions are written so: a date, a dash, a digit.
        layouts=("99999999-X", "9999999-X", "99999999X", "9999999X"),
        sample="12531909-2",
        confidence=0.1,
        validate=is_rut,
        checksum=WEAK,
        context=_RUT,
    ),
    Code(
        name="co_nit",
        type="co_nit",
        layouts=("999.999.999-9", "9.999.999.999-9"),
        sample="213.123.432-1",
        confidence=0.3,
        validate=is_nit,
        checksum=WEAK,
        context=_NIT,
    ),
    Code(
        name="co_nit_plain",
        type="co_nit",
        layouts=("999999999-9", "9999999999-9", "99999999-9", "9999999999"),
        sample="213123432-1",
        confidence=0.1,
        validate=is_nit,
        checksum=WEAK,
        context=_NIT,
    ),
    Code(
        name="pe_dni",
        type="pe_dni",
        layouts=("99999999", "99999999-9", "99999999-A"),
        sample="10117410",
        confidence=0.1,
        validate=is_pe_dni,
        context=_PE_DNI,
        veto=_NO_DNI,
    ),
    Code(
        name="pe_ruc",
        type="pe_ruc",
        layouts=("99999999999",),
        sample="20512333797",
        confidence=0.05,
        validate=is_ruc,
        checksum=STRONG,
        context=_RUC,
    ),
    Code(
        name="ec_ci",
        type="ec_ci",
        layouts=("9999999999", "999999999-9"),
        sample="171430710-3",
        confidence=0.1,
        validate=is_ec_ci,
        checksum=WEAK,
        context=_EC_CI,
    ),
)
