"""GUARDAI_REVOCATION_SECRET: checked like a session secret, of which it must be none, and otherwise without effect."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oguardai.config.layers import Layers
from oguardai.keyring import generate_secret

from .conftest import Directory

NAME = "GUARDAI_REVOCATION_SECRET"
SESSION = "GUARDAI_SESSION_SECRET"


@pytest.fixture
def own() -> str:
    return generate_secret()


def test_it_is_a_known_name_that_changes_nothing_else(directory: Directory, secret: str, own: str) -> None:
    directory.env(f"{SESSION}={secret}\n")
    before = directory.load()
    directory.env(f"{SESSION}={secret}\n{NAME}={own}\n")
    for config in (directory.load(), directory.load({NAME: generate_secret() + "\n"})):
        assert config.warnings == ()
        assert config.keyring == before.keyring
        assert config.settings == before.settings
        assert config.sources == before.sources
        assert (config.env_file_secret, config.env_file_secret_wins) == (before.env_file_secret, True)


def test_a_name_that_is_close_to_it_is_suggested(directory: Directory, secret: str, own: str) -> None:
    directory.env(f"{SESSION}={secret}\nGUARDAI_REVOCATION_SECRETS={own}\n")
    assert f"did you mean {NAME}?" in directory.refused_once().message


@pytest.mark.parametrize(("bad", "why"), [("short", "too short"), ("ab" * 32, "guessable"), ("<NEW_SECRET>", "sample")])
def test_a_bad_one_is_refused_with_file_and_line(directory: Directory, secret: str, bad: str, why: str) -> None:
    path = directory.env(f"{SESSION}={secret}\n# of its own\n{NAME}={bad}\n")
    problem = directory.refused_once()
    assert (problem.file, problem.line, problem.key) == (str(path), 3, NAME)
    assert why in problem.message
    directory.env(f"{SESSION}={secret}\n")
    problem = directory.refused_once({NAME: bad})
    assert (problem.file, problem.line, problem.key) == ("environment", None, NAME)
    assert why in problem.message


def test_one_that_loses_is_checked_all_the_same(directory: Directory, secret: str, own: str) -> None:
    directory.env(f"{SESSION}={secret}\n{NAME}=short\n")
    assert directory.refused_once({NAME: own}).line == 2


@pytest.mark.parametrize(
    "write",
    [str, "'{}'".format, lambda text: text.rstrip("="), lambda text: text.replace("/", "_").replace("+", "-")],
    ids=["alike", "quoted", "not padded", "base64url"],
)
def test_the_session_secret_is_refused_with_file_line_and_why(
    directory: Directory, secret: str, write: Callable[[str], str]
) -> None:
    path = directory.env(f"{SESSION}={secret}\n\n{NAME}={write(secret)}\n")
    problem = directory.refused_once()
    assert (problem.file, problem.line, problem.key) == (str(path), 3, NAME)
    assert f"is the secret of {SESSION}, whose rotation would undo every revocation" in problem.message
    assert "oguardai secret generate" in problem.message
    assert secret[:10] not in str(problem)


@pytest.mark.parametrize(("in_file", "in_environment"), [(SESSION, NAME), (NAME, SESSION)])
def test_the_session_secret_is_noticed_wherever_the_two_stand(
    directory: Directory, secret: str, in_file: str, in_environment: str
) -> None:
    path = directory.env(f"{in_file}={secret}\n")
    problem = directory.refused_once({in_environment: secret})
    assert problem.file == (str(path) if in_file == NAME else "environment")
    assert f"is the secret of {SESSION}" in problem.message


def test_a_session_secret_that_has_moved_into_the_keyring_is_noticed(
    directory: Directory, ring: Callable[..., str], other_secret: str, own: str
) -> None:
    directory.yaml(ring())
    directory.env(f"{NAME}={other_secret}\n")
    assert "is the secret of kid 1 of session.keyring" in directory.refused_once().message
    directory.env(f"{NAME}={own}\n{SESSION}={own}\n")  # which has no effect beside a keyring, and may have again
    assert f"is the secret of {SESSION}" in directory.refused_once().message


@pytest.mark.parametrize("value", ["", "''", " # later"])
def test_an_empty_one_counts_as_absent(directory: Directory, secret: str, value: str) -> None:
    directory.env(f"{SESSION}={secret}\n{NAME}={value}\n")
    assert directory.load({NAME: " \n"}).warnings == ()


def test_it_is_no_key_to_seal_with(directory: Directory, own: str) -> None:
    directory.env(f"{NAME}={own}\n")
    assert "there is no key to seal sessions with" in directory.refused_once().message


def test_a_change_of_it_is_no_change_of_the_session_secret(
    directory: Directory, ring: Callable[..., str], own: str
) -> None:
    directory.yaml(ring())
    for text in (own, generate_secret()):
        directory.env(f"{NAME}={text}\n")
        assert directory.load().env_file_secret is None


def test_the_digest_tells_its_changes_apart(directory: Directory, secret: str, own: str) -> None:
    directory.env(f"{SESSION}={secret}\n")
    digests = [directory.load(environ).digest for environ in ({}, {NAME: own}, {NAME: generate_secret()})]
    directory.env(f"{SESSION}={secret}\n{NAME}={own}\n")
    assert len({*digests, directory.load().digest}) == 4


def test_nothing_shown_holds_it(directory: Directory, secret: str, own: str) -> None:
    directory.env(f"{SESSION}={secret}\n{NAME}={own}\n")
    other = generate_secret()
    layers = Layers(directory.path)
    layers.read_files()
    layers.read_environment({NAME: other})
    assert [one.text for one in layers.revocation_secrets] == [own, other]
    shown = repr(layers) + repr(directory.load({NAME: other}))
    assert own not in shown
    assert other not in shown
