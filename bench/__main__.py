"""Run the benchmarks: ``python -m bench --help``."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from bench import costs, detection, http_rates, memory, reloads, round_trips, slow_clients, worst_cases
from bench.report import Table, conditions, conditions_line

SECTIONS: dict[str, Callable[[bool, int], Table]] = {
    "http": http_rates.run,
    "sealing": costs.run_sealing,
    "sizes": costs.run_sizes,
    "worst": worst_cases.run,
    "detect": detection.run_sizes,
    "detect-worst": detection.run_worst,
    "roundtrip": round_trips.run,
    "reload": reloads.run,
    "slow": slow_clients.run,
    "memory": memory.run,
}


def main() -> int:
    """Run the sections that were asked for; 1 when something was wrong, however fast it was."""
    options = _options()
    known = {**conditions(), "quick": options.quick, "seed": options.seed}
    tables: list[Table] = []
    broken: list[str] = []
    for name in options.only or SECTIONS:
        print(f"{name} …", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            table = SECTIONS[name](options.quick, options.seed)
        except Exception:
            broken.append(name)
            traceback.print_exc()
            continue
        tables.append(table)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if not options.markdown:
            print(f"\n{table.text()}", flush=True)
    if options.markdown:
        print("\n\n".join((conditions_line(known), *(table.markdown() for table in tables))))
    else:
        print(f"\n{conditions_line(known)} Targets missed: {sum(table.over for table in tables)}.")
    if options.json:
        report = {**known, "sections": [table.json() for table in tables], "broken": broken}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    wrong = [f"{table.name}: {line}" for table in tables for line in table.wrong]
    for line in (*wrong, *(f"{name}: did not finish" for name in broken)):
        print(f"WRONG {line}", file=sys.stderr)
    return 1 if wrong or broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the server; see docs/benchmarks.md.")
    parser.add_argument("--quick", action="store_true", help="a minute or two instead of ten; figures are rough")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="NAME", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    parser.add_argument("--markdown", action="store_true", help="print Markdown, for the documentation")
    parser.add_argument("--seed", type=int, default=1, help="of all random texts (default 1)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
