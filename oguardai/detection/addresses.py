"""Find postal addresses as they are written in North America and in Europe: around the number of a house."""

from __future__ import annotations

import re
from collections.abc import Iterator

from oguardai.detection.detector import Code, Finder, Found, Span
from oguardai.detection.entity import EntityType

TYPES = (
    EntityType("address", 2, locales=("de", "en", "es", "fr", "it", "nl", "pl", "sv"), source="UPU S42"),
    EntityType("zip", 2, locales=("en-US",), source="USPS Publication 28"),
)

_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0386-\u03ab\u0410-\u042f"
_LETTER = "A-Za-z\u00c0-\u024f\u0386-\u03ce\u0410-\u044f"
_WORD = rf"[{_UPPER}0-9][{_LETTER}0-9.'\u2019-]{{0,24}}"
_NUMBER = r"[0-9]{1,5}(?:[ -]?[A-Za-z]|/[0-9]{1,4})?"
_STREETS = (
    "Street", "St", "Avenue", "Ave", "Road", "Rd", "Lane", "Ln", "Drive", "Dr", "Court", "Ct", "Boulevard", "Blvd",
    "Way", "Place", "Pl", "Square", "Sq", "Terrace", "Highway", "Hwy", "Parkway", "Pkwy", "Circle", "Cir", "Close",
    "Crescent", "Gardens", "Grove", "Mews", "Row", "Hill", "Park", "Trail", "Walk", "Alley", "Plaza", "Loop",
    "Ridge", "Rue",
)  # fmt: skip
_TAILS = (
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring", "ufer", "damm", "chaussee", "straat",
    "laan", "plein", "gracht", "kade", "steenweg", "dreef", "gatan", "vägen", "gade", "vej", "veien", "vegen",
    "katu", "utca", "plaats",
)  # fmt: skip
_PREFIXES = (
    r"rue|avenue|boulevard|chemin|allée|impasse|quai|cours|route|place|Calle|C/|Avda\.?|Avenida|Plaza|Paseo|Camino|Carrer|"
    r"Rua|Travessa|Largo|Via|Viale|Piazza|Corso|Vicolo|Strada|ul\.|ulica|al\.|plac|aleja"
)
_KEYS = (
    "address", "address:", "address is", "address with", "address to", "address to the same:", "adresse",
    "adresse:", "adresse ist", "dirección:", "direccion:", "indirizzo:", "live at", "lives at", "sent to",
    "send to", "ship to", "taxi to", "located at", "office is at", "meet me at", "return to", "arrived at",
    "it's in", "one to", "anschrift:", "corner of",
)  # fmt: skip
_BOXES = ("p.o. box", "po box", "p.o.box", "postfach", "apartado", "casella postale", "boîte postale", "psc", "bp")

# Begins with a class, so that ``re`` skips to the digits.
_HOUSE = re.compile(
    r"[0-9](?<![0-9A-Za-z/.#$_@-].)[0-9]{0,4}+(?:[A-Za-z](?![0-9A-Za-z])|/[0-9]{1,4}(?![0-9]))?(?![0-9A-Za-z]|[.:][0-9])"
)
_STREET = re.compile(rf",? (?![0-9]+[ -])(?:{_WORD} ){{1,4}}(?:{'|'.join(_STREETS)})(?![{_LETTER}])\.?")
_OF_THE = "(?:(?:de la|de|du|des|del|della|di|da|do|dos|dei|degli) |d')?"
_STREET_NAME = rf"(?:{_PREFIXES}) {_OF_THE}{_WORD}(?: {_WORD}|(?: de| di| da| do| del)(?= )){{0,4}}"
_PREFIX_AFTER = re.compile(rf"(?: bis| ter)?,? {_STREET_NAME}")
_PREFIX_BEFORE = re.compile(rf"(?:[0-9]{{1,4}} )?(?<![{_LETTER}]){_STREET_NAME},? \Z")
_TAIL_WORDS = re.compile(rf"(?:[0-9]{{1,4}} )?(?:[{_UPPER}][{_LETTER}.'-]{{0,24}} ){{1,4}}\Z")
_BEFORE = 70  # characters


# What may follow a street and its number: a flat, a town, a state, a postcode, a country.
_TOWN_WORD = rf"[{_UPPER}][{_LETTER}.'-]{{1,24}}"
_UK_CODE = "[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
_PART = (
    r"(?:(?:Apt|Apartment|Suite|Unit|Flat|Floor|Room|Box|P\.?O\.? Box|Etage|Stock)\.? ?[0-9A-Za-z]{1,6}"
    rf"|[0-9]{{4,5}}(?:-[0-9]{{3,4}})?(?: {_TOWN_WORD}){{0,4}}"
    rf"|{_UK_CODE}"
    rf"|{_TOWN_WORD}(?: (?:{_TOWN_WORD}|[A-Z]|de|del|la|di|am|an|upon)){{0,3}}"
    rf"(?: [0-9]{{5}}(?:-[0-9]{{4}})?| {_UK_CODE})?"
    r"|[A-Z]{2} [0-9]{5}(?:-[0-9]{4})?)"
)
_REST = re.compile(
    rf"(?:(?:,|\n|,\n)[ ]{{0,2}}(?:\n[ ]{{0,2}})?{_PART}| (?:Apt|Suite|Unit|Flat)\.? ?[0-9A-Za-z]{{1,6}}){{1,6}}"
)
_NOT_TOWNS = frozenset((
    "I", "We", "You", "The", "He", "She", "It", "They", "My", "Your", "Please", "Thanks", "Thank", "Regards",
    "And", "But", "Phone", "Tel", "Email", "Fax", "Mobile",
))  # fmt: skip


def _with_rest(text: str, start: int, end: int) -> Span | None:
    """Extend a street and its number by the flat, town, postcode and country that follow."""
    if end < len(text) and text[end].isalnum():
        return None
    rest = _REST.match(text, end)
    if rest is None:
        return start, end
    close = end
    for part in re.finditer(r"[,\n]+[ \n]*|$", rest[0]):
        head = rest[0][part.end() :].split(" ", 1)[0].strip(",\n")
        if head in _NOT_TOWNS:
            break
        close = end + part.start() if part.start() else close
    else:
        close = rest.end()
    return start, max(end, close)


def _keyed(text: str, start: int) -> int:
    """Return where what a key names ends: at the end of its sentence; 0 when it is hardly an address."""
    body = text[start : start + 110]
    close = _CLOSES.search(body)
    value = (body[: close.start()] if close else body).rstrip(" ,\n\"'}")
    words = value.split()
    return start + len(value) if len(words) > 2 and any(word[0].isalpha() for word in words[1:3]) else 0


_CLOSES = re.compile(r"[.!?;](?:\s|$)|\n\n| for | in case| last night")


def find(text: str) -> Iterator[Found]:
    """Look at what stands around each number that can be a house's."""
    done = 0
    for house in _HOUSE.finditer(text):
        start, end = house.span()
        if start < done:
            continue
        found = _around(text, start, end)
        if found:
            done = found.end
            yield found


def _around(text: str, start: int, end: int) -> Found | None:
    following = text[end : end + 3].lstrip(", ")[:1]
    if following.isalnum():
        after = (None if following.islower() else _STREET.match(text, end)) or _PREFIX_AFTER.match(text, end)
        if after:
            return _found(text, start, after.end(), "street")
    before = text[max(0, start - _BEFORE) : start]
    low = before.rstrip().lower()
    if not low or low[-1] in "0123456789":
        return None
    if before[-1] == " ":
        last = before[before.rfind(" ", 0, -2) + 1]  # the first letter of the word before
        if low.endswith(_TAILS) and not last.isdigit():
            street = _TAIL_WORDS.search(before)
            if street and not _is_year(text[start:end]) and (len(low.rsplit(None, 1)[-1]) > 5 or " " in street[0][:-1]):
                return _found(text, start - len(street[0]), end, "street_tail")
        if low.endswith(_BOXES):
            box = max(low.rfind(word) for word in _BOXES if low.endswith(word))
            return _found(text, start - len(before) + box, end, "box")
        street = _PREFIX_BEFORE.search(before) if last.isupper() else None
        if street:
            return _found(text, start - len(street[0]), end, "street_prefix")
    if low.endswith(_KEYS) and text[end : end + 1] in (" ", ",", "/"):
        close = _keyed(text, start)
        if close:
            return Found(start, close, "address", 0.6, "address_keyed", "behind a word for an address")
    return None


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits[:2] in ("19", "20")


def _found(text: str, start: int, end: int, rule: str) -> Found | None:
    if start and (text[start - 1].isalnum() or text[start - 1] in "-/.#$_@"):
        return None
    span = _with_rest(text, start, end)
    return Found(*span, "address", 0.75, f"address_{rule}", "a street and a number") if span else None


FINDERS = (Finder("addresses", frozenset({"address"}), find),)

_ZIP = (
    "zip*", "zip code*", "zipcode*", "postal code*", "postalcode*", "postcode*", "post code*", "code postal*",
    "cap", "c.a.p", "código postal*", "codigo postal*", "postnummer*", "cp",
)  # fmt: skip
CODES = (
    Code(
        name="zip",
        type="zip",
        layouts=("99999", "99999-9999", "99-999"),
        sample="62704",
        confidence=0.1,
        context=_ZIP,
    ),
)
