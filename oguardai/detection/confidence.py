"""State how certain a find is: one model for all detectors.

A find's confidence is a sum, from 0 to 0.99; a pattern is never certain:

=================  ======================================================================================================
pattern            what its row of the table says: 0.1 for plain digits, 0.3 for digits grouped in a way of their own,
                   0.4 for letters and digits, 0.6 for a form that hardly anything else has, 0.8 and more for an exact
                   syntax or an issuer's prefix
checksum           +0.25 for a check digit that passed, +0.4 for one that fewer than one in fifty random values passes
context            +0.4 for a word that names the type, in the 50 characters before or close behind
alone              +0.35 for a value that passed a check digit and is the whole text, as in a form field: no sentence is
                   there to name it
negative context   -0.4 for a word that names something else, nearer than a word that names the type
mutual evidence    +0.4 for what directly follows a certain find of the same type, as in "call 4960664 or 4960665";
                   +0.15 for what stands within 60 characters of a find that it usually comes with (an IBAN and a BIC)
=================  ======================================================================================================

A find below the threshold is dropped before overlaps are resolved.
"""

from __future__ import annotations

CONTEXT = 0.4
ALONE = 0.35
NEGATIVE = -0.4
FOLLOWS = 0.4
COMPANY = 0.15
MOST = 0.99
