"""OGuardAI: keep personal data and secrets out of what is sent to a model."""

from __future__ import annotations

__version__ = "0.1.0"
