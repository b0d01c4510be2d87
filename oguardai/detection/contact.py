"""Declare the detectors of e-mail addresses and telephone numbers."""

from __future__ import annotations

from oguardai.detection import phones, validators
from oguardai.detection.detector import ALNUM, Detector, Digits, Near, Prefix

# Letters of the scripts that domain names are written in, beside ASCII. Without the CJK scripts for the local
# part: they write no spaces, so that the words before an address would become a part of it.
_LETTERS = (
    "\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u0531-\u0587\u05d0-\u05ea\u0620-\u064a\u0900-\u0dff\u0e00-\u0eff"
    "\u10a0-\u10ff\u1e00-\u1fff"
)
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_LOCAL = rf"[A-Za-z0-9_{_LETTERS}][A-Za-z0-9_{_LETTERS}.%+'&~!#$*-]{{0,63}}"
_LABEL = rf"[A-Za-z0-9{_LETTERS}{_CJK}][A-Za-z0-9{_LETTERS}{_CJK}_-]{{0,62}}"
_TLD = rf"(?:[Xx][Nn]--[A-Za-z0-9-]{{2,59}}|[A-Za-z]{{2,63}}|[{_LETTERS}{_CJK}]{{2,20}})"

_CONTEXT = (
    "*phone*", "*fon", "*fono", "tel", "tél", "tlf", "telef*", "téléph*", "mobil*", "móvil", "movil",
    "cell*", "handy*", "rufnummer*", "durchwahl", "call*", "dial*", "ring", "fax*", "whatsapp", "signal",
    "sms", "text me", "rufen", "anruf*", "appel*", "llam*", "chiam*", "contact*", "kontakt*", "hotline",
    "reach", "answering", "number is", "numbers are", "number:", "nummer ist", "nummer:", "numéro est",
    "número es", "numero è",
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
_EXTENSION = r"(?: ?(?:x|ext\.? ?|extension )[0-9]{1,6})?"
_SEP = r"[ .-]"
_NOT_BEFORE = ALNUM | frozenset("+_#$€£%=&/")
_NOT_AFTER = ALNUM | frozenset("_%€$£@")

DETECTORS = (
    Detector(
        name="email",
        type="email",
        pattern=rf"{_LOCAL}@(?:{_LABEL}\.){{1,8}}{_TLD}",
        sample="a@b.cd",
        trigger=Near(("@",), before=65, after=256),
        confidence=0.95,
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
        trigger=Digits(9, tail=True),
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
        trigger=Digits(10, before=1, tail=True),
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
        trigger=Digits(9, before=1),
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
        pattern=r"(?:[0-9]|\([0-9])(?:[ ().\-/]{0,3}[0-9]){5,14}" + _EXTENSION,
        sample="4960664",
        trigger=Digits(6, before=1, tail=True),
        confidence=0.45,
        refine=phones.trim_in_context,
        not_before=_NOT_BEFORE | frozenset("-."),
        not_after=_NOT_AFTER,
        context=_CONTEXT,
        context_behind=_CONTEXT_BEHIND,
        needs_context=True,
        veto=_VETO,
    ),
)
