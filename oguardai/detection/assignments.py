"""Declare the detectors of passwords and keys by the names that they are assigned to.

Configuration (YAML, JSON, TOML, INI, properties, ``.env``), shell, source code, XML, query strings, headers of HTTP and
sentences all write a name, something that assigns, and a value. The value alone is the find. The last word of the name
that says something decides what it is:

========  ==================================  =========================================================================
name      last word                           found as
========  ==================================  =========================================================================
password  password, passwd, pwd, passphrase,  ``password``; a plain word without quotes only where a line of
          Kennwort, contraseña, senha, …      configuration holds nothing else
secret    secret, credentials                 ``api_key`` when the value is random, ``password`` when it has letters
                                              and digits
key       API key, access key, …, token,      ``api_key`` when the value is random, or quoted and full of signs
          bearer
bare key  key, without a word before it       ``api_key`` when the value is random and has 20 characters or more
header    Authorization                       by its scheme: ``password`` for Basic, ``api_key`` for any other
========  ==================================  =========================================================================

What stands for a value is none: a variable, a template, a type, a call, a path, asterisks, words of documentation.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from oguardai.detection.detector import Detector, Near, Span
from oguardai.detection.entity import EntityType
from oguardai.detection.entropy import is_random
from oguardai.detection.validators import trim_url

TYPES = (
    EntityType("password", 1, locales=("de", "en", "es", "fr", "it", "pt"), source="RFC 7617, and names in common use"),
    EntityType("database_url", 1, source="RFC 3986 3.2.1"),
)

_REACH = 40  # characters of a name on either side of the word that was met
_QUOTED = 1024  # characters of a value in quotes
_BARE = 2048  # of one without

# --- patterns: a word of a name, the rest of the name, what assigns --------------------------------------------------

# One class of initials lets ``re`` skip ahead; what words it allows beside those meant, ``_kind`` refuses.
_PASSWORDS = r"[AaCcKkPpSs](?i:ass|wd|swd|ennwort|ontrase|lave|enha|ecret|redential|reds|uthorization)"
_KEYS = r"[AaBbCcKkSsTt](?i:ey|oken|earer|ecret|redential|reds|uthorization)"
_REST = r"(?P<rest>[A-Za-z0-9_.ñÑ-]{0,40})"
# Behind a name: the end of its quotes, of an index, of an array, the mark of what is optional.
_CLOSE = r"""(?P<close>(?:["'`]|\\{1,3}["'`]|\*\*)?\]?(?:\[[0-9]{0,4}\])?[?!]?)"""
# Every choice begins with one class, so that a name that goes on is left at once.
_SEPARATOR = (
    r"(?:(?P<equals>(?:[ \t]{1,30}[:.+!?=|-]|[:.+!?=|-])[:=|>*]{0,5}[ \t]{0,30})"
    r"""|(?P<value>[,; \t\r\n][ \t\r\n]{0,40}(?:\\{0,3}["'])?(?i:value)(?:\\{0,3}["'])?[ \t]{0,4}[:=][ \t]{0,4})"""
    r"|(?P<element>(?:[ \t][^<>]{0,60}>|>)[ \t\r\n]{0,20}(?:<(?:string|value)>)?|</key>[ \t\r\n]{0,20}<string>)"
    r"|(?P<is> {1,3}(?:is|lautet|ist|est|es|è|é) {1,3})"
    r"|(?P<comma>(?:[ \t]{1,4},|,)[ \t]{0,20})|(?P<call>\([ \t]{0,4})|(?P<blank>[ \t]{1,4}))"
)
_SIGN = re.compile(r"[:.+!?=|]{0,3}={1,3}>?|:(?:\*\*)?|->")
# Words between the name and what assigns: "the password for the guest network is …".
_FOR = r"(?: (?:for|of|to|at|on|from|für|von|vom|zum|pour|du|de|del|da|do|para|per|di)(?: [A-Za-z0-9@._-]{1,20}){1,3})?"
_IS = (
    r"(?: ?[:=]| (?:now |jetzt )?(?:is|was|lautet|lauten|ist|war|est|es|era|è|é|to|auf)"
    r"(?: now| set to| still| jetzt| maintenant| ahora)?:?) {1,4}"
)
_SENTENCE = (
    r"[CcKkPpSs](?P<name>(?i:assw(?:or[dt]|d)|assphrase|asscode|wd|asse|ennwort|ontrase(?:[ñÑ]|n|ny)a|lave|enha)s?)"
    rf"(?P<sep>{_FOR}{_IS})"
)

_ASSIGNMENT = re.compile(rf"(?P<core>{_PASSWORDS}|{_KEYS}){_REST}{_CLOSE}{_SEPARATOR}", re.ASCII)
_TOLD = re.compile(_SENTENCE, re.ASCII)

# --- names -----------------------------------------------------------------------------------------------------------

_BEFORE = re.compile(r"[A-Za-z0-9_.ñÑ-]++\Z")
_WORDS = re.compile(r"[A-ZÑ]+(?![a-zñ])|[A-ZÑ]?[a-zñ]+|[0-9]+")
_GLUED = (
    "access|admin|api|app|auth|bot|client|consumer|db|deploy|encryption|ftp|jwt|login|mail|master|my|mysql|oauth|pg|"
    "private|proxy|redis|refresh|root|secret|service|shared|signing|smtp|ssh|sql|user|webhook|x"
)
PASSWORD, SECRET, KEY, BARE, HEADER = "password", "secret", "key", "bare", "header"
_KINDS = (
    (re.compile(r"(?:.*(?:passw(?:or[dt]|d)|passphrase|passcode|kennwort|senha)|contrasen?[ñy]?a|clave)s?"), PASSWORD),
    (re.compile(rf"(?:{_GLUED})?(?:pass|pwd|pswd)"), PASSWORD),
    (re.compile(rf"(?:{_GLUED})?(?:secret[es]?|credentials?|creds)"), SECRET),
    (re.compile(rf"(?:{_GLUED})?tokens?|(?:{_GLUED})keys?|bearer"), KEY),
    (re.compile(r"keys?"), BARE),
    (re.compile(r"authorization"), HEADER),
)
# Words that make a key of something that has them before "key".
_QUALIFIERS = frozenset(
    (*_GLUED.split("|"), "account", "cipher", "aes", "hmac", "cookie", "crypto", "license", "sas", "security", "token")
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words behind the one that tells: the value is about it.
_ABOUT = _words(
    "file files filename path paths dir directory url uri endpoint length len size min max count id ids name names "
    "type types policy policies field fields label hint prompt placeholder reset expiry expires expire expiration "
    "expired ttl age required enabled disabled enable disable alg algs algorithm algorithms algo version header "
    "headers param parameter params regex pattern validator validation rule rules strength error errors message msg "
    "title help description desc exists match matches mismatch changed change updated date time timeout manager "
    "provider vault env var variable ref reference format mode source kind usage scope scopes input button page form "
    "link view list index press pressed board down up left right event frame selector pair ring chain stroke map "
    "range prefix suffix audience issuer limit limits budget used total offset class handler callback template bits "
    "number order by encryption encoder encoding alias aliases code word words chars charset "
    "characters supported needed visible "
    "visibility toggle confirmation storetype store mesh stone signature"
)
# Words before it: what anybody may know, or no key at all.
_PUBLIC = _words(
    "recv send trusted "
    "public pub next prev previous page continuation cursor primary foreign cache sort partition natural index idx "
    "hot schema sequence bucket object row csrf xsrf max min idempotency issuer accessibility"
)
# Words that say something else as well.
_SHORT = frozenset(("pass", "pwd", "clave", "passe"))
_SPACED = re.compile(r"([A-Za-z]{2,12})[ _-]\Z")


def _kind(text: str, start: int, end: int) -> str:
    """Return what a name says of its value; nothing for a name of something else."""
    words = [word.lower() for word in _WORDS.findall(text, start, end)]
    for place in reversed(range(len(words))):
        word = words[place]
        for pattern, kind in _KINDS:
            if pattern.fullmatch(word):
                before = words[place - 1] if place else ""
                if not before:
                    spaced = _SPACED.search(text, max(0, start - 14), start)
                    before = spaced[1].lower() if spaced else ""
                if before in _PUBLIC or (word in _SHORT and not before and words[place + 1 : place + 2]):
                    return ""
                if kind == BARE and before in _QUALIFIERS:
                    return SECRET if before == "secret" else KEY
                return kind
        if word in _ABOUT:
            return ""
    if words[-1:] == ["passe"] and (
        words[-3:-1] == ["mot", "de"] or text[max(0, start - 7) : start].lower() == "mot de "
    ):
        return PASSWORD
    return ""


# --- values ----------------------------------------------------------------------------------------------------------

# German, English and French quotes.
_CLOSERS = {
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u201d": "\u201d",
    "\u2018": "\u2019",
    "\u201a": "\u2018\u2019",
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab",
}
_OPEN = re.compile(
    r"""(?P<prefix>[BbFfLRrUu@$]{0,2})(?P<quote>\\{0,7}(?:\"{3}|'{3}|["'`])|\*\*|[""" + "".join(_CLOSERS) + "])"
)
_ANNOTATION = re.compile(
    r"""&?[A-Za-z_][A-Za-z0-9_.<>\[\]|?*]{0,30}(?: \| [A-Za-z.]{1,20})?[ \t]{0,4}=[ \t]{0,4}(?=[bru]?["'`])"""
)
_RUN = re.compile(rf"""[^\s"'`<>]{{1,{_BARE}}}""")
_JSON_RUN = re.compile(r"[^,)\]}]*+")
_WHOLE_RUN = re.compile(rf"\S{{1,{_BARE}}}")
_KEY_RUN = re.compile(rf"[A-Za-z0-9+/_.~%-][A-Za-z0-9+/_.~%=:-]{{0,{_BARE}}}")
_CUT = re.compile(r"\\+[nrt]|[&;,|](?:amp;)?(?=[A-Za-z][A-Za-z0-9_.% -]{0,30}=)")
_NESTED = re.compile(
    r"[A-Za-z0-9_.-]{0,20}(?i:pass|pwd|secret|token|key|bearer|senha|clave|kennwort|contrase)[A-Za-z0-9_.-]{0,20}[=:]"
)
# What cannot begin a value that is written without quotes, and what stands for one.
_CODE = re.compile(
    r"""(?x)
    \$\{|\$\(|\$[A-Za-z_]\w*(?:\W?\Z|::|->?|\[|\.\w+\()|&\#?\w+;
    |\$[0-9@*?]\Z|\{|\[|\(|%[({]|%[A-Za-z_]+%|&[A-Za-z]\w*\Z|@[A-Za-z_.]+\Z
    |\*[A-Za-z]\w*\Z|![A-Za-z!]+\Z|[|>][+-]?\Z|\#\Z|//|/\*|\\\Z|\.{1,2}/|~/|/[A-Za-z][\w.-]*/[\w./-]*\Z|[A-Za-z]:[\\/]
    |-{1,2}[A-Za-z]|[=:,;)\]}]
    |[A-Za-z_][\w.:>-]+[(\[]
    |(?:[A-Za-z_]\w*(?:\.|->|::)){1,8}[A-Za-z_]\w*\Z
    |(?:https?|file|vault|op|arn|ssm|secret|env|ref|keyring):
    """,
    re.ASCII,
)
_TEMPLATE = re.compile(
    r"""(?x)
    \$\{[\w.:$/ -]{1,80}\}|\$\(|\{\{[^{}]{1,80}\}\}|\{%|<%|\#\{|%\(\w{1,40}\)s|\A%[A-Za-z_]+%\Z|\A\$[A-Za-z_]\w*\Z
    |\A\$env:|\A(?:%[-+.0-9]*[a-zA-Z@]\W*)+\Z
    |\{(?:[A-Za-z_][\w.!]+|[0-9]?)\}|\A<[^<>]*>\Z|\A\[[^\[\]]*\]\Z|\A@[A-Za-z.]+\(|\AENC\(
    |\A(?:vault|op|arn|ssm|env|ref|secretsmanager|keyring|https?|file):
    |\A[a-z]+(?:[A-Z][a-z]+)*(?:Password|Passwd|Token|Secret|Key)\Z|\A[a-z_]+_(?:password|passwd|secret|token|key)\Z
    |\A[*.xX_•●?\#=~-]+\Z|\A\s*\Z
    |\A(?:~|\.{1,2}|[A-Za-z]:)?[\\/](?:[\w.-]+[\\/])+[\w.-]*\Z
    """,
    re.ASCII,
)
_DUMMY = re.compile(
    r"""(?xi)
    (?:\b|_)your(?:\b|_)|(?:\b|_)here\Z|change[-_ ]?me|place[-_ ]?holder|redacted|masked|\bdummy|fake|\Ainsert|\Areplace
    |\Aexample|\Asample\b|\Ato[-_ ]?do\b|\Afixme\b|\Atbd\b|x{4,}|\*{3,}|\.{3}|\A(?:my|the|some|new|old|user|db|enter)?
    [-_ ]?(?:(?:db|user|root|admin|secret|api|access|auth|client|repeat|confirm|current|new)[-_ ]?)*
    (?:passwords?|passwd|pwd|pass|pw|passwort|kennwort|contraseña|senha|clave|passphrase|passcode|token|key
    |credentials?|mot[ ]de[ ]passe|value)[ ]?[:?*.=]*\Z
    """,
    re.ASCII,
)
# Words that stand where a value would: of programs, of types, of documentation and of sentences.
_NO_VALUE = _words(
    "none null nil undefined true false yes no on off ok str string text bytes byte int integer number bool boolean "
    "char varchar any object optional union secretstr varbinary field list dict array data var const void auto self "
    "this cls required require requires nullable needed missing invalid valid incorrect correct wrong not never "
    "always empty blank unset set unknown expired reset changed change changes updated update created saved stored "
    "encrypted hashed hidden protected secure insecure weak strong short long too very also only case being been has "
    "had have was were will would can could must should may might shall does did do the a an that these those it its "
    "your my his her our their in at by for from of to with without and or but if when where which who what how why "
    "as is are be per via fail failed passed skip skipped sent shown used using same different there here more less "
    "than most least both all each every other another such unique available unavailable provided given generated "
    "random default new old next last first second please enter type choose confirm repeat input output prompt env "
    "environment file path plain plaintext cleartext md5 sha1 sha256 bcrypt scrypt argon2 base64 utf-8 utf8 inherit "
    "basic bearer oauth oauth2 jwt saml ldap kerberos digest negotiate falsch richtig korrekt ungültig gültig "
    "erforderlich notwendig abgelaufen leer sicher unsicher geändert zurückgesetzt nicht kein keine noch schon zu "
    "sehr der die das ein eine incorrecta incorrecto correcta correcto inválida válida requerida obligatoria vacía "
    "segura débil la el los invalide valide expiré requis obligatoire vide trop pas le les un une errata corretta "
    "scaduta obbligatoria richiesta vuota troppo non il lo errada inválido expirada obrigatória vazia muito não o os "
    "um uma gone lost forgotten public private known leaked compromised exposed safe easy hard simple complex "
    "important necessary mandatory accepted rejected denied allowed disabled enabled active inactive ready done "
    "broken working"
)
_PROSE = _words(
    "the a an is are be your my please enter must should for to of not required invalid incorrect password this that "
    "can cannot will was has have ist nicht der die das ein ihr le la votre est un une el su es"
)
_WORD = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'_.-]*")
_FIRST = re.compile(r"[|:, ]")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_HUMPS = re.compile(r"[A-Z][a-z]+[A-Z]|[a-z][A-Z]")
_STRONG = re.compile(r"[0-9!@#$%^&*+=?~]")
_LINE = re.compile(r"[\s>*#;/-]*(?:(?:export|set|setx|env|ENV|ARG|declare -x)[ \t]+)?\Z")


def _close(text: str, at: int, quote: str) -> int:
    """Return where a quoted value ends, or -1: before the same quotes, escaped as often as the opening ones."""
    stop = min(len(text), at + _QUOTED)
    closers = _CLOSERS.get(quote)
    if closers:
        ends = [end for closer in closers if (end := text.find(closer, at, stop)) >= 0]
        return min(ends, default=-1)
    mark = quote.lstrip("\\")
    escapes = len(quote) - len(mark)
    if len(mark) == 1:
        line = text.find("\n", at, stop)
        stop = line if line >= 0 else stop
    found = text.find(mark, at, stop)
    while found >= 0:
        slashes = 0
        while found - slashes > at and text[found - slashes - 1] == "\\":
            slashes += 1
        if slashes % (2 * escapes + 2) == escapes:
            return found - escapes
        found = text.find(mark, found + 1, stop)
    return -1


def _strip(text: str, start: int, end: int) -> int:
    """Return where a value without quotes ends, if what closes a sentence or a call is left out."""
    cut = _CUT.search(text, start, end)
    if cut:
        end = cut.start()
    while end > start:
        last = text[end - 1]
        opener = {")": "(", "]": "[", "}": "{"}.get(last)
        if last in ",;:.?" or (opener and text.count(last, start, end) > text.count(opener, start, end)):
            end -= 1
        else:
            break
    return end


def _is_stand_in(value: str) -> bool:
    return bool(
        _FIRST.split(value, 1)[0].lower() in _NO_VALUE
        or _TEMPLATE.search(value)
        or _DUMMY.search(value)
        or not any(character.isalnum() for character in value)
    )


def _is_quoted_password(value: str) -> bool:
    if len(value) < 3 or "\n" in value or _is_stand_in(value):
        return False
    if " " not in value:
        return True
    words = value.split()
    return len(words) <= 8 and value[-1] not in ".:?…" and _PROSE.isdisjoint(word.lower() for word in words)


def _is_bare_password(value: str, config: bool) -> bool:
    if len(value) < 4 or _CODE.match(value) or _is_stand_in(value) or _NESTED.match(value):
        return False
    if _STRONG.search(value):
        return config or not _CONSTANT.fullmatch(value)
    return config and not (_WORD.fullmatch(value) and _HUMPS.search(value))


def _is_key(value: str, least: int) -> bool:
    return is_random(value, least) and not _TEMPLATE.search(value) and not _DUMMY.search(value)


def _is_full_of_signs(value: str) -> bool:
    """Tell whether a quoted value is a key that is no base64: letters and at least three signs, no words."""
    signs = sum(not (c.isalnum() or c in "-_./: ") for c in value)
    return len(value) >= 10 and signs >= 3 and " " not in value and not _is_stand_in(value)


# --- what is assigned ------------------------------------------------------------------------------------------------

_TAG = re.compile(r"(?:<(?:[A-Za-z]{1,20}:)?|<(?:add|entry|item|param|property|setting|string)\s[^<>]{0,40}[\"'])\Z")
_LOGIN = re.compile(r"\b(?:login|user|account)[ \t]{1,4}\S{1,64}[ \t\r\n]{1,8}\Z")
_LINE_ENDS = re.compile(r"[ \t]*\r?(?:\n|\Z|\\n)|[ \t]+(?:#|;|//)")
_PHRASE = re.compile(r"[^\s#\"'=]+(?: [^\s#\"'=]+){2,11}(?=[ \t]*(?:\r?\n|\Z))")
_BASIC = re.compile(r"[A-Za-z0-9+/]{6,1024}={0,2}")
_SCHEME = re.compile(r"[\"'`]?(?i:(bearer|token|apikey|basic|key)) {1,4}")


_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PATH = re.compile(r"(?:/[a-z]|\.{1,2}/|~/)|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z", re.ASCII)
_SETTER = re.compile(r"(?:\b|[_.])(?:set|with)[A-Z_]", re.ASCII)
_LINE_REACH = 200


_REGEX = re.compile(r"[\[(\\]")


class _Said(NamedTuple):
    """Hold what a match says: the kind of its name, its span, the form of what assigns, where the value starts."""

    kind: str
    start: int
    end: int
    form: str
    sign: str
    name_quoted: bool
    at: int


def _read(text: str, start: int, end: int, kinds: tuple[str, ...]) -> _Said | None:
    if end >= len(text) or text[end] in "\r\n":
        return None
    match = _ASSIGNMENT.fullmatch(text, start, end)
    if match is None:
        return None
    form = match.lastgroup or ""
    if form == "equals" and not _SIGN.fullmatch(match["equals"].strip()):
        return None
    before = _BEFORE.search(text, max(0, start - _REACH), start)
    first = before.start() if before else start
    if form == "blank" and not (
        text.startswith("-", first)
        or _OPEN.match(text, end)
        or match["core"].lower() == "bearer"
        or _ANNOTATION.match(text, end)
        or _LOGIN.search(text, max(0, first - 80), first)
    ):
        return None
    kind = _kind(text, first, match.end("rest"))
    if kind not in kinds:
        return None
    if form == "element":
        opened = text.endswith("<key>", 0, first) or _TAG.search(text, max(0, first - 60), first)
        if not opened:
            return None
    shifted = _ANNOTATION.match(text, end) if form == "blank" or match[form].strip() == ":" else None
    if shifted:
        form = "equals"
    quoted = any(mark in match["close"] for mark in "\"'`")
    return _Said(kind, first, match.end("rest"), form, match[form], quoted, shifted.end() if shifted else end)


def _quoted(text: str, said: _Said) -> Span | None:
    """Return the span of a value in quotes or between tags."""
    at = said.at
    if said.form == "element":
        end = text.find("<", at, at + _QUOTED)
        return (at, at + len(text[at:end].rstrip())) if end > at and text.startswith("</", end) else None
    opened = _OPEN.match(text, at)
    if opened is None:
        return None
    quote = opened["quote"]
    start = opened.end()
    end = _close(text, start, quote)
    prefix = opened["prefix"].lower()
    if end <= start or (("f" in prefix or "$" in prefix) and "{" in text[start:end]):
        return None
    if "r" in prefix and _REGEX.search(text, start, end):
        return None
    if not said.name_quoted and quote in "\"'`":
        line = text.rfind("\n", max(0, said.start - _LINE_REACH), said.start) + 1
        line = line or max(0, said.start - _LINE_REACH)
        # The name stands in quotes itself, with words before it: the quotes end here.
        if (text.count(quote, line, said.start) - text.count("\\" + quote, line, said.start)) % 2:
            return None
    return start, end


def _is_config(text: str, said: _Said, end: int) -> bool:
    """Tell whether only configuration assigns an unquoted word in this way."""
    if said.name_quoted:
        return False
    name = text[said.start : said.end]
    tight = said.sign == "="
    if tight and (name.isupper() or name.startswith("--") or text[said.start - 1 : said.start] in ("?", "&", ";")):
        return True
    if not _LINE_ENDS.match(text, end):
        return False
    return said.form == "value" or _is_config_line(text, said)


def _is_config_line(text: str, said: _Said) -> bool:
    line = text.rfind("\n", max(0, said.start - _LINE_REACH), said.start) + 1
    if said.name_quoted or (not line and said.start > _LINE_REACH):
        return False
    head = text[line : said.start]
    sign = said.sign.strip()
    return _LINE.fullmatch(head) is not None and (sign == ":" or said.sign == "=" or (sign == "=" and not head))


def _password(text: str, start: int, end: int) -> Span | None:
    said = _read(text, start, end, (PASSWORD, SECRET, HEADER))
    if said is None:
        return None
    if said.kind == HEADER:
        return _basic(text, said.at)
    span = _quoted(text, said)
    if span:
        value = text[slice(*span)]
        if (said.form == "comma" and not _is_pair(text, said, span[1])) or (
            said.form in ("blank", "call", "is") and text[said.start : said.end].lower() in _SHORT
        ):
            return None
        if said.form == "call" and not _is_plain_form(text, said):
            return None
        strong = _STRONG.search(value) is not None and " " not in value
        if said.kind == SECRET and not (strong and len(value) >= 6 and re.search("[A-Za-z]", value)):
            return None
        if said.kind == SECRET and (_is_key(value, 12) or _is_full_of_signs(value)):
            return None
        return span if _is_quoted_password(value) and (strong or _is_plain_form(text, said)) else None
    if _OPEN.match(text, said.at) or said.form in ("comma", "call", "is", "element"):
        return None
    return _bare_password(text, said)


def _is_plain_form(text: str, said: _Said) -> bool:
    """Tell whether a word in quotes is a value, though nothing of it says so."""
    if said.form == "call":
        return _SETTER.search(text, said.start, said.end) is not None
    if said.form == "blank":
        return text[said.start : said.end].isupper() or text.startswith("-", said.start)
    return said.form not in ("comma", "is")


def _is_pair(text: str, said: _Said, end: int) -> bool:
    """Tell whether nothing but a name and a value stands in the brackets, as in ``define('NAME', 'value')``."""
    return said.name_quoted and text[said.start - 2 : said.start - 1] == "(" and text[end + 1 : end + 2] == ")"


def _bare_password(text: str, said: _Said) -> Span | None:
    at = said.at
    if _CODE.match(text, at, at + 64) or _NESTED.match(text, at):
        return None
    run = _RUN.match(text, at)
    if run is None:
        return None
    end = _strip(text, at, run.end())
    if said.name_quoted:
        end = _JSON_RUN.match(text, at, end).end()  # type: ignore[union-attr]
        if _IDENTIFIER.fullmatch(text, at, end):
            return None
    config = _is_config(text, said, end)
    if "phrase" in text[said.start : said.end].lower() and config is False:
        phrase = _PHRASE.match(text, at)
        if phrase and not said.name_quoted and _PROSE.isdisjoint(phrase[0].lower().split()):
            return at, phrase.end()
    if _is_config_line(text, said) and text[run.end() : run.end() + 1] in ("<", ">", "'", '"', "`"):
        whole = _WHOLE_RUN.match(text, at)
        if whole and _LINE_ENDS.match(text, whole.end()) and _STRONG.search(whole[0]):
            end = at + len(whole[0].rstrip("\"'`,;"))
    value = text[at:end]
    if said.kind == SECRET and (len(value) < 6 or not _STRONG.search(value) or _is_key(value, 12)):
        return None
    return (at, end) if _is_bare_password(value, config and said.kind == PASSWORD) else None


def _basic(text: str, at: int) -> Span | None:
    """Return the credentials of the Basic scheme (RFC 7617 2), when they decode to what they must."""
    scheme = _SCHEME.match(text, at)
    found = _BASIC.match(text, scheme.end()) if scheme and scheme[1].lower() == "basic" else None
    if found is None:
        return None
    try:
        decoded = base64.b64decode(found[0] + "=" * (-len(found[0]) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return found.span() if b":" in decoded else None


def _key(text: str, start: int, end: int) -> Span | None:
    said = _read(text, start, end, (KEY, BARE, SECRET, HEADER))
    if said is None:
        return None
    least = 20 if said.kind == BARE else 12 if said.form in ("equals", "value", "element") else 16
    at = said.at
    if said.kind == HEADER:
        scheme = _SCHEME.match(text, at)
        if scheme and scheme[1].lower() == "basic":
            return None
        at, least = (scheme.end(), 12) if scheme else (at, 20)
    else:
        span = _quoted(text, said)
        if span:
            value = text[slice(*span)]
            if (said.form == "comma" and not _is_pair(text, said, span[1])) or (
                said.form == "call" and not _is_plain_form(text, said)
            ):
                return None
            return span if _is_key(value, least) or (said.kind != BARE and _is_full_of_signs(value)) else None
        scheme = _SCHEME.match(text, at)
        at = scheme.end() if scheme and scheme[1].lower() == "bearer" else at
    if said.form in ("comma", "call", "element") or _NESTED.match(text, at):
        return None
    run = _KEY_RUN.match(text, at)
    if run is None or text[run.end() : run.end() + 1] in ("(", "[", "{"):
        return None
    stop = _strip(text, at, run.end())
    value = text[at:stop]
    return (at, stop) if _is_key(value, least) and not _PATH.match(value) else None


# --- sentences -------------------------------------------------------------------------------------------------------

_MINE = re.compile(
    r"(?i:\b(?:my|our|mein|meine|unser|mon|notre|mi|nuestra|minha|nossa|mia|nostra))[ ](?:[A-Za-z-]{1,20}[ ])?\Z"
)
_SENTENCE_ENDS = re.compile(r"[.!,;]?(?:\s*\Z|[ \t]*\n|[.!,;]\s)")


def _told(text: str, start: int, end: int) -> Span | None:
    match = _TOLD.fullmatch(text, start, end)
    if match is None or end >= len(text) or text[end] in "\r\n" or (start and text[start - 1].isalpha()):
        return None
    name = match["name"].lower()
    if name.startswith("asse") and not text[max(0, start - 7) : start].lower().endswith("mot de "):
        return None
    said = _Said(PASSWORD, start, match.end("name"), "is", match["sep"], False, end)
    span = _quoted(text, said)
    if span:
        return span if _is_quoted_password(text[slice(*span)]) else None
    run = None if _OPEN.match(text, end) else _RUN.match(text, end)
    if run is None:
        return None
    stop = _strip(text, end, run.end())
    value = text[end:stop]
    if len(value) < 4 or not _is_bare_password(value, True):
        return None
    if _STRONG.search(value.rstrip("!?")):
        return end, stop
    mine = _MINE.search(text, max(0, start - 32), start)
    plain = value.islower() and value not in ("secret", "public", "private") and not value.endswith("ed")
    return (end, stop) if mine and plain and _SENTENCE_ENDS.match(text, stop) else None


# --- comparisons -----------------------------------------------------------------------------------------------------

_COMPARISON = r"(?:\"[^\"\\\r\n]{3,128}\"|'[^'\\\r\n]{3,128}')[ ]?[!=]==?[ ]?[$]?[A-Za-z_][A-Za-z0-9_.]{2,60}"
_COMPARED = re.compile(r"[\"'](?P<value>.*)[\"'][ ]?[!=]==?[ ]?[$]?(?P<name>[A-Za-z0-9_.]+)")


def _compared(text: str, start: int, end: int) -> Span | None:
    match = _COMPARED.fullmatch(text, start, end)
    kind = _kind(text, *match.span("name")) if match else ""
    if match is None or kind not in (PASSWORD, SECRET, KEY):
        return None
    value = match["value"]
    # A word is compared with a token in every parser.
    good = _is_quoted_password(value) if kind == PASSWORD else _is_key(value, 12) or _is_full_of_signs(value)
    return match.span("value") if good else None


# --- URLs ------------------------------------------------------------------------------------------------------------

_URL_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,15}:)?[A-Za-z][A-Za-z0-9+.-]{0,30}\Z")
_PLAIN_WORD = re.compile(r"[A-Za-z]+")
_URL_REST = re.compile(r"[^\s\"'`<>{}|\\^]*+")


def _url(text: str, start: int, end: int) -> Span | None:
    """Take the whole URL, if it has a password that is no variable."""
    scheme = _URL_SCHEME.search(text, max(0, start - 47), start + 1)
    if scheme is None:
        return None
    secret = text[start:end].rpartition("@")[0].partition(":")[2].partition(":")[2]
    if _TEMPLATE.search(secret) or (_DUMMY.search(secret) and not _PLAIN_WORD.fullmatch(secret)):
        return None
    if text.startswith("sha256:", end - 1):
        return None
    rest = _URL_REST.match(text, end)
    return trim_url(text, scheme.start(), rest.end() if rest else end)


# --- the table -------------------------------------------------------------------------------------------------------

_NAMES = Near(
    ("pass", "pwd", "pswd", "kennwort", "contrase", "clave", "senha", "secret", "credential", "creds", "token", "key",
     "bearer", "authorization"),
    before=0,
    after=128,
    fold=True,
)  # fmt: skip

DETECTORS = (
    Detector(
        name="password_assignment",
        type="password",
        pattern=f"{_PASSWORDS}{_REST}{_CLOSE}{_SEPARATOR}",
        sample="password=hunter2",
        trigger=_NAMES,
        confidence=0.8,
        refine=_password,
    ),
    Detector(
        name="key_assignment",
        type="api_key",
        pattern=f"{_KEYS}{_REST}{_CLOSE}{_SEPARATOR}",
        sample="token=" + "a1b2c3d4" * 3,
        trigger=_NAMES,
        confidence=0.8,
        refine=_key,
    ),
    Detector(
        name="password_sentence",
        type="password",
        pattern=_SENTENCE,
        sample="password is hunter2",
        trigger=_NAMES,
        confidence=0.6,
        refine=_told,
    ),
    Detector(
        name="password_compared",
        type="password",
        pattern=_COMPARISON,
        sample="'hunter2' == password",
        trigger=Near(("==", "!="), before=134, after=70),
        confidence=0.8,
        refine=_compared,
    ),
    Detector(
        name="url_with_password",
        type="database_url",
        # RFC 3986 3.2.1; the scheme stands before, ``_url`` reads it. A password may hold an "@" that nobody escaped.
        pattern=r"[A-Za-z0-9]://[^\s/?#:@\"'`<>(){}|\\^]{0,128}:[^\s/?\"'`<>]{1,256}@[A-Za-z0-9\[_-]",
        sample="x://user:hunter2@db.example.com/name",
        trigger=Near(("://",), before=5, after=400),
        hint=r"://[^\s/?#:@\"'`<>(){}|\\^]*:[^\s/?\"'`<>]+@",
        confidence=0.95,
        refine=_url,
    ),
)
