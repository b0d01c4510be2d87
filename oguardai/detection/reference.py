"""Write the reference of entity types, docs/entity-types.md: ``python -m oguardai.detection.reference``."""

from __future__ import annotations

from oguardai.detection.detector import NONE
from oguardai.detection.engine import detect
from oguardai.detection.registry import CODES, DETECTORS, ENTITY_TYPES

HEAD = """# Entity types

What OGuardAI finds, as `/v1/capabilities` names it. This page is made from the code by
`python -m oguardai.detection.reference`.

- **Level** 1 is what a strict policy blocks (identity, health, bank and card data, secrets), 2 what is replaced by a
  token and restored, 3 what is abstracted.
- **Check**: every find passed a check digit, or another check of the number itself.
- **Alone**: the example below is found in a text that says nothing of it. Where it is not, a word that names it must
  stand near: a card's number can be told from any other number, a passport's cannot.
- **Source** is where the format is published.

| type | level | check | alone | languages, countries | example | source |
|---|---|---|---|---|---|---|
"""


def render() -> str:
    """Return the page."""
    rows = []
    samples = {code.type: code.sample for code in reversed(CODES)}
    samples |= {row.type: row.sample for row in reversed(DETECTORS)}
    checked = {code.type for code in CODES if code.checksum > NONE}
    for kind in ENTITY_TYPES.values():
        sample = samples.get(kind.name, "")
        found = bool(sample) and any(e.type == kind.name for e in detect(f"with {sample} in it", types=[kind.name]))
        shown = f"`{sample}`" if sample and kind.name not in _NOT_SHOWN else ""
        cells = (
            f"`{kind.name}`",
            str(kind.level),
            "yes" if kind.checksum or kind.name in checked else "",
            "yes" if found else "",
            ", ".join(kind.locales) or "any",
            shown.replace("|", "\\|"),
            kind.source.replace("|", "\\|"),
        )
        rows.append("| " + " | ".join(cells) + " |\n")
    return HEAD + "".join(rows)


# Scanners for leaked keys take the examples for real ones.
_NOT_SHOWN = frozenset({"api_key", "jwt", "password", "private_key", "database_url"})


if __name__ == "__main__":
    print(render(), end="")
