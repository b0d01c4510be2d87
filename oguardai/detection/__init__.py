"""Find personal data and secrets in text."""

from __future__ import annotations

from oguardai.detection.engine import detect
from oguardai.detection.entity import DetectionError, Entity, EntityType
from oguardai.detection.prefilter import warm
from oguardai.detection.registry import ENTITY_TYPES

__all__ = ["ENTITY_TYPES", "DetectionError", "Entity", "EntityType", "detect", "warm"]
