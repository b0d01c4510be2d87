"""`secret set` and `keyring adopt`: the secret in oguardai.env is replaced, or moves into a keyring."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from oguardai.cli import envedit
from oguardai.config.files import FileContent
from oguardai.keyring import Key, generate_secret
from oguardai.server import control
from oguardai.server.runtime import RuntimeDirectory
from tests.cli.harness import Host, Outcome

NAME = "GUARDAI_SESSION_SECRET"
MOVED = "# The keys are in oguardai.yaml, session.keyring. To rotate: oguardai keyring rotate"


def run(host: Host, *words: str, stdin: str = "", code: int = 0) -> Outcome:
    """Run a command; whatever comes of it, no secret is shown."""
    done = host.run(*words, stdin=stdin)
    shown = done.out.decode() + done.err
    assert not any(secret in shown for secret in host.secrets)
    assert len(stdin.strip()) < 5 or stdin.strip() not in shown
    assert done.code == code, shown
    return done


def opens(host: Host, state: str) -> bool:
    return host.run("session", "inspect", stdin=state).code == 0


# --- secret set --------------------------------------------------------------------------------------------


def test_a_secret_is_made_and_takes_the_place_of_the_old_one(host: Host) -> None:
    host.write(host.env, f"# top\nGUARDAI_PORT=1\n  export {NAME} = '{host.secrets[0]}' # why\n# end\n", 0o604)
    if os.geteuid() == 0:
        os.chown(host.env, 12, 65534)
    _, old = host.seal("a.person@example.com")
    before, names = host.env.stat(), sorted(os.listdir(host.config_dir))
    done = run(host, "secret", "set")
    lines = host.env.read_text().splitlines()
    assert (lines[0], lines[1], lines[3]) == ("# top", "GUARDAI_PORT=1", "# end")
    made = lines[2].removeprefix(f"  export {NAME} =")
    assert host.config().keyring.keys[0] == Key.from_secret(0, made, source="env")
    assert made not in done.out.decode()
    assert not opens(host, old)
    after = host.env.stat()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o604, before.st_uid, before.st_gid)
    assert sorted(os.listdir(host.config_dir)) == names


@pytest.mark.parametrize(
    "secret",
    [
        generate_secret(),
        "a passphrase: with 'quotes', \"more\", # and \\ in it",
        "ends with a backslash, or with two of them \\\\",
        "ünïcödé ist auch ein Geheimnis, 日本語 🔑 wie jedes",
        "$HOME `id` ${NAME} \\1 \\g<1> %s {} is no place to expand",
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_from_standard_input(host: Host, secret: str, end: str) -> None:
    run(host, "secret", "set", "-", stdin=secret + end)
    assert host.config().keyring.keys[0] == Key.from_secret(0, secret, source="env")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "GUARDAI_PORT=1",
        f"{NAME}=\nGUARDAI_PORT=1\n",
        "GUARDAI_PORT=1\r\n# x\r\n",
        f"\ufeff{NAME}=x\n",
        f"\ufeffGUARDAI_PORT=1\r\n'{NAME}'=x\r\n",
        f"GUARDAI_PORT=1\r{NAME}=x\r",
        f"{NAME}=too-short\n",
        None,
    ],
)
def test_the_line_or_the_file_is_made(host: Host, text: str | None) -> None:
    host.env.unlink()
    if text is not None:
        host.env.write_bytes(text.encode())
        host.env.chmod(0o600)
    secret = generate_secret()
    run(host, "secret", "set", "-", stdin=secret)
    config = host.config()
    assert config.keyring.keys[0] == Key.from_secret(0, secret, source="env")
    assert not config.warnings
    kept = [line for line in (text or "").splitlines() if NAME not in line]
    assert [line for line in host.env.read_bytes().decode().splitlines() if NAME not in line] == kept
    assert host.env.read_bytes().startswith(b"\xef\xbb\xbf") == (text or "").startswith("\ufeff")
    assert stat.S_IMODE(host.env.stat().st_mode) == (0o640 if text is None else 0o600)


@pytest.mark.parametrize("weak", ["", "\n", "tiny-tiny", "a" * 40, "changeme" * 8, "0123456789" * 5, "x\0" * 20])
def test_a_weak_secret_is_refused(host: Host, weak: str) -> None:
    before = host.env.read_bytes()
    done = run(host, "secret", "set", "-", stdin=weak, code=65)
    assert "standard input: the secret" in done.err
    assert host.env.read_bytes() == before


def test_the_same_secret_is_refused(host: Host) -> None:
    before = host.env.read_bytes()
    assert "already" in run(host, "secret", "set", "-", stdin=host.secrets[0] + "\n", code=1).err
    assert host.env.read_bytes() == before


def test_where_something_else_wins_nothing_is_set(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    before = host.env.read_bytes()
    monkeypatch.setenv(NAME, generate_secret())
    assert "in the environment wins" in run(host, "secret", "set", code=1).err
    monkeypatch.delenv(NAME)
    host.write_keys("0")
    assert "session.keyring in oguardai.yaml wins" in run(host, "secret", "set", code=1).err
    host.write(host.yaml, "session: [\n")
    run(host, "secret", "set", code=78)
    assert host.env.read_bytes() == before


def test_a_secret_set_by_somebody_else_is_not_lost(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    parse, secret = envedit._parse, generate_secret()

    def interfere(content: FileContent | None) -> dict[str, str]:
        if content is not None and secret not in host.env.read_text():
            host.write(host.env, f"{NAME}={secret}\n")
        return parse(content)

    monkeypatch.setattr(envedit, "_parse", interfere)
    assert "changed by somebody else" in run(host, "secret", "set", code=1).err
    assert secret in host.env.read_text()


def test_a_link_is_followed(host: Host) -> None:
    target = host.env.rename(host.root / "env")
    host.env.symlink_to(target)
    run(host, "secret", "set")
    assert host.env.is_symlink()
    assert host.secrets[0] not in target.read_text()


@pytest.mark.parametrize("command", ["set", "adopt"])
def test_the_server_can_be_reloaded_at_once(host: Host, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    asked: list[Path] = []

    def reload_server(runtime: RuntimeDirectory, *, force: bool = False) -> dict[str, object]:
        asked.append(runtime.path)
        assert not force
        return {"outcome": "ok", "warnings": [], "active_kid": 0, "workers": [1]}

    monkeypatch.setattr(control, "reload_server", reload_server)
    done = run(host, "secret" if command == "set" else "keyring", command, "--reload")
    assert asked == [host.root / "run"]
    assert (b"answered 410" in done.out) == (command == "set")


# --- keyring adopt -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("{}={}", None),
        ("export {}={}", None),
        ("  {} = '{}'  # why", None),
        ('{}="{}"', None),
        ("'{}'={}", None),
        ("{}='a passphrase: with \\'quotes\\', \"more\", # and \\\\ in it'", ""),
        ("{}=endswithacolonandisotherwisequitebare0:", ""),
        ("{}='ünïcödé ist auch ein Geheimnis, 日本語 🔑 wie jedes'", ""),
        ("{}=no break\u00a0space and next line and others\u00ad, unquoted", ""),
    ],
)
@pytest.mark.parametrize(
    "frame", ["{}", "# a\n\nGUARDAI_PORT=1\n{}\n# b\n", "# a\r\n{}\r\n# b\r\n", "\ufeff{}\n", "{}\r"]
)
def test_the_key_moves_and_no_session_is_lost(host: Host, line: str, secret: str | None, frame: str) -> None:
    text = frame.format(line.format(NAME, host.secrets[0]) if secret is None else line.format(NAME))
    host.env.write_bytes(text.encode())
    host.env.chmod(0o640)
    before, yaml, old = host.env.stat(), host.yaml.read_text(), host.config().keyring.keys[0]
    _, sealed = host.seal("a.person@example.com")
    done = run(host, "keyring", "adopt")
    assert f"its line in {host.env} is empty now" in done.out.decode()
    config = host.config()
    (key,) = config.keyring.keys
    assert (key.kid, key.prk, key.source) == (0, old.prk, "keyring")
    assert (config.env_file_secret, config.warnings) == (None, ())
    assert opens(host, sealed)
    name = line.partition("=")[0].format(NAME)
    head, _, tail = text.partition(name)
    left = host.env.read_bytes().decode()
    newline = "\r\n" if "\r\n" in text else "\n"
    behind = tail.partition("=")[2]
    rest = behind[len(behind.rstrip("\r\n")) :] if "b" not in frame else newline + f"# b{newline}"
    assert left == f"{head}{MOVED}{newline}{name}={rest}"
    assert host.env.stat().st_mode == before.st_mode
    assert yaml in host.yaml.read_text() or host.yaml.read_text().startswith(yaml)
    assert host.kept() == yaml
    again = host.env.read_bytes(), host.yaml.read_bytes()
    assert b"nothing to do" in run(host, "keyring", "adopt").out
    assert (host.env.read_bytes(), host.yaml.read_bytes()) == again
    run(host, "keyring", "rotate")
    assert opens(host, sealed)


@pytest.mark.parametrize("words", [("keyring", "adopt"), ("keyring", "rotate", "--adopt"), ("secret", "set")])
def test_the_secret_for_revocations_stays_as_it_is(host: Host, words: tuple[str, ...]) -> None:
    line = f"GUARDAI_REVOCATION_SECRET='{host.secrets[2]}'  # of its own\n"
    host.write(host.env, f"{line}{NAME}={host.secrets[0]}\n")
    run(host, *words)
    assert line in host.env.read_text()
    assert host.secrets[0] not in host.env.read_text()
    assert host.config().warnings == ()
    for shown in (("config", "show"), ("config", "show", "--json"), ("keyring", "status", "--json")):
        assert b"REVOCATION" not in run(host, *shown).out  # nor the secret: see run


def test_a_key_moves_where_there_is_no_yaml_yet(host: Host) -> None:
    host.yaml.unlink()
    run(host, "keyring", "adopt")
    written = host.yaml.read_text().replace("'", "")  # a secret that begins with - is quoted
    assert written == f"session:\n  keyring:\n    - kid: 0\n      secret: {host.secrets[0]}\n"
    assert stat.S_IMODE(host.yaml.stat().st_mode) == 0o640
    assert sorted(os.listdir(host.config_dir)) == ["oguardai.env", "oguardai.yaml"]
    assert "no last change" in run(host, "keyring", "rollback", code=1).err
    assert host.yaml.exists()


def test_the_secret_of_the_environment_moves(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a passphrase of the environment: it's 'this'"
    before = host.env.read_bytes()
    host.write(host.env, "GUARDAI_PORT=1\n")
    monkeypatch.setenv(NAME, secret + "\n")
    done = run(host, "keyring", "adopt")
    assert b"take it out of the environment" in done.out
    assert host.config().keyring.keys == (Key.from_secret(0, secret),)
    assert host.env.read_text() == "GUARDAI_PORT=1\n"
    host.env.write_bytes(before)
    done = run(host, "keyring", "adopt")
    assert b"had no effect" in done.out
    assert b"take it out of the environment" in done.out
    assert host.secrets[0] not in host.env.read_text()


def test_a_second_call_ends_what_a_first_one_began(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(envedit, "empty_secret", fail)
        assert host.run("keyring", "adopt").code == 130
    assert host.secrets[0] in host.env.read_text()
    yaml = host.yaml.read_bytes()
    assert b"had no effect" in run(host, "keyring", "adopt").out
    assert host.env.read_text() == f"{MOVED}\n{NAME}=\n"
    assert host.yaml.read_bytes() == yaml


def test_going_back_on_it_is_refused_and_loses_nothing(host: Host) -> None:
    _, sealed = host.seal("a.person@example.com")
    run(host, "keyring", "adopt")
    before = host.yaml.read_bytes(), host.env.read_bytes()
    assert "from before there was a keyring" in run(host, "keyring", "rollback", code=1).err
    assert (host.yaml.read_bytes(), host.env.read_bytes()) == before
    assert opens(host, sealed)


def test_a_file_in_brackets_is_not_touched(host: Host) -> None:
    host.write(host.yaml, "session: {ttl_seconds: 60}\n")
    before = host.yaml.read_bytes(), host.env.read_bytes()
    assert "brackets" in run(host, "keyring", "adopt", code=1).err
    assert (host.yaml.read_bytes(), host.env.read_bytes()) == before
