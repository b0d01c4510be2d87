"""What the worst text of a megabyte costs, against ordinary prose of the same length."""

from __future__ import annotations

from bench.costs import seconds_of
from bench.engine import Engine
from bench.report import Table, verdict
from bench.texts import prose, worst
from oguardai.errors import ProblemError

SIZE = 1_000_000
MOST = 5.0  # times what ordinary text costs
QUICK_SIZE = 200_000


def run(quick: bool, seed: int) -> Table:
    """Measure transform and lenient rehydrate on every worst case."""
    size = QUICK_SIZE if quick else SIZE
    budget, least = (0.0, 1) if quick else (0.5, 2)
    table = Table(
        "worst",
        f"Worst cases of {size / 1_000_000:g} MB in process: nanoseconds a byte, and how many times ordinary prose",
        ("text", "values", "transform", "/prose", "most", "target", "lenient rehydrate", "/prose "),
    )
    engine = Engine()
    ordinary = prose(size, seed)
    sealed = engine.transform(ordinary)
    plain = seconds_of(lambda: engine.transform(ordinary), budget=budget, least=3)
    restored = seconds_of(
        lambda: engine.rehydrate(sealed.safe_text, sealed.session_state, repair="lenient"), budget=budget, least=3
    )
    per_ns = 1e9 / size
    table.add("(ordinary prose)", len(sealed.entities), plain * per_ns, 1.0, None, None, restored * per_ns, 1.0)
    found = []
    for name, text in worst(size).items():
        cost = seconds_of(lambda t=text: _transform(engine, t), budget=budget, least=least)
        back = seconds_of(
            lambda t=text: engine.rehydrate(t, sealed.session_state, repair="lenient"), budget=budget, least=least
        )
        found.append((name, _transform(engine, text), cost, back))
    for name, count, cost, back in sorted(found, key=lambda row: -row[2]):
        ratio = cost / plain
        table.add(name, count, cost * per_ns, ratio, MOST, verdict(ratio, MOST), back * per_ns, back / restored)
    table.notes.append(
        "Limits are raised: as shipped, a text with more than 10,000 values is refused half-way. Lenient rehydrate has"
        " no target: it costs little for prose, and what is dense with things like tokens costs as much as a transform."
    )
    return table


def _transform(engine: Engine, text: str) -> int | str:
    try:
        return len(engine.transform(text).entities)
    except ProblemError as error:
        return error.code
