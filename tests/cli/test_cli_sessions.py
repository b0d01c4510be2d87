"""`session inspect`: what surrounds the values, and why a session does not open; the values never."""

from __future__ import annotations

import json

import pytest

from tests.cli.harness import Host, Outcome

VALUE = "jane.roe@example.com"
TEXT = f"{VALUE} 10.1.2.3 192.168.7.7"


def inspect(host: Host, state: str, *words: str) -> Outcome:
    done = host.run("session", "inspect", *words, stdin=state + "\n")
    assert VALUE.encode() not in done.out
    assert VALUE not in done.err
    return done


def inspect_json(host: Host, state: str) -> tuple[int, dict[str, object]]:
    done = inspect(host, state, "--json")
    answer: dict[str, object] = json.loads(done.out)
    return done.code, answer


def test_a_valid_session_shows_what_surrounds_its_values(host: Host) -> None:
    _, state = host.seal(TEXT)
    code, answer = inspect_json(host, state)
    assert code == 0
    assert answer["format"] == "og1"
    assert answer["kid"] == 0
    assert answer["size_bytes"] == len(state)
    assert answer["status"] == "valid"
    assert answer["key_fingerprint"] == host.config().keyring.keys[0].fingerprint
    assert answer["policy"] == "default"
    assert answer["token_style"] == "plain"
    assert answer["entities"] == {"email": 1, "ip": 2}
    assert str(answer["issued_at"]) < str(answer["expires_at"])


def test_people_get_the_same_in_words(host: Host) -> None:
    _, state = host.seal(TEXT)
    path = host.write(host.root / "s.blob", state)
    done = host.run("session", "inspect", str(path))
    assert (done.code, done.err) == (0, "")
    rows = dict(line.split(":", 1) for line in done.out.decode().splitlines())
    assert rows["kid"].strip() == "0"
    assert rows["size"].strip() == f"{len(state)} bytes"
    assert rows["entities"].strip() == "3 (email 1, ip 2)"
    assert rows["status"].strip().startswith("valid: ")


def test_an_expired_session_still_shows_its_times(host: Host) -> None:
    _, state = host.seal(TEXT, age=7200)
    code, answer = inspect_json(host, state)
    assert (code, answer["status"], answer["entities"]) == (65, "expired", {"email": 1, "ip": 2})
    assert "expired at" in inspect(host, state).err


@pytest.mark.parametrize(
    ("keys", "status", "words"),
    [
        (("1",), "unknown_kid", "is sealed with kid 0, and this host's keyring has only 1"),
        (("0, state: revoked", "1"), "revoked", "is sealed with kid 0, which is revoked"),
    ],
)
def test_a_key_that_does_not_open_is_told(host: Host, keys: tuple[str, ...], status: str, words: str) -> None:
    _, state = host.seal(TEXT)
    host.write_keys(*keys)
    code, answer = inspect_json(host, state)
    assert (code, answer["status"], answer["kid"], "entities" in answer) == (65, status, 0, False)
    assert words in inspect(host, state).err


def test_another_secret_and_an_altered_session_look_the_same(host: Host) -> None:
    _, state = host.seal(TEXT)
    altered = state[:60] + ("A" if state[60] != "A" else "B") + state[61:]
    assert inspect_json(host, altered)[1]["status"] == "authentication"
    host.write(host.env, f"GUARDAI_SESSION_SECRET={host.secrets[1]}\n")
    assert inspect_json(host, state)[1]["status"] == "authentication"
    assert inspect(host, state).code == 65


@pytest.mark.parametrize("text", ["", "hello", "og1.0.", "og1.00.AAAA", "og1.0.AAAA", "og2.0.AAAA", "\xfc"])
def test_what_is_no_session_is_refused(host: Host, text: str) -> None:
    done = inspect(host, text)
    assert (done.code, done.out) == (65, b"")


def test_without_a_configuration_the_outside_is_shown(host: Host) -> None:
    _, state = host.seal(TEXT)
    host.env.unlink()
    done = inspect(host, state)
    assert done.code == 78
    assert b"kid:      0\n" in done.out
    assert b"entities" not in done.out
