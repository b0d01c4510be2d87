"""State how certain a find is: one model for all detectors.

A find's confidence is a sum, from 0 to 0.99; a pattern is never certain:

=================  ====================================================================================================
pattern            what its row of the table says: 0.1 for plain digits, 0.3 for digits grouped in a way of their own,
                   0.4 for letters and digits, 0.6 for a form that hardly anything else has, 0.8 and more for an exact
                   syntax or an issuer's prefix
checksum           +0.25 for a check digit that passed, +0.4 for one that fewer than one in fifty random values passes
context            +0.4 for a word that names the type, in the 50 characters before or close behind
alone              +0.4 for a value that is the whole text, as in a form field, where no sentence can name it, if
                   it passed a check digit or is written in a way of its own (0.3 or more). Where types were asked for
                   by name, identifiers need neither, and each value of a text that is a list of values counts
negative context   -0.4 for a word that names something else, nearer than a word that names the type
mutual evidence    +0.4 for what directly follows a certain find of the same type, as in "call 4960664 or 4960665";
                   +0.15 for what stands within 60 characters of a find that it usually comes with (an IBAN and a BIC)
=================  ====================================================================================================

A find below the threshold is dropped before overlaps are resolved.
"""

from __future__ import annotations

from typing import NamedTuple

CONTEXT = 0.4
ALONE = 0.4
NEGATIVE = -0.4
FOLLOWS = 0.4
PARTNER = 0.15
MOST = 0.99

# What adds to a find's pattern, as bits.
CHECKED, NAMED, WHOLE, OTHER, SIBLING, PARTNERED = 1, 2, 4, 8, 16, 32


KINDS = ("pattern", "checksum", "context", "alone", "negative_context", "follows", "partner")


class Evidence(NamedTuple):
    """One of the things that a confidence is the sum of; ``detail`` holds nothing of a text."""

    kind: str
    weight: float
    detail: str = ""


def total(weight: float) -> float:
    """Return a sum of weights as confidence: 0 to 0.99, two places."""
    return round(min(MOST, max(0.0, weight)), 2)


def explain(checksum: float, evidence: int, named: str, other: str) -> tuple[Evidence, ...]:
    """Spell evidence out; ``named`` and ``other`` are the context words met, as the table writes them."""
    rows = (
        (CHECKED, Evidence("checksum", checksum)),
        (NAMED, Evidence("context", CONTEXT, named)),
        (WHOLE, Evidence("alone", ALONE)),
        (OTHER, Evidence("negative_context", NEGATIVE, other)),
        (SIBLING, Evidence("follows", FOLLOWS)),
        (PARTNERED, Evidence("partner", PARTNER)),
    )
    return tuple(row for bit, row in rows if evidence & bit)
