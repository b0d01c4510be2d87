"""Find names of people, companies and places by the words around them, and by lists of names (see ``gazetteer``).

No rule is certain: what a greeting, a key or a title names is a name nearly always, a capital alone is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oguardai.detection.detector import ALNUM, Detector, Finder, Found, Near, Refine, Span, Starts
from oguardai.detection.entity import EntityType
from oguardai.detection.gazetteer import DOUBTFUL_PLACES, GIVEN_NAMES, LONE_GIVEN_NAMES, PLACES

TYPES = (
    EntityType(
        "person", 2, locales=("de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt"), source="ISO/IEC 24760-1"
    ),
    EntityType("company", 2, locales=("de", "en", "es", "fr", "it", "nl"), source="ISO 20275, entity legal forms"),
    EntityType("location", 3, locales=("de", "en", "es", "fr", "it"), source="ISO 3166-1"),
)

_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0386-\u03ab\u0410-\u042f"
_CJK = "\u3005\u3400-\u9fff\uac00-\ud7a3\u3040-\u30ff"
_TOKEN = re.compile(r"[^\W\d_]+(?:[\u2019'-][^\W\d_]+)*")
_PARTICLES = frozenset((
    "al", "ap", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el", "ibn", "la",
    "las", "le", "los", "san", "st", "ten", "ter", "van", "von", "y", "zu", "zum", "zur",
))  # fmt: skip
# Words with a capital that are no part of a name.
_NO_NAMES = frozenset((
    "World", "There", "Folks", "Guys", "Colleagues",
    "Dr", "Sr", "Jr", "Prof", "PhD", "MD",
    "A", "Account", "Address", "All", "Also", "Am", "An", "And", "Any", "April", "Are", "As", "At", "August",
    "Bank", "Be", "Because", "But", "By", "Can", "Card", "City", "Client", "Company", "Contact", "Could",
    "Country", "Credit", "Customer", "Date", "Dear", "December", "Department", "Did", "Do", "Does", "Email",
    "Error", "Everybody", "Everyone", "February", "File", "For", "Friday", "Friend", "Friends", "From", "Guest",
    "He", "Hello", "Her", "Here", "Hi", "His", "How", "However", "I", "If", "In", "Inc", "Info", "Is", "It", "Its",
    "January", "July", "June", "Just", "Ladies", "Let", "Ltd", "Madam", "Mail", "March", "May", "Me", "Member",
    "Monday", "Mr", "Mrs", "Ms", "My", "Name", "No", "Not", "November", "Now", "October", "Of", "Office", "On",
    "Or", "Order", "Our", "Partner", "Payment", "Phone", "Please", "Re", "Regards", "Saturday", "See", "Seller",
    "Sender", "September", "She", "Should", "Sir", "So", "Some", "Staff", "State", "Street", "Student", "Subject",
    "Sunday", "Support", "System", "Team", "Thank", "Thanks", "That", "The", "Their", "There", "These", "They",
    "This", "Those", "Thursday", "To", "Today", "Tomorrow", "Tuesday", "Unit", "Unknown", "User", "We",
    "Wednesday", "Welcome", "What", "When", "Where", "Which", "Who", "Why", "Will", "With", "Would", "Yes",
    "Yesterday", "You", "Your", "Damen", "Herren", "Herr", "Frau", "Kunde", "Kundin", "Kollegen", "Freunde",
    "Team", "Monsieur", "Madame", "Messieurs", "Mesdames", "Señor", "Señora", "Sig", "Signor", "Signora", "Kind",
    "Best", "Sincerely", "Test", "None", "True", "False", "Null", "Default", "Main", "New", "Old", "First", "Last",
    "Street", "Road", "Avenue", "Lane", "Drive", "Court", "Place", "Square", "University", "Hospital", "School",
    "Church", "Group", "Services", "Solutions", "Systems", "Technologies", "Project", "Version", "Chapter",
    "Section", "Table", "Figure", "Part", "Foundation", "Apt", "Apartment", "Suite", "Flat",
    "Association", "Awards", "Band", "Cathedral", "Center", "Centre", "Championship", "Championships", "Club",
    "College", "Committee", "Company", "Corporation", "County", "Cup", "Cups", "Department", "Diocese", "Festival",
    "Games", "Institute", "League", "Library", "Museum", "Olympics", "Party", "Records", "Regiment", "Society",
    "Squadron", "Union",
))  # fmt: skip
_MOST_WORDS = 4


def _name_at(text: str, start: int, most: int = _MOST_WORDS) -> tuple[int, list[str]]:
    """Return where a row of capitalised words ends, and the words: particles and initials are taken along."""
    words: list[str] = []
    end = at = start
    while len(words) < most + 2:
        token = _TOKEN.match(text, at)
        if token is None:
            break
        word = token[0]
        if word[0].isupper():
            if word in _NO_NAMES or (word.isupper() and len(word) > 1 and words and not words[-1].isupper()):
                break
            close = token.end()
            if word.endswith(("'s", "\u2019s")):
                word, close = word[:-2], close - 2
            if len(word) == 1 and text[close : close + 1] == ".":
                close += 1
            words.append(word)
            end = close
            if close < token.end():
                break
        elif word not in _PARTICLES or not words:
            break
        at = max(end, token.end())
        if text[at : at + 1] != " ":
            break
        at += 1
    return end, words[: most + 2]


def _named(least: int = 1, *, known: bool = False, behind: str = "") -> Refine:
    """Return what narrows a match whose last character begins a name.

    The name has ``least`` words, or one that is a given name; with ``known`` one of several is a given name. ``behind``
    are the characters of which one must follow, if any.
    """

    def refine(text: str, start: int, end: int) -> Span | None:
        start = end - 1
        if text[start] >= "\u3040":
            return _cjk_name(text, start)
        end, words = _name_at(text, start)
        if not words or (len(words) < least and words[0] not in LONE_GIVEN_NAMES):
            return None
        if known and GIVEN_NAMES.isdisjoint(words):
            return None
        if behind and end < len(text) and text[end] not in behind:
            return None
        return start, end

    return refine


_CJK_NAME = re.compile(rf"[{_CJK}]{{1,4}}(?: [{_CJK}]{{1,4}})?")


def _cjk_name(text: str, start: int) -> Span | None:
    found = _CJK_NAME.match(text, start)
    return found.span() if found and found.end() - start >= 2 else None


_EDGE = ALNUM | frozenset("_@/\\.-")


def _person(  # noqa: PLR0917 - a row is read as a row
    name: str, words: tuple[str, ...], rest: str, sample: str, confidence: float, refine: Refine
) -> Detector:
    """Declare what begins with a word and ends where a name begins."""
    heads = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return Detector(
        name=name,
        type="person",
        pattern=f"(?:{heads}){rest}",
        sample=sample,
        trigger=Starts(words),
        confidence=confidence,
        refine=refine,
        not_before=_EDGE,
    )


def _both(*words: str) -> tuple[str, ...]:
    """Return words with a small first letter and a capital one."""
    return tuple(form for word in words for form in (word, word[0].upper() + word[1:]))


def _display_name(text: str, start: int, end: int) -> Span | None:
    """Take the name before an address in angle brackets (RFC 5322 3.4)."""
    line = text[max(0, start - 60) : start]
    if line.endswith('"') and '"' in line[:-1]:
        begin = start - len(line) + line[:-1].rindex('"') + 1
        return (begin, start - 1) if start - 1 > begin else None
    for sign in '\n\r,;:<>()[]"':
        line = line[line.rfind(sign) + 1 :]
    name = line.strip(" \t'*-")
    words = name.split()
    if not 1 <= len(words) <= 6 or not name or not any(word[0].isupper() or word[0] >= "\u3040" for word in words):
        return None
    if any(word[0].islower() and word not in _PARTICLES and len(word) > 4 for word in words):
        return None
    begin = start - len(line) + line.index(name[0])
    return begin, begin + len(name)


_TITLES = (
    "Mr", "Mrs", "Ms", "Mx", "Dr", "Prof", "Sr", "Sra", "Srta", "Sig", "Dott", "Hr", "Mme", "Mlle", "Rev", "Sgt",
    "Capt",
)  # fmt: skip
_LONG_TITLES = (
    "Miss", "Herr", "Herrn", "Frau", "Fru", "Señor", "Señora", "Doña", "Monsieur", "Madame", "Signor", "Signora",
    "Dottoressa", "Professor", "pan", "pani", "Pan", "Pani", "Sir", "Lady", "Lord", "Mademoiselle",
)  # fmt: skip
_TOLD = (
    *_both("name is", "name's", "name ist", "name lautet", "heiße", "heisse", "m'appelle", "me llamo", "mi chiamo"),
    "nom est", "nombre es", "nome è", "call me", "calls me", "called him", "named him", "named her", "maiden name is",
    "appartient à", "gehört", "belongs to", "guardian", "beneficiary", "account of", "Karte von",
)  # fmt: skip
_GREETINGS = (
    "Dear", "Hi", "Hello", "Hey", "Liebe", "Lieber", "Hallo", "Bonjour", "Chère", "Cher", "Hola", "Querida",
    "Querido", "Estimada", "Estimado", "Cara", "Caro", "Ciao", "Gentile", "Olá", "Prezada", "Prezado", "Beste",
    "Hej", "Moin",
)  # fmt: skip
_CLOSINGS = (
    *_both("regards", "sincerely", "cheers", "thanks", "best", "yours", "wishes"),
    "Grüßen", "Grüße", "Gruß", "Gruss",
    "ordialement", "Cordialement", "cordialement", "Saludos", "saludos", "Saluti", "saluti",
    "Atentamente", "atentamente",
    "Hochachtungsvoll", "groet", "groeten",
)  # fmt: skip
_LABELS = ("Name", "NAME", "Nom", "Nombre", "Nome", "Inhaber", "Patient", "Customer")
_KEYS = (
    *_both("name", "customer", "patient", "employee", "recipient", "inhaber", "nom", "nombre", "nome", "holder"),
    "NAME",
    "full_name", "fullname", "customer_name", "display_name", "氏名", "姓名", "성명", "이름",
)  # fmt: skip
_SAID = (
    *_both("said", "says"), "asked", "told", "wrote", "replied", "directed by", "starring", "assistant to",
    "written by",
    "Producer", "producer", "Follow up with", "follow up with",
)  # fmt: skip

_OF = "(?:(?:de|del|della|den|der|di|da|la|van|von|ten|ter|zu) ){0,2}"

PERSON_DETECTORS = (
    _person("person_title", _TITLES, rf"\.? {{1,2}}{_OF}[{_UPPER}]", "Mr. J", 0.85, _named()),
    _person("person_long_title", _LONG_TITLES, rf" {_OF}[{_UPPER}]", "Herr J", 0.85, _named()),
    _person("person_introduced", _TOLD, rf":? [{_UPPER}]", "name is J", 0.75, _named()),
    _person(
        "person_speaks",
        (*_both("this is", "here is", "speak to", "speak with"), "I am", "I'm", "ich bin", "Ich bin"),
        rf" [{_UPPER}]",
        "This is J",
        0.6,
        _named(2),
    ),
    _person("person_greeted", _GREETINGS, rf" [{_UPPER}]", "Dear J", 0.65, _named(behind=",!.:;\n\r-? ")),
    _person(
        "person_signed",
        _CLOSINGS,
        rf"[,.!]?[ \t]{{0,4}}[\r\n]{{1,4}}[ \t]{{0,4}}[{_UPPER}]",
        "Regards,\nJ",
        0.75,
        _named(behind="\n\r,"),
    ),
    _person("person_labelled", _LABELS, rf"[ \t]{{0,2}}: {{1,8}}[{_UPPER}{_CJK}]", "Name: J", 0.75, _named()),
    _person("person_keyed", _KEYS, rf"[\"']? {{0,2}}[:=] {{0,2}}[\"']?[{_UPPER}{_CJK}]", 'name": "J', 0.6, _named(2)),
    Detector(
        name="person_of_address",
        type="person",
        pattern=r" <[A-Za-z0-9_.+-]{1,64}@",
        sample=" <j@",
        trigger=Near((" <",), before=0, after=70),
        confidence=0.85,
        refine=_display_name,
    ),
    _person("person_under", ("under", "von", "for"), rf" [{_UPPER}]", "for J", 0.6, _named(2, known=True)),
    _person("person_said", _SAID, rf" [{_UPPER}]", "said J", 0.6, _named(2)),
)

# --- companies -------------------------------------------------------------------------------------------------------

_FORMS = (
    "Inc", "Incorporated", "Ltd", "Limited", "LLC", "LLP", "PLC", "plc", "Corp", "Corporation", "GmbH", "mbH",
    "AG", "KG", "OHG", "SE", "e.V", "S.A", "SA", "SAS", "SARL", "S.A.R.L", "S.L", "S.p.A", "SpA", "S.r.l", "Srl",
    "B.V", "BV", "N.V", "NV", "Oy", "Oyj", "AB", "ASA", "A/S", "ApS", "Pty", "Co", "Group", "Holdings",
)  # fmt: skip


def _company(text: str, start: int, end: int) -> Span | None:
    """Extend a legal form by the capitalised words before it."""
    if text[start - 1 : start] != " " or (end < len(text) and (text[end].isalnum() or text[end] in "_-")):
        return None
    line = text[max(0, start - 60) : start]
    line = line[line.rfind("\n") + 1 :]
    begin = start
    for word in reversed(line.split(" ")[:-1] if line.endswith(" ") else line.split(" ")):
        bare = word.rstrip(",")
        if not bare or bare.isdigit() or bare in _FORMS or (bare[-1] in ":;.)" and len(bare) > 3):
            break
        if not (bare[0].isupper() or bare[0].isdigit() or bare in ("&", "and", "und", "et", "y", "of", "de")):
            break
        if bare in _NO_NAMES and bare not in (
            "Bank",
            "Group",
            "Services",
            "Solutions",
            "Systems",
            "New",
            "First",
            "The",
        ):
            break
        begin -= len(word) + 1
        if word.endswith(",") and begin + len(word) + 1 < start - 1:
            begin += len(word) + 1
            break
        if start - begin > 50:
            break
    name = text[begin:start].strip()
    first = name.split(" ")[0] if name else ""
    while first in ("&", "and", "und", "et", "y", "of", "de", "The"):
        begin += len(first) + 1
        name = text[begin:start].strip()
        first = name.split(" ")[0] if name else ""
    if len(name) < 2 or not name[0].isupper() or (len(name) < 4 and name.isupper() and "," in text[begin:end]):
        return None
    return begin, end + (text[end : end + 1] == ".")


COMPANY_DETECTORS = (
    Detector(
        name="company",
        type="company",
        pattern="(?:" + "|".join(re.escape(form) for form in sorted(_FORMS, key=len, reverse=True)) + ")",
        sample="Example Ltd",
        trigger=Starts(_FORMS),
        hint=rf"[{_UPPER}0-9][^ \n]*,? (?:" + "|".join(re.escape(form) for form in _FORMS) + r")(?:[^A-Za-z]|$)",
        confidence=0.75,
        refine=_company,
    ),
)

# --- places ----------------------------------------------------------------------------------------------------------

_PLACE_WORDS = re.compile(
    rf"[{_UPPER}][^\W\d_]+(?:[ -](?:(?:de|del|di|do|da|la|le|les|am|an der|upon|on|sur) )?[{_UPPER}][^\W\d_]+){{0,3}}"
)


def _place(text: str, start: int, end: int) -> Span | None:
    found = _PLACE_WORDS.match(text, end - 1)
    if found is None:
        return None
    words = found[0].split(" ")
    while words and words[-1] in _NO_NAMES:
        words.pop()
    if not words or words[0] in _NO_NAMES or words[0] in GIVEN_NAMES:
        return None
    return end - 1, end - 1 + len(" ".join(words))


_LIVES = _both(
    "live", "lives", "lived", "living", "born", "based", "grew up", "grow up", "raised", "moved", "reside", "resides",
    "residing", "wohne", "wohnt", "wohnhaft", "geboren", "habite", "vive", "vivo", "abito", "abita", "originally",
    "arrived", "trip", "fly", "flying", "travelling", "traveling", "stay", "staying",
)  # fmt: skip
_PLACE_KEYS = (
    "City", "Country", "Ort", "Wohnort", "Stadt", "Land", "Ville", "Pays", "Ciudad", "País", "Città", "Paese",
)  # fmt: skip

LOCATION_DETECTORS = (
    Detector(
        name="location_of",
        type="location",
        pattern=(
            f"(?:{'|'.join(sorted(_LIVES, key=len, reverse=True))})"
            rf" (?:here |back )?(?:in|from|at|to|near|à|en|a|nach|aus) [{_UPPER}]"
        ),
        sample="lives in B",
        trigger=Starts(_LIVES),
        confidence=0.6,
        refine=_place,
        not_before=ALNUM,
    ),
    Detector(
        name="location_labelled",
        type="location",
        pattern=rf"(?:{'|'.join(_PLACE_KEYS)})\"?[ ]?: {{0,3}}\"?[{_UPPER}]",
        sample="City: B",
        trigger=Starts(_PLACE_KEYS),
        confidence=0.65,
        refine=_place,
        not_before=_EDGE,
    ),
)

DETECTORS = (*PERSON_DETECTORS, *COMPANY_DETECTORS, *LOCATION_DETECTORS)

# --- by lists --------------------------------------------------------------------------------------------------------

_CAPITALISED = re.compile(rf"[{_UPPER}][^\W\d_]+")
_PLACE_SAID = ("in ", "from ", "to ", "at ", "near ", "of ", "aus ", "nach ", "à ", "en ", "a ", "di ", ", ")


def _by_lists(text: str) -> Iterator[Found]:
    done = 0
    for word in _CAPITALISED.finditer(text):
        start, end = word.span()
        if start < done or (start and (text[start - 1].isalnum() or text[start - 1] in "_@/\\.-#")):
            continue
        first = word[0]
        if first in GIVEN_NAMES:
            found = _given(text, start, end, first)
            if found:
                done = found.end
                yield found
                continue
        if first in PLACES:
            found = _listed_place(text, start, first)
            if found:
                done = found.end
                yield found


def _given(text: str, start: int, end: int, first: str) -> Found | None:
    after = text[end : end + 1]
    if after and (after in "_(@/\\=[<#" or (after == "." and text[end + 1 : end + 2].isalnum())):
        return None
    lone = first in LONE_GIVEN_NAMES
    close, words = _name_at(text, start)
    if len(words) > 1 and (lone or not _begins_sentence(text, start)):
        return Found(start, close, "person", 0.75, "given_name", "a given name and another")
    if lone and len(words) == 1 and (after != "-" or not text[end + 1 : end + 2].isalnum()):
        return Found(start, close, "person", 0.55, "lone_given_name", "a given name")
    return None


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 3) : start].rstrip(" \"'(\u201c")
    return not before or before[-1] in ".!?\n\r:"


def _listed_place(text: str, start: int, first: str) -> Found | None:
    for name in PLACES[first]:
        if text.startswith(name, start):
            end = start + len(name)
            if end < len(text) and (text[end].isalnum() or text[end] in "_@(-/"):
                continue
            said = text[max(0, start - 5) : start].endswith(_PLACE_SAID)
            if name in DOUBTFUL_PLACES and not said:
                return None
            return Found(start, end, "location", 0.75 if said else 0.55, "listed_place", "a country or a city")
    return None


FINDERS = (Finder("names", frozenset({"person", "location"}), _by_lists),)
