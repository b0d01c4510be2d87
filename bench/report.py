"""What a benchmark found: tables with targets, as text, Markdown or JSON."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK = "ok"
OVER = "OVER"

_PACKAGES = ("flask", "werkzeug", "gunicorn", "cryptography", "google-re2")
_NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight")


@dataclass
class Table:
    """One section: a line a figure.

    Attributes:
        rows: each as long as ``columns``; None is shown as a dash.
        wrong: what must never happen and did; one entry makes the whole run fail.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, *cells: Any) -> None:
        """Add a line."""
        assert len(cells) == len(self.columns), (self.columns, cells)
        self.rows.append(cells)

    @property
    def over(self) -> int:
        """How many targets were missed."""
        return sum(cell == OVER for row in self.rows for cell in row)

    def text(self) -> str:
        """Write it for a terminal."""
        lines = [[_shown(cell) for cell in row] for row in (self.columns, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        first = [name.ljust(width) for name, width in zip(lines[0], widths, strict=True)]
        body = ["  ".join(_aligned(line, widths, self.rows[number])) for number, line in enumerate(lines[1:])]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join(
            (self.title, rule, "  ".join(first).rstrip(), *(line.rstrip() for line in body), *self._tail())
        )

    def markdown(self) -> str:
        """Write it for a page."""
        lines = [f"### {self.title}", "", _pipes(self.columns), _pipes(["---"] * len(self.columns))]
        lines += [_pipes([_shown(cell) for cell in row]) for row in self.rows]
        return "\n".join((*lines, *(f"\n{line}" for line in self._tail())))

    def json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"name": self.name, "title": self.title, "rows": rows, "notes": self.notes, "wrong": self.wrong}

    def _tail(self) -> list[str]:
        return [*self.notes, *(f"WRONG: {line}" for line in self.wrong)]


def verdict(value: float, limit: float, *, least: bool = False) -> str:
    """Compare a figure with its target, which is the most that it may be, or with ``least`` the least."""
    return OK if (value >= limit if least else value <= limit) else OVER


def conditions() -> dict[str, Any]:
    """Describe where and with what a run was made, without anything that names the machine."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{_count(os.cpu_count() or 1)}-core {'virtual ' if _is_virtual() else ''}machine",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def conditions_line(known: dict[str, Any]) -> str:
    """Write the conditions as a sentence."""
    versions = ", ".join(f"{name} {known[name]}" for name in ("python", *_PACKAGES))
    return f"One run on a {known['machine']}, {known['date']}; {versions}."


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def _is_virtual() -> bool:
    try:
        return " hypervisor" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        if cell >= 100:
            return f"{cell:,.0f}"
        return f"{cell:.1f}" if cell >= 10 else f"{cell:.2f}" if cell >= 0.1 or cell == 0 else f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _aligned(line: Sequence[str], widths: Sequence[int], row: Sequence[Any]) -> list[str]:
    return [
        text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
        for text, width, cell in zip(line, widths, row, strict=True)
    ]


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell: str) -> str:
    """Keep Markdown from reading anything into the name of a text."""
    for char, safe in (("\\", "\\\\"), ("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("[", "\\["), ("_", "\\_")):
        cell = cell.replace(char, safe)
    return cell
