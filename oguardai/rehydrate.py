"""Rehydrate: put the values back in place of their tokens, from the session presented and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oguardai import tokens
from oguardai.errors import InvalidRequestError, PayloadTooLargeError
from oguardai.keyring import Keyring
from oguardai.restore import RestoreMode, restore
from oguardai.sessions import Session, open_session
from oguardai.transform import check_text

if TYPE_CHECKING:
    from oguardai.config import Settings

REPAIRS = ("strict", "lenient")
MAX_LISTED = 1000  # tokens in unknown_tokens and in repaired
# How much longer than the output a restored text may be: stops a small output that repeats the token of a huge value.
GROWTH = 64  # times the output,
FREE_GROWTH = 1 << 20  # or this many characters, if that is more,
MOST_GROWTH = 4  # but never more than this many times server.max_body_bytes

_CHANNEL = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class RehydrateRequest:
    """A model's output, and the session that its tokens belong to."""

    output: str = field(repr=False)
    session_state: str = field(repr=False)
    restore_mode: str = "full"
    output_channel: str | None = None
    repair: str = "strict"


@dataclass(frozen=True, slots=True)
class RehydrateResult:
    """The text with its values back.

    Attributes:
        restored: how many tokens were replaced, every occurrence counted.
        unknown_tokens: well-formed tokens that are not the session's, each once, in order; at most 1,000.
        repaired: tokens of the session that were recognised in a garbled form, likewise.
        kid: of the key that opened the session.
        expires_at: of the session, unix milliseconds.
        output_channel: as requested, for the log.
    """

    restored_text: str = field(repr=False)
    restored: int
    unknown_tokens: tuple[str, ...]
    repaired: tuple[str, ...]
    kid: int
    session_id: str
    expires_at: int
    output_channel: str | None


def rehydrate(
    request: RehydrateRequest,
    *,
    settings: Settings,
    keyrings: Callable[[], Keyring],
    now: float,
    open_with: Callable[[int], Keyring] | None = None,
) -> RehydrateResult:
    """Replace the session's tokens by what they stand for.

    A token that is not the session's stays as it is. What is put in is never scanned again.

    Args:
        keyrings: gives the keyring in force, called once.
        now: unix seconds.
        open_with: asked once, with the kid, when the keyring does not know the kid of ``session_state``.

    Raises:
        InvalidRequestError: a field's value is not one of those allowed; the detail names the field.
        PayloadTooLargeError: the text would grow out of proportion, see the module's constants.
        SessionInvalidError, SessionExpiredError: see :func:`oguardai.sessions.open_session`.
    """
    mode = check_request(request)
    opened = open_session(request.session_state, keyrings(), now, settings.session, open_with=open_with)
    restorer = _Restorer(opened.session, mode, _room(len(request.output), settings.server.max_body_bytes))
    restorer.read(request.output, lenient=request.repair == "lenient")
    return RehydrateResult(
        restored_text="".join(restorer.parts),
        restored=restorer.restored,
        unknown_tokens=tuple(restorer.unknown),
        repaired=tuple(restorer.repaired),
        kid=opened.kid,
        session_id=opened.session.id,
        expires_at=opened.session.expires_at,
        output_channel=request.output_channel,
    )


def check_request(request: RehydrateRequest) -> RestoreMode:
    """Check the fields and return the mode; raises InvalidRequestError that names the field, never a value."""
    check_text("output", request.output)
    if request.repair not in REPAIRS:
        raise InvalidRequestError(f"repair: must be one of {', '.join(REPAIRS)}")
    if request.output_channel is not None and not _CHANNEL.fullmatch(request.output_channel):
        raise InvalidRequestError(f"output_channel: must match {_CHANNEL.pattern}")
    try:
        return RestoreMode(request.restore_mode)
    except ValueError:
        raise InvalidRequestError(f"restore_mode: must be one of {', '.join(RestoreMode)}") from None


def _room(length: int, max_body: int) -> int:
    """Return how many characters the restored text may have."""
    return length + min(max(FREE_GROWTH, GROWTH * length), MOST_GROWTH * max_body)


class _Restorer:
    """Collects the parts of the restored text, and what is told about its tokens."""

    def __init__(self, session: Session, mode: RestoreMode, max_chars: int) -> None:
        self._session = session
        self._mode = mode
        self._room = max_chars
        self._cache: dict[str, str] = {}
        self.parts: list[str] = []
        self.restored = 0
        self.unknown: dict[str, None] = {}  # an ordered set
        self.repaired: dict[str, None] = {}

    def read(self, text: str, *, lenient: bool) -> None:
        """Go through a text: first its well-formed tokens, then, if lenient, what stands between them.

        Garbled tokens are sought in each stretch between well-formed ones by itself, which is how transform made
        sure that none is there.
        """
        repairing = lenient and tokens.has_token_like(tokens.without_tokens(text))
        between = self._repair if repairing else self._copy
        position = 0
        for match in tokens.find_tokens(text):
            start, end = match.span()
            shown = self._shown(match[0])
            if shown is None:
                _list_once(self.unknown, match[0])
                if not repairing:
                    continue  # it stays, with the text before and behind it
            between(text[position:start])
            self._copy(match[0] if shown is None else shown)
            position = end
        between(text[position:])

    def _repair(self, text: str) -> None:
        position = 0
        for start, end, token in tokens.find_garbled(text):
            if self._session.value_of(token) is None:
                continue  # stays, with what is around it
            self._copy(text[position:start])
            self._copy(self._shown(token) or "")
            _list_once(self.repaired, token)
            position = end
        self._copy(text[position:])

    def _shown(self, token: str) -> str | None:
        """Return, and count, what stands for a token; None if the session does not hold it."""
        shown = self._cache.get(token)
        if shown is None:
            known = self._session.value_of(token)
            if known is None:
                return None
            shown = token if self._mode is RestoreMode.NONE else restore(*known, self._mode)
            self._cache[token] = shown
        self.restored += self._mode is not RestoreMode.NONE
        return shown

    def _copy(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise PayloadTooLargeError(
                f"the restored text would be over {GROWTH} times as long as output, or longer by more than"
                f" {MOST_GROWTH} times server.max_body_bytes"
            )
        self.parts.append(text)


def _list_once(listed: dict[str, None], token: str) -> None:
    if len(listed) < MAX_LISTED:
        listed.setdefault(token)
