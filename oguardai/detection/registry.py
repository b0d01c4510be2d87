"""Put the families' detectors into one table, and list the types that they find."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oguardai.detection import contact, finance, identity, network, secrets
from oguardai.detection.detector import Code, Detector, Finder
from oguardai.detection.entity import EntityType

_TYPES = (
    EntityType("email", 2),
    EntityType("phone", 2, locales=("de-DE", "en-GB", "en-US", "es-ES", "fr-FR", "it-IT")),
    EntityType("credit_card", 1, checksum=True),
    EntityType("iban", 1, checksum=True),
    EntityType("ip", 2),
    EntityType("mac", 2),
    EntityType("url", 2),
    EntityType("domain", 2),
    EntityType("us_ssn", 1, locales=("en-US",)),
    EntityType("date_of_birth", 2, locales=("de", "en", "es", "fr", "it")),
    EntityType("passport", 1, locales=("de", "en", "es", "fr", "it")),
    EntityType("jwt", 1),
    EntityType("private_key", 1),
    EntityType("api_key", 1),
    EntityType("uuid", 2),
    EntityType("term", 2),
)

ENTITY_TYPES: Mapping[str, EntityType] = MappingProxyType({kind.name: kind for kind in _TYPES})
DEFAULT_TYPES: frozenset[str] = frozenset(kind.name for kind in _TYPES if kind.default)

# The order decides between finds of equal length and confidence: the more specific families first.
DETECTORS: tuple[Detector, ...] = (
    *secrets.DETECTORS,
    *finance.DETECTORS,
    *identity.DETECTORS,
    *contact.DETECTORS,
    *network.DETECTORS,
)

CODES: tuple[Code, ...] = ()
FINDERS: tuple[Finder, ...] = ()

# A find that is nearly certain is believed when it stands near a certain one of these.
PARTNERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "swift_bic": ("iban",),
        "us_bank_routing": ("us_bank_number",),
        "us_bank_number": ("us_bank_routing",),
        "zip": ("address",),
        "person": ("email", "phone", "address", "date_of_birth"),
    }
)
