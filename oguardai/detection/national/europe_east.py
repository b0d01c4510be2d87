"""Declare the numbers of the east and the north of Europe and of Turkey: persons, taxpayers, firms, vehicles."""

from __future__ import annotations

from datetime import date

from stdnum.bg import egn
from stdnum.cz import rc
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.gr import amka
from stdnum.gr import vat as gr_vat
from stdnum.hr import oib
from stdnum.lt import asmens
from stdnum.no import fodselsnummer
from stdnum.pl import nip, pesel, regon
from stdnum.ro import cnp
from stdnum.se import orgnr
from stdnum.si import emso

from oguardai.detection.detector import NONE, STRONG, WEAK, Code
from oguardai.detection.entity import EntityType
from oguardai.detection.national.table import entity_type, is_date, number

# --- the North -------------------------------------------------------------------------------------------------------

_HETU_CHECKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def is_hetu(value: str) -> bool:
    """Check date and character of a Finnish personal identity code (Valtioneuvoston asetus 128/2010)."""
    if len(value) == 10:
        value = f"{value[:6]}U{value[6:]}"
    if not (value[:6].isdigit() and value[7:10].isdigit()) or value[6] not in "ABCDEFUVWXY" or int(value[7:10]) < 2:
        return False
    century = 2000 if value[6] in "ABCDEF" else 1900
    if not is_date(century + int(value[4:6]), int(value[2:4]), int(value[:2])):
        return False
    return _HETU_CHECKS[int(value[:6] + value[7:10]) % 31] == value[10]


def is_undated_hetu(value: str) -> bool:
    """Check a Finnish code that is no dated number: if it has no letter, of a person born since 1932."""
    return is_hetu(value) and not (value.isdigit() and value[4:6] < "32")


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


def is_undated_personnummer(value: str) -> bool:
    """Check a Swedish number that is no dated number: not of the years that orders and logs are dated with."""
    return is_personnummer(value) and not "10" <= value[-10:-8] <= "29"


def is_orgnr(value: str) -> bool:
    """Check a Swedish organisation number: Luhn, the third digit at least 2."""
    return value[2] >= "2" and bool(orgnr.is_valid(value))


def is_aktiebolag(value: str) -> bool:
    """Check the number of a Swedish limited company, which begins with 55."""
    return value.startswith("55") and is_orgnr(value)


def is_cpr(value: str) -> bool:
    """Check the date of a Danish CPR number; since 2007 not all have a check digit."""
    return bool(cpr.is_valid(value))


def is_checked_cpr(value: str) -> bool:
    """Check date and check digit of a CPR number."""
    return bool(cpr.is_valid(value)) and cpr.checksum(value) == 0


def is_undated_cpr(value: str) -> bool:
    """Check a CPR number that is no dated number: not of the years that orders and logs are dated with."""
    return is_checked_cpr(value) and value[4:6] >= "37"


# --- the East --------------------------------------------------------------------------------------------------------


def is_rc(value: str) -> bool:
    """Check a Czech or Slovak birth number: date, and of ten digits divisibility by 11."""
    return bool(rc.is_valid(value))


def is_latvian(value: str) -> bool:
    """Check a Latvian personal code: birth date, or 32 instead of one (Ministru kabineta noteikumi 281/2011)."""
    day, month, year, century = int(value[:2]), int(value[2:4]), int(value[4:6]), value[6]
    if day != 32 and not (century in "012" and is_date(1800 + 100 * int(century) + year, month, day)):
        return False
    weights = (10, 5, 8, 4, 2, 1, 6, 3, 7, 9)
    return (1 + sum(int(d) * w for d, w in zip(value, weights, strict=False))) % 11 % 10 == int(value[10])


def is_tckn(value: str) -> bool:
    """Check a Turkish identity number (Nüfus Hizmetleri Kanunu): no leading zero, two check digits."""
    digits = [ord(char) - 48 for char in value]
    odd, even = sum(digits[0:9:2]), sum(digits[1:8:2])
    return digits[0] > 0 and (7 * odd - even) % 10 == digits[9] and sum(digits[:10]) % 10 == digits[10]


def is_fnr(value: str) -> bool:
    """Check date (40 added to the day or the month of some) and check digits of a Norwegian number."""
    if not 1 <= int(value[:2]) % 40 <= 31 or not 1 <= int(value[2:4]) % 40 <= 12:
        return False
    return bool(fodselsnummer.is_valid(value))


def is_hungarian_tax_id(value: str) -> bool:
    """Check a Hungarian tax identification mark: 8, then digits weighted 1 to 9 modulo 11 (2017. évi CL. törvény)."""
    return value[0] == "8" and sum(int(d) * w for w, d in enumerate(value[:9], 1)) % 11 == int(value[9])


def is_pl_id_card(value: str) -> bool:
    """Check the fourth character of a Polish identity card (Ministerstwo Spraw Wewnętrznych): weights 7, 3, 1."""
    weights = (7, 3, 1, 9, 7, 3, 1, 7, 3)
    return sum(int(char, 36) * weight for char, weight in zip(value, weights, strict=False)) % 10 == 0


# --- words -----------------------------------------------------------------------------------------------------------

_PESEL = ("pesel*", "numer ewidencyjny*", "ewidencyjny*")
_NIP = ("nip*", "numer identyfikacji podatkowej*", "podatk*", "vat*")
_PNR = ("personnummer*", "personnr*", "pnr", "person nr", "samordningsnummer*", "födelsenummer*", "svensk*", "swedish*")
_ORG = ("organisationsnummer*", "organisationsnr*", "orgnr*", "org nr*", "orgnummer*", "org.nr", "organisasjonsnummer*",
        "företag*", "bolag*")  # fmt: skip
_HETU = ("hetu*", "henkilötunnu*", "henkilotunnu*", "personbeteckning*", "sotu", "finnish*", "personal identity code*")
_CPR = ("cpr*", "personnummer*", "cpr nr", "danish*", "civil registration*")
_FNR = ("fødselsnummer*", "fodselsnummer*", "fnr", "personnummer*", "f.nr", "d nummer*", "norwegian*", "personnr*")
_CNP = ("cnp*", "cod numeric personal*", "numeric personal*")
_RC = ("rodné číslo*", "rodne cislo*", "rodného čísla*", "rč", "r.č", "rodné*", "birth number*", "rodne*")
_EGN = ("егн*", "egn*", "единен граждански*", "единен*")
_AMKA = ("αμκα*", "amka*", "α.μ.κ.α", "κοινωνικής ασφάλισης*")
_TCKN = (
    "tckn*", "tc kimlik*", "t.c. kimlik*", "kimlik*", "t.c", "tc no", "t.c. no", "tcno", "turkish id*", "vatandaşlık*",
)  # fmt: skip


_PLATE_WORDS = ("plaka*", "plate*", "number plate*", "license plate*", "licence plate*", "registration*", "ruhsat*")
_PLATES = (*_PLATE_WORDS, "araç*", "arac", "vehicle*", "car", "otomobil*")


CODES: tuple[Code, ...] = (
    # Poland, Czechia, Slovakia, Hungary, Romania, Bulgaria
    number("pl_pesel", ("99999999999",), "44051401458", 0.1, pesel.is_valid, WEAK, _PESEL),
    number("pl_nip", ("9999999999", "999-999-99-99", "999-99-99-999"), "856-734-62-15", 0.1, nip.is_valid, WEAK, _NIP),
    number("pl_regon", ("999999999", "99999999999999"), "192598184", 0.1, regon.is_valid, WEAK, ("regon*",)),
    number(
        "pl_id_card",
        ("AAA999999", "AAA 999999"),
        "ABA300000",
        0.2,
        is_pl_id_card,
        WEAK,
        ("dowód*", "dowod*", "id card*"),
    ),
    number("cz_rc", ("999999/9999",), "710319/2745", 0.25, is_rc, WEAK, _RC),
    number("cz_rc_old", ("999999/999",), "530101/123", 0.2, is_rc, WEAK, _RC, kind="cz_rc"),
    number("cz_rc_plain", ("9999999999",), "7103192745", 0.1, is_rc, WEAK, _RC, kind="cz_rc"),
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
    number(
        "tr_plate_glued",
        ("99A9999", "99AA999", "99AA9999", "99AAA99", "99AAA999"),
        "34ABC123",
        0.15,
        lambda value: "01" <= value[:2] <= "81",
        NONE,
        _PLATE_WORDS,
        kind="tr_plate",
    ),
    # The North, the Baltic
    number(
        "se_personnummer",
        ("999999-9999", "99999999-9999"),
        "871220-2384",
        0.3,
        is_undated_personnummer,
        WEAK,
        _PNR,
    ),
    number(
        "se_personnummer_plain",
        ("999999-9999", "99999999-9999", "9999999999", "999999999999"),
        "198712202384",
        0.1,
        is_personnummer,
        WEAK,
        _PNR,
        kind="se_personnummer",
    ),
    number("se_orgnr", ("999999-9999",), "556703-7485", 0.3, is_aktiebolag, WEAK, _ORG),
    number("se_orgnr_plain", ("999999-9999", "9999999999"), "5567037485", 0.1, is_orgnr, WEAK, _ORG, kind="se_orgnr"),
    number("fi_hetu", ("999999-999X", "999999A999X"), "131052-308T", 0.5, is_undated_hetu, WEAK, _HETU),
    number("fi_hetu_digits", ("999999-9999",), "010114-0024", 0.2, is_hetu, WEAK, _HETU, kind="fi_hetu"),
    number("dk_cpr", ("999999-9999",), "211062-5629", 0.3, is_cpr, NONE, _CPR),
    number("dk_cpr_checked", ("999999-9999",), "211062-5629", 0.3, is_undated_cpr, WEAK, _CPR, kind="dk_cpr"),
    number("dk_cpr_plain", ("9999999999",), "2110625629", 0.1, is_checked_cpr, WEAK, _CPR, kind="dk_cpr"),
    number("dk_cpr_unchecked", ("9999999999",), "0101901234", 0.1, is_cpr, NONE, _CPR, kind="dk_cpr"),
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


TYPES: tuple[EntityType, ...] = (
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
