"""Define the form of the detector table: what a row says, whatever engine reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

Span = tuple[int, int]
Refine = Callable[[str, int, int], Span | None]
"""Narrow the span of a match in the normalised text, or refuse it. Work is bounded by the match's length."""

NONE, WEAK, STRONG = 0.0, 0.25, 0.4
"""What a passed check digit adds to the confidence, see ``confidence``."""

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
    """Say that a match holds digits that are at most three characters apart.

    The match starts at most ``before`` characters before the first of them and ends at most ``after`` behind the last,
    both at most one; with ``tail`` it may go on with something optional behind the last. What must match has no other
    letters than T and Z, and no class with digits and something else.
    """

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


@dataclass(frozen=True, slots=True)
class Starts:
    """Say that a match starts with one of the literals, where a word begins. All such rows share one scan."""

    words: tuple[str, ...]


Trigger = Prefix | Near | Digits | Digit | Starts


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
    most_checks: after so many validations in one text matches are believed without: for what takes long. 0: no limit.
    hint: a pattern that matches wherever the row finds something and says more than ``pattern``, for an automaton; what
        it repeats is counted, so nothing that many places can begin.
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
    most_checks: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Declare an identifier that people are given, known by how its digits and letters are grouped.

    All codes of the table are looked for at once: the text's groups of letters and digits are reduced to their layout,
    and one look-up tells the codes that are written so. A hundred codes cost no more than one.

    layouts: ``9`` a digit, ``A`` a letter, ``X`` either (at most in one piece with 9 and A: every X is tried as both
        only against text that has letters and digits mixed); ``|`` one of ``separators`` or nothing, the same at every
        place; anything else is itself, in one character: a space, or one of ``-./:_``. At most eight groups.
    separators: what may stand for ``|``.
    sample: a valid one, as people write it.
    validate: judges the compact form: upper case, without separators. Called once for each match of a layout; bounded.
    checksum: every find passed a check digit or its like; ``STRONG`` for one that fewer than 1 in 50 random values
        pass (with the rest of what ``validate`` asks), ``WEAK`` for 1 in 3 to 1 in 50, ``NONE`` without.
    confidence: of the layout alone, see ``confidence``: 0.1 for plain digits, 0.3 for digits grouped in a way of their
        own, 0.4 for letters and digits, 0.6 for a form that hardly anything else has.
    context: words that name it, lower case, see ``context``: of the country's languages and of English.
    veto: words that speak against it.
    upper: letters must be upper case where no context word stands near.
    """

    name: str
    type: str
    layouts: tuple[str, ...]
    sample: str
    confidence: float
    separators: str = " -"
    validate: Callable[[str], bool] | None = None
    checksum: float = NONE
    context: tuple[str, ...] = ()
    veto: tuple[str, ...] = ()
    upper: bool = False


class Found(NamedTuple):
    """What a finder found: ``start`` to ``end`` in code points, end exclusive; ``why`` says in a few words how."""

    start: int
    end: int
    type: str
    confidence: float
    detector: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Finder:
    """Declare a function that finds what no row of a table describes: names, terms, what a model sees.

    ``find`` gets the normalised text (see ``normalize``) and takes time linear in it. What it gives may overlap and be
    in any order. ``types`` are all that it can give: it is not called when none of them is asked for.
    """

    name: str
    types: frozenset[str]
    find: Callable[[str], Iterable[Found]]
