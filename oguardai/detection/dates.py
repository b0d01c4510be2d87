"""Recognise written dates, with the months of ten European languages."""

from __future__ import annotations

import re
from types import MappingProxyType

from oguardai.detection.detector import ALNUM, Detector, Digit, Digits, Span, Starts
from oguardai.detection.entity import EntityType

_MONTHS = (
    "jan|january|januar|jänner|januari|janvier|janeiro|enero|ene|gennaio|gen|stycznia|ledna",
    "feb|february|februar|februari|février|fevrier|févr|fevereiro|febrero|febbraio|lutego|února",
    "mar|march|märz|maerz|mrz|mars|marts|maart|março|marco|marzo|marca|března",
    "apr|april|avril|avr|abril|abr|aprile|kwietnia|dubna",
    "may|mai|maj|mei|maio|mayo|maggio|mag|maja|května",
    "jun|june|juni|juin|junho|junio|giugno|giu|czerwca|června",
    "jul|july|juli|juillet|juil|julho|julio|luglio|lug|lipca|července",
    "aug|august|augusti|augustus|août|aout|agosto|ago|sierpnia|srpna",
    "sep|sept|september|septembre|septiembre|setiembre|setembro|settembre|set|września|září",
    "oct|october|okt|oktober|octobre|octubre|outubro|ottobre|ott|października|října",
    "nov|november|novembre|noviembre|novembro|listopada|listopadu",
    "dec|december|dez|dezember|desember|déc|décembre|decembre|dezembro|dic|diciembre|dicembre|grudnia|prosince",
)
_MONTH_OF = MappingProxyType({name: i for i, names in enumerate(_MONTHS, 1) for name in names.split("|")})
_ACCENTED = "".join(sorted({c for name in _MONTH_OF for c in name + name.upper() if not c.isascii()}))
# Any word: ``is_date`` knows the months. Without (?i), with which ``re`` tries every place instead of skipping ahead.
_MONTH = rf"[A-Za-z{_ACCENTED}]{{3,12}}\.?"
_NUMBER = "[0-9]{1,2}"
_YEAR = "(?:[0-9]{4}|[0-9]{2})"
_ORDINAL = r"(?:[Ss][Tt]|[Nn][Dd]|[Rr][Dd]|[Tt][Hh]|[Ee][Rr]|\.|º|°)?"

NUMBERS = (
    rf"[0-9](?:[0-9]{{3}}(?:-{_NUMBER}-{_NUMBER}|/{_NUMBER}/{_NUMBER}|\.{_NUMBER}\.{_NUMBER})"
    rf"|[0-9]?(?:/{_NUMBER}/{_YEAR}|\. ?{_NUMBER}\. ?{_YEAR}|-{_NUMBER}-{_YEAR}))"
)
DAY_FIRST = rf"[0-9][0-9]?{_ORDINAL}[ -](?:(?:[Oo][Ff]|[Dd][EeIi]) )?{_MONTH},?[ -](?:[Dd][Ee][Ll]? )?[0-9]{{4}}"
MONTH_FIRST = rf"{_MONTH} [0-3]?[0-9]{_ORDINAL},? [0-9]{{4}}"
# Where a day and the name of a month may stand.
DAY = Digit(rf"[0-9](?<![0-9].)[0-9]?{_ORDINAL}[ -](?=[A-Za-z{_ACCENTED}])", back=(0,))
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


# --- dates that are called so, and ages ------------------------------------------------------------------------------

TYPES = (
    EntityType("date", 3, locales=("de", "en", "es", "fr", "it"), source="ISO 8601, Unicode CLDR date formats"),
    EntityType("age", 3, locales=("de", "en", "es", "fr", "it"), source="HIPAA 45 CFR 164.514(b)(2)(i)(C)"),
)

_TIME = r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
_SPEAKS = (
    "date*", "today", "when", "since", "on", "until", "till", "valid", "expir*", "due", "deadline", "admitted",
    "admission*", "discharged", "signed", "issued", "dated", "appointment*", "visit*", "meeting", "scheduled",
    "from", "effective", "datum", "am", "vom", "bis", "seit", "gültig*", "termin*", "ausgestellt", "le", "du",
    "depuis", "jusqu'au", "valable*", "fecha*", "el", "desde", "hasta", "in data", "data:", "il", "dal", "fino al",
    "scade*", "died", "hired", "joined", "started", "ended",
)  # fmt: skip
_OTHERS = ("version*", "release*", "price", "ratio", "score", "section", "python", "line", "page", "copyright", "rfc")
_MONTH_WORDS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "januar", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember", "janvier", "février", "mars",
    "avril", "juin", "juillet", "août", "octobre", "décembre", "enero", "febrero", "marzo", "abril", "mayo",
    "junio", "julio", "agosto", "septiembre", "noviembre", "diciembre", "gennaio", "febbraio", "aprile", "maggio",
    "giugno", "luglio", "settembre", "dicembre", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "oct",
    "nov", "dec",
)  # fmt: skip
_MONTH_FORMS = tuple(sorted({form for word in _MONTH_WORDS for form in (word, word.capitalize())}))
_ANY_MONTH = "|".join(sorted(_MONTH_FORMS, key=len, reverse=True))
_AGE_UNITS = (
    r"(?:years?[ -]old|yrs?[ -]old|yrs?\.? old|y/o|yo(?![a-z])|Jahre alt|jährige?r?s?|ans(?![a-z])|anni(?![a-z])|años)"
)
_AGE_WORDS = (
    "aged", "Aged", "age", "Age", "AGE", "Alter", "alter", "âgé de", "âgée de", "Âge", "edad", "Edad", "Età",
    "età",
)  # fmt: skip


def _is_called_date(value: str) -> bool:
    """Accept a date with or without a time, and a month with its year, as cards and documents expire."""
    numbers = value.split("/")
    if len(numbers) == 2:
        return 1 <= int(numbers[0]) <= 12
    return is_date(_AFTER_DATE.sub("", value))


def _is_partial_date(value: str) -> bool:
    """Accept a whole date; beside a month's name a year or a day suffices."""
    numbers = _NUMBERS.findall(value)
    if len(numbers) != 1:
        return is_date(value)
    return 1 <= int(numbers[0]) <= 31 or 1900 <= int(numbers[0]) <= 2099


_AFTER_DATE = re.compile(r"[T ][0-9]{2}:.*$")


def _is_age(value: str) -> bool:
    number = re.search("[0-9]+", value)
    return number is not None and int(number[0]) <= 125


def _age_behind(text: str, start: int, end: int) -> Span | None:
    """Narrow "aged 34" to the number."""
    number = re.search("[0-9]{1,3}$", text[start:end])
    if number is None or (
        end < len(text) and (text[end].isalnum() or (text[end] in "%.,/-" and text[end + 1 : end + 2].isdigit()))
    ):
        return None
    return start + number.start(), end


DETECTORS = (
    Detector(
        name="date",
        type="date",
        pattern=rf"[0-9](?:[0-9]{{3}}-{_NUMBER}-{_NUMBER}{_TIME}|[0-9]{{3}}/{_NUMBER}/{_NUMBER}|[0-9]?/{_NUMBER}/{_YEAR}"
        rf"|[0-9]?\. ?{_NUMBER}\. ?{_YEAR}|[0-9]?-{_NUMBER}-{_YEAR}{_TIME}|[0-9]?/(?:19|20)[0-9]{{2}})",
        sample="2024-06-05",
        trigger=Digits(tail=True),
        confidence=0.35,
        validate=_is_called_date,
        not_before=ALNUM | frozenset("-/.:_$#"),
        not_after=ALNUM | frozenset("-/_:"),
        context=_SPEAKS,
        context_behind=("deadline", "appointment"),
        veto=_OTHERS,
        needs_context=True,
        retry=True,
    ),
    Detector(
        name="date_with_time",
        type="date",
        pattern=r"[0-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
        r"(?:Z|[+-][0-9]{2}:?[0-9]{2})",
        sample="2024-03-15T14:30Z",
        trigger=Digits(tail=True, after=1),
        confidence=0.45,
        validate=_is_called_date,
        not_before=ALNUM | frozenset("-/.:_"),
        not_after=ALNUM | frozenset("-/_:"),
        context=_SPEAKS,
    ),
    Detector(
        name="date_month_first",
        type="date",
        pattern=rf"(?:{_ANY_MONTH})\.?(?: [0-3]?[0-9]{_ORDINAL},?)?[ -][0-9]{{4}}",
        sample="March 12, 1985",
        trigger=Starts(_MONTH_FORMS),
        confidence=0.35,
        validate=_is_partial_date,
        not_before=ALNUM,
        not_after=ALNUM,
        context=_SPEAKS,
        needs_context=True,
    ),
    Detector(
        name="date_day_first",
        type="date",
        pattern=rf"[0-9][0-9]?{_ORDINAL}[ -](?:(?:[Oo][Ff]|[Dd][EeIi]) )?(?:{_ANY_MONTH})"
        r"(?:\.?,?[ -](?:[Dd][Ee][Ll]? )?[0-9]{4})?",
        sample="12 March 1985",
        trigger=DAY,
        confidence=0.35,
        validate=_is_partial_date,
        not_before=ALNUM | frozenset("-/."),
        not_after=ALNUM,
        context=_SPEAKS,
        needs_context=True,
    ),
    Detector(
        name="age",
        type="age",
        pattern=rf"[0-9][0-9]{{0,2}}[ -]?{_AGE_UNITS.replace('(?![a-z])', '')}",
        sample="65 y/o",
        trigger=Digit(r"[0-9](?<![0-9].)[0-9]{0,2}[ -]?(?=[yJjaA])", back=(0,)),
        confidence=0.6,
        validate=_is_age,
        not_before=ALNUM | frozenset("-/.$"),
        not_after=ALNUM,
    ),
    Detector(
        name="age_named",
        type="age",
        pattern=rf"(?:{'|'.join(_AGE_WORDS)})(?:\\?\"? ?[:=]| of| is)? ?[0-9]{{1,3}}",
        sample="aged 34",
        trigger=Starts(_AGE_WORDS),
        confidence=0.6,
        refine=_age_behind,
        validate=_is_age,
        not_before=ALNUM | frozenset("_-."),
    ),
)
