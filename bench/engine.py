"""The product in process, without HTTP: one key, settings with limits raised."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from oguardai.config import Settings
from oguardai.detection import Entity, detect
from oguardai.keyring import Key, Keyring, generate_secret
from oguardai.rehydrate import RehydrateRequest, RehydrateResult, rehydrate
from oguardai.sessions import OpenedSession, SealedSession, Session, open_session, seal_session
from oguardai.transform import TransformRequest, TransformResult, transform


class Engine:
    """Transform, rehydrate, detect, seal and open as a request does."""

    def __init__(self) -> None:
        self.key = Key.from_secret(0, generate_secret())
        self._keyring = Keyring((self.key,))
        settings = Settings()
        self.settings = replace(
            settings,
            session=replace(settings.session, max_entities=100_000, max_blob_bytes=16 << 20),
            server=replace(settings.server, max_body_bytes=32 << 20),
            detection=replace(settings.detection, max_finds=1_000_000),
        )

    def transform(self, text: str, **fields: Any) -> TransformResult:
        """Transform a text; ``fields`` are those of the request."""
        return transform(
            TransformRequest(text, **fields),
            settings=self.settings,
            keyrings=lambda: self._keyring,
            now=time.time(),
        )

    def rehydrate(self, text: str, state: str, **fields: Any) -> RehydrateResult:
        """Rehydrate a text; ``fields`` are those of the request."""
        return rehydrate(
            RehydrateRequest(text, state, **fields),
            settings=self.settings,
            keyrings=lambda: self._keyring,
            now=time.time(),
        )

    def detect(self, text: str) -> list[Entity]:
        """Detect as configured."""
        return detect(text)

    def seal(self, session: Session) -> SealedSession:
        """Pack and seal a session."""
        return seal_session(session, self._keyring, time.time(), self.settings.session)

    def open(self, state: str) -> OpenedSession:
        """Open and unpack a session."""
        return open_session(state, self._keyring, time.time(), self.settings.session)
