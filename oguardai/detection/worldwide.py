"""Declare what is numbered alike in all countries: vehicles, handsets, subscribers, banks and crypto addresses."""

from __future__ import annotations

import re

from stdnum import bitcoin

from oguardai.detection.detector import ALNUM, NONE, WEAK, Code, Detector, Digit, Near, Prefix
from oguardai.detection.entity import EntityType
from oguardai.detection.validators import is_luhn

TYPES: tuple[EntityType, ...] = (
    EntityType("vin", 2, source="ISO 3779:2009"),
    EntityType("imei", 2, checksum=True, source="3GPP TS 23.003, clause 6"),
    EntityType("imsi", 2, source="ITU-T E.212"),
    EntityType("swift_bic", 2, source="ISO 9362:2022"),
    EntityType("crypto_address", 1, source="BIP 173, BIP 350, ERC-55"),
)


# --- vehicles and handsets ---------------------------------------------------------------------------------------

_VIN = re.compile("[1-9A-HJ-NPR-Z][0-9A-HJ-NPR-Z]{12}[0-9]{4}")
# 49 CFR 565.15, table III: what a character counts, and the weight of each place.
_VIN_VALUES = str.maketrans("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789")
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_NO_YEAR = frozenset("0UZ")


def is_vin(compact: str) -> bool:
    """Check characters (no I, O, Q), and that the last four are digits (ISO 3779)."""
    return _VIN.fullmatch(compact) is not None and not compact.isdigit() and len(set(compact)) > 5


def is_checked_vin(compact: str) -> bool:
    """Check the model year and the check digit, which only North America and China prescribe (49 CFR 565.15)."""
    if not is_vin(compact) or compact[9] in _VIN_NO_YEAR:
        return False
    digits = compact.translate(_VIN_VALUES)
    rest = sum(weight * int(c) for weight, c in zip(_VIN_WEIGHTS, digits, strict=True)) % 11
    return compact[8] == "0123456789X"[rest]


def is_imei(compact: str) -> bool:
    """Check the Luhn digit of an equipment identity (3GPP TS 23.003, annex B)."""
    return len(compact) == 15 and compact.isdigit() and len(set(compact)) > 2 and is_luhn(compact)


def is_imsi(compact: str) -> bool:
    """Check the first digit of the mobile country code: a zone of the world, or 901 of all (ITU-T E.212)."""
    return len(compact) in (14, 15) and compact.isdigit() and (compact[0] in "234567" or compact.startswith("901"))


# --- banks -------------------------------------------------------------------------------------------------------

# ISO 3166-1, and XK, which SWIFT uses for Kosovo.
_ISO_3166 = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
_COUNTRIES = frozenset(_ISO_3166.split())


def is_bic(value: str) -> bool:
    """Check the country of a business identifier code (ISO 9362)."""
    return value[4:6] in _COUNTRIES


# --- crypto addresses --------------------------------------------------------------------------------------------

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M = 0x2BC830A3


def _bech32_residue(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_BECH32_GENERATOR):
            if top >> bit & 1:
                check ^= term
    return check


def is_segwit(value: str) -> bool:
    """Check a witness address: Bech32 for version 0 (BIP 173), Bech32m for the later ones (BIP 350)."""
    prefix, _, rest = value.lower().partition("1")
    data = [_BECH32.find(c) for c in rest]
    if len(data) < 8 or min(data) < 0 or data[0] > 16:
        return False
    bits = 5 * (len(data) - 7)
    size = bits // 8
    if bits % 8 > 4 or not 2 <= size <= 40 or (data[0] == 0 and size not in (20, 32)):
        return False
    if data[-7] & ((1 << bits % 8) - 1):
        return False
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    return _bech32_residue(expanded + data) == (_BECH32M if data[0] else 1)


def is_base58check(value: str) -> bool:
    """Check the double SHA-256 at the end of a Bitcoin address, and its length."""
    return bool(bitcoin.is_valid(value))


_LANE = (1 << 64) - 1


def _rounds() -> tuple[int, ...]:
    """Return the constants of Keccak's step iota (FIPS 202, 3.2.5)."""
    constants = []
    state = 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if state & 1:
                constant |= 1 << ((1 << power) - 1)
            state = state << 1 ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _moves() -> tuple[tuple[int, int, int], ...]:
    """Return from which place each lane comes to which, and how far it is turned (steps rho and pi, 3.2.2, 3.2.3)."""
    moves = [(0, 0, 0)]
    x, y = 1, 0
    for step in range(24):
        moves.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (step + 1) * (step + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return tuple(moves)


_ROUNDS = _rounds()
_MOVES = _moves()
_RATE = 136


def _permute(lanes: list[int]) -> list[int]:
    for constant in _ROUNDS:
        a = lanes
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ ((c[x - 4] << 1 | c[x - 4] >> 63) & _LANE) for x in range(5)]
        b = [0] * 25
        for source, target, turn in _MOVES:
            lane = a[source] ^ d[source % 5]
            b[target] = (lane << turn | lane >> (64 - turn)) & _LANE
        lanes = []
        for y in range(0, 25, 5):
            b0, b1, b2, b3, b4 = b[y : y + 5]
            lanes += (b0 ^ ~b1 & b2, b1 ^ ~b2 & b3, b2 ^ ~b3 & b4, b3 ^ ~b4 & b0, b4 ^ ~b0 & b1)
        lanes[0] ^= constant
    return lanes


def keccak_256(message: bytes, suffix: int = 0x01) -> bytes:
    """Hash with Keccak-256 as it was submitted, which Ethereum uses; with the suffix 0x06 it is SHA3-256 (FIPS 202)."""
    padded = bytearray(message)
    padded.append(suffix)
    padded += bytes(-len(padded) % _RATE)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            at = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def is_mixed_ethereum(value: str) -> bool:
    """Check the checksum that the case of the letters is (ERC-55)."""
    digits = value[2:]
    low = digits.lower()
    if digits in (low, digits.upper()):
        return False
    marks = keccak_256(low.encode("ascii")).hex()
    return all(c.isdigit() or c.isupper() == (mark > "7") for c, mark in zip(digits, marks, strict=False))


def is_plain_ethereum(value: str) -> bool:
    """Accept an address without checksum: its letters are all of one case."""
    digits = value[2:]
    return digits in (digits.lower(), digits.upper()) and len(set(digits)) > 4


_BASE58 = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_MONERO_NETWORKS = (18, 42)


def is_monero(value: str) -> bool:
    """Check network and hash of a Monero address: base 58 by blocks of eight octets, the last of five."""
    octets = b""
    for start in range(0, 95, 11):
        number = 0
        for c in value[start : start + 11]:
            number = number * 58 + _BASE58[c]
        size = 8 if start < 88 else 5
        if number >> 8 * size:
            return False
        octets += number.to_bytes(size, "big")
    return octets[0] in _MONERO_NETWORKS and keccak_256(octets[:-4])[:4] == octets[-4:]


# --- tables ------------------------------------------------------------------------------------------------------

_VIN_WORDS = (
    "vin", "vins", "vin*", "vehicle id*", "vehicleid*", "chassis*", "châssis", "fahrgestell*", "fahrzeug ident*",
    "fahrzeugident*", "fin", "bastidor", "telaio", "chassi", "vozidla", "nadwozia",
)  # fmt: skip
_IMEI = ("imei*", "meid", "handset*", "device id*")
_IMSI = ("imsi*", "subscriber identity*", "subscriber id*")
_BIC = ("bic", "bics", "swift", "swiftcode", "bic code*", "swift code*", "swift bic", "biccode")
_COINS = (
    "bitcoin*", "btc", "xbt", "crypto*", "krypto*", "cripto*", "wallet*", "ethereum*", "ether", "eth", "litecoin*",
    "ltc", "monero*", "xmr", "address*", "adresse*",
)  # fmt: skip
_ETHEREUM = (
    "ethereum*", "ether", "eth", "erc*", "wallet*", "crypto*", "krypto*", "cripto*", "metamask", "usdt", "usdc", "dai",
    "polygon", "matic", "bsc", "bnb", "arbitrum", "token*", "nft*", "address*", "adresse*",
)  # fmt: skip
_WORD = ALNUM | {"_"}

CODES: tuple[Code, ...] = (
    Code(
        name="vin_checked",
        type="vin",
        layouts=("XXXXXXXXXXXXX9999",),
        sample="1M8GDM9AXKP042788",
        confidence=0.4,
        validate=is_checked_vin,
        checksum=WEAK,
        context=_VIN_WORDS,
        upper=True,
    ),
    Code(
        name="vin",
        type="vin",
        layouts=("XXXXXXXXXXXXX9999",),
        sample="WVWZZZ1JZ3W386752",
        confidence=0.2,
        validate=is_vin,
        checksum=NONE,
        context=_VIN_WORDS,
    ),
    Code(
        name="imei",
        type="imei",
        layouts=("99|999999|999999|9",),
        sample="49-015420-323751-8",
        confidence=0.1,
        validate=is_imei,
        checksum=WEAK,
        context=_IMEI,
    ),
    Code(
        name="imsi",
        type="imsi",
        layouts=("999999999999999", "99999999999999", "999 99 9999999999", "999 999 999999999"),
        sample="310150123456789",
        confidence=0.1,
        validate=is_imsi,
        context=_IMSI,
    ),
)

DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="swift_bic",
        type="swift_bic",
        pattern=r"[A-Z][A-Z]{5}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
        sample="DEUTDEFF500",
        trigger=Near(("bic", "swift"), before=0, after=60, fold=True),
        confidence=0.4,
        validate=is_bic,
        not_before=_WORD,
        not_after=_WORD,
        context=_BIC,
        needs_context=True,
    ),
    Detector(
        name="bitcoin_address",
        type="crypto_address",
        pattern=r"[13][1-9A-HJ-NP-Za-km-z]{25,34}",
        sample="1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD",
        trigger=Digit(r"[13](?<![0-9A-Za-z_].)(?=[1-9A-HJ-NP-Za-km-z]{25})", back=(0,)),
        hint=r"\b[13][1-9A-HJ-NP-Za-km-z]{25}",
        confidence=0.95,
        validate=is_base58check,
        not_before=_WORD,
        not_after=_WORD,
        context=_COINS,
    ),
    Detector(
        name="segwit_address",
        type="crypto_address",
        # The digits and letters of Bech32, all of one case.
        pattern=r"(?:bc1|ltc1)[02-9ac-hj-np-z]{11,71}|(?:BC1|LTC1)[02-9AC-HJ-NP-Z]{11,71}",
        sample="bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        trigger=Prefix(("bc1", "BC1", "ltc1", "LTC1")),
        confidence=0.95,
        validate=is_segwit,
        not_before=_WORD,
        not_after=_WORD,
        context=_COINS,
    ),
    Detector(
        name="ethereum_address",
        type="crypto_address",
        pattern=r"0x[0-9A-Fa-f]{40}",
        sample="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        trigger=Prefix(("0x",)),
        confidence=0.95,
        validate=is_mixed_ethereum,
        most_checks=100,
        not_before=_WORD,
        not_after=_WORD,
        context=_ETHEREUM,
    ),
    Detector(
        name="ethereum_address_plain",
        type="crypto_address",
        pattern=r"0[xX][0-9A-Fa-f]{40}",
        sample="0x52908400098527886e0f7030069857d2e4169ee7",
        trigger=Prefix(("0x", "0X")),
        confidence=0.5,
        validate=is_plain_ethereum,
        not_before=_WORD,
        not_after=_WORD,
        context=_ETHEREUM,
        context_behind=("eth", "ethereum"),
        needs_context=True,
    ),
    Detector(
        name="monero_address",
        type="crypto_address",
        pattern=r"[48][1-9A-HJ-NP-Za-km-z]{94}",
        sample="888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H",
        trigger=Digit(r"[48](?<![0-9A-Za-z_].)(?=[1-9A-HJ-NP-Za-km-z]{94})", back=(0,)),
        hint=r"\b[48][1-9A-HJ-NP-Za-km-z]{30}",
        confidence=0.95,
        validate=is_monero,
        not_before=_WORD,
        not_after=_WORD,
        context=_COINS,
    ),
)
