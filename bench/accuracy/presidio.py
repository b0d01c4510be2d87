"""Ask Presidio, in a Python of its own, what it finds in the rows of a labelled set."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oguardai.evaluation import Kind, Row, Value, find_kind

_SCRIPT = str(Path(__file__).with_name("peer.py"))


@dataclass(frozen=True, slots=True)
class Peer:
    """Presidio under one interpreter; ``kinds`` are its entities as types of ours."""

    python: str
    versions: dict[str, str]
    kinds: dict[str, Kind]
    usual: frozenset[str]

    def finds(self, rows: Sequence[Row]) -> Iterator[list[Value]]:
        """Return what it finds in each row, in their order."""
        lines = [json.dumps({"text": row.text, "entities": self._wanted(row)}) for row in rows]
        done = subprocess.run(
            [self.python, _SCRIPT],
            input="".join(f"{line}\n" for line in lines),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        answers = done.stdout.splitlines()
        assert len(answers) == len(rows), (len(answers), len(rows))
        for answer in answers:
            yield [Value(start, end, self.kinds[entity]) for start, end, entity in json.loads(answer)]

    def gives(self, kinds: Iterable[Kind]) -> bool:
        """Tell whether it has a recognizer for one of the types."""
        return bool(self._of(frozenset().union(*(kind.accepts for kind in kinds))))

    def _of(self, types: frozenset[str]) -> set[str]:
        return {entity for entity, kind in self.kinds.items() if not kind.accepts.isdisjoint(types)}

    def _wanted(self, row: Row) -> list[str]:
        """Return the tested type's entities; else those of a default installation, and what the row labels."""
        labelled = self._of(row.labelled)
        return sorted(labelled if row.wanted is not None else labelled | self.usual)


def find_peer(python: str, known: Iterable[str]) -> Peer:
    """Return the Presidio of an interpreter. ``known`` are our entity types."""
    done = subprocess.run([python, _SCRIPT, "--list"], stdout=subprocess.PIPE, check=True, text=True)
    said = json.loads(done.stdout)
    types = frozenset(known)
    kinds = {entity: find_kind(entity, types) or Kind.of(entity.lower()) for entity in said["entities"]}
    return Peer(python, said["versions"], kinds, frozenset(said["usual"]))
