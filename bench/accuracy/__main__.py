"""Measure detection on labelled sets: ``python -m bench.accuracy --help``."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.accuracy.presidio import Peer, find_peer
from bench.report import Table
from oguardai import __version__
from oguardai.detection import ENTITY_TYPES, detect
from oguardai.evaluation import Corpus, Kind, Row, Score, Value, read_corpus, score_row, total

OWN = Path(__file__).parents[2] / "tests" / "accuracy"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

_USUAL = frozenset(name for name, kind in ENTITY_TYPES.items() if kind.default)

Scores = dict[str, Score]


def main() -> int:
    """Measure all files; 1 when a line of one is wrong."""
    options = _options()
    corpora = _read(options.folder)
    if not corpora:
        return 1
    peer = find_peer(options.presidio, ENTITY_TYPES) if options.presidio else None
    ours = _score(corpora, lambda rows: map(_find, rows))
    theirs = _score(corpora, peer.finds) if peer else {}
    tables = [_by_file(corpora, ours, theirs), _by_type(corpora, ours, theirs, peer)]
    if options.write:
        _write(options.write, "\n\n".join((_conditions(peer), *(table.markdown() for table in tables))))
    elif options.markdown:
        print("\n\n".join((_conditions(peer), *(table.markdown() for table in tables))))
    else:
        print("\n\n".join((*(table.text() for table in tables), _conditions(peer))))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy", description="Measure detection on labelled sets; see docs/accuracy.md."
    )
    parser.add_argument("folder", nargs="*", type=Path, default=[OWN], help="of *.jsonl files (default tests/accuracy)")
    parser.add_argument("--presidio", metavar="PYTHON", help="an interpreter that has presidio-analyzer, to compare")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it between the two markers of a page instead")
    return parser.parse_args()


def _read(folders: Sequence[Path]) -> dict[str, Corpus]:
    corpora: dict[str, Corpus] = {}
    wrong: list[str] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.jsonl"))):
        corpus = read_corpus(path.read_text(encoding="utf-8").split("\n"), ENTITY_TYPES)
        corpora[path.stem] = corpus
        wrong += [f"{path}:{line}: {reason}" for line, reason in corpus.wrong]
        for names, what in ((corpus.unknown, "never found, no type here"), (corpus.left_out, "left out")):
            if names:
                print(f"{path.name}: {what}: {', '.join(names)}", file=sys.stderr)
    for line in wrong or ([] if corpora else ["no *.jsonl there"]):
        print(line, file=sys.stderr)
    return {} if wrong else corpora


def _find(row: Row) -> list[Value]:
    wanted = row.wanted
    if wanted is None:
        wanted = _USUAL | row.labelled.intersection(ENTITY_TYPES)
    if not wanted:
        return []
    return [Value(one.start, one.end, Kind.of(one.type)) for one in detect(row.text, types=wanted)]


def _score(corpora: dict[str, Corpus], finds: Callable[[Sequence[Row]], Any]) -> dict[str, Scores]:
    """Return the scores by file and type; ``finds`` gives the finds of each row."""
    result: dict[str, Scores] = {}
    for file, corpus in corpora.items():
        scores = result[file] = {}
        for row, found in zip(corpus.rows, finds(corpus.rows), strict=True):
            for name, score in score_row(row, found).items():
                scores.setdefault(name, Score()).add(score)
    return result


def _figures(score: Score | None) -> tuple[str | None, ...]:
    shares = (score.precision, score.recall, score.f(2), score.leaks) if score else (None,) * 4
    return tuple(None if share is None else f"{share:.2f}" for share in shares)


_FIGURES = ("precision", "recall", "F2", "leaks")
_COLUMNS = (*_FIGURES, *(f"Presidio {name}" for name in _FIGURES))


def _by_file(corpora: dict[str, Corpus], ours: dict[str, Scores], theirs: dict[str, Scores]) -> Table:
    table = Table("files", "By file", ("file", "rows", "labelled", "wrong finds", "Presidio wrong finds", *_COLUMNS))
    for file, corpus in corpora.items():
        us = total(ours[file].values())
        them = total(theirs[file].values()) if theirs else None
        errors = (us.found - us.right, them.found - them.right if them else None)
        table.add(file, len(corpus.rows), us.labelled, *errors, *_figures(us), *_figures(them))
    return table


def _by_type(
    corpora: dict[str, Corpus], ours: dict[str, Scores], theirs: dict[str, Scores], peer: Peer | None
) -> Table:
    table = Table("types", "By type", ("type", "labelled", *_COLUMNS))
    kinds = _kinds(corpora)
    us, them = _sum(ours), _sum(theirs)
    for name in sorted(us):
        if us[name].labelled:
            has = peer is not None and peer.gives(kinds.get(name, ()))
            table.add(name, us[name].labelled, *_figures(us[name]), *_figures(them.get(name, Score()) if has else None))
    shared = [name for name, score in us.items() if not score.labelled or (peer and peer.gives(kinds.get(name, ())))]
    if peer:
        both = [_figures(total(one[name] for name in shared if name in one)) for one in (us, them)]
        table.add("of both", sum(us[name].labelled for name in shared), *both[0], *both[1])
    everything = total(us.values())
    table.add("all", everything.labelled, *_figures(everything), *_figures(None))
    return table


def _kinds(corpora: dict[str, Corpus]) -> dict[str, set[Kind]]:
    kinds: dict[str, set[Kind]] = {}
    for corpus in corpora.values():
        for row in corpus.rows:
            for kind in (*(label.kind for label in row.labels), *(row.kinds or ())):
                kinds.setdefault(kind.name, set()).add(kind)
    return kinds


def _sum(by_file: dict[str, Scores]) -> Scores:
    result: Scores = {}
    for scores in by_file.values():
        for name, score in scores.items():
            result.setdefault(name, Score()).add(score)
    return result


def _conditions(peer: Peer | None) -> str:
    packages = ("python-stdnum", "phonenumbers")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    line = f"Measured {day} with oguardai {__version__}, Python {platform.python_version()}, {versions}"
    if peer is None:
        return f"{line}."
    others = ", ".join(f"{name} {number}" for name, number in peer.versions.items())
    how = (
        "its pattern recognizers of all countries without a language model, at its default score threshold, which is 0"
    )
    return (
        f"{line}. Presidio: {others}; {how}. A dash: it has no such recognizer, or there is nothing to take a share of."
    )


def _write(page: Path, figures: str) -> None:
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
