"""See how quiet detection is on texts without personal data: ``python -m bench.accuracy.quiet``.

The texts are what Debian's packages and Python install: prose, changelogs, source code, logs and tables, 100 kB of
each. Some finds are right even there (authors, their addresses, hosts, days); those types are listed apart.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from bench.report import Table
from oguardai.detection import Entity, detect

SIZE = 100_000
_CHUNK = 10_000  # characters that are looked at together
_MOST_OF_ONE = 8_000  # characters taken of one file, so that no single one decides
_CONTEXT = 25
# What changelogs and copyright files do hold.
REALLY_THERE = ("address", "company", "date", "domain", "email", "location", "person", "url")

Texts = dict[str, str]


def _files(*patterns: str) -> Iterator[Path]:
    """Return the files that match, of every folder one before any gets a second."""
    folders: dict[Path, list[Path]] = {}
    for pattern in patterns:
        for path in sorted(Path("/").glob(pattern)):
            if path.is_file() and not path.is_symlink() and path.suffix not in {".gz", ".xz"}:
                folders.setdefault(path.parent, []).append(path)
    lists = [sorted(paths) for _, paths in sorted(folders.items())]
    for turn in range(max(map(len, lists), default=0)):
        yield from (paths[turn] for paths in lists if turn < len(paths))


def _collect(paths: Iterable[Path], size: int = SIZE) -> str:
    parts: list[str] = []
    left = size
    for path in paths:
        if left <= 0:
            break
        try:
            text = path.read_bytes()[: 4 * _MOST_OF_ONE].decode(errors="strict")
        except (OSError, UnicodeDecodeError):
            continue
        part = text[: min(left, _MOST_OF_ONE)]
        parts.append(part)
        left -= len(part)
    return "\n".join(parts)[:size]


def collect() -> Texts:
    """Return what there is of each kind on this machine."""
    stdlib = Path(sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    inside = str(stdlib.relative_to("/"))
    return {
        "prose": _collect(
            chain(_files("usr/share/common-licenses/*"), _files("usr/share/doc/*/copyright", "usr/share/doc/*/README*"))
        ),
        "changelogs": _collect(_files("usr/share/doc/*/changelog*", "usr/share/doc/*/NEWS*")),
        "code": _collect(
            _files(f"{inside}/*.py", "usr/share/perl/*/**/*.pm", "usr/share/perl5/**/*.pm", "usr/bin/*.sh")
        ),
        "logs": _collect(
            _files("var/log/*.log", "var/log/apt/*.log", "var/log/**/*.log", "var/lib/dpkg/info/*.md5sums")
        ),
        "tables": _collect(
            _files(
                "usr/share/**/*.csv", "usr/share/**/*.tsv", "usr/share/zoneinfo/*.tab", "etc/services", "etc/protocols"
            )
        ),
    }


def _chunks(text: str) -> Iterator[str]:
    """Cut at ends of lines, about every ten thousand characters."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _CHUNK)
        end = len(text) if end < 0 else end + 1
        yield text[start:end]
        start = end


def _shown(text: str, entity: Entity) -> str:
    around = text[max(0, entity.start - _CONTEXT) : entity.start], text[entity.end : entity.end + _CONTEXT]
    value = text[entity.start : entity.end]
    line = f"…{around[0]}⟦{value}⟧{around[1]}…"
    return "".join(char if char.isprintable() else "·" for char in line)


def measure(texts: Texts, examples: int) -> tuple[Table, list[str]]:
    """Return finds by type and kind of text, per 100 kB, and some of each type with what stands around them."""
    counts: dict[str, Counter[str]] = {}
    lines: dict[str, list[str]] = {}
    for kind, text in texts.items():
        counts[kind] = Counter()
        for chunk in _chunks(text):
            for entity in detect(chunk):
                counts[kind][entity.type] += 1
                if entity.type not in REALLY_THERE:
                    lines.setdefault(entity.type, []).append(f"{entity.type} ({kind}): {_shown(chunk, entity)}")
    table = Table("quiet", "Finds per 100 kB", ("type", "may be right", *texts))
    for name in sorted(set().union(*counts.values()), key=lambda name: (name in REALLY_THERE, name)):
        row = [round(counts[kind][name] * SIZE / max(len(text), 1)) for kind, text in texts.items()]
        table.add(name, "yes" if name in REALLY_THERE else None, *row)
    sizes = ", ".join(f"{kind} {len(text):,}" for kind, text in texts.items())
    table.notes.append(f"Characters read: {sizes}.")
    return table, list(chain.from_iterable(shown[:examples] for _, shown in sorted(lines.items())))


def main() -> int:
    """Print the table, and finds with what stands around them."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy.quiet", description=__doc__)
    parser.add_argument("--examples", type=int, default=8, metavar="N", help="of each type (default 8)")
    parser.add_argument("--markdown", action="store_true", help="print the table alone, as Markdown")
    options = parser.parse_args()
    table, examples = measure(collect(), options.examples)
    if options.markdown:
        print(table.markdown())
    else:
        print("\n".join((table.text(), "", *examples)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
