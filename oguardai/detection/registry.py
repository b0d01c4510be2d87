"""Put the families' detectors into one table, and list the types that they find."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oguardai.detection import (
    addresses,
    assignments,
    contact,
    dates,
    finance,
    identity,
    names,
    network,
    secrets,
    terms,
    worldwide,
)
from oguardai.detection.detector import Code, Detector, Finder
from oguardai.detection.entity import EntityType
from oguardai.detection.national import africa, americas, asia, europe, oceania

_TYPES = (
    EntityType("email", 2, source="RFC 5321 4.1.2, RFC 6531 3.3"),
    EntityType(
        "phone",
        2,
        locales=("cs", "da", "de", "en", "es", "fi", "fr", "it", "ja", "ko", "nl", "pl", "pt", "sv", "tr"),
        source="ITU-T E.164",
    ),
    EntityType("tr_phone", 2, locales=("tr-TR",), source="ITU Operational Bulletin, national numbering plan of Turkey"),
    EntityType("credit_card", 1, checksum=True, source="ISO/IEC 7812-1"),
    EntityType("iban", 1, checksum=True, source="ISO 13616-1"),
    EntityType("ip", 2, source="RFC 4291 2.2, RFC 6943 3.1.1"),
    EntityType("mac", 2, source="IEEE 802-2014 8"),
    EntityType("url", 2, source="RFC 3986"),
    EntityType("domain", 2, source="RFC 1123 2.1"),
    EntityType(
        "date_of_birth",
        2,
        locales=("cs", "da", "de", "en", "es", "fi", "fr", "it", "nl", "no", "pl", "pt", "sv", "tr"),
        source="Unicode CLDR, date formats",
    ),
    EntityType("passport", 1, locales=("de", "en", "es", "fr", "it"), source="ICAO Doc 9303-4"),
    EntityType("jwt", 1, source="RFC 7519"),
    EntityType("private_key", 1, source="RFC 7468"),
    EntityType("api_key", 1, source="the issuers' documentation"),
    EntityType("uuid", 2, source="RFC 9562 4"),
    EntityType(terms.TYPE, 2, source="the caller"),
    *dates.TYPES,
    *names.TYPES,
    *addresses.TYPES,
    *assignments.TYPES,
    *worldwide.TYPES,
    *europe.TYPES,
    *americas.TYPES,
    *oceania.TYPES,
    *asia.TYPES,
    *africa.TYPES,
)

ENTITY_TYPES: Mapping[str, EntityType] = MappingProxyType({kind.name: kind for kind in _TYPES})
DEFAULT_TYPES: frozenset[str] = frozenset(kind.name for kind in _TYPES if kind.default)

# The order decides between finds of equal length and confidence: the more specific families first.
DETECTORS: tuple[Detector, ...] = (
    *secrets.DETECTORS,
    *assignments.DETECTORS,
    *finance.DETECTORS,
    *worldwide.DETECTORS,
    *identity.DETECTORS,
    *contact.DETECTORS,
    *asia.DETECTORS,
    *network.DETECTORS,
    *dates.DETECTORS,
    *names.DETECTORS,
)
CODES: tuple[Code, ...] = (
    *contact.CODES,
    *addresses.CODES,
    *identity.CODES,
    *worldwide.CODES,
    *europe.CODES,
    *americas.CODES,
    *oceania.CODES,
    *asia.CODES,
    *africa.CODES,
)
FINDERS: tuple[Finder, ...] = (*names.FINDERS, *addresses.FINDERS)

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
