"""Declare the detectors of payment cards and bank accounts."""

from __future__ import annotations

from oguardai.detection import iban, validators
from oguardai.detection.detector import ALNUM, Detector, Digit, Digits

_CARD_CONTEXT = (
    "card*", "credit*", "debit*", "visa", "mastercard", "amex", "american express", "cc", "pan",
    "kreditkarte*", "karte*", "carte*", "tarjeta*", "carta",
)  # fmt: skip

DETECTORS = (
    Detector(
        name="credit_card",
        type="credit_card",
        # 13 to 19 digits in one piece, or as printed: 4-4-4-1..4(-3), 4-6-4..5 (Amex, Diners).
        pattern=(
            r"[1-689][0-9]{3}(?:[0-9]{9,15}|(?: {1,2}[0-9]{4}){2} {1,2}[0-9]{1,4}(?: [0-9]{1,3})?"
            r"|(?:-[0-9]{4}){2}-[0-9]{1,4}(?:-[0-9]{1,3})?|(?:\.[0-9]{4}){3}| [0-9]{6} [0-9]{4,5}"
            r"|-[0-9]{6}-[0-9]{4,5})"
        ),
        sample="4111111111111111",
        trigger=Digits(),
        confidence=0.8,
        refine=validators.trim_card,
        not_before=ALNUM | {"_"},
        not_after=ALNUM,
        context=_CARD_CONTEXT,
        retry=True,
    ),
    Detector(
        name="iban",
        type="iban",
        pattern=r"[A-Za-z]{2}[ -]?[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}",
        sample="DE89370400440532013000",
        # The check digits, behind the two letters of the country.
        trigger=Digit("[0-9](?<=[A-Za-z -].)(?:(?<=[A-Za-z]{2}.)|(?<=[A-Za-z]{2}[ -].))[0-9]", back=(2, 3)),
        confidence=0.95,
        refine=iban.trim_iban,
        not_before=ALNUM,
        context=("iban", "account", "konto*", "compte", "cuenta", "conto", "bank*"),
        retry=True,
    ),
)
