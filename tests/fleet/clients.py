"""Clients of a fleet that never rest and note everything that went wrong for them."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol

from tests.server.harness import wait_for

CLIENTS = 16
_PAUSE = 0.04  # seconds between two turns of a client, on average
_MARGIN = 0.6  # seconds before its end at which a session in hand is opened at the latest
_MOST_HELD = 40


class Target(Protocol):
    """Where requests can be sent: a balancer or an instance."""

    name: str
    port: int

    def instance(self, marked: str | None) -> str: ...


@dataclass(frozen=True)
class Failure:
    """Something that a client saw and should not have seen."""

    at: float
    client: int
    target: str
    instance: str
    path: str
    status: int  # 0: no answer
    code: str
    detail: str
    request_id: str
    kid: str


@dataclass
class Conversation:
    """A session as its client has it."""

    state: str
    expires_at: float
    first_kid: str
    sealed_by: str
    turns: int = 1
    texts: dict[str, str] = field(default_factory=dict)  # what went to the model, and what it was

    @property
    def kid(self) -> str:
        return self.state.split(".")[1]


class Client(threading.Thread):
    """Transforms and rehydrates; carries one conversation on and on, and keeps other sessions almost to their end."""

    def __init__(self, number: int, targets: list[Target], skew: float) -> None:
        super().__init__(name=f"client-{number}")
        self.number, self.targets, self.skew = number, targets, skew
        self.random = random.Random(number)
        self.ids = itertools.count(1)
        self.done = threading.Event()
        self.connections: dict[str, http.client.HTTPConnection] = {}
        self.failures: list[Failure] = []
        self.late: set[str] = set()  # requests with a session that was past its time by this clock
        self.held: list[tuple[float, Conversation]] = []
        self.conversation: Conversation | None = None
        self.turns = self.requests = self.crossed = self.kept = 0

    def run(self) -> None:
        try:
            while not self.done.is_set():
                self.turn()
                self.turns += 1
                self.done.wait(self.random.uniform(0, 2 * _PAUSE))
            for _, session in sorted(self.held, key=lambda one: one[0]):
                self.rehydrate(session)
        except Exception as error:  # a client that dies must not look like one that is content
            self.failures.append(
                Failure(time.time(), self.number, "", "", "", 0, "", f"client died: {error!r}", "", "")
            )
            raise
        finally:
            for connection in self.connections.values():
                connection.close()

    def turn(self) -> None:
        session = self.transform(self.conversation if self.random.random() < 0.5 else None)
        if session is not None and self.random.random() < 0.25 and len(self.held) < _MOST_HELD:
            latest = session.expires_at - _MARGIN - self.skew
            soonest = time.time()
            due = soonest + (latest - soonest) * self.random.choice((1.0, 1.0, self.random.random()))
            self.held.append((due, session))
        elif session is not None:
            self.rehydrate(session)
        now = time.time()
        for due, held in [one for one in self.held if one[0] <= now]:
            self.held.remove((due, held))
            self.kept += self.rehydrate(held)

    def transform(self, before: Conversation | None) -> Conversation | None:
        """Start a session, or carry the conversation on; each text names one of a few people."""
        text = f"mail person{self.random.randrange(5)}.of.{self.number}@example.com or call +49 30 901820"
        fields = {"session_state": before.state} if before else {}
        answer, instance = self.post("/v1/transform", before, {"input": text} | fields)
        if answer is None:
            if before is self.conversation:
                self.conversation = None  # what clients are told to do: transform again
            return None
        expires_at = datetime.fromisoformat(answer["expires_at"]).timestamp()
        state = answer["session_state"]
        kid = state.split(".")[1]
        session = Conversation(state, expires_at, before.first_kid if before else kid, instance)
        session.texts = {answer["safe_text"]: text} | (before.texts if before else {})
        if before:
            session.turns += before.turns
        if before or self.conversation is None:
            self.conversation = session
        return session

    def rehydrate(self, session: Conversation) -> bool:
        """Open a session, with one of the texts of its conversation, wherever the balancer sends it."""
        safe_text, text = self.random.choice(list(session.texts.items()))
        body = {"output": safe_text, "session_state": session.state}
        answer, instance = self.post("/v1/rehydrate", session, body, expected=text)
        self.crossed += instance != session.sealed_by
        return answer is not None

    def post(
        self, path: str, session: Conversation | None, body: dict[str, str], expected: str | None = None
    ) -> tuple[dict[str, Any] | None, str]:
        """Send a request; the answer, or None when it is not the one that was promised, and the instance's name."""
        target = self.random.choice(self.targets)
        request_id = f"client-{self.number}-{next(self.ids)}"
        status, instance, answer, detail = 0, "none", {}, ""
        self.requests += 1
        try:
            status, instance, answer = self.exchange(target, path, body, request_id)
            detail = str(answer.get("detail", ""))
        except (OSError, http.client.HTTPException, ValueError) as error:
            detail = repr(error)
            self.connections.pop(target.name).close()
        if status == 200 and expected is not None and answer.get("restored_text") != expected:
            detail = "the text that came back is not the one that went in"
        elif status == 200:
            return answer, instance
        now, code = time.time(), str(answer.get("code", ""))
        if status == 410 and session is not None and now >= session.expires_at - self.skew:
            self.late.add(request_id)
        else:
            kid = session.kid if session else ""
            self.failures.append(
                Failure(now, self.number, target.name, instance, path, status, code, detail, request_id, kid)
            )
        return None, instance

    def exchange(
        self, target: Target, path: str, body: dict[str, str], request_id: str
    ) -> tuple[int, str, dict[str, Any]]:
        connection = self.connections.get(target.name)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
            self.connections[target.name] = connection
        headers = {"Content-Type": "application/json", "X-Request-ID": request_id}
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read()
        if self.number % 2:  # the others keep their connections
            connection.close()
        answer = json.loads(content) if "json" in response.headers.get("Content-Type", "") else {}
        return response.status, target.instance(response.headers.get("X-Instance")), answer


class Clients:
    """Clients for the time of a `with`; at its end they open what they still hold."""

    def __init__(self, targets: list[Target], *, count: int = CLIENTS, skew: float = 0.0) -> None:
        self.clients = [Client(number, targets, skew) for number in range(count)]
        self.began = time.time()
        self.ended = 0.0

    def __enter__(self) -> Clients:
        self.began = time.time()
        for client in self.clients:
            client.start()
        self.wait_for_turns(1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for client in self.clients:
            client.done.set()
        for client in self.clients:
            client.join()
        self.ended = time.time()
        if error is not None:
            error.add_note(f"clients: {self.figures()}; {self.failures[:5]}")

    def wait_for_turns(self, number: int) -> None:
        """Wait until every client has had this many turns more."""
        wanted = [(client, client.turns + number) for client in self.clients]
        wait_for(lambda: all(client.turns >= turns for client, turns in wanted), "every client to have had its turns")

    @property
    def failures(self) -> list[Failure]:
        return sorted((one for client in self.clients for one in client.failures), key=lambda one: one.at)

    @property
    def late(self) -> set[str]:
        return set().union(*(client.late for client in self.clients))

    @property
    def conversations(self) -> list[Conversation]:
        return [client.conversation for client in self.clients if client.conversation]

    def figures(self) -> dict[str, float]:
        """Return what they did, in numbers."""
        return {
            "clients": len(self.clients),
            "requests": sum(client.requests for client in self.clients),
            "errors": len(self.failures),
            "past_their_time": len(self.late),
            "opened_elsewhere": sum(client.crossed for client in self.clients),
            "kept_almost_to_their_end": sum(client.kept for client in self.clients),
            "longest_conversation": max((one.turns for one in self.conversations), default=0),
            "seconds": round((self.ended or time.time()) - self.began, 1),
        }
