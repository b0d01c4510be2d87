"""Put the numbers of Europe together."""

from __future__ import annotations

from oguardai.detection.detector import Code
from oguardai.detection.entity import EntityType
from oguardai.detection.national import europe_east, europe_west

CODES: tuple[Code, ...] = (*europe_west.CODES, *europe_east.CODES)
TYPES: tuple[EntityType, ...] = (*europe_west.TYPES, *europe_east.TYPES)
