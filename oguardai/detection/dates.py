"""Recognise written dates in English, German, French, Spanish and Italian."""

from __future__ import annotations

import re
from types import MappingProxyType

_MONTHS = (
    "jan|janvier|januar|jänner|january|enero|ene|gennaio|gen",
    "feb|february|februar|février|fevrier|févr|febrero|febbraio",
    "mar|march|märz|maerz|mrz|mars|marzo",
    "apr|april|avril|avr|abril|abr|aprile",
    "may|mai|mayo|maggio|mag",
    "jun|june|juni|juin|junio|giugno|giu",
    "jul|july|juli|juillet|juil|julio|luglio|lug",
    "aug|august|août|aout|agosto|ago",
    "sep|sept|september|septembre|septiembre|setiembre|settembre|set",
    "oct|october|okt|oktober|octobre|octubre|ottobre|ott",
    "nov|november|novembre|noviembre",
    "dec|december|dez|dezember|déc|décembre|decembre|dic|diciembre|dicembre",
)
_MONTH_OF = MappingProxyType({name: i for i, names in enumerate(_MONTHS, 1) for name in names.split("|")})
# Any word: ``is_date`` knows the months. Without (?i), with which ``re`` tries every place instead of skipping ahead.
_MONTH = r"[A-Za-zäéûÄÉÛ]{3,10}\.?"
_NUMBER = "[0-9]{1,2}"
_YEAR = "(?:[0-9]{4}|[0-9]{2})"
_ORDINAL = r"(?:[Ss][Tt]|[Nn][Dd]|[Rr][Dd]|[Tt][Hh]|[Ee][Rr]|\.|º|°)?"

NUMBER_FIRST = (
    rf"[0-9](?:[0-9]{{3}}(?:-{_NUMBER}-{_NUMBER}|/{_NUMBER}/{_NUMBER}|\.{_NUMBER}\.{_NUMBER})"
    rf"|[0-9]?(?:/{_NUMBER}/{_YEAR}|\. ?{_NUMBER}\. ?{_YEAR}|-{_NUMBER}-{_YEAR}"
    rf"|{_ORDINAL}[ -](?:(?:[Oo][Ff]|[Dd][EeIi]) )?{_MONTH},?[ -](?:[Dd][Ee][Ll]? )?[0-9]{{4}}))"
)
MONTH_FIRST = rf"{_MONTH} [0-3]?[0-9]{_ORDINAL},? [0-9]{{4}}"
_NUMBERS = re.compile(r"[0-9]+")
_WORDS = re.compile(r"[^\W\d_]+")


def is_date(value: str) -> bool:
    """Tell whether day and month exist (the order of both is open) and a four-digit year is of 1900 to 2099.

    The calendar's leap years are not looked at: a mistyped date of birth is personal data as well.
    """
    numbers = [int(part) for part in _NUMBERS.findall(value)]
    month = next((_MONTH_OF[word] for word in _WORDS.findall(value.lower()) if word in _MONTH_OF), None)
    if month is not None:
        day, year = numbers[0], numbers[-1]
        return len(numbers) == 2 and 1 <= day <= 31 and 1900 <= year <= 2099
    if len(numbers) != 3:
        return False
    first, second, third = numbers
    if first > 31:
        return 1900 <= first <= 2099 and 1 <= second <= 12 and 1 <= third <= 31
    low, high = sorted((first, second))
    return 1 <= low <= 12 and high <= 31 and (third < 100 or 1900 <= third <= 2099)
