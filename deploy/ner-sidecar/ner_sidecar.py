#!/usr/bin/env python3
"""Find names with a model, behind the contract that OGuardAI asks: docs/detectors.md describes it.

    ner_sidecar.py rules:words.txt                        words of a file, to try the contract without a model
    ner_sidecar.py spacy:en_core_web_sm                   needs spacy and the model
    ner_sidecar.py gliner:urchade/gliner_multi_pii-v1     needs gliner; reads the model from a directory or its cache

It listens on 127.0.0.1:9090, elsewhere with --listen: HOST:PORT, or unix:/path. It keeps nothing, and logs no text.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

MAX_BODY = 32 << 20  # bytes
LONGEST_PIECE = 2000  # characters that a model sees at once; its memory grows with the square of them
OVERLAP = 200  # characters of a piece that the next one begins with, so that no name is cut in two
SECONDS_FOR_A_REQUEST = 30

TYPES = ("person", "company", "location")
SPACY_LABELS = {
    "PERSON": "person", "PER": "person", "ORG": "company", "GPE": "location", "LOC": "location", "FAC": "location",
}  # fmt: skip
GLINER_LABELS = {"person": "person", "organization": "company", "location": "location"}


class Entity(NamedTuple):
    """What was found, in code points, end exclusive."""

    type: str
    start: int
    end: int
    score: float


Backend = Callable[[str], Iterable[Entity]]


# --- back ends -----------------------------------------------------------------------------------------------


def make_rules(path: str) -> Backend:
    """Find the words of a file, a line ``type word`` each: to try the contract, and for tests."""
    rules = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            kind, _, word = line.strip().partition(" ")
            if word:
                rules.append((kind, re.compile(rf"(?<!\w){re.escape(word.strip())}(?!\w)")))

    def find(text: str) -> Iterator[Entity]:
        for kind, pattern in rules:
            for match in pattern.finditer(text):
                yield Entity(kind, match.start(), match.end(), 1.0)

    return find


def make_spacy(model: str) -> Backend:
    """Find what a spaCy pipeline finds. It gives no scores: all are 0.85."""
    import spacy  # type: ignore[import-not-found]  # noqa: PLC0415

    nlp = spacy.load(model, exclude=["lemmatizer", "attribute_ruler"])

    def find(text: str) -> Iterator[Entity]:
        for found in nlp(text).ents:
            if found.label_ in SPACY_LABELS:
                yield Entity(SPACY_LABELS[found.label_], found.start_char, found.end_char, 0.85)

    return find


def make_gliner(model: str) -> Backend:
    """Find what a GLiNER model finds."""
    from gliner import GLiNER  # type: ignore[import-not-found]  # noqa: PLC0415

    loaded = GLiNER.from_pretrained(model)

    def find(text: str) -> Iterator[Entity]:
        for found in loaded.predict_entities(text, list(GLINER_LABELS), threshold=0.5):
            yield Entity(GLINER_LABELS[found["label"]], found["start"], found["end"], float(found["score"]))

    return find


BACKENDS: dict[str, Callable[[str], Backend]] = {"rules": make_rules, "spacy": make_spacy, "gliner": make_gliner}


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text into pieces that a model can see at once, between words where there are any."""
    start = 0
    while True:
        end = start + LONGEST_PIECE
        if end >= len(text):
            yield start, text[start:]
            return
        cut = max(text.rfind(space, end - OVERLAP, end) for space in " \n") + 1
        end = cut or end
        yield start, text[start:end]
        start = end - OVERLAP


def find_all(backend: Backend, text: str, types: Iterable[str]) -> list[Entity]:
    """Find in all pieces; what stands where two overlap is given once."""
    wanted = frozenset(types)
    found = set()
    for start, piece in pieces(text):
        for one in backend(piece):
            if one.type in wanted and 0 <= one.start < one.end <= len(piece):
                found.add(Entity(one.type, start + one.start, start + one.end, min(1.0, max(0.0, one.score))))
    return sorted(found, key=lambda one: (one.start, one.end))


# --- HTTP ----------------------------------------------------------------------------------------------------


class BadRequestError(Exception):
    """The body is not what the contract says."""


def read_request(body: bytes) -> tuple[str, list[str]]:
    """Return text and types."""
    try:
        data = json.loads(body)
        text, types = data["text"], data["types"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadRequestError from None
    if not isinstance(text, str) or not isinstance(types, list) or not all(isinstance(one, str) for one in types):
        raise BadRequestError
    return text, types


class Handler(BaseHTTPRequestHandler):
    """Answer the two requests of the contract."""

    protocol_version = "HTTP/1.1"
    timeout = SECONDS_FOR_A_REQUEST
    backend: Backend
    name = ""
    lock = threading.Lock()  # the models use all cores for one text

    def do_GET(self) -> None:
        """Say that the model is loaded: it was before the socket was opened."""
        if self.path == "/v1/health":
            self._answer(200, {"status": "ok", "model": self.name})
        else:
            self._answer(404, {"error": "no such path"})

    def do_POST(self) -> None:
        """Find."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or "Transfer-Encoding" in self.headers:
            self._refuse(411, "Content-Length is needed")
        elif len(length) > 12 or int(length) > MAX_BODY:
            self._refuse(413, "the body is too large")
        else:
            body = self.rfile.read(int(length))
            if self.path == "/v1/entities":
                self._entities(body)
            else:
                self._answer(404, {"error": "no such path"})

    def _entities(self, body: bytes) -> None:
        try:
            text, types = read_request(body)
        except BadRequestError:
            self._answer(400, {"error": "expected an object with text and types"})
            return
        try:
            with self.lock:
                found = find_all(type(self).backend, text, types)
        except Exception as error:  # its message may quote the text
            self.log_error("%s", type(error).__name__)
            self._answer(500, {"error": "the model failed"})
            return
        self._answer(200, {"entities": [one._asdict() for one in found]})

    def _refuse(self, status: int, error: str) -> None:
        self.close_connection = True  # the body was not read
        self._answer(status, {"error": error})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log nothing of a request."""

    def address_string(self) -> str:
        """Name the client, which has no address behind a Unix socket."""
        return str(self.client_address[0]) if self.client_address else "unix"


class Server(ThreadingHTTPServer):
    """Serve on a TCP or a Unix socket."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, listen: str, handler: type[Handler]) -> None:
        self._path = listen.removeprefix("unix:") if listen.startswith("unix:") else ""
        if self._path:
            super().__init__(("", 0), handler, bind_and_activate=False)
            self.socket.close()
            self.socket = self._bind_unix()
            self.server_name, self.server_port = "localhost", 0
            self.server_activate()
        else:
            host, _, port = listen.rpartition(":")
            if ":" in host:
                self.address_family = socket.AF_INET6
            super().__init__((host.strip("[]"), int(port)), handler)

    def _bind_unix(self) -> socket.socket:
        if os.path.exists(self._path):
            os.unlink(self._path)
        made = socket.socket(socket.AF_UNIX)
        made.bind(self._path)
        os.chmod(self._path, 0o660)  # the group is how the server gets in
        return made


def main(arguments: list[str] | None = None) -> None:
    """Load the model, then serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backend", metavar="BACKEND:MODEL", help=f"one of {', '.join(BACKENDS)}, and what it loads")
    parser.add_argument("--listen", default="127.0.0.1:9090", help="HOST:PORT or unix:/path [%(default)s]")
    options = parser.parse_args(arguments)
    kind, _, model = options.backend.partition(":")
    if kind not in BACKENDS or not model:
        parser.error(f"expected {' or '.join(f'{name}:MODEL' for name in BACKENDS)}")
    backend = BACKENDS[kind](model)
    handler = type("ModelHandler", (Handler,), {"backend": staticmethod(backend), "name": options.backend})
    with Server(options.listen, handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
