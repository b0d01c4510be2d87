"""Judge telephone numbers by libphonenumber's numbering plans, at a cost bounded by their length.

``phonenumbers.parse`` costs ten times what is done here and its matcher is quadratic: only its tables serve.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers

from oguardai.detection.detector import DIGITS, Span

# The regions whose national formats are known by their trunk prefix. The number of them bounds the work.
TRUNK_REGIONS = ("FR", "GB", "DE", "IT")

_MAX_CUTS = 4  # groups of another number that a match may have swallowed; bounds the work on rows of digits
_MAX_DIGITS = 15  # ITU-T E.164
_EXTENSION = re.compile(r" ?(?:x|ext\.? ?|extension )[0-9]{1,6}$")
_TRUNK_IN_BRACKETS = re.compile(r"\( ?0 ?\)")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_DATE = (
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}([-./])[0-9]{1,2}\1[0-9]{1,2}"
    r"|[0-9]{1,2}([-./])[0-9]{1,2}\2(?:19|20)[0-9]{2})(?![0-9])"
)
_DATE_OR_TIME = re.compile(_DATE)
# Dates, IP addresses, ranges of years and of times.
_OTHER = re.compile(
    _DATE + r"|^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$|^(?:19|20)[0-9]{2} ?[-/] ?(?:19|20)[0-9]{2}$"
    r"|^[0-9]{1,2}\.[0-9]{2} ?- ?[0-9]{1,2}\.[0-9]{2}$|^(?:19|20)[0-9]{2}[-/](?:0[1-9]|1[0-2])$"
)
# Grouped amounts, and rows of one digit.
_AMOUNT = re.compile(r"[0-9]{1,2}(?:\.[0-9]{3}){2,}|0{4,}[0-9]*|([0-9])\1{6,}")
_SEPARATORS = frozenset(" -./")
# Not with a plus sign: coordinates (ISO 6709: degrees and minutes), decimals, sums.
_NOT_INTERNATIONAL = re.compile(
    r"\+[0-8][0-9][0-5][0-9]-(?:0[0-9]{2}|1[0-7][0-9])[0-5][0-9]|\+[0-9]{6}-[01][0-9]{6}|\+[0-9]{5,}\.[0-9]+|\+ [0-9]+"
)
_ZIP = re.compile(r"[0-9]{5}-[0-9]{4}")  # of the United States, with four more digits


@lru_cache(maxsize=512)
def _plan(country_code: int) -> tuple[frozenset[int], bool]:
    """Return the possible lengths of a country code's national numbers, and whether it exists."""
    metadata: Any = None
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(country_code, ())[:1]:
        if region == "001":
            metadata = phonenumbers.PhoneMetadata.metadata_for_nongeo_region(country_code)
        else:
            metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return frozenset(), False
    return frozenset(metadata.general_desc.possible_length), True


@lru_cache(maxsize=16)
def _region(region: str) -> tuple[frozenset[int], re.Pattern[str], str]:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    general = metadata.general_desc
    return (
        frozenset(general.possible_length),
        re.compile(general.national_number_pattern),
        metadata.national_prefix or "",
    )


def is_possible(digits: str) -> bool:
    """Tell whether digits (country code first) name a country and have a length of its plan (ITU-T E.164)."""
    for size in (1, 2, 3):
        lengths, known = _plan(int(digits[:size]))
        if known:
            rest = len(digits) - size
            # A trunk zero is often left standing behind the country code.
            return rest in lengths or (digits[size : size + 1] == "0" and rest - 1 in lengths)
    return False


def is_turkish(number: str) -> bool:
    """Tell whether a number, with country code or trunk prefix or without, fits the plan of Turkey (ITU-T E.164)."""
    digits = _NOT_DIGITS.sub("", number)
    national = digits.removeprefix("90") if number[0] == "+" else digits.removeprefix("0")
    lengths, pattern, _ = _region("TR")
    return len(national) in lengths and pattern.fullmatch(national) is not None


def is_national(digits: str, region: str) -> bool:
    """Tell whether digits, with the trunk prefix where there is one, fit the region's plan."""
    lengths, pattern, prefix = _region(region)
    if prefix:
        if not digits.startswith(prefix):
            return False
        digits = digits[len(prefix) :]
    return len(digits) in lengths and pattern.fullmatch(digits) is not None


def _split_extension(text: str, start: int, end: int) -> tuple[str, int]:
    """Return the candidate without extension and the end of what remains."""
    raw = text[start:end]
    if raw[-1] in DIGITS and "x" in raw:
        found = _EXTENSION.search(raw)
        if found:
            return raw[: found.start()], start + found.start()
    return raw, end


def trim_international(text: str, start: int, end: int) -> Span | None:
    """Accept a number with ``+``, ``00`` or ``011`` whose country and length exist, without what follows it.

    The pattern is greedy, so a candidate may have swallowed the next number on the line: groups are dropped
    from the right until the length fits.
    """
    raw, _ = _split_extension(text, start, end)
    if _NOT_INTERNATIONAL.fullmatch(raw):
        return None
    head = 1 if raw[0] == "+" else 3 if raw.startswith("011") else 2
    whole = True
    for _ in range(_MAX_CUTS):
        digits = _NOT_DIGITS.sub("", _TRUNK_IN_BRACKETS.sub("", raw[head:]))
        if len(digits) < 7 or digits[0] == "0":
            return None
        if len(digits) <= _MAX_DIGITS + 1 and is_possible(digits):
            return start, end if whole else start + len(raw)
        cut = max(raw.rfind(" "), raw.rfind("/"), raw.rfind("("))
        if cut <= head:
            return None
        raw = raw[:cut].rstrip(" ./(-")
        whole = False
    return None


def _follows_digits(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] in _SEPARATORS and text[start - 2] in DIGITS


def _goes_on(text: str, end: int) -> bool:
    return end + 1 < len(text) and text[end] in _SEPARATORS and text[end + 1] in DIGITS


def trim_separate(text: str, start: int, end: int) -> Span | None:
    """Refuse a match that is a part of a longer row of digit groups."""
    return None if _follows_digits(text, start) or _goes_on(text, end) else (start, end)


def trim_trunk(text: str, start: int, end: int) -> Span | None:
    """Accept a grouped number with trunk prefix 0 that fits the plan of a known region."""
    if trim_separate(text, start, end) is None:
        return None
    raw = text[start:end]
    digits = _NOT_DIGITS.sub("", raw)
    # Without any grouping it may be any number; then it takes a context word.
    if len(digits) == len(raw) or not 9 <= len(digits) <= 12 or _DATE_OR_TIME.search(raw) or _ZIP.fullmatch(raw):
        return None
    if any(is_national(digits, region) for region in TRUNK_REGIONS):
        return start, end
    return None


def trim_in_context(text: str, start: int, end: int) -> Span | None:
    """Accept 6 to 15 digits that are no date, IP address or grouped amount; the table requires context.

    Where numbers stand in a row, a space and a trunk prefix begin the next.
    """
    if _follows_digits(text, start) and not text.startswith(" 0", start - 1):
        return None
    if text[end : end + 1].isdigit() or _goes_on(text, end):
        end = text.find(" 0", start + 7, end)
        if end < 0:
            return None
    raw, _ = _split_extension(text, start, end)
    if raw.count("(") != raw.count(")"):
        return None
    digits = _NOT_DIGITS.sub("", raw)
    # Six digits are a number only when they are grouped like one.
    if not (7 <= len(digits) <= _MAX_DIGITS or (len(digits) == 6 < len(raw) and "." not in raw)):
        return None
    if _AMOUNT.fullmatch(raw) or (raw != digits and _OTHER.search(raw)):
        return None
    return start, end
