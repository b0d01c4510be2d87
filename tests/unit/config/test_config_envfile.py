"""oguardai.env after sed, editors and copy and paste have been at it."""

from __future__ import annotations

import subprocess

import pytest

from oguardai.errors import Severity
from oguardai.keyring import Key, generate_secret

from .conftest import Directory

SECRET = "Zk3uQ9v/bH1+o7cXy0TgLs5DnW2aRm8PiEjVfKhYx4U="


def secret_is(directory: Directory, secret: str) -> bool:
    return directory.load().keyring.keys[0] == Key.from_secret(0, secret, source="env")


@pytest.mark.parametrize(
    "content",
    [
        f"GUARDAI_SESSION_SECRET={SECRET}",
        f"GUARDAI_SESSION_SECRET={SECRET}\n",
        f"GUARDAI_SESSION_SECRET={SECRET}\r\n",
        f"# comment\r\nGUARDAI_SESSION_SECRET={SECRET}\r\nGUARDAI_PORT=3000\r\n",
        f"GUARDAI_PORT=3000\rGUARDAI_SESSION_SECRET={SECRET}\r",
        f"\ufeffGUARDAI_SESSION_SECRET={SECRET}\n",
        f"\ufeff# comment\nGUARDAI_SESSION_SECRET={SECRET}\n",
        f"export GUARDAI_SESSION_SECRET={SECRET}\n",
        f"  GUARDAI_SESSION_SECRET = {SECRET}  \n",
        f"\tGUARDAI_SESSION_SECRET={SECRET}\t\n",
        f"GUARDAI_SESSION_SECRET='{SECRET}'\n",
        f'GUARDAI_SESSION_SECRET="{SECRET}"\n',
        f'GUARDAI_SESSION_SECRET="{SECRET}"   # since spring\n',
        f"GUARDAI_SESSION_SECRET='{SECRET}'# it's new\n",
        f"GUARDAI_SESSION_SECRET={SECRET} # since spring\n",
        f"'GUARDAI_SESSION_SECRET'={SECRET}\n",
    ],
)
def test_the_secret_is_read_however_the_line_is_written(directory: Directory, content: str) -> None:
    directory.env(content)
    assert secret_is(directory, SECRET)
    assert directory.load().warnings == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ab$HOME-${PATH}-$(id)-1234567890-qwertz", "ab$HOME-${PATH}-$(id)-1234567890-qwertz"),
        ("abcdefgh#ijklmnopqrst-1234567890-qw", "abcdefgh#ijklmnopqrst-1234567890-qw"),
        ("abcdefghijklmnopqrst\\n1234567890-qwü", "abcdefghijklmnopqrst\\n1234567890-qwü"),
        ("'abcdefghijklmnopqrst it\\'s 1234567890'", "abcdefghijklmnopqrst it's 1234567890"),
        ("'abcdefghijklmnopqrst-1234567890-end\\\\'", "abcdefghijklmnopqrst-1234567890-end\\"),
        ("'abcdefghijklmnopqrst-1234567890-end\\\\' # it's", "abcdefghijklmnopqrst-1234567890-end\\"),
        ('"abcdefghijklmnopqrst \\"quoted\\" 1234567890"', 'abcdefghijklmnopqrst "quoted" 1234567890'),
        ('"abcdefghijklmnopqrst # not a comment 123456"', "abcdefghijklmnopqrst # not a comment 123456"),
    ],
)
def test_nothing_is_expanded_and_quotes_mean_what_dotenv_says(directory: Directory, written: str, read: str) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={written}\nGUARDAI_HOST='127.0.0.1'\n")
    assert secret_is(directory, read)
    assert directory.load().settings.server.host == "127.0.0.1"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["OLD", '"OLD"', "", "OLD # comment"])
def test_what_the_runbooks_sed_leaves_is_read(directory: Directory, line_end: str, before: str) -> None:
    path = directory.env(f"# secrets{line_end}GUARDAI_SESSION_SECRET={before}{line_end}GUARDAI_PORT=3001{line_end}")
    fresh = generate_secret()
    inode = path.stat().st_ino
    expression = f"s/^GUARDAI_SESSION_SECRET=.*/GUARDAI_SESSION_SECRET={fresh}/"
    subprocess.run(["sed", "-i", expression, str(path)], check=True)
    assert path.stat().st_ino != inode
    assert secret_is(directory, fresh)
    assert directory.load().settings.server.port == 3001


def test_the_placeholder_of_the_runbook_is_no_secret(directory: Directory) -> None:
    directory.env("GUARDAI_SESSION_SECRET=<NEW_SECRET>\n")
    problem = directory.refused_once()
    assert problem.line == 1
    assert "sample" in problem.message


def test_of_several_lines_the_last_counts_and_both_are_named(directory: Directory) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={generate_secret()}\n\nGUARDAI_SESSION_SECRET={SECRET}\n")
    assert secret_is(directory, SECRET)
    (warning,) = directory.load().warnings
    assert (warning.severity, warning.line) == (Severity.WARNING, 3)
    assert "lines 1 and 3" in warning.message


@pytest.mark.parametrize("value", ["", '""', " ", " # later", " # ", "''"])
def test_an_empty_value_counts_as_absent(directory: Directory, value: str) -> None:
    directory.env(f"GUARDAI_SESSION_SECRET={SECRET}\nGUARDAI_PORT={value}\n")
    assert directory.load().settings.server.port == 3000


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GUARDAI_SESSION_SECRET='" + SECRET.encode(), "quote that is not closed"),
        (b'GUARDAI_SESSION_SECRET="' + SECRET.encode() + b"'", "quote that is not closed"),
        (b"GUARDAI_SESSION_SECRET='" + SECRET.encode() + b"\\'", "quote that is not closed"),
        (b"GUARDAI_SESSION_SECRET='" + SECRET.encode() + b"'x", "after the closing quote"),
        (b"GUARDAI_SESSION_SECRET: " + SECRET.encode(), "cannot be understood"),
        (b"GUARDAI_SESSION_SECRET " + SECRET.encode(), "cannot be understood"),
        (b"= " + SECRET.encode(), "cannot be understood"),
        (SECRET.encode(), "not a setting"),  # a line of its own: its padding looks like an assignment
        (b"GUARDAI_SESSION_SECRET" + SECRET.encode(), "not a setting"),
        (b"GUARDAI_SESSION_SECRET", "expected NAME=value"),
        (b"export GUARDAI_SESSION_SECRET", "expected NAME=value"),
        (b"GUARDAI_SESSION_SECRET=" + SECRET.encode() + b"\0", "NUL"),
        (b"GUARDAI_SESSION_SECRET=" + SECRET.encode() + b"\xff", "UTF-8"),
        (b"GUARDAI_SESSION_SECRET=" + b"x" * 20_000, "too long"),
        (b"GUARDAI_CONFIG_DIR=/etc", "process environment only"),
        (b"PATH=/bin", "not a setting"),
        (b"WORKERS=3", "did you mean GUARDAI_WORKERS?"),
        (b"GUARDAI_PORT=tcp://10.0.0.1:3000", "expected a whole number"),
    ],
)
def test_a_bad_line_is_named_and_not_repeated(directory: Directory, line: bytes, expected: str) -> None:
    directory.env(b"# first\nGUARDAI_WORKERS=2\n" + line + b"\nGUARDAI_THREADS=3\n")
    [problem] = [one for one in directory.refused() if one.file is not None]  # a missing secret has no file
    assert problem.line == 3
    assert expected in problem.message
    assert SECRET[:10] not in str(problem)
    assert "PATH" not in str(problem)


def test_a_forgotten_quote_spoils_its_own_line_only(directory: Directory) -> None:
    directory.env("GUARDAI_HOST='127.0.0.1\nGUARDAI_PORT=x\nGUARDAI_WORKERS='2'\n")
    assert [problem.line for problem in directory.refused()] == [1, 2]
