"""Judge candidates by check digits, ranges and structure. Each call is bounded by the candidate's length."""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
from bisect import bisect_right

from oguardai.detection.detector import ALNUM, DIGITS, Refine, Span

_NOT_DIGITS = re.compile(r"[^0-9]+")


def extend_back(before: str, longest: int, not_before: str = "0-9A-Za-z") -> Refine:
    """Return what extends a match by what must stand before it: at most ``longest`` characters, of no longer run.

    So a pattern can begin with its rarest character, to which ``re`` skips.
    """
    pattern = re.compile(rf"(?<![{not_before}])(?:{before})\Z", re.ASCII)

    def refine(text: str, start: int, end: int) -> Span | None:
        found = pattern.search(text, max(0, start - longest), start)
        return (found.start(), end) if found else None

    return refine


# Digit sums of the doubled ASCII digits, for bytes.translate.
_DOUBLED = bytes(sum(divmod(2 * (i - 48), 10)) if 48 <= i <= 57 else 0 for i in range(256))


def is_luhn(digits: str) -> bool:
    """Check the last digit by the Luhn formula (ISO/IEC 7812-1, annex B)."""
    octets = digits.encode("ascii")
    plain = octets[::-2]
    return (sum(plain) - 48 * len(plain) + sum(octets[-2::-2].translate(_DOUBLED))) % 10 == 0


# First and last six-digit prefix, and lengths, of the issuers' ranges (ISO/IEC 7812, as the networks publish
# them).
_ISSUERS = (
    (400000, 499999, (13, 16, 19)),  # Visa
    (222100, 272099, (16,)),  # Mastercard, series 2
    (510000, 559999, (16,)),  # Mastercard
    (340000, 349999, (15,)),  # American Express
    (370000, 379999, (15,)),  # American Express
    (300000, 305999, (14, 16, 17, 18, 19)),  # Diners Club
    (309500, 309599, (14, 16, 17, 18, 19)),  # Diners Club
    (360000, 369999, (14, 15, 16, 17, 18, 19)),  # Diners Club
    (380000, 399999, (14, 16, 17, 18, 19)),  # Diners Club
    (352800, 358999, (16, 17, 18, 19)),  # JCB
    (180000, 180099, (15,)),  # JCB, old
    (213100, 213199, (15,)),  # JCB, old
    (601100, 601199, (16, 17, 18, 19)),  # Discover
    (644000, 659999, (16, 17, 18, 19)),  # Discover
    (620000, 629999, (16, 17, 18, 19)),  # UnionPay, Discover
    (810000, 817199, (16, 17, 18, 19)),  # UnionPay
    (220000, 220499, (16, 17, 18, 19)),  # Mir
    (979200, 979289, (16,)),  # Troy
    (500000, 509999, (13, 14, 15, 16, 17, 18, 19)),  # Maestro, Verve, Elo
    (560000, 589999, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (600000, 600999, (16, 17, 18, 19)),  # RuPay, Hipercard
    (630000, 639999, (13, 14, 15, 16, 17, 18, 19)),  # Maestro, InstaPayment
    (670000, 679999, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
)


_RANGES = tuple(sorted(_ISSUERS))
_LOWS = tuple(low for low, _, _ in _RANGES)


def is_card_number(digits: str) -> bool:
    """Check the issuer's range, its lengths and the Luhn digit."""
    prefix = int(digits[:6])
    low, high, sizes = _RANGES[bisect_right(_LOWS, prefix) - 1]
    return low <= prefix <= high and len(digits) in sizes and is_luhn(digits)


def trim_card(text: str, start: int, end: int) -> Span | None:
    """Accept a card number that is no part of a decimal or of a longer grouped number.

    A short last group may belong to what follows the card (a security code, a date) and is then left out.
    """
    if start > 1 and text[start - 1] in ".-" and text[start - 2] in DIGITS:
        return None
    if text[end : end + 1] in ("-", ".") and text[end + 1 : end + 2] in DIGITS and end + 1 < len(text):
        return None
    value = text[start:end]
    digits = _NOT_DIGITS.sub("", value)
    # Cut in the middle of a group, it is not the whole number; the groups before may be.
    if (end == len(text) or text[end] not in DIGITS) and is_card_number(digits):
        return start, end
    cut = value.rfind(" ")
    if len(value) - cut > 4 or cut < 0:
        return None
    digits = _NOT_DIGITS.sub("", value[:cut])
    return (start, start + len(value[:cut].rstrip())) if is_card_number(digits) else None


def is_ssn(value: str) -> bool:
    """Apply the rules of issue: no area 000, 666 or 9xx, no group 00, no serial 0000.

    Source: Social Security Administration, POMS RM 10201. The numbers that advertisements made famous are refused
    too; they are nobody's.
    """
    digits = _NOT_DIGITS.sub("", value)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return False
    return digits not in ("078051120", "219099999", "123456789") and len(set(digits)) > 1


def is_email(value: str) -> bool:
    """Check lengths and dots (RFC 5321 4.1.2 and 4.5.3.1), and refuse file names such as ``icon@2x.png``."""
    local, _, domain = value.rpartition("@")
    if len(local) > 64 or len(domain) > 255 or ".." in local or local.endswith("."):
        return False
    first = domain.partition(".")[0]
    return not (first[:-1].isdigit() and first[-1] in "xX0123456789")


_VERSION = re.compile(r"(?:\bv|\bver\.?|version|release|build)[ :=]{0,2}$")


# Behind a package's version; a range of addresses goes on with another address.
_REVISION = re.compile(r"-[0-9A-Za-z](?![0-9]{0,2}\.[0-9]{1,3}\.)")


# Four single digits are more often a version or a section; these are not, and neither is what is called an address.
_KNOWN = frozenset(("0.0.0.0", "1.1.1.1", "1.0.0.1", "4.2.2.2", "8.8.8.8", "8.8.4.4", "9.9.9.9"))  # noqa: S104
_ADDRESS = re.compile(r"(?i)(?:ip|ipv4|addr|address|host|server|client|from|dns|ping|gateway|subnet|peer)\b")


def trim_ipv4(text: str, start: int, end: int) -> Span | None:
    """Accept four octets without leading zeros that are no version number and no part of a longer row."""
    value = text[start:end]
    for octet in value.split("."):
        if int(octet) > 255 or (octet[0] == "0" and octet != "0"):
            return None
    if text[end : end + 1] == "." and text[end + 1 : end + 2].isdigit():
        return None
    if _REVISION.match(text, end):
        return None
    if (
        len(value) == 7
        and value not in _KNOWN
        and value != text
        and not _ADDRESS.search(text[max(0, start - 30) : start])
    ):
        return None
    if start > 1 and text[start - 1] == "-" and text[start - 2] in DIGITS:
        # A range of addresses is written so, but so are the parts of package versions.
        before = text[max(0, start - 4) : start - 1]
        if "." not in before:
            return None
    if value.endswith(".0.0") and start > 1 and text[start - 1] == "/" and text[start - 2] in ALNUM:
        # A product and its version in a User-Agent header; "host/10.0.0.1" is an address.
        return None
    if _VERSION.search(text[max(0, start - 12) : start].lower()):
        return None
    return start, end


def trim_ipv6(text: str, start: int, end: int) -> Span | None:
    """Accept what inet_pton reads (RFC 4291 2.2), unless it is as likely a name such as ``abc::def``."""
    value = text[start:end]
    if end + 1 < len(text):
        # A row of more groups, or octets cut short; a colon or full stop of the sentence does no harm.
        following = text[end]
        if following == ":" and text[end + 1] not in " \n":
            return None
        if following == "." and text[end + 1] in DIGITS:
            return None
    if value.endswith(":") and not value.endswith("::"):
        # A colon of the sentence.
        value = value[:-1]
        end -= 1
    try:
        socket.inet_pton(socket.AF_INET6, value)
    except OSError:
        return None
    if DIGITS.isdisjoint(value) and not (value == "::" and _UNSPECIFIED.search(text[max(0, start - 20) : start])):
        return None
    return start, end


_UNSPECIFIED = re.compile(r"(?i)(?:ipv6|unspecified|bind|listen)[^0-9A-Za-z]{1,3}$")


def is_mac(value: str) -> bool:
    """Refuse the addresses that name nobody: all zeros and the broadcast address (IEEE 802)."""
    return not set(value.upper()) <= {"0", ":", "-"} and not set(value.upper()) <= {"F", ":", "-"}


def is_cisco_mac(value: str) -> bool:
    """Require a letter: three groups of four digits are more often a plain number."""
    return not value.replace(".", "").isdigit() and is_mac(value.replace(".", ":"))


_CLOSING = {")": "(", "]": "["}
_TRAILING = frozenset(".,;:!?*_~")


def trim_url(text: str, start: int, end: int) -> Span | None:
    """Leave out what belongs to the sentence: punctuation and brackets that opened before."""
    value = text[start:end]
    surplus = {close: value.count(close) - value.count(open_) for close, open_ in _CLOSING.items()}
    keep = len(value)
    while keep:
        last = value[keep - 1]
        if last in _TRAILING:
            keep -= 1
        elif surplus.get(last, 0) > 0:
            surplus[last] -= 1
            keep -= 1
        else:
            break
    value = value[:keep]
    scheme, separator, rest = value.partition("://")
    host = rest if separator else scheme
    return (start, start + keep) if any(c in ALNUM or c > "\x7f" for c in host[:4]) else None


_HOST = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"
_NOT_BEFORE_HOST = frozenset("@_/\\$:=%#+~")
_MAX_HOST = 253


def trim_domain(text: str, start: int, end: int) -> Span | None:
    """Extend a top-level domain to the host name before it (RFC 1123 2.1), if it is one and does not go on.

    ``Foo.ORG`` in capitals alone is more often a constant than a name.
    """
    before = text[max(0, start - _MAX_HOST) : start]
    start -= len(before) - len(before.rstrip(_HOST))
    if start and (text[start - 1] in _NOT_BEFORE_HOST or text[start - 1].isalpha()):
        return None
    if text[end : end + 1] == "." and text[end + 1 : end + 2] in ALNUM and end + 1 < len(text):
        return None
    labels = text[start:end].split(".")
    if any(not 0 < len(label) <= 63 or label[0] == "-" or label[-1] == "-" for label in labels) or len(labels[-2]) < 2:
        return None
    name, tld = ".".join(labels[:-1]), labels[-1]
    if name.isdigit() or (tld.isupper() != name.isupper() and not tld.islower()):
        return None
    return start, end


def _decode_segment(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def is_jwt(value: str) -> bool:
    """Require a first part that decodes to a JSON object with ``alg`` (RFC 7515 4.1.1, RFC 7519 3)."""
    head = value.partition(".")[0]
    if len(head) > 4096:
        return False
    try:
        header = json.loads(_decode_segment(head))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


# Lines of base64 and of RFC 1421 headers. Possessive: what was consumed is never given back. (Not so the two outer
# groups, behind which nothing can fail: up to Python 3.11.4 a possessive group keeps what its last, failed turn
# consumed, python/cpython#106052.) Line ends may be escaped, as in JSON.
_PEM_BREAK = r"(?:\\r|\\n|[ \t\r\n])"
_PEM_BODY = re.compile(
    rf"(?:{_PEM_BREAK}*+(?:[A-Z][A-Za-z]{{2,12}}-?[A-Za-z]{{2,8}}: [^\r\n\\]{{0,80}}+|[A-Za-z0-9+/=]{{16,}}+))*"
    rf"(?:(?:\\r|\\n|[\r\n])++[A-Za-z0-9+/=]++(?![A-Za-z0-9+/=]| [a-z]))?"
)


def trim_pem(text: str, start: int, end: int) -> Span | None:
    """Extend the BEGIN line to the end of the block (RFC 7468); without END, to the end of the base64 lines.

    The next five dashes decide, so that each character is looked at once however many BEGIN lines there are.
    """
    rule = text.find("-----", end)
    if rule >= 0 and text.startswith("-----END ", rule):
        close = text.find("-----", rule + 9, rule + 80)
        return start, close + 5 if close >= 0 else rule + 9
    body = _PEM_BODY.match(text, end, rule if rule >= 0 else len(text))
    return start, body.end() if body else end


def is_mixed_key(value: str) -> bool:
    """Require what random base64 has: both cases, a digit, and many different characters."""
    return (
        any(c.islower() for c in value)
        and any(c.isupper() for c in value)
        and any(c in DIGITS for c in value)
        and len(set(value)) >= min(16, len(value) // 2)
    )


def is_varied_key(value: str) -> bool:
    """Refuse placeholders such as ``xxxxxxxx``: a key has a digit and at least eight different characters."""
    return any(c in DIGITS for c in value) and len(set(value)) >= 8


def is_passport(value: str) -> bool:
    """Require five digits: passports have few letters (ICAO Doc 9303-4)."""
    return sum(c in DIGITS for c in value) >= 5
