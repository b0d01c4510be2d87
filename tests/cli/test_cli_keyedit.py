"""Edits of the keyring: on every layout the keys are as expected and the rest of the file is as it was."""

from __future__ import annotations

import io
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oguardai.cli.changes import Add, Change, ClearNotBefore, Create, MoveLast, Remove, Restore, SetState
from oguardai.cli.keyedit import NotEditableError, edit, fields_of
from oguardai.config import load_config
from oguardai.errors import ConfigError
from oguardai.keyring import Key, Keyring, KeyState, generate_secret
from oguardai.state import State, save
from tests.cli.harness import Host

A, B, C, NEW = (generate_secret() for _ in range(4))

# Every layout lists kid 0 (secret A) and perhaps 1 (B) and 2 (C).
LAYOUTS = {
    "as_in_the_runbook": "session:\n  backend: sealed\n  keyring:\n  - kid: 0\n    secret: A\n",
    "indented": "session:\n    keyring:\n        - kid: 0\n          secret: A\n        - kid: 1\n"
    "          secret: B\n",
    "not_at_the_end": "session:\n  keyring:\n    - kid: 0\n      secret: A\n    - kid: 1\n      secret: B\n"
    "  ttl_seconds: 60\nlog:\n  level: info\n",
    "comments": "# a\nsession:\n  keyring:  # b\n    # c\n    - kid: 0  # d\n      secret: A  # e\n    # f\n"
    "    - kid: 1  # g\n      # h\n      secret: B  # i\n    # j\n\n  # k\n# l\n",
    "blank_lines": "\n\nsession:\n\n  keyring:\n\n    - kid: 0\n\n      secret: A\n\n\n"
    "    - kid: 1\n      secret: B\n\n\n",
    "no_newline_at_the_end": "session:\n  keyring:\n    - kid: 1\n      secret: B\n    - kid: 0\n      secret: A",
    "crlf": "session:\r\n  keyring:\r\n    - kid: 0\r\n      secret: A\r\n    - kid: 1\r\n      secret: B\r\nlog:\r\n"
    "  level: info\r\n",
    "crlf_in_some_lines": "# a\r\nsession:\n  keyring:\r\n    - kid: 0\n      secret: A\r\n"
    "    - kid: 1\r\n      secret: B\n",
    "mark": "\ufeffsession:\n  keyring:\n    - kid: 0\n      secret: A\n    - kid: 1\n      secret: B\n",
    "mark_and_crlf": "\ufeffsession:\r\n  keyring:\r\n    - kid: 0\r\n      secret: A",
    "wide_dash": "session:\n  keyring:\n    -   kid: 0\n        secret: A\n    -   kid: 1\n        secret: B\n",
    "narrow_then_wide_dash": "session:\n  keyring:\n    - kid: 0\n      secret: A\n    -    kid: 1\n"
    "         secret: B\n",
    "dash_on_its_own_line": "session:\n  keyring:\n    -\n      kid: 0\n      secret: A\n    -  # b-c\n"
    "      # d-e\n      kid: 1\n      secret: B\n",
    "kid_last": "session:\n  keyring:\n    - secret: 'A'\n      kid: 0 # x\n    - secret: B\n      kid: 1\n",
    "quoted": 'session:\n  keyring:\n    - "kid": 0\n      "secret": "A"\n    - \'kid\': 1\n      "secret": \'B\'\n'
    '      "state": "staged"\n',
    "block_text": "session:\n  keyring:\n    - kid: 0\n      secret: |-\n        A\n    - kid: 1\n"
    "      secret: >-\n        B\n"
    "log: {}\n",
    "block_text_at_the_end": "session:\n  keyring:\n    - kid: 1\n      secret: B\n    - kid: 0\n"
    "      secret: >-\n        A",
    "text_on_the_next_line": "session:\n  keyring:\n    - kid:\n        0\n      secret:\n"
    "        A\n    - kid: 1\n      secret: B\n",
    "document_marks": "---\nsession:\n  keyring:\n    - kid: 0\n      secret: A\n...\n",
    "state_first": "session:\n  keyring:\n    - state: staged\n      kid: 1\n      secret: B\n"
    "    - kid: 0\n      secret: A\n",
    "state_first_and_commented": "session:\n  keyring:\n    - state: staged  # why\n      # because\n      kid: 1\n"
    "      secret: B\n    - kid: 0\n      secret: A\n",
    "state_last": "session:\n  keyring:\n    - kid: 1\n      secret: B\n      state: staged  # why\n    - kid: 0\n"
    "      secret: A\n    - kid: 2\n      not_before: 2001-01-01T00:00:00Z\n      secret: C\n      state: staged",
    "time_in_front": "session:\n  keyring:\n    - kid: 0\n      secret: A\n    - not_before: 2101-01-01T00:00:00Z\n"
    "      secret: B  # d\n      kid: 1\n",
    "time_quoted": "session:\n  keyring:\n  - kid: 0\n    secret: A\n  - kid: 1\n"
    "    not_before: '2101-01-01T00:00:00Z'  # x\n"
    "    secret: B\n  - kid: 2\n    secret: C\n    state: revoked\n",
    "not_in_the_order_of_kids": "session:\n  keyring:\n  - kid: 2\n    secret: C\n  - kid: 0\n    secret: A\n",
}  # fmt: skip


def fill(text: str) -> bytes:
    """Put the secrets in, all at once: one may begin with another's letter."""
    secrets = {"A": A, "B": B, "C": C}
    return re.sub(r"\b[ABC]\b", lambda letter: secrets[letter[0]], text).encode()


def read(directory: Path, data: bytes, now: float | None = None) -> Keyring:
    return load_config(directory, {}, now=time.time() if now is None else now, yaml_data=data).keyring


def changes_of(ring: Keyring) -> list[Change]:
    """Return every change that is possible on these keys."""
    restored = Key.from_secret(8, NEW, state=KeyState.STAGED)
    changes: list[Change] = [
        Add(7, NEW),
        Add(7, NEW, KeyState.STAGED),
        Add(7, NEW, not_before=4_200_000_000.0),
        Restore(restored, {"kid": "8", "state": "staged", "secret": NEW}),
    ]
    for key in ring.keys:
        changes += [Remove(key.kid), MoveLast(key.kid)]
        changes += [SetState(key.kid, state) for state in KeyState]
        changes += [ClearNotBefore(key.kid)]
    return changes


def lines_of(data: bytes) -> Counter[str]:
    return Counter(data.decode().splitlines())


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_every_change_gives_the_keys_expected_and_leaves_every_other_line(tmp_path: Path, text: str) -> None:
    data = fill(text)
    ring = read(tmp_path, data)
    for change in changes_of(ring):
        expected = change.apply(ring)
        edited = edit(data, change.edit)
        if expected.active_kid(time.time()) is None:
            with pytest.raises(ConfigError):
                read(tmp_path, edited)
            continue
        assert read(tmp_path, edited) == expected, change
        assert edited.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")
        if data.count(b"\r\n") == data.count(b"\n"):
            assert edited.count(b"\r\n") == edited.count(b"\n")
        if isinstance(change, MoveLast):
            assert lines_of(edited) == lines_of(data)
        if isinstance(change, Add | Restore):
            before, after = data.decode().splitlines(), edited.decode().splitlines()
            start = after.index(next(line for line in after if "kid: 7" in line or "kid: 8" in line))
            size = len(after) - len(before)
            assert after[:start] + after[start + size :] == before
        if isinstance(change, SetState | ClearNotBefore):
            old, new = lines_of(data) - lines_of(edited), lines_of(edited) - lines_of(data)
            field = "state" if isinstance(change, SetState) else "not_before"
            assert old.total() <= 2
            assert new.total() <= 2
            assert all(
                any(word in line for word in ("kid", "secret", "state", "not_before", "#")) for line in old + new
            )
            assert edited.count(b"#") == data.count(b"#") or (field in str(old) and "#" in str(old))
        if isinstance(change, Remove):
            gone = lines_of(data) - lines_of(edited)
            assert not lines_of(edited) - lines_of(data)
            secret = {0: A, 1: B, 2: C}[change.kid]
            assert secret not in edited.decode()
            assert not any(other in line for line in gone for other in {A, B, C} - {secret})


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_there_and_back_again_is_not_a_byte_of_difference(text: str) -> None:
    data = fill(text)
    added = edit(data, Add(7, NEW, KeyState.STAGED).edit)
    ended = data if data.endswith(b"\n") else data + (b"\r\n" if b"\r\n" in data else b"\n")
    assert edit(added, Remove(7).edit) == ended
    revoked = edit(added, SetState(7, KeyState.REVOKED).edit)
    assert edit(revoked, SetState(7, KeyState.STAGED).edit) == added
    assert added != revoked


def test_a_comment_right_above_goes_with_its_entry_and_the_one_of_the_list_stays() -> None:
    data = fill(LAYOUTS["comments"])
    text = data.decode()
    removed = edit(data, Remove(1).edit).decode()
    for line in ("    # f\n", "    - kid: 1  # g\n", "      # h\n", f"      secret: {B}  # i\n"):
        text = text.replace(line, "")
    assert removed == text
    moved = edit(data, MoveLast(0).edit).decode()
    assert moved.index("    # c\n") < moved.index("    # f\n") < moved.index("kid: 1") < moved.index("kid: 0")


CREATE = {
    "empty": "",
    "comments_alone": "# a\n# b\n",
    "comments_without_a_newline": "# a",
    "no_section": "server:\n  port: 8080\n",
    "no_newline": "server:\n  port: 8080",
    "section_with_nothing": "session:\n# a\nserver:\n  port: 8080\n",
    "section_with_a_comment": "session:  # a\n  # b\nserver: {}\n",
    "section": "session:\n    ttl_seconds: 60  # a\n\n# b\nserver:\n  port: 8080\n",
    "section_at_the_end": "server:\n  port: 8080\nsession:\n  ttl_seconds: 60",
    "document_marks": "---\nserver:\n  port: 8080\n...\n",
    "document_mark": "---\n",
    "nothing_between_marks": "---\n...\n# a\n",
    "crlf": "server:\r\n  port: 8080\r\n",
    "mark": "\ufeffserver:\n  port: 8080\n",
}


@pytest.mark.parametrize("text", CREATE.values(), ids=CREATE)
def test_a_keyring_is_made_and_not_a_byte_else_changes(tmp_path: Path, text: str) -> None:
    change = Create(0, A)
    edited = edit(text.encode(), change.edit)
    loaded = load_config(tmp_path, {}, now=time.time(), yaml_data=edited)
    assert loaded.keyring == change.apply(Keyring(()))
    before = load_config(tmp_path, {"GUARDAI_SESSION_SECRET": A}, now=time.time(), yaml_data=text.encode())
    assert loaded.settings == before.settings
    assert not lines_of(text.encode()) - lines_of(edited)
    assert (lines_of(edited) - lines_of(text.encode())).total() in {3, 4}
    assert (b"\r\n" in edited) == ("\r\n" in text)


@pytest.mark.parametrize(
    "text",
    [
        "session:\n  keyring: [{kid: 0, secret: A}]\n",
        "session:\n  keyring:\n    - {kid: 0, secret: A}\n",
        "session: {keyring: [{kid: 0, secret: A}]}\n",
        "{session: {keyring: [{kid: 0, secret: A}]}}\n",
        "session:\n  ? keyring\n  : - kid: 0\n      secret: A\n",
        "session:\r  keyring:\r    - kid: 0\r      secret: A\r",
        "session:\n  keyring:\n    # \u2028 x\n    - kid: 0\n      secret: A\n",
        "session:\n  ttl_seconds: 1\n",
        "session: {keyring: []}\n",
        "",
    ],
)
def test_what_has_no_lines_to_edit_is_refused(text: str) -> None:
    data = fill(text.replace("{kid", "{ kid"))
    ring = Keyring((Key.from_secret(0, A),))
    for change in changes_of(ring):
        if not text.startswith("session:\n  ?") or isinstance(change, Remove | Restore):
            with pytest.raises(NotEditableError):
                edit(data, change.edit)


@pytest.mark.parametrize("text", ["session: {ttl_seconds: 60}\n", "{server: {port: 80}}\n", "session: {}\n"])
def test_a_keyring_is_not_made_within_brackets(text: str) -> None:
    with pytest.raises(NotEditableError):
        edit(text.encode(), Create(0, A).edit)


def test_an_entry_that_is_not_there_is_not_edited() -> None:
    for change in (Remove(9), MoveLast(9), SetState(9, KeyState.STAGED)):
        with pytest.raises(NotEditableError, match="no kid 9"):
            edit(fill(LAYOUTS["indented"]), change.edit)


@pytest.mark.parametrize(
    "secret",
    [
        "a passphrase: with 'quotes', \"more\", # and \\ in it",
        "ends with a colon, as few texts ever do:",
        "endswithacolonandisotherwisequitebare0:",
        "# begins like a comment of some other file",
        "ünïcödé ist auch ein Geheimnis, 日本語 🔑 wie jedes",
        "- looks: like, [yaml] {but} &is *not !at %all @any `more",
        "no break\u00a0space, next line \x85 and \u2028 separators \\",
        "  blanks in front and behind it, which count  ",
        "0123456789012345678901234567890123456789abcdefghij",
    ],
)
def test_any_secret_can_be_written(tmp_path: Path, secret: str) -> None:
    for change in (Add(7, secret), Create(7, secret)):
        data = fill(LAYOUTS["indented"]) if isinstance(change, Add) else b""
        edited = edit(data, change.edit)
        assert read(tmp_path, edited).keys[-1] == Key.from_secret(7, secret)
        assert fields_of(edited.decode(), 7)["secret"] == secret


def test_a_state_that_stands_below_its_secret_moves_above_it_when_it_changes(tmp_path: Path) -> None:
    data = fill(LAYOUTS["state_last"])
    edited = edit(data, SetState(1, KeyState.REVOKED).edit).decode()
    assert f"- kid: 1\n      state: revoked  # why\n      secret: {B}\n    - kid: 0\n" in edited
    edited = edit(data, SetState(2, KeyState.REVOKED).edit).decode()
    assert edited.endswith(
        f"- kid: 2\n      state: revoked\n      not_before: 2001-01-01T00:00:00Z\n      secret: {C}\n"
    )


# --- kill -9 -----------------------------------------------------------------------------------------------


class Killer:
    """Ends this process with SIGKILL at the n-th call that changes a file, counted from now on."""

    def __init__(self, at: int) -> None:
        self.left = at

    def tick(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self.tick()
            return function(*args, **more)

        return call

    def fdopen(self, descriptor: int, *_: Any) -> io.FileIO:
        tick = self.tick

        class Slow(io.FileIO):
            """Writes in two halves, so that a file can be cut."""

            def write(self, data: Any) -> int:
                for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                    tick()
                    super().write(part)
                return len(data)

        return Slow(descriptor, "w")

    def arm(self) -> None:
        for name in ("open", "fsync", "replace", "fchmod", "fchown", "unlink", "rename"):
            setattr(os, name, self.before(getattr(os, name)))
        os.fdopen = self.fdopen  # type: ignore[assignment]


def run_until(at: int, host: Host, words: list[str]) -> bool:
    """Run a command in a child that dies at that call; tell whether it got to its end."""
    child = os.fork()
    if child == 0:
        try:
            Killer(at).arm()
            os._exit(host.run(*words).code)
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


KILLED: dict[str, tuple[list[str], list[tuple[int, str]]]] = {
    "rotate": (["keyring", "rotate"], [(0, "in_use"), (1, "in_use"), (2, "in_use")]),
    "revoke": (["keyring", "revoke", "1", "--no-reload"], [(0, "in_use"), (1, "revoked"), (2, "in_use")]),
    "prune": (["keyring", "prune"], [(1, "in_use")]),
    "rollback": (["keyring", "rollback"], [(0, "in_use"), (1, "staged")]),
    "adopt": (["keyring", "adopt"], [(0, "in_use")]),
    "secret": (["secret", "set"], [(0, "in_use")]),
}


def prepare(host: Host, name: str) -> None:
    if name in {"adopt", "secret"}:
        return
    host.write(host.env, "GUARDAI_SESSION_SECRET=\n")
    host.write_keys("0", *(["1"] if name != "rollback" else []))
    if name == "rollback":
        host.run("keyring", "rotate")
    ring, then = host.config().keyring, time.time() - 1000.0
    state = State().accept(ring, now=then, ttl=10.0, env_file_secret=None).settle(ring, now=then)
    (host.root / "state").mkdir(mode=0o700)
    save(host.root / "state", state)


def listed(host: Host) -> list[tuple[int, str]]:
    return [(key.kid, str(key.state)) for key in host.config().keyring.keys]


@pytest.mark.parametrize("name", KILLED)
def test_a_command_that_is_killed_leaves_the_old_file_or_the_new_one(host: Host, name: str) -> None:
    words, after = KILLED[name]
    prepare(host, name)
    held = {path: path.read_bytes() for path in host.config_dir.iterdir()}
    before, key = listed(host), host.config().keyring.keys[0]
    _, session = host.seal("a.person@example.com")
    ended, at, seen = False, 0, set()
    while not ended:
        at += 1
        for path in host.config_dir.iterdir():
            path.unlink()
        for path, data in held.items():
            path.write_bytes(data)
            path.chmod(0o640)
        ended = run_until(at, host, words)
        changed = host.yaml.read_bytes() != held[host.yaml], host.env.read_bytes() != held[host.env]
        seen.add(changed)
        assert listed(host) == (after if changed[0] else before), at
        if name != "secret":
            assert host.env.read_bytes() in {held[host.env], _MOVED.encode()}
            assert host.config().keyring.keys[0].prk == key.prk or name == "prune"
        again = ["keyring", "status"] if ended else words
        if name == "rollback" and changed[0]:
            again = ["keyring", "rotate"]
        assert host.run(*again).code == 0, at
        assert not [path for path in host.config_dir.iterdir() if path.name.startswith(".")], at
        assert host.yaml.stat().st_mode & 0o777 == 0o640
        if name in {"rotate", "rollback", "adopt"}:
            assert host.run("session", "inspect", stdin=session).code == 0, at
    assert at > 5
    assert seen >= {(False, False), (name != "secret", name in {"adopt", "secret"})}


_MOVED = (
    "# The keys are in oguardai.yaml, session.keyring. To rotate: oguardai keyring rotate\nGUARDAI_SESSION_SECRET=\n"
)
