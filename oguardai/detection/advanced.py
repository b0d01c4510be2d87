"""Say what an advanced detector is: one that sees names where no pattern does, and may fail to answer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from oguardai.detection.detector import Found

REASONS = ("timeout", "refused", "status", "answer", "too_large", "open", "not_installed")
"""Why it did not answer, for logs and metrics."""


class AdvancedError(Exception):
    """Report that an advanced detector did not answer; the message is one of ``REASONS``."""

    @property
    def reason(self) -> str:
        """Return the word out of ``REASONS``."""
        return str(self)


class Advanced(Protocol):
    """A detector behind ``detector.advanced_url``."""

    def find(self, text: str, types: Collection[str]) -> list[Found]:
        """Return what it sees in a text, of the types; raises AdvancedError."""

    def is_failing(self) -> bool:
        """Tell whether it failed the last time."""
