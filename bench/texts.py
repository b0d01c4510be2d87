"""The texts that are measured: prose with personal data in it, and the worst that a client could think of."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
PER_ENTITY = 100  # characters of prose for each value in it

_WORDS = re.findall(
    "[a-z]+",
    "the a of and to in for on with at by from as into after before about we they you she he it was were is are has"
    " had will would can could should meeting report window garden river morning letter answer question market house"
    " street music paper project budget season planning weather simple quiet early later often never always together"
    " another several between through during without within follow arrive decide remember describe consider improve"
    " change support review deliver prepare explain customer colleague manager supplier contract schedule delivery",
)
_NAMES = re.findall(
    "[a-z]+", "anna ben carla david elena frank greta hugo irina jonas karl lena marco nina oskar paula rosa sven"
)
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "shop.example.de")


def size_name(size: int) -> str:
    """Write a size as in the tables: 100 B, 1 kB, 1 MB."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:g} {unit}"
    return f"{size} B"


def prose(size: int, seed: int = 0, per_entity: int = PER_ENTITY) -> str:
    """Write ASCII prose of exactly ``size`` characters with a value of mixed types in every ``per_entity``."""
    rng = random.Random(seed)
    parts: list[str] = []
    length = 0
    while size - length >= per_entity:
        phrase = " " + rng.choices(_PHRASES, _WEIGHTS)[0](rng) + ". "
        parts += (_filler(rng, per_entity - len(phrase)), phrase)
        length += max(per_entity, len(phrase))
    return "".join((*parts, _filler(rng, size - length)))


def _filler(rng: random.Random, length: int) -> str:
    text = ""
    while len(text) < length:
        text += " ".join(rng.choices(_WORDS, k=12)) + ", "
    return text[: max(0, length)]


# --- values --------------------------------------------------------------------------------------------------


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _email(rng: random.Random) -> str:
    return f"please write to {rng.choice(_NAMES)}.{_digits(rng, 4)}@{rng.choice(_DOMAINS)}"


def _phone(rng: random.Random) -> str:
    forms = (
        lambda: f"+49 30 90{_digits(rng, 6)}",
        lambda: f"+44 20 7946 0{_digits(rng, 3)}",
        lambda: f"(212) 555-{_digits(rng, 4)}",
        lambda: f"415-555-{_digits(rng, 4)}",
    )
    return f"call me at {rng.choice(forms)()}"


def _card(rng: random.Random) -> str:
    body = "4" + _digits(rng, 14)
    total = sum(int(c) if i % 2 else sum(divmod(2 * int(c), 10)) for i, c in enumerate(body))
    number = body + str(-total % 10)
    return "card " + " ".join(number[i : i + 4] for i in range(0, 16, 4))


def _iban(rng: random.Random) -> str:
    account = "37040044" + _digits(rng, 10)
    return f"IBAN DE{98 - int(account + '131400') % 97:02d}{account}"


def _ip(rng: random.Random) -> str:
    return f"from host {rng.randint(11, 199)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}"


def _url(rng: random.Random) -> str:
    return f"see https://{rng.choice(_DOMAINS)}/orders/{_digits(rng, 6)}?view=full"


def _ssn(rng: random.Random) -> str:
    return f"SSN {rng.randint(101, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


def _birth(rng: random.Random) -> str:
    return f"born on {rng.randint(10, 28)}.{rng.randint(10, 12)}.{rng.randint(1940, 2005)}"


def _passport(rng: random.Random) -> str:
    return f"passport C{_digits(rng, 8)}"


def _mac(rng: random.Random) -> str:
    return "MAC " + ":".join(f"{rng.randint(1, 254):02x}" for _ in range(6))


def _key(rng: random.Random) -> str:
    return "token ghp_" + "".join(rng.choices(string.ascii_letters + string.digits, k=36))


_MIX: tuple[tuple[Callable[[random.Random], str], int], ...] = (
    (_email, 25),
    (_phone, 20),
    (_url, 10),
    (_ip, 8),
    (_card, 8),
    (_iban, 8),
    (_ssn, 6),
    (_birth, 6),
    (_passport, 4),
    (_mac, 2),
    (_key, 3),
)
_PHRASES = tuple(phrase for phrase, _ in _MIX)
_WEIGHTS = tuple(weight for _, weight in _MIX)


# --- the worst -----------------------------------------------------------------------------------------------

_UNITS = {
    "a@": "a@",
    "a@a.": "a@a.",
    "@": "@",
    "a.a.a.": "a.a.a.",
    "1.1.1.": "1.1.1.",
    "1.1.1.1 ": "1.1.1.1 ",
    "1 1 1 ": "1 1 1 ",
    "1-1-1-": "1-1-1-",
    "1/1/1/": "1/1/1/",
    "digits": "1234567890",
    "ones": "1",
    "dashes": "-",
    "colons": ":",
    "0:0:0:": "0:0:0:",
    "aa:aa:": "aa:aa:",
    "aa-aa-": "aa-aa-",
    "braces": "{",
    "closing braces": "}",
    "{ { ": "{ { ",
    "{{email:": "{{email:",
    "{{email:e_001}}": "{{email:e_001}}",
    "{email e 001} ": "{email e 001} ",
    "[[a-": "[[a-",
    "&#123;": "&#123;",
    "\\{": "\\{",
    "<<a:": "<<a:",
    "eyJ.": "eyJ.",
    "eyJaaaaaaaa.": "eyJaaaaaaaa.",
    "-----BEGIN ": "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----": "-----BEGIN PRIVATE KEY-----",
    "http://": "http://",
    "://": "://",
    "www.": "www.",
    "www.a.a": "www.a.a ",
    "(((": "(",
    "(1": "(1",
    "long word": "pneumonoultramicroscopic",
    "hex": "0123456789abcdef",
    "base64": "aGVsbG8gd29ybGQ/+",
    "full-width digits": "\uff11\uff12\uff13\uff14\uff15",
    "full-width a@": "\uff41\uff20",
    "+1+1+1": "+1",
    "+1 ": "+1 ",
    "00 1": "00 1",
    "tel 1": "tel 1",
    "passport ": "passport ",
    "passport A1B2C3D": "passport A1B2C3D ",
    "born ": "born ",
    "born 1.1.": "born 1.1.",
    "secret ": "secret ",
    "secret+hex": "secret 0123456789abcdef0123456789abcdef01234567 ",
    "sk-": "sk-",
    "ghp_": "ghp_",
    "xoxb-1-": "xoxb-1-",
    "AC0": "AC0123456789abcdef",
    "4111 ": "4111 ",
    "DE00 ": "DE00 ",
    "phone, account 123456 ": "phone, account 123456 ",
    "emoji": "\U0001f600",
    "combining": "e\u0301",
    "dotted I": "\u0130",
    "zero width": "\u200b",
    "NUL": "\0",
    "newlines": "\n",
    "CRLF": "\r\n",
    "spaces": " ",
    "backslashes": "\\",
    "quotes": '"',
    "SSNs": "219-09-9998 ",
    "nine digits": "121000358 ",
    "ten digits": "1234567893 ",
    "eleven digits": "39053344705 ",
    "sin numbers": "sin 435 418 165 ",
    "groups of three": "123 ",
    "groups of two": "12-",
    "letter, digit": "A1 ",
    "A1B2": "A1B2",
    "letters": "AB ",
    "dotted numbers": "12.345.678-",
    "one huge number": "9",
    "IBAN starts": "GB82 ",
    "IBANs": "DE89370400440532013000 ",
    "cards": "4111111111111111 ",
    "almost cards": "4111111111111112 ",
    "e-mails": "a@b.cd ",
    "long local part": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@",
    "hosts": "example.com ",
    ".com": ".com",
    "a.com.": "a.com.",
    "dots": ".",
    "Mr. ": "Mr. ",
    "Mr. A ": "Mr. A ",
    "Dear ": "Dear ",
    "my name is ": "my name is ",
    "Names": "Anna Schmidt ",
    "Capitals ": "Abc ",
    "1 Main St ": "1 Main St ",
    "St ": "St ",
    "1 Abc, ": "1 Abc, ",
    "Apt. 1 ": "Apt. 1 ",
    "Unit 1 Box 1 ": "Unit 1 Box 1 ",
    "Abc 1, 12345 ": "Abc 1, 12345 ",
    "Japanese addresses": "\u6771\u4eac\u90fd\u6e2f\u533a1\u4e01\u76ee",
    "Korean addresses": "\uacbd\uae30\ub3c4 \uc131\ub0a8\uc2dc \ud310\uad50\ub85c 1 ",
    "in ": "in ",
    "in Berlin ": "in Berlin ",
    "Ltd. ": "Ltd. ",
    "Abc Ltd. ": "Abc Ltd. ",
    "Regards,": "Regards,\n",
    "years old": "50 years old ",
    "dates": "2024-01-02 ",
    "date: ": "date: ",
    "on 1 May ": "on 1 May ",
    "password=": "password=",
    "password: x": "password: x1y2z3 ",
    "token: ": "token: ",
    '"secret": "': '"secret": "',
    "api_key = ": "api_key = ",
    "Authorization: Bearer ": "Authorization: Bearer ",
    "user:pw@": "postgres://user:pw@",
    "0x": "0x",
    "Ethereum": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed ",
    "bitcoin": "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD ",
    "bc1": "bc1q",
    "passport word": "passport 912803456 ",
    "driver's license": "driver's license ",
    "Hangul": "\uc774\uc740\uc8fc ",
    "kanji": "\u6c0f\u540d\uff1a\u85e4\u7530",
    "Thai": "\u0e42\u0e17\u0e23 081 234 5678 ",
    "Cyrillic": "\u0442\u0435\u043b\u0435\u0444\u043e\u043d 123 45 67 ",
    "accents": "\u00e9\u00e8\u00fc1",
}


def worst(size: int) -> dict[str, str]:
    """Return texts of about ``size`` bytes of UTF-8 that are nothing but one awkward thing, by name."""
    texts = {name: unit * max(1, size // len(unit.encode())) for name, unit in _UNITS.items()}
    numbers = range(100_000, 100_000 + size // 18)
    texts["tokens, all different"] = "".join(f"{{{{email:e_{number}}}}}" for number in numbers)
    texts["no spaces"] = prose(size, seed=99).replace(" ", "")
    return texts
