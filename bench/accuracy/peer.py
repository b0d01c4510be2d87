"""Run Presidio's pattern recognizers; for the Python that has presidio-analyzer, which is another than ours.

``peer.py --list`` prints one JSON object: versions, the entities there are, and those of a default installation.
``peer.py --time`` reads a list of texts as JSON and prints the seconds that a default installation takes for them.
Without an argument it reads JSON lines, ``{"text", "entities"}``, and answers each with ``[[start, end, entity], …]``.
"""

from __future__ import annotations

import inspect
import json
import logging
import sys
import time
from importlib.metadata import version

import spacy
from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    PatternRecognizer,
    RecognizerRegistry,
    predefined_recognizers,
)
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import PhoneRecognizer
from spacy.language import Language
from spacy.tokens import Doc


@Language.component("words_as_lemmas")
def words_as_lemmas(doc: Doc) -> Doc:
    """Say that each word is its own lemma, so that context words are recognised without a model."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class BlankEngine(SpacyNlpEngine):
    """spaCy's English tokeniser without a model: names are not recognised."""

    def load(self) -> None:
        """Make the pipeline."""
        blank = spacy.blank("en")
        blank.add_pipe("words_as_lemmas")
        self.nlp = {"en": blank}


def make_registry(engine: SpacyNlpEngine) -> tuple[RecognizerRegistry, set[str]]:
    """Return all recognizers that need no model, as if for English, and the entities of a default installation."""
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    registry.recognizers = [one for one in registry.recognizers if _needs_no_model(type(one))]
    usual = {entity for one in registry.recognizers for entity in one.supported_entities}
    there = {type(one) for one in registry.recognizers}
    for _, kind in inspect.getmembers(predefined_recognizers, inspect.isclass):
        if kind not in there and _needs_no_model(kind):
            recognizer = kind()
            recognizer.supported_language = "en"
            registry.add_recognizer(recognizer)
    return registry, usual


def _needs_no_model(kind: type) -> bool:
    return issubclass(kind, PatternRecognizer | PhoneRecognizer) and issubclass(kind, EntityRecognizer)


def best_time(analyzer: AnalyzerEngine, texts: list[str], entities: list[str]) -> float:
    """Return the seconds of processor time that a default installation's patterns take for the texts: best of three."""
    best = float("inf")
    for _ in range(4):
        began = time.process_time()
        for text in texts:
            analyzer.analyze(text, language="en", entities=entities)
        best = min(best, time.process_time() - began)
    return best


def main() -> None:
    """Answer every line on standard input."""
    logging.disable()  # it reports that it cannot fetch the list of public suffixes, and works with its own
    engine = BlankEngine()
    engine.load()
    registry, usual = make_registry(engine)
    entities = {entity for one in registry.recognizers for entity in one.supported_entities}
    if sys.argv[1:] == ["--list"]:
        versions = {name: version(name) for name in ("presidio-analyzer", "spacy", "phonenumbers")}
        print(json.dumps({"versions": versions, "entities": sorted(entities), "usual": sorted(usual)}))
        return
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    if sys.argv[1:] == ["--time"]:
        texts = json.load(sys.stdin)
        print(best_time(analyzer, texts, sorted(usual)))
        return
    for line in sys.stdin:
        row = json.loads(line)
        wanted = row["entities"]
        found = analyzer.analyze(row["text"], language="en", entities=wanted) if wanted else []
        print(json.dumps([[one.start, one.end, one.entity_type] for one in found]), flush=True)


if __name__ == "__main__":
    main()
