"""Round trips: what went in must come out, exactly, whatever the text is."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable

from bench.client import FORK
from bench.engine import Engine
from bench.report import Table
from bench.texts import prose

MANY, FEW = 100_000, 2_000
_BATCH = 250
_SHOWN = 5

_PIECES = (
    "{", "}", "{{", "}}", "{{{", "}}}", "{ {", "[[", "]]", "<<", "((", "\\{", "\\\\{", "&#123;", "&lcub;", "&lt;",
    "\uff5b", "\uff5d", "\u3010", "\uff3b", "\uff08", ":", "_", ".", "-", "=", "\uff1a", "&#58;", "&#95;", "\\_",
    "{{email:e_001}}", "{{email:e_002}}", "{{phone:p_001}}", "{{literal:l_001}}", "{{literal:l_002}}",
    "{email:e_001}", "{{email:e_001.k7q}}", "{{EMAIL:E_001}}", "{{ email : e_001 }}", "[email:e_001]",
    "[[email e 001]]", "<ip:i_001>", "{{email:e_", "{{email:", "email:e_001}}", "e_001", "{{credit_card:c_001}}",
    "{{us_ssn:u_1000}}", "{{a:a_000}}", "\\{\\{email:e\\_001\\}\\}", "&#123;&#123;email:e_001&#125;&#125;",
    "\uff5b\uff5bemail\uff1ae_001\uff5d\uff5d", "a@b.co", "julia@example.com", "JULIA@example.com",
    "j\xfcrgen@b\xfccher.example", "\uff41@example.com", "+49 30 901820", "(212) 555-0147", "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00", "192.168.0.1", "::1", "fe80::1%eth0", "00:1b:44:11:3a:b7",
    "https://example.com/?q={{email:e_001}}", "078-05-1120", "born 1.2.1980", "passport C01X00T47",
    "ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5", "sk-", "eyJ", "-----BEGIN PRIVATE KEY-----", "www.example.com",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----", "https://a@b.co/{{x:x_001}}", "\r\n",
    "\n", "\r", "\t", "\0", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\u200d",
    "\xa0", "\u0130", "\u0131", "\u017f", "\u212a", "\xdf", "\u1e9e", "e\u0301", "\u202e", "\u2066", "\u2010",
    "\U0001f600", "\U0001f468\u200d\U0001f469", "\ufffd", "\uffff", "\U0010ffff", "\ud7ff", "\ue000", "\u0661",
    "\uff11", " ", "  ", "a", "1", "@", "+", "/", "\"", "'", "\\", "\\u0000", "%7B%7B", "null", "mail ", "phone: ",
    "IBAN ",
)  # fmt: skip
_KINDS = ("pieces", "values between braces", "characters", "prose cut up", "tokens of the session")


def run(quick: bool, seed: int) -> Table:
    """Send many texts there and back on all cores."""
    count = FEW if quick else MANY
    began = time.perf_counter()
    batches = [(seed, first, min(_BATCH, count - first)) for first in range(0, count, _BATCH)]
    trips: Counter[str] = Counter()
    failures: list[str] = []
    with FORK.Pool(os.cpu_count()) as pool:
        for done, failed in pool.imap_unordered(_batch, batches):
            trips += done
            failures += failed
    table = Table(
        "roundtrip",
        f"Round trips: {count:,} texts, seed {seed}; rehydrate(transform(text)) must be the text",
        ("what", "texts there and back", "failures", "most", "target"),
    )
    wrong = Counter(failure.split(":")[0] for failure in failures)
    for what, number in sorted(trips.items()):
        table.add(what, number, wrong[what], 0, "ok" if not wrong[what] else "OVER")
    table.wrong += sorted(failures)[:_SHOWN]
    if len(failures) > _SHOWN:
        table.wrong.append(f"and {len(failures) - _SHOWN:,} more")
    table.notes.append(f"{sum(trips.values()):,} rehydrations in {time.perf_counter() - began:.0f} s.")
    return table


def _batch(numbered: tuple[int, int, int]) -> tuple[Counter[str], list[str]]:
    seed, first, count = numbered
    engine = Engine()
    trips: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(first, first + count):
        _one(engine, random.Random(f"{seed} {number}"), number, trips, failures)
    return trips, failures


def _one(engine: Engine, rng: random.Random, number: int, trips: Counter[str], failures: list[str]) -> None:
    """Transform a text and one that continues its session; bring both back with the last session."""
    style = rng.choice(("plain", "tagged"))

    def back(what: str, safe: str, state: str, wanted: str) -> None:
        for repair in ("strict", "lenient"):
            name = f"{what}, {style}, {repair}"
            trips[name] += 1
            came = engine.rehydrate(safe, state, repair=repair).restored_text
            if came != wanted:
                failures.append(f"{name}: text {number}: {wanted[:300]!r} came back as {came[:300]!r}")

    try:
        text = generate(rng, "")
        sealed = engine.transform(text, token_style=style)
        back("new session", sealed.safe_text, sealed.session_state, text)
        second = generate(rng, sealed.safe_text)
        continued = engine.transform(second, session_state=sealed.session_state)
        back("continued", continued.safe_text, continued.session_state, second)
        back("first text, continued session", sealed.safe_text, continued.session_state, text)
        # What the first transform gave, kept as it is by the second: comes back as the first text.
        kept = engine.transform(sealed.safe_text, session_state=sealed.session_state, input_tokens="keep")
        back("tokens kept", kept.safe_text, kept.session_state, text)
    except Exception as error:
        failures.append(f"exception: text {number}: {type(error).__name__}: {error}"[:500])


def generate(rng: random.Random, safe: str) -> str:
    """Make a text; ``safe`` is an earlier safe text, whose tokens make good traps."""
    kind = rng.choices(_KINDS, (5, 2, 1, 1, 2))[0]
    length = rng.choice((1, 2, 3, 5, 8, 13, 30, 80))
    if kind == "pieces":
        return "".join(rng.choices(_PIECES, k=length))
    if kind == "characters":
        return "".join(map(_character, (rng.random() for _ in range(length))))
    text = prose(rng.choice((100, 200, 300)), rng.randrange(1_000_000))
    if kind == "values between braces":
        return _spliced(rng, text, length)
    if kind == "tokens of the session" and safe:
        return _spliced(rng, safe[:400] + rng.choice(_PIECES) + safe[:400], length // 2)
    begin = rng.randrange(len(text))
    return _spliced(rng, text[begin:], 1) + text[:begin]


def _spliced(rng: random.Random, text: str, count: int) -> str:
    for _ in range(count):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(_PIECES) + text[at + rng.randrange(3) :]
    return text


def _character(share: float) -> str:
    """Map 0 … 1 to any character but a surrogate, half of them ASCII."""
    place: Callable[[float], int] = lambda x: int(x * 2 * 0x80) if x < 0.5 else int((x - 0.5) * 2 * 0x110000)  # noqa: E731
    code = place(share)
    return chr(code) if not 0xD800 <= code <= 0xDFFF else "\ue000"
