"""Clients that transform and rehydrate all the time; runs inside a machine with its own python3.

    python3 load.py [--clients N] [--lifetime SECONDS]

Every other client keeps its connection, the rest make one for each request. Prints ``ready`` once every client was
served, goes on until standard input ends, then prints one JSON object:

    requests      answered as they should be
    sessions      kids that the sessions were sealed under, with how many
    expired       answers 410 before the session's time had passed
    past          answers 410 after it: the request, or the session's first one, had to wait for so long
    refused       connections that were refused
    lost          requests that were sent and got no whole answer
    wrong         any other answer, by status and code, and texts that came back changed
    reconnected   connections that the server had closed before anything was sent on them again
    longest_ms    the longest time from a request to its answer
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import select
import sys
import threading
import time

TEXT = "Write to client{}@example.com, or call +49 30 901820."
PORT = 3000
SPARE_SECONDS = 2  # sessions with less time left are not gone back to


class Client(threading.Thread):
    def __init__(self, number, lifetime):
        super().__init__(daemon=True)
        self.text = TEXT.format(number)
        self.keep_alive = number % 2 == 0
        self.lifetime = lifetime
        self.connection = None
        self.counts, self.wrong, self.kids = collections.Counter(), collections.Counter(), collections.Counter()
        self.longest = 0.0
        self.kept = collections.deque()  # sessions to go back to, with their time
        self.served, self.stop = threading.Event(), threading.Event()

    def run(self):
        while not self.stop.is_set():
            began = time.monotonic()
            answer = self.ask("/v1/transform", {"input": self.text}, began)
            if answer is None:
                continue
            session = {"output": answer["safe_text"], "session_state": answer["session_state"]}
            self.kids[answer["session_state"].split(".")[1]] += 1
            if self.text.split()[2] in answer["safe_text"]:
                self.wrong["the value is in the safe text"] += 1
            self.open(began, session)
            self.served.set()
            self.kept.append((began, session))
            while self.kept and time.monotonic() - self.kept[0][0] > self.lifetime - SPARE_SECONDS:
                self.kept.popleft()
            if self.kept:
                self.open(*self.kept[0])

    def open(self, sealed_at, session):
        answer = self.ask("/v1/rehydrate", session, sealed_at)
        if answer is not None and answer["restored_text"] != self.text:
            self.wrong["another text came back"] += 1

    def ask(self, path, body, sealed_at):
        """Return the answer; None when there was none, or not the right one.

        ``sealed_at``: before the session was sealed, by the monotonic clock.
        """
        if self.connection is not None and select.select([self.connection.sock], [], [], 0)[0]:
            self.counts["reconnected"] += 1  # closed while it was idle, as servers may
            self.close()
        began = time.monotonic()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
                self.connection.connect()
        except OSError:
            self.counts["refused"] += 1
            self.close()
            time.sleep(0.02)
            return None
        try:
            self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.counts["lost"] += 1
            self.close()
            return None
        self.longest = max(self.longest, time.monotonic() - began)
        if not self.keep_alive or response.will_close:
            self.close()
        if response.status == 200:
            self.counts["requests"] += 1
            return answer
        if response.status == 410:
            self.counts["past" if time.monotonic() - sealed_at >= self.lifetime else "expired"] += 1
        else:
            self.wrong[f"{response.status} {answer.get('code')}"] += 1
        return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--lifetime", type=float, default=30.0, help="of a session, in seconds")
    options = parser.parse_args()
    clients = [Client(number, options.lifetime) for number in range(options.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.served.wait()
    print("ready", flush=True)
    sys.stdin.read()
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join(70)
    counts = sum((client.counts for client in clients), collections.Counter())
    report = {name: counts[name] for name in ("requests", "expired", "past", "refused", "lost", "reconnected")}
    report["wrong"] = sum((client.wrong for client in clients), collections.Counter())
    report["sessions"] = sum((client.kids for client in clients), collections.Counter())
    report["longest_ms"] = round(max(client.longest for client in clients) * 1000)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
