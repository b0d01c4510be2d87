"""Declare the numbers of Asia: persons, taxpayers, firms, documents, vehicles, Philippine mobile telephones."""

from __future__ import annotations

import re

from stdnum import luhn, verhoeff
from stdnum.cn import ric
from stdnum.jp import cn as jp_cn
from stdnum.my import nric as my_nric
from stdnum.sg import uen

from oguardai.detection.detector import ALNUM, NONE, STRONG, WEAK, Code, Detector, Prefix
from oguardai.detection.entity import EntityType
from oguardai.detection.national.table import entity_type, is_date, number

# --- India -----------------------------------------------------------------------------------------------------------

_STATES_IN = frozenset((
    "AN", "AP", "AR", "AS", "BH", "BR", "CG", "CH", "DD", "DL", "DN", "GA", "GJ", "HP", "HR", "JH", "JK", "KA", "KL",
    "LA", "LD", "MH", "ML", "MN", "MP", "MZ", "NL", "OD", "OR", "PB", "PY", "RJ", "SK", "TG", "TN", "TR", "TS", "UK",
    "UP", "UT", "WB",
))  # fmt: skip
_PAN = re.compile(r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]")
_GSTIN = re.compile(r"(?:0[1-9]|[12][0-9]|3[0-7])[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]")


def is_aadhaar(value: str) -> bool:
    """Check an Aadhaar number (UIDAI): first digit 2 to 9, no palindrome, Verhoeff."""
    return value[0] in "23456789" and value != value[::-1] and bool(verhoeff.is_valid(value))


def is_pan(value: str) -> bool:
    """Check the holder's status, the fourth letter, of a permanent account number (Income-tax Rules 114)."""
    return _PAN.fullmatch(value) is not None


def is_gstin(value: str) -> bool:
    """Check state, account number and the Z of a goods and services tax number (CGST Rules 10)."""
    return _GSTIN.fullmatch(value) is not None


# --- Singapore, Malaysia, Indonesia, Philippines, Thailand -----------------------------------------------------------

_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
_NRIC_OFFSETS = {"T": 4, "G": 4, "M": 3}


def is_nric(value: str) -> bool:
    """Check the letter of an identity number of Singapore (National Registration Act): weights 2, 7, 6, 5, 4, 3, 2."""
    letters = _NRIC_LETTERS[value[0]]
    total = sum(int(d) * w for d, w in zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    return letters[(total + _NRIC_OFFSETS.get(value[0], 0)) % 11] == value[8]


def is_nik(value: str) -> bool:
    """Check province and birth date (40 added to the day of women) of an Indonesian NIK (Permendagri 104/2019)."""
    day = int(value[6:8]) % 40
    return 11 <= int(value[:2]) <= 96 and 1 <= day <= 31 and 1 <= int(value[8:10]) <= 12 and value[-4:] != "0000"


def is_ph_tin(value: str) -> bool:
    """Check the ninth digit of a Philippine TIN (Bureau of Internal Revenue): weights 9 to 2 modulo 11."""
    return sum(int(d) * w for d, w in zip(value, range(9, 1, -1), strict=False)) % 11 % 10 == int(value[8])


def is_ph_mobile(value: str) -> bool:
    """Check the prefix of a mobile number of the Philippines: 09, or +63 9 (National Telecommunications Commission)."""
    digits = re.sub("[^0-9]", "", value)
    return digits.startswith("639" if value[0] == "+" else "09")


_PROVINCES_TH = frozenset(
    number for low, high in ((10, 27), (30, 49), (50, 58), (60, 67), (70, 77), (80, 86), (90, 96))
    for number in range(low, high + 1)
)  # fmt: skip


def is_thai(value: str) -> bool:
    """Check class, province and check digit of a Thai identity number (Department of Provincial Administration)."""
    total = sum(int(d) * w for d, w in zip(value, range(13, 1, -1), strict=False))
    return value[0] != "0" and int(value[1:3]) in _PROVINCES_TH and (11 - total % 11) % 10 == int(value[12])


# --- Korea, Japan, China, Taiwan, Hong Kong --------------------------------------------------------------------------


def _is_korean(value: str, sexes: str) -> bool:
    century = 1900 if value[6] in "1256" else 2000
    return value[6] in sexes and is_date(century + int(value[:2]), int(value[2:4]), int(value[4:6]))


def is_rrn(value: str) -> bool:
    """Check birth date and sex of a Korean resident number; those since October 2020 have no check digit."""
    return _is_korean(value, "1234")


def is_frn(value: str) -> bool:
    """Check birth date and sex of a Korean foreigner number (Immigration Act 31)."""
    return _is_korean(value, "5678")


def is_brn(value: str) -> bool:
    """Check a Korean business registration number (National Tax Service): weights 1, 3, 7 and a tenth of the last."""
    digits = [int(char) for char in value]
    total = sum(d * w for d, w in zip(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False)) + digits[8] * 5 // 10
    return digits[0] > 0 and (10 - total % 10) % 10 == digits[9]


def is_my_number(value: str) -> bool:
    """Check a Japanese individual number (Ministry of Internal Affairs ordinance 85/2014, 5)."""
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(d) * w for d, w in zip(value, weights, strict=False)) % 11
    return (0 if rest <= 1 else 11 - rest) == int(value[11]) and len(set(value)) > 1


_TW = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def is_tw_id(value: str) -> bool:
    """Check sex and check digit of a Taiwanese identity number (Ministry of the Interior)."""
    area = _TW.index(value[0]) + 10
    total = area // 10 + area % 10 * 9 + sum(int(d) * w for d, w in zip(value[1:9], range(8, 0, -1), strict=True))
    return value[1] in "1289" and (total + int(value[9])) % 10 == 0


def is_hk_id(value: str) -> bool:
    """Check the digit of a Hong Kong identity card (Immigration Department): weights 9 to 2 modulo 11."""
    head = value[:-1].rjust(8)
    total = sum((36 if c == " " else int(c, 36)) * w for c, w in zip(head, range(9, 1, -1), strict=True))
    return "0123456789A"[-total % 11] == value[-1]


# --- Pakistan, Israel, Emirates --------------------------------------------------------------------------------------


def is_cnic(value: str) -> bool:
    """Check province and sex of a Pakistani identity card (NADRA)."""
    return value[0] in "1234567" and value[12] != "0"


def is_il_id(value: str) -> bool:
    """Check an Israeli identity number: Luhn."""
    return value.strip("0") != "" and bool(luhn.is_valid(value))


def is_emirates(value: str) -> bool:
    """Check an Emirates ID: country 784, birth year, Luhn."""
    return value.startswith("784") and 1900 <= int(value[3:7]) <= 2099 and bool(luhn.is_valid(value))


# --- words -----------------------------------------------------------------------------------------------------------

_AADHAAR = ("aadhaar*", "aadhar*", "adhar*", "uidai", "uid", "*आधार*")
_PAN_WORDS = ("pan", "pan card*", "permanent account*", "pannumber*", "income tax*")
_GST = ("gst*", "goods and services tax*", "tax identification*")
_PASS = ("passport*", "*여권*", "*旅券*", "*パスポート*", "*护照*", "*護照*")
_PLATES = ("vehicle*", "registration*", "car", "number plate*", "reg no", "rto", "bike", "plate*")
_RRN = ("*주민등록번호*", "*주민번호*", "rrn", "resident registration*", "*주민*", "korean id*")
_FRN = ("*외국인등록번호*", "*외국인*", "frn", "foreigner registration*", "alien registration*")
_CN = ("*身份证*", "*身份證*", "resident identity*", "chinese id*", "cn id")
_MY_NUMBER = ("*マイナンバー*", "*個人番号*", "my number*", "mynumber*", "individual number*")
_TH = ("*เลขประจำตัวประชาชน*", "*บัตรประชาชน*", "*ประชาชน*", "thai id*", "thai national id*", "tnin*")
_MOBILE = ("mobile*", "phone*", "cell*", "call*", "text", "tel", "contact*", "viber", "gcash", "numero*", "cp no")


CODES: tuple[Code, ...] = (
    number("in_aadhaar", ("9999|9999|9999",), "3123 4567 8909", 0.15, is_aadhaar, WEAK, _AADHAAR, separators=" -:"),
    number("in_pan", ("AAAAA9999A",), "ABCPD1234Z", 0.4, is_pan, WEAK, _PAN_WORDS),
    number("in_pan_other", ("AAAAA9999A",), "ABCDE1234F", 0.3, None, NONE, _PAN_WORDS, kind="in_pan"),
    number("in_gstin", ("99AAAAA9999AXAX",), "27ABCDE1234F1Z5", 0.6, is_gstin, WEAK, _GST),
    number(
        "in_voter",
        ("AAA9999999", "AA/99/999/999999"),
        "CPJ4467918",
        0.25,
        None,
        NONE,
        ("voter*", "vote*", "epic", "election*", "electoral*"),
    ),
    number("in_passport", ("A9999999",), "A3456781", 0.15, lambda value: value[1] != "0", NONE, _PASS),
    number(
        "in_vehicle",
        tuple(f"AA{a}{b}{c}" for a in ("9", "99", "|99|") for b in ("A", "AA", "AAA") for c in ("9999", "|9999")),
        "KA53ME3456",
        0.4,
        lambda value: value[:2] in _STATES_IN,
        NONE,
        _PLATES,
    ),
    number(
        "in_vehicle_before_1989",  # Motor Vehicles Act 1939, sixth schedule
        ("AA9999", "AAA9999"),
        "MCX1243",
        0.1,
        None,
        NONE,
        _PLATES,
        kind="in_vehicle",
    ),
    number("sg_nric", ("A9999999A",), "S9108268C", 0.4, is_nric, WEAK, ("nric*", "fin", "singapore*", "ic")),
    number(
        "sg_nric_unchecked",
        ("A9999999A",),
        "T1234567Z",
        0.3,
        lambda value: value[0] in "STFGM",
        NONE,
        ("nric*", "fin", "singapore*", "ic"),
        kind="sg_nric",
    ),
    number(
        "sg_uen",
        ("99999999A", "999999999A", "A99AA9999A"),
        "201434292D",
        0.35,
        uen.is_valid,
        WEAK,
        ("uen*", "acra", "unique entity*"),
    ),
    number("kr_rrn", ("999999-9999999",), "960121-1021413", 0.35, is_rrn, WEAK, _RRN),
    number("kr_rrn_plain", ("9999999999999",), "0509122000019", 0.1, is_rrn, WEAK, _RRN, kind="kr_rrn"),
    number("kr_frn", ("999999-9999999",), "911124-5678901", 0.35, is_frn, WEAK, _FRN),
    number("kr_frn_plain", ("9999999999999",), "9111245678901", 0.1, is_frn, WEAK, _FRN, kind="kr_frn"),
    number(
        "kr_brn", ("999-99-99999",), "104-82-13138", 0.3, is_brn, WEAK, ("*사업자*", "brn", "business registration*")
    ),
    number(
        "kr_brn_plain",
        ("9999999999",),
        "1048656659",
        0.1,
        is_brn,
        WEAK,
        ("*사업자*", "brn", "business registration*"),
        kind="kr_brn",
    ),
    number("kr_passport", ("A999A9999",), "M123A4567", 0.3, lambda value: value[0] in "MSRODG", NONE, _PASS),
    number(
        "kr_passport_old",
        ("A99999999",),
        "M12345678",
        0.25,
        lambda value: value[0] in "MSRODG",
        NONE,
        _PASS,
        kind="kr_passport",
    ),
    number(
        "kr_driver_license",
        ("99-99-999999-99",),
        "11-22-123456-12",
        0.4,
        lambda value: 11 <= int(value[:2]) <= 28,
        WEAK,
        ("*운전면허*", "driver*", "driving*", "licen*"),
    ),
    number(
        "kr_driver_license_plain",
        ("999999999999",),
        "112212345612",
        0.1,
        lambda value: 11 <= int(value[:2]) <= 28,
        WEAK,
        ("*운전면허*", "driver*", "driving*", "licen*"),
        kind="kr_driver_license",
    ),
    number(
        "jp_mynumber",
        ("999999999999", "9999 9999 9999", "9999-9999-9999"),
        "123456789018",
        0.1,
        is_my_number,
        WEAK,
        _MY_NUMBER,
    ),
    number(
        "jp_corporate",
        ("9999999999999", "9-9999-9999-9999"),
        "5835678256246",
        0.1,
        jp_cn.is_valid,
        WEAK,
        ("*法人番号*", "corporate number*"),
    ),
    number("jp_passport", ("AA9999999",), "TK1234567", 0.15, None, NONE, _PASS),
    number("jp_driver_license", ("999999999999",), "301234567890", 0.1, None, NONE, ("*運転免許*", "*免許証*")),
    number("cn_id", ("99999999999999999X",), "11010519491231002X", 0.3, ric.is_valid, STRONG, _CN),
    number(
        "th_id", ("9999999999999", "9-9999-99999-99-9", "9 9999 99999 99 9"), "1234567890121", 0.1, is_thai, WEAK, _TH
    ),
    number(
        "ph_tin",
        ("999-999-999-999", "999-999-999-99999"),
        "000-123-456-000",
        0.3,
        is_ph_tin,
        WEAK,
        ("tin", "bir", "taxpayer*", "tax id*"),
    ),
    number(
        "ph_tin_plain",
        ("999999999", "999999999999", "999-999-999"),
        "000123456",
        0.1,
        is_ph_tin,
        WEAK,
        ("tin", "bir", "taxpayer*", "tax id*"),
        kind="ph_tin",
    ),
    number(
        "ph_mobile",
        ("99999999999", "9999 999 9999", "9999-999-9999"),
        "0917 123 4567",
        0.1,
        is_ph_mobile,
        WEAK,
        _MOBILE,
    ),
    number(
        "my_nric",
        ("999999-99-9999",),
        "770305-02-1234",
        0.35,
        my_nric.is_valid,
        WEAK,
        ("nric*", "mykad*", "kad pengenalan*", "ic"),
    ),
    number(
        "my_nric_plain",
        ("999999999999",),
        "770305021234",
        0.1,
        my_nric.is_valid,
        WEAK,
        ("nric*", "mykad*", "kad pengenalan*"),
        kind="my_nric",
    ),
    number(
        "id_nik",
        ("9999999999999999",),
        "3171011708450001",
        0.1,
        is_nik,
        WEAK,
        ("nik", "ktp", "nomor induk*", "kependudukan*"),
    ),
    number("vn_cccd", ("999999999999",), "001097012345", 0.1, None, NONE, ("cccd*", "căn cước*", "can cuoc*", "cmnd*")),
    number("tw_id", ("A999999999",), "A123456789", 0.35, is_tw_id, WEAK, ("*身分證*", "*身份證*", "taiwan*")),
    number(
        "hk_id",
        ("A9999999", "A999999A", "AA9999999"),
        "G123456A",
        0.2,
        is_hk_id,
        WEAK,
        ("hkid*", "*身份證*", "hong kong id*"),
    ),
    number(
        "pk_cnic", ("99999-9999999-9",), "34201-0891231-8", 0.4, is_cnic, NONE, ("cnic*", "nadra", "nicop", "pakistan*")
    ),
    number(
        "lk_nic",
        ("999999999A", "999999999999"),
        "853400937V",
        0.15,
        lambda value: value[-1] in "VX" or value[:2] in ("19", "20"),
        NONE,
        ("nic", "national identity*", "sri lanka*"),
    ),
    number(
        "il_id", ("999999999",), "123456782", 0.1, is_il_id, WEAK, ("*תעודת*", "teudat zehut*", "israeli id*", "tz")
    ),
    number(
        "ae_id",
        ("999-9999-9999999-9", "999999999999999"),
        "784-1980-1234567-8",
        0.3,
        is_emirates,
        STRONG,
        ("emirates id*", "eid", "*الهوية*"),
    ),
)

DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="ph_mobile_international",
        type="ph_mobile",
        pattern=r"\+63[ -]?9[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{4}",
        sample="+63 917 123 4567",
        trigger=Prefix(("+63",)),
        confidence=0.75,  # less than that of a phone: it is one, and found as such unless only this type is wanted
        not_before=ALNUM | frozenset("+/="),
        not_after=ALNUM | {"_"},
    ),
)


_IN, _KR, _JP = ("en-IN", "hi-IN"), ("ko-KR",), ("ja-JP",)
TYPES: tuple[EntityType, ...] = (
    entity_type(CODES, "in_aadhaar", 1, _IN, "UIDAI, Aadhaar (Enrolment and Update) Regulations 2016"),
    entity_type(CODES, "in_pan", 1, _IN, "Income-tax Rules 1962, rule 114"),
    entity_type(CODES, "in_gstin", 2, _IN, "CGST Rules 2017, rule 10"),
    entity_type(CODES, "in_voter", 1, _IN, "Election Commission of India, Manual on Electoral Rolls"),
    entity_type(CODES, "in_passport", 1, _IN, "ICAO Doc 9303-4"),
    entity_type(CODES, "in_vehicle", 2, _IN, "Central Motor Vehicles Rules 1989, rule 50"),
    entity_type(CODES, "sg_nric", 1, ("en-SG",), "National Registration Act 1965"),
    entity_type(CODES, "sg_uen", 2, ("en-SG",), "ACRA, Unique Entity Number"),
    entity_type(CODES, "kr_rrn", 1, _KR, "Resident Registration Act, enforcement rule 2"),
    entity_type(CODES, "kr_frn", 1, _KR, "Immigration Act, article 31"),
    entity_type(CODES, "kr_brn", 2, _KR, "National Tax Service, business registration number"),
    entity_type(CODES, "kr_passport", 1, _KR, "ICAO Doc 9303-4"),
    entity_type(CODES, "kr_driver_license", 1, _KR, "Road Traffic Act, enforcement rule 77"),
    entity_type(CODES, "jp_mynumber", 1, _JP, "Ministry of Internal Affairs and Communications, ordinance 85/2014"),
    entity_type(CODES, "jp_corporate", 2, _JP, "National Tax Agency, corporate number"),
    entity_type(CODES, "jp_passport", 1, _JP, "ICAO Doc 9303-4"),
    entity_type(CODES, "jp_driver_license", 1, _JP, "Road Traffic Act, enforcement rule 19"),
    entity_type(CODES, "cn_id", 1, ("zh-CN",), "GB 11643-1999"),
    entity_type(CODES, "th_id", 1, ("th-TH",), "Department of Provincial Administration, identification number"),
    entity_type(CODES, "ph_tin", 1, ("en-PH", "fil-PH"), "Bureau of Internal Revenue, RMO 12-2013"),
    entity_type(CODES, "ph_mobile", 2, ("en-PH", "fil-PH"), "National Telecommunications Commission, numbering plan"),
    entity_type(CODES, "my_nric", 1, ("ms-MY",), "National Registration Regulations 1990"),
    entity_type(CODES, "id_nik", 1, ("id-ID",), "Permendagri 104/2019"),
    entity_type(CODES, "vn_cccd", 1, ("vi-VN",), "Thông tư 59/2021/TT-BCA"),
    entity_type(CODES, "tw_id", 1, ("zh-TW",), "Household Registration Act, enforcement rules"),
    entity_type(CODES, "hk_id", 1, ("zh-HK", "en-HK"), "Immigration Department, Hong Kong identity card"),
    entity_type(CODES, "pk_cnic", 1, ("ur-PK", "en-PK"), "NADRA Ordinance 2000"),
    entity_type(CODES, "lk_nic", 1, ("si-LK", "ta-LK"), "Registration of Persons Act 32/1968"),
    entity_type(CODES, "il_id", 1, ("he-IL",), "Population Registry Law 5725-1965"),
    entity_type(CODES, "ae_id", 1, ("ar-AE", "en-AE"), "Federal Authority for Identity and Citizenship"),
)
