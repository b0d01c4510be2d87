"""Declare the detectors of e-mail addresses and telephone numbers."""

from __future__ import annotations

import re

from oguardai.detection import phones, validators
from oguardai.detection.detector import ALNUM, WEAK, Code, Detector, Digit, Digits, Prefix, Span

# Letters of the scripts that domain names are written in, beside ASCII. Without the CJK scripts for the local
# part: they write no spaces, so that the words before an address would become a part of it.
_LETTERS = (
    "\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u0531-\u0587\u05d0-\u05ea\u0620-\u064a\u0900-\u0dff\u0e00-\u0eff"
    "\u10a0-\u10ff\u1e00-\u1fff"
)
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_LOCAL_SIGNS = ".%+'&~!#$*-"  # beside letters, digits and underscores; the first character is none of them
_NOT_LOCAL = re.compile(rf"[^A-Za-z0-9_{_LETTERS}{re.escape(_LOCAL_SIGNS)}]")
_MOST_LOCAL = 64  # RFC 5321 4.5.3.1.1
_LABEL = rf"[A-Za-z0-9{_LETTERS}{_CJK}][A-Za-z0-9{_LETTERS}{_CJK}_-]{{0,62}}"
_TLD = rf"(?:[Xx][Nn]--[A-Za-z0-9-]{{2,59}}|[A-Za-z]{{2,63}}|[{_LETTERS}{_CJK}]{{2,20}})"

_CONTEXT = (
    "*phone*", "*fon", "*fono", "tel", "tél", "tlf", "telef*", "téléph*", "mobil*", "móvil", "movil",
    "cell*", "handy*", "rufnummer*", "durchwahl", "call*", "dial*", "ring", "fax*", "whatsapp", "signal",
    "sms", "text me", "rufen", "anruf*", "appel*", "llam*", "chiam*", "contact*", "kontakt*", "hotline",
    "reach", "answering",
    "cep", "gsm", "celular*", "telemóvel", "telemovel", "komórk*", "puhelin*", "телефон*",
    "*電話*", "*전화*", "*휴대폰*", "*手机*", "*电话*", "*โทร*",
)  # fmt: skip
# Where nothing else says that a number is a telephone's.
_ANY_NUMBER = (
    *_CONTEXT, "number is", "numbers are", "number:", "nummer ist", "nummer:", "numéro est", "número es", "numero è",
)  # fmt: skip
_CONTEXT_BEHIND = ("office", "fax", "mobile", "mobil", "cell", "phone", "home", "work", "tel")
_VETO = (
    "order*", "invoice*", "account", "acct", "routing", "tracking", "ticket*", "case", "policy", "member*",
    "serial*", "ref*", "id", "ssn", "social security*", "passport*", "licen*", "iban", "bic", "card*",
    "isbn", "issn", "version", "bestell*", "rechnung*", "konto*", "kunden*", "commande", "facture",
    "pedido", "factura", "ordine", "fattura", "vat", "tax*", "sku", "zip", "postal", "npi", "dea", "imei",
    "vin", "part", "article", "model", "batch", "lot", "permit*", "aadhaar", "itin", "national", "ein",
    "tin", "sin", "nhs",
)  # fmt: skip
_TURKISH = ("tel", "telefon*", "cep", "gsm", "numara*", "phone*", "mobile*", "ara", "turk*", "türk*")
_EXTENSION = r"(?: ?(?:x|ext\.? ?|extension )[0-9]{1,6})?"
_SEP = r"[ .-]"
_NOT_BEFORE = ALNUM | frozenset("+_#$€£%=&/")
_NOT_AFTER = ALNUM | frozenset("_%€$£@")


def _with_local_part(text: str, start: int, end: int) -> Span | None:
    """Extend a domain by the local part before it (RFC 6531 3.3), if there is one."""
    before = text[max(0, start - _MOST_LOCAL) : start]
    first = 0
    for other in _NOT_LOCAL.finditer(before, before.rfind(" ") + 1):
        first = other.end()
    local = before[max(first, before.rfind(" ") + 1) :].lstrip(_LOCAL_SIGNS)
    return (start - len(local), end) if local else None


DETECTORS = (
    Detector(
        name="email",
        type="email",
        # From the sign on; ``refine`` looks for what stands before it.
        pattern=rf"@(?:{_LABEL}\.){{1,8}}{_TLD}",
        sample="a@b.cd",
        trigger=Prefix(("@",)),
        hint="@",
        confidence=0.95,
        refine=_with_local_part,
        validate=validators.is_email,
    ),
    Detector(
        name="phone_international",
        type="phone",
        pattern=r"\+ ?(?:\([0-9]{1,4}\)|[0-9])(?:[ ().\-/]{0,3}[0-9]){6,16}" + _EXTENSION,
        sample="+49 30 1234567",
        trigger=Prefix(("+",)),
        confidence=0.8,
        refine=phones.trim_international,
        not_before=ALNUM | frozenset("+/="),
        not_after=ALNUM | {"_"},
        context=_CONTEXT,
    ),
    Detector(
        name="phone_international_00",
        type="phone",
        pattern=r"0(?:0|11)[ -]?[1-9](?:[ ().\-/]{0,3}[0-9]){6,16}" + _EXTENSION,
        sample="0049 30 1234567",
        trigger=Digit(r"0(?<![0-9A-Za-z.-].)(?:0|11)[ -]?[1-9]", back=(0,)),
        confidence=0.45,
        refine=phones.trim_international,
        not_before=_NOT_BEFORE | frozenset(".-"),
        not_after=_NOT_AFTER,
        context=_CONTEXT,
        veto=_VETO,
    ),
    Detector(
        name="phone_us",
        type="phone",
        pattern=(
            r"(?:1[ .-])?(?:\([2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[ .-]?[0-9]{4}"
            r"|[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}|[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}"
            r"|[2-9][0-9]{2} [2-9][0-9]{2}[ -][0-9]{4})" + _EXTENSION
        ),
        sample="415-555-0132",
        trigger=Digits(before=1, tail=True),
        confidence=0.65,
        refine=phones.trim_separate,
        not_before=_NOT_BEFORE | frozenset("-."),
        not_after=_NOT_AFTER,
        context=_CONTEXT,
        veto=_VETO,
    ),
    Detector(
        name="phone_trunk",
        type="phone",
        # The trunk prefix 0 and groups: 030/1234567, 06 12 34 56 78, 020 7946 0958, (0176) 1234567.
        pattern=(
            rf"(?:0[1-9][0-9]{{0,4}}|\(0[1-9][0-9]{{0,4}}\))(?:{_SEP}|/| / )?[0-9]{{2,8}}"
            rf"(?:{_SEP}?[0-9]{{2,6}}){{0,4}}"
        ),
        sample="030/1234567",
        trigger=Digit(r"0(?<![0-9A-Za-z.-].)[1-9]", back=(1, 0)),
        confidence=0.55,
        refine=phones.trim_trunk,
        not_before=_NOT_BEFORE | frozenset("-."),
        not_after=_NOT_AFTER,
        context=_CONTEXT,
        veto=_VETO,
    ),
    Detector(
        name="phone_in_context",
        type="phone",
        pattern=r"(?:[0-9]|\()(?:[ ().\-/]{0,3}[0-9]){5,14}" + _EXTENSION,
        sample="4960664",
        trigger=Digits(before=1, tail=True),
        confidence=0.2,
        refine=phones.trim_in_context,
        not_before=_NOT_BEFORE | frozenset("-."),
        not_after=_NOT_AFTER,
        context=_ANY_NUMBER,
        context_behind=_CONTEXT_BEHIND,
        needs_context=True,
        veto=_VETO,
    ),
    Detector(
        name="tr_phone_international",
        type="tr_phone",
        pattern=r"\+90[ -]?(?:\([0-9]{3}\)|[0-9]{3})(?:[ -]?[0-9]){7}",
        sample="+90 532 123 45 67",
        trigger=Prefix(("+90",)),
        confidence=0.75,  # less than that of a phone: it is one, and found as such unless only this type is wanted
        validate=phones.is_turkish,
        not_before=ALNUM | frozenset("+/="),
        not_after=ALNUM | {"_"},
    ),
)

CODES = (
    Code(
        name="tr_phone",
        type="tr_phone",
        layouts=("99999999999", "9999 999 99 99", "9999 999 9999", "9999-999-99-99"),
        sample="0532 123 45 67",
        confidence=0.1,
        validate=phones.is_turkish,
        checksum=WEAK,  # not a digit, but one in fifty numbers of this length has the prefixes
        context=_TURKISH,
    ),
    Code(
        name="tr_phone_without_trunk",
        type="tr_phone",
        layouts=("9999999999", "999 999 99 99", "999-999-99-99"),
        sample="532 123 45 67",
        confidence=0.1,
        validate=phones.is_turkish,
        checksum=WEAK,
        context=_TURKISH,
    ),
)
