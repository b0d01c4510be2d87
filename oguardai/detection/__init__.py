"""Find personal data and secrets in text."""

from __future__ import annotations

from oguardai.detection.configured import Detected, Detection, detection_of
from oguardai.detection.engine import detect
from oguardai.detection.entity import DetectionError, Entity, EntityType, Notice
from oguardai.detection.prefilter import warm
from oguardai.detection.registry import ENTITY_TYPES

__all__ = [
    "ENTITY_TYPES",
    "Detected",
    "Detection",
    "DetectionError",
    "Entity",
    "EntityType",
    "Notice",
    "detect",
    "detection_of",
    "warm",
]
