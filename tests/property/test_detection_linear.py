"""Show that detection is linear: four times the text costs about four times the work, whatever the text is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from oguardai.detection import ENTITY_TYPES, detect

UNITS = (
    "a@", "@", "a@a.a", "a.a.a.", "1.1.1.", "1 1 1 ", "1-1-1-", "1", "123456789", "-", ":", "::1 ", "1:2:", "{{", "(((",
    "eyJ.eyJ.", "eyJ", "-eyJ-eyJ", "eyJaaaaaaaaa.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "http://",
    "http://(", "http://a", "http://a ", "'http://a",
    "http://a)", "www.", "A", "deadbeef0123", "loremipsumdolor", "+1+1+1", "+1 1 1 ",
    "+14155552671 ", "\uff11", "\uff11\uff11 \uff11\uff11\uff11\uff11 ", "4111 ", "4111 1111 1111 1111 ", "GB11 ",
    "FI11 1111 1111 1111 11",
    "tel 1234567 ", "00 1 ", "030 12", "(0", "born 1.1.", "passport A", "secret", "accountkey=", "sk-", "xoxb-",
    "00:11:22:33:44:55", "aaaa.bbbb.cccc", "{{email:e_001}} ", "é@", "\0",
)  # fmt: skip
SMALL = 10_000


def _calls(text: str) -> int:
    """Count the calls of functions, in Python and in C, that detection makes: a measure that no load disturbs."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    previous = sys.getprofile()
    sys.setprofile(tick)
    try:
        detect(text, types=ENTITY_TYPES)
    finally:
        sys.setprofile(previous)
    return count


def _seconds(text: str, runs: int) -> float:
    def measure() -> Iterator[float]:
        for _ in range(runs):
            begin = time.thread_time()
            detect(text, types=ENTITY_TYPES)
            yield time.thread_time() - begin

    return min(measure())


def _repeat(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


@pytest.mark.parametrize("unit", UNITS)
def test_calls_grow_no_faster_than_the_text(unit: str) -> None:
    detect(_repeat(unit, 100), types=ENTITY_TYPES)
    small = _calls(_repeat(unit, SMALL))
    large = _calls(_repeat(unit, 4 * SMALL))
    assert large <= 4.5 * small + 2000
    # A handful of calls for each character, at most.
    assert small <= 20 * SMALL


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    # Within one call of the regex engine only the time tells: processor time, which waiting for a busy machine does
    # not count in. Quadratic growth would be 16.
    for _ in range(5):
        small = _seconds(_repeat(unit, SMALL), 5)
        large = _seconds(_repeat(unit, 4 * SMALL), 3)
        if large <= 8 * small + 0.002:
            return
    pytest.fail(f"four times the text costs {large / small:.1f} times as much")
