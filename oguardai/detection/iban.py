"""Judge IBANs: the country's structure, then the check digits (ISO 13616, ISO 7064 MOD 97-10)."""

from __future__ import annotations

import re
from types import MappingProxyType

from oguardai.detection.detector import Span

# Country and BBAN structure as in the SWIFT IBAN registry: n digits, a letters, c either.
_REGISTRY = (
    "AD:8n12c AE:19n AL:8n16c AT:16n AZ:4a20c BA:16n BE:12n BG:4a6n8c BH:4a14c BI:23n BR:23n1a1c "
    "BY:4c4n16c CH:5n12c CR:18n CY:8n16c CZ:20n DE:18n DJ:23n DK:14n DO:4c20n EE:16n EG:25n ES:20n "
    "FI:14n FK:2a12n FO:14n FR:10n11c2n GB:4a14n GE:2a16n GI:4a15c GL:14n GR:7n16c GT:24c HN:4a20n "
    "HR:17n HU:24n IE:4a14n IL:19n IQ:4a15n IS:22n IT:1a10n12c JO:4a4n18c KW:4a22c KZ:3n13c LB:4n20c "
    "LC:4a24c LI:5n12c LT:16n LU:3n13c LV:4a13c LY:21n MC:10n11c2n MD:20c ME:18n MK:3n10c2n MN:16n "
    "MR:23n MT:4a5n18c MU:4a19n3a NI:4a20n NL:4a10n NO:11n OM:3n16c PK:4a16c PL:24n PS:4a21c PT:21n "
    "QA:4a21c RO:4a16c RS:18n RU:14n15c SA:2n18c SC:4a20n3a SD:14n SE:20n SI:15n SK:20n SM:1a10n12c "
    "SO:19n ST:21n SV:4a20n TL:19n TN:20n TR:6n16c UA:6n19c VA:18n VG:4a16n XK:16n YE:4a4n18c"
)


def _expand() -> dict[str, str]:
    shapes = {}
    for entry in _REGISTRY.split():
        country, structure = entry.split(":")
        parts = re.findall(r"([0-9]+)([nac])", structure)
        shapes[country] = "nn" + "".join(kind * int(count) for count, kind in parts)
    return shapes


_SHAPES = MappingProxyType(_expand())
_RUN = re.compile(r"[0-9A-Z]{15,34}(?![0-9A-Za-z])")
_SHAPE_OF = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "n" * 10 + "a" * 26)
_VALUE_OF = MappingProxyType({ord("A") + i: str(10 + i) for i in range(26)})


def is_iban(compact: str) -> bool:
    """Tell whether an IBAN without spaces, in upper case, has its country's structure and check digits."""
    shape = _SHAPES.get(compact[:2])
    if shape is None or len(compact) != len(shape) + 2:
        return False
    rest = compact[2:]
    if any(want not in ("c", have) for want, have in zip(shape, rest.translate(_SHAPE_OF), strict=True)):
        return False
    return _has_check_digits(compact)


def _has_check_digits(compact: str) -> bool:
    return int((compact[4:] + compact[:4]).translate(_VALUE_OF)) % 97 == 1


def trim_iban(text: str, start: int, end: int) -> Span | None:
    """Cut the match to the length that its country prescribes, and check it.

    The pattern takes the words behind a grouped IBAN along, since it cannot count by country. In one piece and in
    upper case the check digits suffice: countries change their structures.
    """
    shape = _SHAPES.get(text[start : start + 2].upper())
    if shape is None:
        return None
    run = _RUN.match(text, start, end)
    if run and _has_check_digits(run[0]):
        return run.span()
    wanted = len(shape) + 2
    compact = text[start:end].replace(" ", "").replace("-", "")[:wanted].upper()
    if not is_iban(compact):
        return None
    left = wanted
    for at in range(start, end):
        left -= text[at] not in " -"
        if not left:
            return start, at + 1
    return None
