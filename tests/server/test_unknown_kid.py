"""A session sealed by a server that has reloaded already opens on one that has not."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.server.harness import RunningServer, kid_of, yaml_of


def pair(make_server: Callable[..., RunningServer]) -> tuple[RunningServer, RunningServer]:
    """Two servers with the same keys, as two hosts of a fleet are."""
    one, two = make_server(), make_server()
    two.secrets = one.secrets
    for server in (one, two):
        server.write_keys(server.key(0))
        server.start()
    return one, two


def test_a_new_kid_that_is_in_the_file_opens_without_a_reload(make_server: Callable[..., RunningServer]) -> None:
    one, two = pair(make_server)
    for server in (one, two):
        server.write_keys(server.key(0), server.key(1))
    assert one.reload().returncode == 0
    sealed = one.transform()
    assert kid_of(sealed) == 1
    for _ in range(4):
        assert two.opens(sealed), "both workers, the first time"
    assert kid_of(two.transform()) == 0, "but it seals only after a reload"
    assert "event=NewKidsTaken" in two.log()
    assert two.reload().returncode == 0
    assert kid_of(two.transform()) == 1


def test_what_a_look_takes_from_the_file_are_new_kids_only(make_server: Callable[..., RunningServer]) -> None:
    one, two = pair(make_server)
    old = two.transform()
    one.write_keys(one.key(0), one.key(1))
    assert one.reload().returncode == 0
    sealed = one.transform()
    edited = two.extra + "  max_body_bytes: 1024\n"
    two.write_yaml(yaml_of([two.key(0, state="revoked"), two.key(1)], edited))
    assert two.opens(sealed)
    assert two.opens(old), "the revocation waits for a reload: no client decides when an edit goes live"
    assert kid_of(two.transform()) == 0
    assert two.post("/v1/transform", input="x" * 3000)[0] == 200


def test_a_kid_that_is_nowhere_costs_one_look_at_the_file(make_server: Callable[..., RunningServer]) -> None:
    one, two = pair(make_server)
    sealed = one.transform()
    kid, _, body = sealed["session_state"].removeprefix("og1.").partition(".")
    assert kid == "0"
    for stranger in range(100, 140):
        status, answer = two.post("/v1/rehydrate", output="x", session_state=f"og1.{stranger}.{body}")
        assert (status, answer["code"]) == (410, "GUARDAI_SESSION_EXPIRED")
    assert "reason=unknown_kid kid=139" in two.log()
    metrics = two.get("/metrics")[1]
    assert 'kid="unknown"' in metrics
    assert 'kid="139"' not in metrics


def test_a_bad_file_is_looked_at_once_and_the_keys_stay(make_server: Callable[..., RunningServer]) -> None:
    one, two = pair(make_server)
    one.write_keys(one.key(0), one.key(1))
    assert one.reload().returncode == 0
    sealed = one.transform()
    two.write_yaml("session: [")
    assert not two.opens(sealed)
    assert not two.opens(sealed)
    assert two.log().count("event=LookFailed") == 1
    assert two.opens(two.transform())


def test_edits_in_quick_succession_are_all_seen_but_looks_stay_one_a_second(
    make_server: Callable[..., RunningServer],
) -> None:
    one, two = pair(make_server)
    sessions = []
    for kid in range(1, 8):
        one.write_keys(*(one.key(each) for each in range(kid + 1)))
        assert one.reload().returncode == 0
        sessions.append(one.transform())
    began = time.monotonic()
    for kid, sealed in enumerate(sessions, start=1):  # each edit is new, so each asks for a look
        two.write_keys(*(two.key(each) for each in range(kid + 1)))
        assert two.opens(sealed)
    looks = two.log().count("event=NewKidsTaken")
    assert looks == 7
    assert looks <= 5 + (time.monotonic() - began) + 1, "no faster than one a second in the long run"
