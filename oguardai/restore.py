"""Restore modes: what of a value is put back in place of its token."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

import phonenumbers

from oguardai.tokens import LITERAL


class RestoreMode(StrEnum):
    """How much of a value comes back."""

    FULL = "full"  # the value
    PARTIAL = "partial"  # enough to recognise it by
    MASKED = "masked"  # its outline
    FORMATTED = "formatted"  # the value, written as people write it
    ABSTRACT = "abstract"  # its type
    NONE = "none"  # the token stays


_MASK = "****"
_LAST_DIGITS = frozenset({"credit_card", "iban", "phone", "us_ssn"})
# Nothing of a secret helps anybody to recognise it.
_HIDDEN = frozenset({"private_key", "api_key", "jwt", "password", "database_url"})
_MIN_FOR_LAST = 8  # letters and digits below which four of them would give away half
_MIN_FOR_ENDS = 6
_MAX_MASKED = 32  # characters; longer outlines are cut, with an ellipsis
_KEPT_IN_MASK = frozenset(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_NOT_ALNUM = re.compile(r"[\W_]+")
_SEPARATORS = re.compile(r"[\s.-]+")


def restore(type_name: str, value: str, mode: RestoreMode) -> str:
    """Return what stands for a value in a mode (any but ``none``, in which tokens stay).

    Text that only looked like a token, type ``literal``, is nobody's data and comes back whole in every mode.
    """
    if mode is RestoreMode.FULL or type_name == LITERAL:
        return value
    if mode is RestoreMode.PARTIAL:
        return _partial(type_name, value)
    if mode is RestoreMode.MASKED:
        return _MASK if type_name in _HIDDEN else _masked(value)
    if mode is RestoreMode.FORMATTED:
        return _FORMATS.get(type_name, _as_it_is)(value)
    return f"[{type_name}]"


def _partial(type_name: str, value: str) -> str:
    """Show a part, by type; the number of asterisks says nothing about what they hide."""
    if type_name in _HIDDEN:
        return _MASK
    if type_name == "email":
        local, at, domain = value.rpartition("@")
        return f"{local[:1]}***@{domain}" if at else _MASK
    plain = _NOT_ALNUM.sub("", value)
    if type_name in _LAST_DIGITS:
        return f"{_MASK}{plain[-4:]}" if len(plain) >= _MIN_FOR_LAST else _MASK
    return f"{value[0]}***{value[-1]}" if len(plain) >= _MIN_FOR_ENDS else _MASK


def _masked(value: str) -> str:
    """Replace all but spaces and ASCII punctuation by asterisks; long values are cut."""
    outline = "".join(char if char in _KEPT_IN_MASK else " " if char.isspace() else "*" for char in value[:_MAX_MASKED])
    return outline + "…" if len(value) > _MAX_MASKED else outline


def _as_it_is(value: str) -> str:
    return value


def _format_phone(value: str) -> str:
    """Write a number that names its country in the international form (ITU-T E.123)."""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value  # a national number: which nation is not known here
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def _format_iban(value: str) -> str:
    """Write groups of four, as on paper (ISO 13616-1)."""
    compact = _SEPARATORS.sub("", value).upper()
    return _fours(compact) if compact.isalnum() else value


def _format_card(value: str) -> str:
    """Write groups as on the card: 4-6-5 for 15 digits (American Express), else fours."""
    digits = _SEPARATORS.sub("", value)
    if not digits.isdecimal():
        return value
    return f"{digits[:4]} {digits[4:10]} {digits[10:]}" if len(digits) == 15 else _fours(digits)


def _fours(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


_FORMATS: dict[str, Callable[[str], str]] = {
    "phone": _format_phone,
    "iban": _format_iban,
    "credit_card": _format_card,
}
