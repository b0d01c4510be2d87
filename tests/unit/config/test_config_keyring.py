"""session.keyring: what is taken, and what is refused with file and line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oguardai.errors import Severity
from oguardai.keyring import MAX_KEYS, Key, KeyState, generate_secret

from .conftest import NOW, Directory

Ring = Callable[..., str]


def test_the_runbooks_keyring_seals_with_its_last_key(
    directory: Directory, ring: Ring, secret: str, other_secret: str
) -> None:
    directory.yaml(ring())
    config = directory.load()
    assert config.keyring.keys == (Key.from_secret(0, secret), Key.from_secret(1, other_secret))
    assert config.keyring.active(NOW).kid == 1
    assert config.sources["session.keyring"] == "oguardai.yaml:2"
    assert config.env_file_secret is None
    assert not config.env_file_secret_wins


def test_a_keyring_wins_over_secrets_outside_of_it(directory: Directory, ring: Ring, secret: str) -> None:
    directory.yaml(ring())
    directory.env(f"GUARDAI_SESSION_SECRET={secret}\n")
    config = directory.load({"GUARDAI_SESSION_SECRET": generate_secret()})
    assert [key.kid for key in config.keyring.keys] == [0, 1]
    assert config.env_file_secret == config.keyring.keys[0].fingerprint
    assert not config.env_file_secret_wins
    (warning,) = config.warnings  # that of the file is expected to stay behind
    assert (warning.severity, warning.key, warning.file) == (
        Severity.WARNING,
        "GUARDAI_SESSION_SECRET",
        "environment",
    )


def test_a_bad_secret_that_loses_refuses_nothing(directory: Directory, ring: Ring) -> None:
    directory.yaml(ring())
    directory.env("GUARDAI_SESSION_SECRET=change-me\n")
    assert str(directory.load({"GUARDAI_SESSION_SECRET": "x"}).env_file_secret).startswith("bad:")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-12-01T09:00:00Z", datetime(2027, 12, 1, 9, tzinfo=UTC)),
        ("2027-12-01t09:00:00z", datetime(2027, 12, 1, 9, tzinfo=UTC)),
        ("2027-12-01 10:30:00+01:30", datetime(2027, 12, 1, 9, tzinfo=UTC)),
        ("'2027-12-01T09:00:00.25-00:00'", datetime(2027, 12, 1, 9, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_key_with_not_before_opens_at_once_and_seals_later(
    directory: Directory, ring: Ring, text: str, moment: datetime
) -> None:
    directory.yaml(ring(second=f"not_before: {text}"))
    keyring = directory.load().keyring
    assert keyring.keys[1].not_before == moment.timestamp()
    assert keyring.keys[1].opens
    assert keyring.active(NOW).kid == 0
    assert keyring.active(moment.timestamp()).kid == 1


@pytest.mark.parametrize(
    "text",
    [
        "2027-12-01T09:00:00",
        "2027-12-01",
        "2027-12-01T09:00Z",
        "2027-W01-1T09:00:00Z",
        "2027-13-01T09:00:00Z",
        "2027-12-01T24:00:00Z",
        "2027-12-01T09:00:60Z",
        "0000-01-01T00:00:00Z",
        "2027-12-01T09:00:00+0100",
        "2027-12-01T09:00:00+25:00",
        "٢٠٢٧-12-01T09:00:00Z",
        "1800000000",
        "tomorrow",
        "",
        "[a]",
    ],
)
def test_a_time_needs_an_offset_and_must_exist(directory: Directory, ring: Ring, text: str) -> None:
    directory.yaml(ring(second=f"not_before: {text}"))
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (7, "session.keyring[1].not_before")
    assert "2026-12-01T09:00:00Z" in problem.message


def test_states(directory: Directory, ring: Ring) -> None:
    directory.yaml(ring(second="state: staged"))
    assert directory.load().keyring.keys[1].state is KeyState.STAGED
    assert directory.load().keyring.active(NOW).kid == 0
    directory.yaml(ring(second="state: revoked"))
    assert not directory.load().keyring.keys[1].opens


@pytest.mark.parametrize("state", ["in_use", "active", "Staged", "", "true"])
def test_another_state_is_refused(directory: Directory, ring: Ring, state: str) -> None:
    directory.yaml(ring(first=f"state: {state}"))
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (5, "session.keyring[0].state")
    assert "staged or revoked" in problem.message


def test_a_kid_that_stands_twice_is_refused_with_both_lines(directory: Directory, ring: Ring) -> None:
    directory.yaml(ring().replace("kid: 1", "kid: 0"))
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (5, "session.keyring[1].kid")
    assert "lines 3 and 5" in problem.message


@pytest.mark.parametrize(
    "kid", ["-1", "2147483648", "01", "1.0", '"1"', "0x1", "one", "", "~", "[1]", "9" * 5000, "1_0"]
)
def test_a_kid_is_a_whole_number_of_31_bits(directory: Directory, ring: Ring, kid: str) -> None:
    directory.yaml(ring().replace("kid: 1", f"kid: {kid}"))
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (5, "session.keyring[1].kid")
    assert "from 0 to 2147483647" in problem.message


def test_the_greatest_kid_is_taken(directory: Directory, ring: Ring) -> None:
    directory.yaml(ring().replace("kid: 1", "kid: 2147483647"))
    assert directory.load().keyring.active(NOW).kid == 2147483647


@pytest.mark.parametrize("content", ["session:\n  keyring: []\n", "session:\n  keyring:\n", "session:\n  keyring: ~\n"])
def test_an_empty_keyring_is_refused_even_beside_a_secret(directory: Directory, secret: str, content: str) -> None:
    directory.yaml(content)
    problem = directory.refused_once({"GUARDAI_SESSION_SECRET": secret})
    assert (problem.line, problem.key) == (2, "session.keyring")
    assert "is empty" in problem.message


def test_two_kids_with_one_secret_are_refused(directory: Directory, ring: Ring, secret: str, other_secret: str) -> None:
    same = secret.rstrip("=")  # without its padding it is the same key
    directory.yaml(ring().replace(other_secret, same))
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (5, "session.keyring[1]")
    assert "kid 1 has the secret of kid 0 (line 3)" in problem.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("state: staged", "state: revoked"),
        ("not_before: 2999-01-01T00:00:00Z", "state: staged"),
    ],
)
def test_a_ring_that_cannot_seal_now_is_refused(directory: Directory, ring: Ring, first: str, second: str) -> None:
    directory.yaml(ring(first, second))
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (2, "session.keyring")
    assert "can seal now" in problem.message


def test_more_keys_than_the_server_counts_are_refused(directory: Directory) -> None:
    entries = [f"    - {{kid: {kid}, secret: {generate_secret()}}}\n" for kid in range(MAX_KEYS + 1)]
    directory.yaml("session:\n  keyring:\n" + "".join(entries[:-1]))
    assert len(directory.load().keyring.keys) == MAX_KEYS
    directory.yaml("session:\n  keyring:\n" + "".join(entries))
    assert f"at most {MAX_KEYS}" in directory.refused_once().message


def test_unknown_fields_and_missing_ones_are_all_told(directory: Directory) -> None:
    directory.yaml("session:\n  keyring:\n    - kid: 0\n      secrt: x\n    - secret: short\n    - 7\n")
    told = [(problem.line, problem.key) for problem in directory.refused()]
    assert told == [
        (3, "session.keyring[0]"),
        (4, "session.keyring[0].secrt"),
        (5, "session.keyring[1]"),
        (5, "session.keyring[1].secret"),
        (6, "session.keyring[2]"),
    ]


@pytest.mark.parametrize("given", ["secret: {0}\n      secret_file: key", ""])
def test_a_key_has_one_secret(directory: Directory, secret: str, given: str) -> None:
    directory.write("key", secret)
    directory.yaml("session:\n  keyring:\n    - kid: 0\n      " + given.replace("{0}", secret) + "\n")
    problem = directory.refused_once()
    assert "expected one of them" in problem.message
    assert secret not in str(problem)


@pytest.mark.parametrize("name", ["key", "keys/key", "./keys/../key", "{0}/key"])
@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_a_secret_file_is_found_from_the_configuration_directory(
    directory: Directory, secret: str, name: str, line_end: str
) -> None:
    (directory.path / "keys").mkdir()
    for path in ("key", "keys/key"):
        directory.write(path, secret + line_end)
    directory.yaml(f"session: {{keyring: [{{kid: 0, secret_file: '{name.replace('{0}', str(directory.path))}'}}]}}\n")
    config = directory.load({"CREDENTIALS_DIRECTORY": "/nowhere"})
    assert config.keyring.keys == (Key.from_secret(0, secret),)


def test_a_bare_name_is_a_systemd_credential_first(
    directory: Directory, tmp_path: Path, secret: str, other_secret: str
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    credential = credentials / "key"
    credential.write_text(other_secret)
    credential.chmod(0o400)
    directory.write("key", secret)
    directory.yaml("session: {keyring: [{kid: 0, secret_file: key}]}\n")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert directory.load(environ).keyring.keys == (Key.from_secret(0, other_secret),)
    directory.yaml("session: {keyring: [{kid: 0, secret_file: ./key}]}\n")
    assert directory.load(environ).keyring.keys == (Key.from_secret(0, secret),)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file"),
        (b"", "too short"),
        (b"\xff" * 40, "UTF-8"),
        (b"x" * 70_000, "too large"),
        (b"change-me-32-byte-secret-value!!", "sample"),
    ],
)
def test_a_bad_secret_file_is_refused_at_the_line_that_names_it(
    directory: Directory, content: bytes | None, expected: str
) -> None:
    if content is not None:
        directory.write("key", content)
    yaml = directory.yaml("session:\n  keyring:\n    - kid: 0\n      secret_file: key\n")
    problem = directory.refused_once()
    assert (problem.file, problem.line, problem.key) == (str(yaml), 4, "session.keyring[0].secret_file")
    assert expected in problem.message


@pytest.mark.parametrize("name", ['"a\\0b"', '"a\\nb"', '"\\ud800"', "''", ".", "/", "x" * 300])
def test_a_secret_file_that_cannot_be_one_is_refused(directory: Directory, name: str) -> None:
    directory.yaml(f"session:\n  keyring:\n    - kid: 0\n      secret_file: {name}\n")
    assert directory.refused_once().line == 4


def test_a_secret_file_that_others_can_read_gives_a_warning(directory: Directory, secret: str) -> None:
    path = directory.write("key", secret, mode=0o644)
    directory.yaml("session: {keyring: [{kid: 0, secret_file: key}]}\n")
    (warning,) = directory.load().warnings
    assert (warning.file, warning.key) == (str(path), "session.keyring[0].secret_file")
    assert f"chmod 0640 {path}" in warning.message


def test_a_truncated_secret_is_refused_where_it_stands(directory: Directory, ring: Ring) -> None:
    directory.yaml(ring()[:-20])
    problem = directory.refused_once()
    assert (problem.line, problem.key) == (6, "session.keyring[1].secret")
    assert "too short" in problem.message
