"""Find postal addresses around the number of a house: as in North America, Europe, Australia, Japan and Korea."""

from __future__ import annotations

import re
from collections.abc import Iterator

from oguardai.detection.detector import DIGITS, Code, Finder, Found, Span
from oguardai.detection.entity import EntityType

TYPES = (
    EntityType(
        "address",
        2,
        locales=("cs", "da", "de", "en", "es", "fi", "fr", "it", "ja", "ko", "nl", "no", "pl", "pt", "sv"),
        source="UPU S42",
    ),
    EntityType("zip", 2, locales=("en-US",), source="USPS Publication 28"),
)

_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0386-\u03ab\u0410-\u042f"
_LETTER = "A-Za-z\u00c0-\u024f\u0386-\u03ce\u0410-\u044f"
_WORD = rf"[{_UPPER}0-9][{_LETTER}0-9.'\u2019-]{{0,24}}+"
_STREETS = (
    "Street", "St", "Avenue", "Ave", "Road", "Rd", "Lane", "Ln", "Drive", "Dr", "Court", "Ct", "Boulevard", "Blvd",
    "Way", "Place", "Pl", "Square", "Sq", "Terrace", "Highway", "Hwy", "Parkway", "Pkwy", "Circle", "Cir", "Close",
    "Crescent", "Gardens", "Grove", "Mews", "Row", "Hill", "Park", "Trail", "Walk", "Alley", "Plaza", "Loop",
    "Ridge", "Rue",
)  # fmt: skip
_TAILS = (
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring", "ufer", "damm", "chaussee", "straat",
    "laan", "plein", "gracht", "kade", "steenweg", "dreef", "gatan", "vägen", "gade", "vej", "veien", "vegen",
    "katu", "utca", "plaats", "stræde", "torvet", "gata", "gaten", "torget", "stigen", "backen", "polku", "kuja",
)  # fmt: skip
_PREFIXES = (
    "rue", "avenue", "boulevard", "chemin", "allée", "impasse", "quai", "cours", "route", "place",
    "Calle", "C/", "Avda.", "Avda", "Avenida", "Plaza", "Paseo", "Camino", "Carrer", "Acceso", "Alameda", "Callejón",
    "Cuesta", "Glorieta", "Pasadizo", "Pasaje", "Rambla", "Ronda", "Travesía", "Urbanización", "Vial",
    "Rua", "Travessa", "Largo", "Beco", "Estrada", "Ladeira", "Pátio", "Praça", "Rodovia", "Sítio",
    "Viale", "Via", "Piazza", "Corso", "Vicolo", "Strada", "Borgo", "Contrada", "Incrocio", "Lungomare", "Rotonda",
    "Salita", "Stretto", "Vico", "ul.", "ulica", "al.", "plac", "aleja",
)  # fmt: skip
_PREFIX_WORDS = frozenset(word.lower() for word in _PREFIXES)
_PREFIX_LIKE = re.compile(rf"[{_LETTER}]+[./]?")
_KEYS = (
    "address", "address:", "address is", "address with", "address to", "address to the same:", "adresse",
    "adresse:", "adresse ist", "dirección:", "direccion:", "indirizzo:", "live at", "lives at", "sent to",
    "send to", "ship to", "taxi to", "located at", "office is at", "meet me at", "return to", "arrived at",
    "it's in", "one to", "anschrift:", "corner of", "h.no.", "h. no.", "house no.", "flat no.", "plot no.", "door no.",
)  # fmt: skip
_BOXES = ("p.o. box", "po box", "p.o.box", "postfach", "apartado", "casella postale", "boîte postale", "psc", "bp")

# Begins with a class, so that ``re`` skips to the digits.
_HOUSE = re.compile(
    r"[0-9](?<![0-9A-Za-z/.#$_@-].)[0-9]{0,4}+(?:[A-Za-z](?![0-9A-Za-z])|/[0-9]{1,4}(?![0-9]))?(?![0-9A-Za-z]|[.:][0-9])"
)
_STREET = re.compile(rf",? (?![0-9]+[ -])(?:{_WORD} ){{1,4}}(?:{'|'.join(_STREETS)})(?![{_LETTER}])\.?")
_OF_THE = "(?:(?:de la|de|du|des|del|della|di|da|do|dos|dei|degli) |d')?"
_STREET_NAME = (
    rf"(?:{'|'.join(map(re.escape, _PREFIXES))}) {_OF_THE}(?![0-9]+(?! [{_LETTER}]))"
    rf"{_WORD}(?: {_WORD}|(?: de| di| da| do| del)(?= )){{0,4}}"
)
_PREFIX_AFTER = re.compile(rf"(?: bis| ter)?,? {_STREET_NAME}")
_PREFIX_BEFORE = re.compile(rf"(?:[0-9]{{1,4}} )?(?<![{_LETTER}]){_STREET_NAME},? \Z")
_NAME_WORDS = rf"(?:[{_UPPER}][{_LETTER}.'-]{{0,24}} ){{1,4}}"
_TAIL_WORDS = re.compile(rf"(?:[0-9]{{1,4}} )?{_NAME_WORDS}\Z")
_BEFORE = 70  # characters


# What may follow a street and its number: a flat, a town, a state, a postcode, a country.
_TOWN_WORD = rf"[{_UPPER}][{_LETTER}.'-]{{1,24}}(?![{_LETTER}0-9])"
_UK_CODE = "[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
_PART = (
    r"(?:(?:Apt|Apartment|Suite|Unit|Flat|Floor|Room|Box|P\.?O\.? Box|Etage|Stock)\.? ?[0-9A-Za-z]{1,6}"
    rf"|(?:[0-9]{{4}} ?[A-Z]{{2}}|[0-9]{{4,5}}(?:-[0-9]{{3,4}})?|[0-9]{{3}} [0-9]{{2}}(?= [{_UPPER}]))(?![0-9A-Za-z])"
    rf"(?: {_TOWN_WORD}){{0,4}}"
    rf"|{_UK_CODE}"
    rf"|{_TOWN_WORD}(?: (?:{_TOWN_WORD}|(?:[A-Z]|de|del|la|di|am|an|upon)(?![{_LETTER}0-9]))){{0,3}}"
    rf"(?: [0-9]{{5}}(?:-[0-9]{{4}})?| {_UK_CODE})?"
    r"|[A-Z]{2} [0-9]{5}(?:-[0-9]{4})?)"
)
_MARGIN = "(?:[ ]{0,2}|[>?*|]{1,3} ?)"  # of a line, in what is quoted
_REST = re.compile(
    rf"(?:(?:,|\n|,\n){_MARGIN}(?:\n[ ]{{0,2}})?{_PART}| (?:Apt|Suite|Unit|Flat)\.? ?[0-9A-Za-z]{{1,6}}){{1,6}}"
)
# What is numbered like a house, with a comma behind.
_NOT_STREETS = frozenset((
    "figure", "fig.", "table", "chapter", "section", "sec.", "page", "step", "room", "version", "volume", "vol.",
    "week", "day", "item", "line", "row", "column", "part", "phase", "rule", "article", "no", "no.", "number",
    "level", "stage", "round", "game", "year", "grade", "class", "type", "model", "series", "season", "episode",
    "track", "appendix",
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "jan.", "feb.",
    "mar.", "apr.", "aug.", "sep.", "sept.", "oct.", "nov.", "dec.", "tabelle", "abbildung", "kapitel", "seite", "und",
    "and",
))  # fmt: skip
_NOT_TOWNS = frozenset((
    "I", "We", "You", "The", "He", "She", "It", "They", "My", "Your", "Please", "Thanks", "Thank", "Regards",
    "And", "But", "Phone", "Tel", "Email", "Fax", "Mobile",
))  # fmt: skip

# What a number, a street of any name and a town are known by: a postcode with its town, or a state with its code.
_STATE = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|"
    "W[AIVY]"
)
_CODE = (
    rf"(?:{_UK_CODE}|(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT),? [0-9]{{4}}|(?:{_STATE}),? [0-9]{{5}}(?:-[0-9]{{4}})?"
    r"|[A-Z]{2},? [A-Z][0-9][A-Z] [0-9][A-Z][0-9])(?![0-9A-Za-z])"
)
_TO_CODE = re.compile(rf"(?: {_WORD}){{0,5}}(?:,[ \n]{{1,2}}{_WORD}(?: {_WORD}){{0,3}}){{1,3}},?[ \n]{{1,2}}{_CODE}")
_TO_TOWN = re.compile(
    r"(?:,|,?\n)[ ]?(?:[0-9]{3} [0-9]{2}|[0-9]{5}(?:-[0-9]{3})?|(?!19|20)[0-9]{4}|[0-9]{4} ?[A-Z]{2},?) "
    rf"{_TOWN_WORD}"
)

# USPS Publication 28, 213 and 225.1: what a flat is called, and addresses of the armed forces abroad.
_UNITS = ("apt", "apartment", "suite", "ste", "unit", "flat", "studio")
_UNIT_ENDS = (*_UNITS, *(f"{unit}." for unit in _UNITS))
_CERTAIN_UNITS = ("apt.", "apartment")
_UNIT = rf"(?<![0-9A-Za-z])(?i:{'|'.join(_UNITS)})\.? "
_UNIT_WORD = re.compile(rf"{_UNIT}\Z")
_UNIT_AHEAD = re.compile(rf"{_UNIT}(?:[0-9]{{1,5}}[A-Za-z]?,? )?\Z")
_LONGEST_UNIT = 18  # characters
_LONGEST_MARGIN = 8
_FLAT_NUMBER = re.compile(r"(?:^|[\n,>?|] ?)([0-9]{1,4} )\Z")
_NAME_AND_NUMBER = rf"{_NAME_WORDS}[0-9]{{1,5}}"
_BEFORE_UNIT = re.compile(rf"(?:(?:[0-9]{{1,4}} )?{_NAME_AND_NUMBER}|(?<![0-9A-Za-z])[0-9]{{1,5}})\Z")
_BETWEEN = " \n,>?|*"
_BEHIND_UNIT = re.compile(rf" [0-9]{{1,4}} {_NAME_AND_NUMBER}(?![0-9A-Za-z]|[.:][0-9])")
_FORCES_WORDS = ("psc", "unit", "cmr")
_FORCES_WORD = re.compile(rf"(?<![0-9A-Za-z])(?i:{'|'.join(_FORCES_WORDS)}) \Z")
_FORCES = re.compile(
    r",? box [0-9]{1,5}(?:,?[ \n]{1,3}[AFD]PO,? A[AEP],? [0-9]{5}(?:-[0-9]{4})?)?(?![0-9A-Za-z])", re.IGNORECASE
)
_FORCES_POST = re.compile(
    rf"(?:US(?:S|NS|NV|CGC) {_WORD}(?: {_WORD}){{0,2}}\n{_MARGIN})?(?<![A-Za-z])[AFD]PO,? A[AEP],? \Z"
)

# From the largest to the smallest. Japan: prefecture, municipality, block; Korea: province, district, road.
_KANJI = "\u3005\u30a0-\u30ff\u4e00-\u9fffのヶ"
_JAPAN_BEFORE = re.compile(
    rf"(?:東京都|北海道|(?:京都|大阪)府|[\u4e00-\u9fff]{{2,3}}県)[{_KANJI}]{{1,12}}[市区町村][{_KANJI}]{{0,12}}\Z"
)
_JAPAN_AFTER = re.compile(
    rf"(?:丁目|番地?|号|[-\u2212の][0-9])(?:丁目|番地?|号|[-\u2212の][0-9]|[0-9]){{0,12}}"
    rf"(?: ?[{_KANJI}]{{2,16}}[0-9]{{1,4}}(?![0-9]))?"
)
_KOREA_BEFORE = re.compile(
    "[가-힣]{2,7}[도시] (?:[가-힣]{1,6}[시군구] ){1,2}(?:[가-힣]{1,8}[읍면] )?"
    r"[가-힣]{1,10}((?:로|길|거리) ?(?:지하)?)?\Z"
)
_KOREA_AFTER = re.compile(
    r"((?:번길|로|길|거리|가)(?:[0-9]{1,4}번?길)? ?(?:지하)?[0-9]{1,5})?(?:-[0-9]{1,5})?(?: ?\([가-힣0-9, ]{1,20}\))?"
)


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
    close -= len(text[end:close]) - len(text[end:close].rstrip(".'-"))  # the sentence's
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
        if following.isupper() and (code := _TO_CODE.match(text, end)):
            return _found(text, start, code.end(), "postcode")
    before = text[max(0, start - _BEFORE) : start]
    low = before.rstrip().lower()
    if not low or low[-1] in "0123456789":
        return None
    if low[-1] >= "\u3005":
        return _in_japan(text, before, start, end) or _in_korea(text, before, start, end)
    found = _behind(text, before, low, start, end) if before[-1] == " " else None
    if found:
        return found
    if low.endswith(_KEYS) and text[end : end + 1] in (" ", ",", "/"):
        close = _keyed(text, start)
        if close:
            return Found(start, close, "address", 0.6, "address_keyed", "behind a word for an address")
    return None


def _behind(text: str, before: str, low: str, start: int, end: int) -> Found | None:
    """Find an address by what stands before its number."""
    last = before[before.rfind(" ", 0, -2) + 1]  # the first letter of the word before
    if low.endswith(_TAILS) and not last.isdigit():
        street = _TAIL_WORDS.search(before)
        if street and not _is_year(text[start:end]) and (len(low.rsplit(None, 1)[-1]) > 5 or " " in street[0][:-1]):
            return _found(text, start - len(street[0]), end, "street_tail")
    if low.endswith(_FORCES_WORDS) and (word := _FORCES_WORD.search(before)) and (box := _FORCES.match(text, end)):
        return _found(text, start - len(word[0]), box.end(), "forces")
    if low.endswith((" aa", " ae", " ap")) and end - start == 5 and (post := _FORCES_POST.search(before)):
        return _found(text, start - len(post[0]), end, "forces")
    if low.endswith(_UNIT_ENDS) and (found := _unit(text, before, low, start, end)):
        return found
    if last.isupper() and text[end : end + 1] in (",", "\n") and _TO_TOWN.match(text, end):
        street = _TAIL_WORDS.search(before)
        if street and low.rsplit(None, 1)[-1] not in _NOT_STREETS:
            return _found(text, start - len(street[0]), end, "town")
    if low.endswith(_BOXES):
        begin = max(low.rfind(word) for word in _BOXES if low.endswith(word))
        return _found(text, start - len(before) + begin, end, "box")
    if not last.isupper() or _PREFIX_WORDS.isdisjoint(_PREFIX_LIKE.findall(low)):
        return None
    street = _PREFIX_BEFORE.search(before)
    return _found(text, start - len(street[0]), end, "street_prefix") if street else None


def _unit(text: str, before: str, low: str, start: int, end: int) -> Found | None:
    """Find a flat, with the street and number before it or behind it."""
    word = _UNIT_WORD.search(before)
    if word is None:
        return None
    ahead = before[: word.start()].rstrip(_BETWEEN)
    street = None
    if ahead and ahead[-1] in DIGITS and 0 < word.start() - len(ahead) <= _LONGEST_MARGIN:
        street = _BEFORE_UNIT.search(ahead, ahead.rfind("\n") + 1)
        if street and street[0].isdigit() and "\n" not in before[len(ahead) : word.start()]:
            street = None  # any number
    behind = _BEHIND_UNIT.match(text, end)
    if street is None and behind is None and not low.endswith(_CERTAIN_UNITS):
        return None
    begin = word.start() if street is None else street.start()
    return _found(text, start - len(before) + begin, behind.end() if behind else end, "unit")


def _in_japan(text: str, before: str, start: int, end: int) -> Found | None:
    head = _JAPAN_BEFORE.search(before)
    tail = _JAPAN_AFTER.match(text, end) if head else None
    if head is None or tail is None:
        return None
    return Found(start - len(head[0]), tail.end(), "address", 0.75, "address_japan", "a prefecture, to a number")


def _in_korea(text: str, before: str, start: int, end: int) -> Found | None:
    head = _KOREA_BEFORE.search(before)
    tail = _KOREA_AFTER.match(text, end) if head else None
    if head is None or tail is None or not (head[1] or tail[1]):
        return None
    return Found(start - len(head[0]), tail.end(), "address", 0.75, "address_korea", "a province, to a number")


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits[:2] in ("19", "20")


def _found(text: str, start: int, end: int, rule: str) -> Found | None:
    if start and (text[start - 1].isalnum() or text[start - 1] in "-/.#$_@"):
        return None
    if start and text[start - 1] == " ":
        ahead = text[max(0, start - _LONGEST_UNIT) : start]
        unit = _UNIT_AHEAD.search(ahead)
        flat = None if unit else _FLAT_NUMBER.search(ahead)
        start -= len(unit[0]) if unit else len(flat[1]) if flat else 0
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
