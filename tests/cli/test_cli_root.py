"""The command as a whole: light, quiet about what failed inside, the same in every version of click."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from oguardai import __version__
from oguardai.cli import cli, configuration, output, texts
from oguardai.cli.failure import MEANING, ExitCode
from oguardai.keyring import secret_bytes
from tests.cli.harness import Host

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
HEAVY = ("flask", "werkzeug", "gunicorn", "phonenumbers", "prometheus_client", "oguardai.web", "oguardai.detection")


def commands(group: click.Group = cli, path: str = "") -> dict[str, click.Command]:
    """Return every command that does something, by its words."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        found.update(commands(command, words) if isinstance(command, click.Group) else {words: command})
    return found


def modules_after(host: Host, *words: str) -> set[str]:
    """Run a command and return the modules that it imported."""
    script = (
        "import sys\nfrom oguardai.cli import cli\n"
        "try:\n    cli.main(sys.argv[1:], prog_name='oguardai')\nfinally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        env=host.environ(),
        check=False,
        input="",
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("words", ["secret generate", "version", "config show", "reload", "keyring status", "--help"])
def test_a_command_imports_only_what_it_needs(host: Host, words: str) -> None:
    loaded = modules_after(host, *words.split())
    assert "oguardai.cli.root" in loaded
    assert not loaded.intersection(HEAVY)


def test_the_secret_is_one_line_that_sed_takes_as_it_is(host: Host) -> None:
    secrets = {host.run("secret", "generate", where=False).out for _ in range(20)}
    assert len(secrets) == 20
    for secret in secrets:
        assert re.fullmatch(rb"[A-Za-z0-9_-]{43}\n", secret)
        assert len(secret_bytes(secret.decode().strip())) == 32


def test_the_secret_survives_the_sed_line_of_the_runbook(host: Host) -> None:
    line = "s/^GUARDAI_SESSION_SECRET=.*/GUARDAI_SESSION_SECRET='\"$(oguardai secret generate)\"'/"
    before = host.env.read_text()
    done = host.shell(f"sed -i '{line}' etc/oguardai.env && oguardai config validate")
    assert (done.code, done.out, done.err) == (0, b"valid\n", "")
    assert host.env.read_text() != before


@pytest.mark.parametrize("words", [("version",), ("--version",)])
def test_the_version_is_printed(host: Host, words: tuple[str, ...]) -> None:
    done = host.run(*words, where=False)
    assert (done.code, done.out) == (0, f"oguardai {__version__}\n".encode())


@pytest.mark.parametrize("words", ["", "config", "keyring", "secret", "session"])
def test_a_group_without_a_command_prints_its_help_and_fails(host: Host, words: str) -> None:
    done = host.run(*words.split(), where=False)
    assert (done.code, done.out) == (2, b"")
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    "words",
    ["frobnicate", "keyring frobnicate", "reload --frobnicate", "--frobnicate", "--config-dir /etc", "version x"],
)
def test_a_wrong_command_line_is_one_line(host: Host, words: str) -> None:
    done = host.run(*words.split(), where=False)
    assert (done.code, done.out) == (2, b"")
    assert re.fullmatch(r"oguardai: .+ \(see: oguardai.* --help\)\n", done.err)


@pytest.mark.parametrize("words", commands())
def test_every_command_says_its_exit_statuses(host: Host, words: str) -> None:
    done = host.run(*words.split(), "--help", where=False)
    assert done.code == 0
    if words not in {"version", "secret generate"}:  # which can only work
        assert re.search(rb"\n +0  done\n", done.out)
        assert b"--config-dir" in done.out


# --- what goes wrong inside --------------------------------------------------------------------------------


def test_a_bug_is_told_without_the_text_that_it_may_quote(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise ValueError("secret@example.com")

    monkeypatch.setattr(texts, "read_text", fail)
    done = host.run("detect")
    assert (done.code, done.out) == (70, b"")
    assert re.fullmatch(r"oguardai: this is a bug in oguardai \S+: builtins\.ValueError at \S+:\d+\n", done.err)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "no", "/x"), 77),
        (OSError(5, "broken", "/x"), 74),
        (MemoryError(), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_have_exit_statuses(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(configuration, "find_problems", fail)
    done = host.run("config", "validate")
    assert (done.code, done.out) == (code, b"")
    assert "Traceback" not in done.err


def test_control_c_ends_quietly(host: Host) -> None:
    fifo = host.root / "fifo"
    os.mkfifo(fifo)
    # What a shell starts in the background has SIGINT ignored, and so has all that comes of it.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "oguardai", "detect", str(fifo)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=host.environ()) as process,
        fifo.open("wb"),  # returns when the command has opened it and waits for its content
    ):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


# --- what is shown -----------------------------------------------------------------------------------------


def test_a_message_is_one_line_whatever_a_name_holds(host: Host) -> None:
    done = host.run("detect", "no\nsuch\x1b[31mfile\r")
    assert done.err == "oguardai: no\\nsuch\\x1b[31mfile\\r: No such file or directory\n"


def test_colour_is_for_terminals_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda _stream: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert output.emphasise("x") != "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.emphasise("x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert output.emphasise("x") == "x"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(output, "is_terminal", lambda _stream: False)
    assert output.emphasise("x") == "x"


def test_no_command_shows_a_secret(host: Host) -> None:
    host.write_keys("0", "1, state: staged")
    safe, state = host.seal("jane.roe@example.com")
    host.write(host.root / "s.blob", state)
    for words in (
        ("config", "validate"),
        ("config", "show"),
        ("config", "show", "--json"),
        ("keyring", "status"),
        ("keyring", "status", "--json"),
        ("session", "inspect", str(host.root / "s.blob")),
        ("detect",),
        ("transform", "--json"),
    ):
        done = host.run(*words, stdin=safe)
        shown = done.out.decode() + done.err
        assert done.code == 0, words
        assert "jane.roe" not in shown
        assert not any(secret in shown for secret in host.secrets)
    host.write_yaml(f"  keyring:\n    - kid: 0\n      secret: {host.secrets[0]}\n    - {host.secrets[1]}: 1\n")
    for words in (("config", "validate"), ("config", "validate", "--json"), ("detect",)):
        done = host.run(*words)
        assert done.code == 78
        assert not any(secret in done.out.decode() + done.err for secret in host.secrets)


# --- the documentation -------------------------------------------------------------------------------------


def test_every_command_and_option_is_documented() -> None:
    text = DOCS.read_text()
    for words, command in commands().items():
        assert f"\n### `oguardai {words}" in text, words
        section = text.split(f"\n### `oguardai {words}", 1)[1].split("\n### ", 1)[0]
        if words.startswith("keyring ") and words != "keyring status":
            section += text.split("\n### What the commands that edit have in common", 1)[1].split("\n### ", 1)[0]
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option not in {"--config-dir", "--help"}:
                    assert f"`{option}" in section, (words, option)


def test_every_exit_status_is_documented() -> None:
    text = DOCS.read_text()
    for code in ExitCode:
        assert f"| {code:d} | {MEANING[code]} |" in text


def test_the_documented_json_is_json() -> None:
    for block in re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL):
        json.loads(block)
