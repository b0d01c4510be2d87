"""Define the form of the detector table: what a row says, whatever engine reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Span = tuple[int, int]
Refine = Callable[[str, int, int], Span | None]
"""Narrow the span of a match in the normalised text, or refuse it. Work is bounded by the match's length."""

ALNUM = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Prefix:
    """Say that a match starts with one of the literals, so that the pattern is tried nowhere else."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Say that a match lies within ``before`` to ``after`` characters of one of the literals.

    With ``fold`` the literals are written in lower case and found in any case.
    """

    words: tuple[str, ...]
    before: int
    after: int
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Digits:
    """Say that a match holds digits that are at most three characters apart and span ``span`` or more.

    The match starts at most ``before`` characters before the first of them and ends at most ``after`` behind
    the last; with ``tail`` it may go on with something optional behind the last.
    """

    span: int
    before: int = 0
    after: int = 0
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Digit:
    """Say that a match holds a digit that ``re`` finds by ``pattern``, and starts one of ``back`` characters before.

    The pattern begins with a class of digits, so that prose is skipped, and may look around.
    """

    pattern: str
    back: tuple[int, ...]


Trigger = Prefix | Near | Digits | Digit


@dataclass(frozen=True, slots=True)
class Detector:
    """Declare one detector: a row of the table.

    pattern: in the subset that RE2 and ``re.ASCII`` read alike: no look-around, no back-reference, classes
        spelled out. One that begins with a single class or letter, not a repeated one, lets ``re`` skip ahead.
        What an unbounded repeat has consumed must not be scanned again from another start: such patterns have a
        ``Prefix`` and cannot fail late, or exclude their own start by ``not_before``.
    sample: a text that the pattern matches, by which an automaton proves that it works.
    trigger: where an engine without automaton has to look.
    not_before, not_after: characters that must not stand directly before or behind the match.
    refine, validate: narrow the span, then judge the value (normalised text). Called once a match.
    context: words of which one may stand in the 40 characters before; ``*`` at an end stands for letters.
    context_behind: words that count as well when they directly follow, as in "555 1234 (fax)".
    needs_context: drop the match without such a word. veto: drop it when one of these stands there.
    confidence: of a match without context, see ``engine``.
    retry: after a refusal go on behind the match's first run of letters and digits, not behind the match.
        Only for patterns of bounded length.
    holds_digit: every match holds a digit, though the trigger does not say so.
    """

    name: str
    type: str
    pattern: str
    sample: str
    trigger: Trigger
    confidence: float
    refine: Refine | None = None
    validate: Callable[[str], bool] | None = None
    not_before: frozenset[str] = frozenset()
    not_after: frozenset[str] = frozenset()
    context: tuple[str, ...] = ()
    needs_context: bool = False
    context_behind: tuple[str, ...] = ()
    veto: tuple[str, ...] = ()
    retry: bool = False
    holds_digit: bool = False
