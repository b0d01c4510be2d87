"""Find names of people, companies and places by the words around them, and by lists of names (see ``gazetteer``).

No rule is certain: what a greeting, a key or a title names is a name nearly always, a capital alone is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oguardai.detection.detector import ALNUM, Detector, Finder, Found, Near, Prefix, Refine, Span
from oguardai.detection.entity import EntityType
from oguardai.detection.gazetteer import DOUBTFUL_PLACES, GIVEN_NAMES, LONE_GIVEN_NAMES, PLACES

TYPES = (
    EntityType("person", 2, locales=("de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt"), source="ISO/IEC 24760-1"),
    EntityType("company", 2, locales=("de", "en", "es", "fr", "it", "nl"), source="ISO 20275, entity legal forms"),
    EntityType("location", 3, locales=("de", "en", "es", "fr", "it"), source="ISO 3166-1"),
)

_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0386-\u03ab\u0410-\u042f"
_CJK = "\u3400-\u9fff\uac00-\ud7a3\u3040-\u30ff"
_TOKEN = re.compile(r"[^\W\d_]+(?:[\u2019'-][^\W\d_]+)*")
_PARTICLES = frozenset(
    "al ap bin da das de del della den der di do dos du el ibn la las le los san st ten ter van von y zu zum zur".split()
)
# Words with a capital that are no part of a name.
_NO_NAMES = frozenset(
    "A Account Address All Also Am An And Any April Are As At August Bank Be Because But By Can Card City Client Company"
    " Contact Could Country Credit Customer Date Dear December Department Did Do Does Email Error Everybody Everyone"
    " February File For Friday Friend Friends From Guest He Hello Her Here Hi His How However I If In Inc Info Is It Its"
    " January July June Just Ladies Let Ltd Madam Mail March May Me Member Monday Mr Mrs Ms My Name No Not November Now"
    " October Of Office On Or Order Our Partner Payment Phone Please Re Regards Saturday See Seller Sender September She"
    " Should Sir So Some Staff State Street Student Subject Sunday Support System Team Thank Thanks That The Their There"
    " These They This Those Thursday To Today Tomorrow Tuesday Unit Unknown User We Wednesday Welcome What When Where"
    " Which Who Why Will With Would Yes Yesterday You Your Damen Herren Herr Frau Kunde Kundin Kollegen Freunde Team"
    " Monsieur Madame Messieurs Mesdames Señor Señora Sig Signor Signora Kind Best Sincerely Test None True False Null"
    " Default Main New Old First Last Street Road Avenue Lane Drive Court Place Square University Hospital School Church"
    " Group Services Solutions Systems Technologies Project Version Chapter Section Table Figure Part Foundation".split()
)
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


def _person(
    name: str, pattern: str, sample: str, words: tuple[str, ...], confidence: float, refine: Refine, **more: object
) -> Detector:
    return Detector(
        name=name,
        type="person",
        pattern=pattern,
        sample=sample,
        trigger=Near(words, before=12, after=24),
        confidence=confidence,
        refine=refine,
        not_before=_EDGE,
        **more,  # type: ignore[arg-type]
    )


def _display_name(text: str, start: int, end: int) -> Span | None:
    """Take the name before an address in angle brackets (RFC 5322 3.4)."""
    line = text[max(0, start - 60) : start]
    for sign in "\n\r,;:<>()[]\"":
        line = line[line.rfind(sign) + 1 :]
    name = line.strip(" \t'")
    words = name.split()
    if not 1 <= len(words) <= 6 or not name or not any(word[0].isupper() or word[0] >= "\u3040" for word in words):
        return None
    if any(word[0].islower() and word not in _PARTICLES and len(word) > 4 for word in words):
        return None
    begin = start - len(line) + line.index(name[0])
    return begin, begin + len(name)


_TITLES = (
    "Mr", "Mrs", "Ms", "Mx", "Dr", "Prof", "Sr", "Sra", "Srta", "Sig", "Dott", "Hr", "Mme", "Mlle", "Rev", "Sgt", "Capt",
)  # fmt: skip
_LONG_TITLES = (
    "Miss", "Herr", "Herrn", "Frau", "Fru", "Señor", "Señora", "Doña", "Monsieur", "Madame", "Signor",
    "Signora", "Dottoressa", "Professor", "pan", "pani", "Pan", "Pani", "Sir", "Lady", "Lord", "Mademoiselle",
)  # fmt: skip
_TOLD = (
    r"(?:[Nn]ame is|[Nn]ame's|[Nn]ame ist|[Nn]ame lautet|hei(?:ß|ss)e|m'appelle|[Mm]e llamo|[Mm]i chiamo|nom est|"
    r"nombre es|nome è|[Cc]alls? me|[Cc]alled him|named him|named her|maiden name is|appartient à|gehört"
    r"|belongs to|guardian|beneficiary|account of|Karte von|under)"
)
_GREETINGS = (
    r"(?:Dear|Hi|Hello|Hey|Liebe|Lieber|Hallo|Bonjour|Chère|Cher|Hola|Querid[oa]|Estimad[oa]|Car[oa]|Ciao|Gentile|"
    r"Olá|Prezad[oa]|Beste|Hej|Moin|Morning|Evening)"
)
_CLOSINGS = (
    r"(?:[Rr]egards|[Ss]incerely|[Cc]heers|[Tt]hanks|[Bb]est|[Yy]ours|[Ww]ishes|[Gg]rüßen|[Gg]rüße|"
    r"[Gg]ruß|[Cc]ordialement|[Ss]aludos|[Ss]aluti|[Aa]tentamente|[Hh]ochachtungsvoll|[Gg]roet|[Gg]roeten)"
)
_KEYS = (
    r"(?:[Nn]ame|NAME|[Cc]ustomer|[Pp]atient|[Ee]mployee|[Rr]ecipient|[Ii]nhaber|[Nn]om|[Nn]ombre|[Nn]ome|[Hh]older|"
    "\u6c0f\u540d|\u59d3\u540d|\uc131\uba85|\uc774\ub984)"
)

PERSON_DETECTORS = (
    Detector(
        name="person_title",
        type="person",
        pattern=rf"(?:(?:{'|'.join(_TITLES)})\.? {{1,2}}|(?:{'|'.join(_LONG_TITLES)}) )[{_UPPER}]",
        sample="Mr. J",
        trigger=Prefix((*_TITLES, *_LONG_TITLES)),
        confidence=0.85,
        refine=_named(),
        not_before=_EDGE | frozenset("'\u2019"),
    ),
    _person(
        "person_introduced", rf"{_TOLD}:? [{_UPPER}]", "name is J",
        ("ame ", "ame's", "hei", "appel", "llamo", "chiamo", "nom est", "nombre es", "all me", "alls me", "called", "named",
         "appartient", "ört", "belongs", "guardian", "beneficiary", "account of", "Karte von", "under"), 0.75, _named(),
    ),
    _person(
        "person_speaks", rf"(?:[Tt]his is|[Ii] am|[Ii]'m|[Ii]ch bin|Here is|speak (?:to|with)) [{_UPPER}]", "This is J",
        ("his is", "I am", "I'm", "ch bin", "speak ", "Here is"), 0.6, _named(2),
    ),
    _person(
        "person_greeted", rf"{_GREETINGS} [{_UPPER}]", "Dear J",
        ("Dear ", "Hi ", "Hello ", "Hey ", "Liebe", "Hallo ", "Bonjour ", "Chère ", "Cher ", "Hola ", "Querid", "Estimad",
         "Caro ", "Cara ", "Ciao ", "Gentile ", "Olá ", "Prezad", "Beste ", "Hej ", "Moin ", "orning ", "vening "), 0.65,
        _named(behind=",!.:;\n\r\u2013-? "),
    ),
    _person(
        "person_signed", rf"{_CLOSINGS}[,.!]?[ \t]{{0,4}}[\r\n]{{1,4}}[ \t]{{0,4}}[{_UPPER}]", "Regards,\nJ",
        ("egards", "incerely", "heers", "hanks", "est", "ours", "ishes", "grüß", "Grüß", "Gruß", "gruß",
         "ordialement", "aludos", "aluti", "tentamente", "ochachtungsvoll", "groet"), 0.75, _named(behind="\n\r,"),
    ),
    _person(
        "person_labelled", rf"(?:Name|NAME|Nom|Nombre|Nome|Inhaber|Patient|Customer)[ \t]{{0,2}}: {{1,8}}[{_UPPER}{_CJK}]", "Name: J",
        ("ame", "NAME", "Nom", "Inhaber", "Patient", "Customer"), 0.75, _named(),
    ),
    _person(
        "person_keyed", rf"{_KEYS}[\"']? {{0,2}}[:=] {{0,2}}[\"']?[{_UPPER}{_CJK}]", '"name": "J',
        ("ame", "NAME", "ustomer", "atient", "mployee", "ecipient", "nhaber", "om", "older", "\u6c0f\u540d", "\u59d3\u540d",
         "\uc131\uba85", "\uc774\ub984"), 0.6, _named(2),
    ),
    Detector(
        name="person_of_address",
        type="person",
        pattern=r" <[A-Za-z0-9_.+-]{1,64}@",
        sample=" <j@",
        trigger=Near((" <",), before=0, after=70),
        confidence=0.85,
        refine=_display_name,
    ),
    _person(
        "person_said",
        rf"(?:[Ss]aid|[Ss]ays|asked|told|wrote|replied|directed by|starring|assistant to|written by|Producer|Follow up with)"
        rf" [{_UPPER}]", "said J",
        ("aid ", "ays ", "asked ", "told ", "wrote ", "replied ", "directed by", "starring ", "assistant to", "written by",
         "Producer ", "ollow up with"), 0.6, _named(2),
    ),
)  # fmt: skip

# --- companies -------------------------------------------------------------------------------------------------------

_FORMS = (
    "Inc", "Incorporated", "Ltd", "Limited", "LLC", "LLP", "PLC", "plc", "Corp", "Corporation", "GmbH", "mbH", "AG", "KG", "OHG",
    "SE", "e.V", "S.A", "SA", "SAS", "SARL", "S.A.R.L", "S.L", "S.p.A", "SpA", "S.r.l", "Srl", "B.V", "BV", "N.V", "NV", "Oy",
    "Oyj", "AB", "ASA", "A/S", "ApS", "Pty", "Co", "Group", "Holdings",
)  # fmt: skip
_BEFORE_FORM = re.compile(r"(?:[^\W\d_][\w&.'\u2019-]*|&|and|und|et|y|e) ?(?:, )?")


def _company(text: str, start: int, end: int) -> Span | None:
    """Extend a legal form by the capitalised words before it."""
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        return None
    line = text[max(0, start - 60) : start]
    line = line[line.rfind("\n") + 1 :]
    begin = start
    for word in reversed(line.split(" ")[:-1] if line.endswith(" ") else line.split(" ")):
        bare = word.rstrip(",")
        if not bare:
            break
        if not (bare[0].isupper() or bare[0].isdigit() or bare in ("&", "and", "und", "et", "y", "of", "de")):
            break
        if bare in _NO_NAMES and bare not in ("Bank", "Group", "Services", "Solutions", "Systems", "New", "First", "The"):
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
    if len(name) < 2 or not name[0].isupper():
        return None
    return begin, end + (text[end : end + 1] == ".")


COMPANY_DETECTORS = (
    Detector(
        name="company",
        type="company",
        pattern=r"[A-Za-z0-9.)], ?(?:Inc|Ltd|LLC|LLP)|[A-Za-z0-9.)] (?:" + "|".join(form.replace(".", r"\.") for form in _FORMS) + ")",
        sample="Example Ltd",
        trigger=Near(tuple(f" {form}" for form in _FORMS), before=2, after=1),
        confidence=0.75,
        refine=lambda text, start, end: _company(text, text.rindex(" ", start, end) + 1, end),
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


LOCATION_DETECTORS = (
    Detector(
        name="location_of",
        type="location",
        pattern=(
            r"(?:[Ll]iv(?:e|es|ed|ing)|[Bb]orn|[Bb]ased|[Gg]r[eo]w up|[Rr]aised|[Mm]oved|[Rr]esid(?:e|es|ing)|[Ww]ohn(?:e|t|haft)|"
            r"[Gg]eboren|[Hh]abite|[Vv]iv[eo]|[Aa]bit[oa]|[Oo]riginally|[Aa]rrived|[Tt]rip|[Ff]ly(?:ing)?|[Tt]ravell?ing|[Ss]tay(?:ing)?)"
            rf" (?:here |back )?(?:in|from|at|to|near|à|en|a|nach|aus) [{_UPPER}]"
        ),
        sample="lives in B",
        trigger=Near(
            (" in ", " from ", " at ", " to ", " near ", " à ", " en ", " a ", " nach ", " aus "), before=20, after=2
        ),
        confidence=0.6,
        refine=_place,
        not_before=ALNUM,
    ),
    Detector(
        name="location_labelled",
        type="location",
        pattern=rf"(?:City|Country|Ort|Wohnort|Stadt|Land|Ville|Pays|Ciudad|País|Città|Paese)\"?[ ]?: {{0,3}}\"?[{_UPPER}]",
        sample="City: B",
        trigger=Near(("City", "Country", "ort", "Ort", "Stadt", "Land", "Ville", "Pays", "Ciudad", "País", "Citt", "Paese"),
                     before=6, after=12),
        confidence=0.65,
        refine=_place,
        not_before=_EDGE,
    ),
)  # fmt: skip

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
    if after and after in "_(@/\\=[<#":
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
            if end < len(text) and (text[end].isalnum() or text[end] in "_@(-"):
                continue
            said = text[max(0, start - 5) : start].endswith(_PLACE_SAID)
            if name in DOUBTFUL_PLACES and not said:
                return None
            return Found(start, end, "location", 0.75 if said else 0.55, "listed_place", "a country or a city")
    return None


FINDERS = (Finder("names", frozenset({"person", "location"}), _by_lists),)
