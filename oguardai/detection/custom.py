"""Find what an operator declares under ``detection.detectors`` in oguardai.yaml; docs/detectors.md is for operators."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from types import MappingProxyType
from typing import Any

from stdnum import damm, verhoeff
from stdnum.iso7064 import mod_11_2, mod_11_10, mod_37_2, mod_37_36, mod_97_10

from oguardai.detection import confidence
from oguardai.detection.confidence import ALONE, CONTEXT
from oguardai.detection.context import Index, Nearby
from oguardai.detection.detector import DIGITS, STRONG, WEAK, Finder, Found, Span
from oguardai.detection.entity import EntityType
from oguardai.detection.iban import is_iban
from oguardai.detection.linear import PatternError, check_pattern
from oguardai.detection.normalize import lower, normalize
from oguardai.detection.registry import CODES, DETECTORS, ENTITY_TYPES, FINDERS
from oguardai.detection.validators import is_luhn
from oguardai.tokens import LITERAL, is_type_name

MAX_DETECTORS = 100
DEFAULT_LEVEL = 2
SOURCE = "oguardai.yaml"
"""``EntityType.source`` of a declared type."""

_EDGES = " \t\r\n\"'"  # of a text, around a value that is all of it
_MOST_WORDS = 50
_LONGEST_WORD = 50
_MOST_CHECKED = 128  # characters that a validator is asked about: no number is longer
_OF_ITS_OWN = 0.3  # least confidence of a pattern that plain numbers do not have
_MODULE = re.compile(r"stdnum(?:\.[a-z][a-z0-9_]{0,31}){1,3}")
# What RE2 reads otherwise: the end before a line feed, the vertical tab as white space, {,n}, and case beyond ASCII.
_READ_OTHERWISE = re.compile(r"[^ -~]|\$|\\[sSZNuUx0-9]|\{,")


@dataclass(frozen=True, slots=True)
class Declaration:
    """Declare a detector; docs/detectors.md says what the fields mean."""

    name: str = ""
    type: str = ""
    pattern: str = ""
    context: Sequence[str] = ()
    needs_context: bool = False
    confidence: float = 0.6
    level: int | None = None
    validator: str = ""
    ignore_case: bool = False


FIELDS = tuple(field.name for field in fields(Declaration))


# --- validators ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Validator:
    """Judge a value; ``strength`` is what a passed check adds to the confidence, see ``confidence``."""

    check: Callable[[str], bool]
    strength: float
    meaning: str

    def passes(self, value: str) -> bool:
        """Tell whether a value passes; where the check itself fails the value is believed, so that it is replaced."""
        try:
            return len(value) <= _MOST_CHECKED and bool(self.check(value))
        except Exception:
            return True


def _compact(value: str) -> str:
    return "".join(char for char in value.upper() if char not in " -./")


def _is_luhn(value: str) -> bool:
    digits = _compact(value)
    return DIGITS.issuperset(digits) and len(digits) > 1 and is_luhn(digits)


def _of(module: Any, strength: float, meaning: str) -> Validator:
    return Validator(lambda value: module.is_valid(_compact(value)), strength, meaning)


VALIDATORS: MappingProxyType[str, Validator] = MappingProxyType(
    {
        "luhn": Validator(_is_luhn, WEAK, "Luhn's formula (ISO/IEC 7812-1, annex B)"),
        "verhoeff": _of(verhoeff, WEAK, "Verhoeff's algorithm"),
        "damm": _of(damm, WEAK, "Damm's algorithm"),
        "iban": Validator(lambda value: is_iban(_compact(value)), STRONG, "an IBAN (ISO 13616)"),
        "mod97": _of(mod_97_10, STRONG, "ISO 7064 MOD 97-10, two check digits at the end"),
        "mod11": _of(mod_11_2, WEAK, "ISO 7064 MOD 11-2, a check digit or X at the end"),
        "mod11_10": _of(mod_11_10, WEAK, "ISO 7064 MOD 11,10, a check digit at the end"),
        "mod37": _of(mod_37_2, WEAK, "ISO 7064 MOD 37-2, letters and digits, a check character or * at the end"),
        "mod37_36": _of(mod_37_36, WEAK, "ISO 7064 MOD 37,36, letters and digits, a check character at the end"),
    }
)  # fmt: skip
"""Validators by the name that a declaration gives; beside them every module of stdnum that has ``is_valid``."""


def find_validator(name: str) -> Validator:
    """Return the validator of a name; raises ValueError that says what was expected."""
    known = VALIDATORS.get(name)
    if known is not None:
        return known
    if not _MODULE.fullmatch(name):
        raise ValueError(f"expected one of {', '.join(VALIDATORS)}, or a module of python-stdnum such as stdnum.nl.bsn")
    try:
        check = import_module(name).is_valid
        check("0")  # loads the tables that it needs
    except Exception:
        raise ValueError("the python-stdnum that is installed has no such module with is_valid") from None
    return Validator(check, WEAK, name)


# --- checks --------------------------------------------------------------------------------------------------


_BUILT_IN = frozenset(row.name for table in (DETECTORS, CODES, FINDERS) for row in table)


def check(declaration: Mapping[str, Any], known: Mapping[str, EntityType]) -> list[str]:
    """Return what is wrong with a declaration, given as the values of its fields; ``known`` are the built-in types."""
    missing = [field for field in ("name", "type", "pattern") if not declaration.get(field)]
    if missing:
        return [f"{field}: is missing" for field in missing]
    return [f"{field}: {message}" for field, message in _check(Declaration(**declaration), known)]


def _check(one: Declaration, known: Mapping[str, EntityType]) -> Iterator[tuple[str, str]]:
    for field, name in (("name", one.name), ("type", one.type)):
        if not is_type_name(name):
            yield field, "expected a name of a-z, 0-9 and _, beginning with a letter, of at most 32 characters"
    if one.name in _BUILT_IN:
        yield "name", "is the name of a built-in detector"
    if one.type == LITERAL:
        yield "type", "is what text that looks like a token is called; choose another name"
    if one.type in known and one.level not in (None, known[one.type].level):
        yield "level", f"the built-in type has level {known[one.type].level}; leave it out"
    if one.needs_context and not one.context:
        yield "needs_context", "needs words in context"
    yield from _check_parts(one)


def _check_parts(one: Declaration) -> Iterator[tuple[str, str]]:
    try:
        check_pattern(one.pattern, _flags(one))
    except PatternError as error:
        yield "pattern", str(error)
    if len(one.context) > _MOST_WORDS or any(len(word) > _LONGEST_WORD for word in one.context):
        yield "context", f"expected at most {_MOST_WORDS} words of at most {_LONGEST_WORD} characters"
    try:
        Index((_words(one),))
    except ValueError:
        yield "context", "expected words that begin with a letter, and at least two letters before a * at the end"
    try:
        if one.validator:
            find_validator(one.validator)
    except ValueError as error:
        yield "validator", str(error)


# --- finders -------------------------------------------------------------------------------------------------


def load(declarations: Sequence[str]) -> tuple[tuple[EntityType, ...], tuple[Finder, ...]]:
    """Return the entity types that come new with declarations, and a finder for each.

    The declarations are JSON objects with the fields of ``Declaration`` that ``check`` found nothing wrong with;
    raises ValueError for others. Of several levels for one type the strictest counts.
    """
    read: list[Declaration] = []
    for text in declarations:
        given = json.loads(text)
        for problem in check(given, ENTITY_TYPES):
            raise ValueError(problem)
        read.append(Declaration(**given))
    new: dict[str, EntityType] = {}
    for one in read:
        if one.type not in ENTITY_TYPES:
            levels = [other.level for other in read if other.type == one.type and other.level is not None]
            new[one.type] = EntityType(one.type, min(levels, default=DEFAULT_LEVEL), source=SOURCE)
    return tuple(new.values()), tuple(map(_finder, read))


def _flags(one: Declaration) -> re.RegexFlag:
    return re.IGNORECASE if one.ignore_case else re.NOFLAG


def _words(one: Declaration) -> tuple[str, ...]:
    return tuple(lower(normalize(word)) for word in one.context)


def _finder(one: Declaration) -> Finder:
    spans = _scanner(one)
    validator = find_validator(one.validator) if one.validator else None
    words = _words(one)
    index = Index((words,))
    bit = index.bit(words)

    def find(text: str) -> Iterator[Found]:
        nearby: Nearby | None = None
        whole = None
        for start, end in spans(text):
            if validator and not validator.passes(text[start:end]):
                continue
            nearby = nearby or Nearby(index, lower(text))
            whole = whole or (len(text) - len(text.lstrip(_EDGES)), len(text.rstrip(_EDGES + ".,;")))
            weight = one.confidence + (validator.strength if validator else 0)
            why = ["declared pattern", one.validator] if validator else ["declared pattern"]
            word = (nearby.last(bit, start) or nearby.next(bit, end)) if bit else None
            if word is not None:
                weight += CONTEXT
                why.append(f"context: {index.named(words, nearby.low, word)}")
            elif one.needs_context:
                continue
            elif whole == (start, end) and (validator or one.confidence >= _OF_ITS_OWN):
                weight += ALONE
                why.append("alone")
            yield Found(start, end, one.type, confidence.total(weight), one.name, ", ".join(why))

    return Finder(one.name, frozenset({one.type}), find)


def _scanner(one: Declaration) -> Callable[[str], Iterator[Span]]:
    """Return what finds a pattern's matches: RE2, where it is installed and reads the pattern alike, else ``re``."""
    pattern = check_pattern(one.pattern, _flags(one))
    automaton = _automaton(one)

    def spans(text: str) -> Iterator[Span]:
        if automaton is not None:
            try:
                text.encode()
            except UnicodeEncodeError:  # a lone surrogate, which RE2's UTF-8 cannot hold
                pass
            else:
                return (match.span() for match in automaton.finditer(text))
        return (match.span() for match in pattern.finditer(text))

    return spans


def _automaton(one: Declaration) -> Any:
    if _READ_OTHERWISE.search(one.pattern):
        return None
    try:
        re2: Any = import_module("re2")
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not one.ignore_case
        return re2.compile(one.pattern, options)
    except Exception:  # not installed, or a pattern that it does not take
        return None
