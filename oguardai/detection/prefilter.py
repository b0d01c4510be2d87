"""Ask RE2, where it is installed, which rows of the table a text can match at all.

Three automata read the text once each, whatever the number of rows. They only leave rows out: what is found, and where,
is the standard library's business alone, so that finds do not depend on whether RE2 is there.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from oguardai.detection.detector import Detector, Digits, Near, Prefix
from oguardai.detection.registry import DETECTORS
from oguardai.detection.scan import FIELD
from oguardai.logs import log_event

logger = logging.getLogger(__name__)

MAX_MEM = 16 << 20
"""Bytes for an automaton and its cache of states; a full cache is started anew."""

# The types whose rows look for letters and signs, and for capitals; the others' look for digits.
_WORDY = frozenset(("email", "url", "domain", "jwt", "private_key", "api_key", "password", "database_url"))
_NAMES = frozenset(("person", "company", "location", "date", "age", "crypto_address", "swift_bic"))

_COUNT = re.compile(r"\{([0-9]+)(,?)[0-9]*\}")
_RARE = 2  # characters of a literal by which a row is known
_MOST = 4  # repetitions that are counted: the more, the more states a text without spaces visits
_ROUNDS = 100
_DIGIT = re.compile("[0-9]")
# Matches every text. An automaton that ran out of memory reports nothing, not even this.
_ALWAYS = r"\A"


def _relax(pattern: str) -> str:
    """Return a pattern that matches wherever the given one does, with a smaller automaton: it hardly counts."""

    def repeat(count: re.Match[str]) -> str:
        least = int(count[1])
        return f"{{{min(least, _MOST)},}}" if count[2] or least > _MOST else count[0]

    return _COUNT.sub(repeat, pattern)


def _words(detector: Detector) -> str:
    words = (*detector.context, *detector.context_behind)
    return "(?i)" + "|".join(re.escape(word.strip("*")) for word in words)


def _hint(detector: Detector) -> str:
    """Return what a row is known by: its trigger's literals, where they are rare enough; they make few states."""
    trigger = detector.trigger
    if detector.hint:
        return detector.hint
    if isinstance(trigger, Prefix | Near) and not getattr(trigger, "fold", False):
        words = trigger.words
        if min(map(len, words)) >= _RARE:
            return "|".join(map(re.escape, words))
    return _relax(detector.pattern)


class _Automaton:
    """Hold one RE2 set over rows of the table, given by their place in it."""

    __slots__ = ("_always", "_match", "_rows")

    def __init__(self, re2: Any, rows: Sequence[tuple[int, Detector]], max_mem: int) -> None:
        options = re2.Options()
        options.max_mem = max_mem
        options.never_capture = True
        options.log_errors = False
        patterns = re2.Set.SearchSet(options)
        for _, row in rows:
            patterns.Add(_hint(row))
        self._always: int = patterns.Add(_ALWAYS)
        # By pattern: the row's place, and what must be reported as well: its context words, or nothing in particular.
        self._rows = tuple(
            (order, patterns.Add(_words(row)) if row.needs_context else self._always) for order, row in rows
        )
        patterns.Compile()
        self._match = patterns.Match

    def possible(self, text: bytes) -> list[int] | None:
        reported = self._match(text)
        always = self._always
        if reported is None or always not in reported:
            return None
        if len(reported) == 1:
            return []
        rows = self._rows
        if len(text) <= FIELD:  # which may be a value that no word names
            return [rows[i][0] for i in reported if i < always]
        return [rows[i][0] for i in reported if i < always and rows[i][1] in reported]


class Prefilter:
    """Hold the automata of a table.

    Raises RuntimeError when they do not report what they must.
    """

    __slots__ = ("_names", "_numbers", "_words")

    def __init__(self, re2: Any, detectors: Sequence[Detector], max_mem: int = MAX_MEM) -> None:
        rows = tuple(row for row in enumerate(detectors) if not isinstance(row[1].trigger, Digits))
        # Several, since the states of one would be the product of the states of all.
        self._words = _Automaton(re2, [row for row in rows if row[1].type in _WORDY], max_mem)
        self._names = _Automaton(re2, [row for row in rows if row[1].type in _NAMES], max_mem)
        self._numbers = _Automaton(re2, [row for row in rows if row[1].type not in _WORDY | _NAMES], max_mem)
        for order, detector in rows:
            context = detector.context[0].strip("*") if detector.needs_context else ""
            if order not in (self.possible(f"{context} {detector.sample}") or ()):
                raise RuntimeError(f"RE2 misses the sample of {detector.name}")

    def possible(self, text: str) -> list[int] | None:
        """Return the places in the table of the rows that the normalised text can match; None when it is not known.

        Rows with a ``Digits`` trigger are not asked for: they are known by shape (see ``scan``).
        """
        try:
            octets = text.encode()
        except UnicodeEncodeError:
            return None
        words = self._words.possible(octets)
        names = self._names.possible(octets)
        numbers = self._numbers.possible(octets)
        return None if words is None or names is None or numbers is None else words + names + numbers


@cache
def shared() -> Prefilter | None:
    """Return the process's pre-filter, built at the first call; None where RE2 is not installed or not sound."""
    try:
        re2 = import_module("re2")
    except ImportError:
        return None
    try:
        return Prefilter(re2, DETECTORS)
    except Exception as error:
        log_event(logger, logging.WARNING, "PrefilterNotUsed", error=type(error).__name__)
        return None


def warm() -> bool:
    """Build the pre-filter, to be called before processes are forked; tell whether there is one.

    RE2 makes the states of an automaton when a text first needs them, at a hundred times the cost of using them: the
    samples of the table, with other digits each time, have most of those that ordinary text needs made here.
    """
    automata = shared()
    if automata is None:
        return False
    rng = random.Random(0)  # noqa: S311 - no secret
    for _ in range(_ROUNDS):
        samples = [f"{row.context[0].strip('*') if row.context else ''} {row.sample}" for row in DETECTORS]
        rng.shuffle(samples)
        text = " and in the ".join(samples)
        automata.possible(_DIGIT.sub(lambda _: rng.choice("0123456789"), text))
    return True
