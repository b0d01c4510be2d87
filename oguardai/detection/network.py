"""Declare the detectors of addresses in networks: URL, IP, MAC, and of UUIDs."""

from __future__ import annotations

from oguardai.detection import validators
from oguardai.detection.detector import ALNUM, Detector, Digits, Near, Prefix, Span

_HEX_PAIR = r"[0-9A-Fa-f]{2}"
_OCTET = r"[0-9]{1,3}"
# What RFC 3986 and 3987 let stand in a URL, but no quote, since URLs are quoted with it, and no CJK punctuation.
_URL_REST = "[^\x00-\x20\x7f-\xa0\"'<>\\\\^`{|}\u00ab\u00bb\u2018-\u201f\u2026\u3001-\u303f\uff01-\uffef]*"
_URL_HOST = "(?:[A-Za-z0-9\u00c0-\u1fff\u3040-\ud7a3]|\\[[0-9A-Fa-f]{0,4}:)"
_URL_USER = r"(?:[A-Za-z0-9_.~%!$&*+=-]{0,64}(?::[A-Za-z0-9_.~%!$&*+=-]{0,64})?@)?"
_SCHEMES = "(?i:https?|s?ftp|ftps|wss?)"

# Top-level domains under which bare names are believed (IANA root zone): those that are as often the end of a file name
# (.py, .md, .sh, .pl, .rs, .so), an attribute (.info, .name, .id, .app, .io) or a word (.is, .no, .to) take a scheme or
# "www." before them.
_TLDS = frozenset((
    "com", "org", "net", "edu", "gov", "mil", "eu", "de", "fr", "uk", "es", "nl", "ch", "se", "fi", "dk", "cz", "pt",
    "gr", "hu", "ru", "ua", "jp", "cn", "kr", "tw", "hk", "br", "mx", "ar", "cl", "au", "nz", "za", "ca", "tr", "biz",
    "museum", "online", "shop", "club", "webcam", "vlaanderen", "berlin", "london", "paris",
))  # fmt: skip  # fmt: skip

_extend_by_scheme = validators.extend_back(_SCHEMES, 5)


def _with_scheme(text: str, start: int, end: int) -> Span | None:
    """Extend a URL by its scheme, and leave out what belongs to the sentence."""
    span = _extend_by_scheme(text, start, end)
    return validators.trim_url(text, *span) if span else None


def _domain(text: str, start: int, end: int) -> Span | None:
    """Extend a known top-level domain by the host name before it."""
    return validators.trim_domain(text, start, end) if text[start + 1 : end].lower() in _TLDS else None


DETECTORS = (
    Detector(
        name="domain",
        type="domain",
        # Only the end; ``refine`` looks for the beginning, since most of what ends so is an address or a URL.
        pattern=r"\.[A-Za-z]{2,10}",
        sample="example.com",
        trigger=Prefix((".",)),
        hint=rf"(?i:\.(?:{'|'.join(sorted(_TLDS))}))",
        confidence=0.6,
        refine=_domain,
        not_after=ALNUM | frozenset("-_@(/:=["),
        context=("domain*", "website*", "site*", "visit", "homepage", "web", "url", "host*", "webseite*", "sitio"),
    ),
    Detector(
        name="url",
        type="url",
        # From the colon on; ``refine`` looks for the scheme.
        pattern="://" + _URL_USER + _URL_HOST + _URL_REST,
        sample="https://example.com/",
        trigger=Prefix(("://",)),
        hint=_SCHEMES + "://",
        confidence=0.9,
        refine=_with_scheme,
    ),
    Detector(
        name="url_www",
        type="url",
        pattern=r"[Ww][Ww][Ww]\.[A-Za-z0-9-]{1,63}\.[A-Za-z]" + _URL_REST,
        sample="www.example.com",
        trigger=Near(("www.",), before=0, after=400, fold=True),
        confidence=0.8,
        refine=validators.trim_url,
        not_before=ALNUM | frozenset("@.-_/"),
    ),
    Detector(
        name="ipv4",
        type="ip",
        pattern=rf"[0-9][0-9]{{0,2}}(?:\.{_OCTET}){{3}}",
        sample="192.0.2.1",
        trigger=Digits(),
        confidence=0.8,
        refine=validators.trim_ipv4,
        not_before=ALNUM | {"."},
        not_after=ALNUM,
        context=("ip", "ipv4", "host*", "server*", "addr*", "client", "remote*", "from"),
        veto=("section*", "chapter", "clause", "release", "pkg*", "package*"),
    ),
    Detector(
        name="ipv6",
        type="ip",
        pattern=(
            r"(?:[0-9A-Fa-f]{0,4}:){2,7}"
            rf"(?:{_OCTET}(?:\.{_OCTET}){{3}}|[0-9A-Fa-f]{{0,4}})"
        ),
        sample="2001:db8::1",
        trigger=Near((":",), before=4, after=48),
        confidence=0.85,
        refine=validators.trim_ipv6,
        not_before=ALNUM | frozenset(":."),
        not_after=ALNUM,
        context=("ip", "ipv6", "host*", "server*", "addr*"),
    ),
    Detector(
        name="mac_colon",
        type="mac",
        pattern=rf"(?:{_HEX_PAIR}:){{5}}{_HEX_PAIR}",
        sample="00:1a:2b:3c:4d:5e",
        trigger=Near((":",), before=2, after=20),
        confidence=0.85,
        validate=validators.is_mac,
        not_before=ALNUM | frozenset(":-"),
        not_after=ALNUM | frozenset(":-"),
        context=("mac", "macs", "hardware", "ethernet", "hwaddr", "physical"),
    ),
    Detector(
        name="mac_dash",
        type="mac",
        pattern=rf"(?:{_HEX_PAIR}-){{5}}{_HEX_PAIR}",
        sample="00-1a-2b-3c-4d-5e",
        trigger=Near(("-",), before=2, after=20),
        confidence=0.75,
        validate=validators.is_mac,
        not_before=ALNUM | frozenset(":-"),
        not_after=ALNUM | frozenset(":-"),
        context=("mac", "macs", "hardware", "ethernet", "hwaddr", "physical"),
    ),
    Detector(
        name="mac_cisco",
        type="mac",
        pattern=r"\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}",
        sample="001a.2b3c.4d5e",
        trigger=Prefix((".",)),
        confidence=0.6,
        refine=validators.extend_back("[0-9A-Fa-f]{4}", 4, "0-9A-Za-z.-"),
        validate=validators.is_cisco_mac,
        not_after=ALNUM | frozenset("-"),
        context=("mac", "macs", "hardware", "ethernet", "hwaddr", "physical"),
    ),
    Detector(
        name="uuid",
        type="uuid",
        pattern=r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
        sample="123e4567-e89b-12d3-a456-426614174000",
        trigger=Near(("-",), before=8, after=30),
        confidence=0.9,
        not_before=ALNUM | {"-"},
        not_after=ALNUM | {"-"},
    ),
)
