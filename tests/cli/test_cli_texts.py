"""Filters: what goes through transform and rehydrate comes back, and nothing of it shows on the way."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import Host

VALUE = "jane.roe@example.com"
TEXTS = {
    "plain": f"Write to {VALUE} now.\n",
    "no_newline_at_the_end": f"Write to {VALUE}",
    "crlf": f"To: {VALUE}\r\nCc: {VALUE}\r\n\r\n",
    "cr_and_nul": f"a\rb\0{VALUE}\0\n\n",
    "byte_order_mark": f"\ufeff{VALUE}",
    "beyond_the_basic_plane": f"\U0001f600 {VALUE} \U0001d54f \u202e",
    "line_separators": f"\x0b\x0c\x1c\x85\u2028\u2029{VALUE}",
    "looks_like_tokens": f"{{{{email:e_001}}}} {VALUE} {{{{email:e_002.k7q}}}} {{ email : e_001 }}",
    "nothing_to_find": "hello\n",
    "empty": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_round_trip_gives_back_every_byte(host: Host, text: str) -> None:
    session = str(host.root / "s.blob")
    safe = host.run("transform", "--session", session, stdin=text)
    assert (safe.code, safe.err) == (0, "")
    assert VALUE.encode() not in safe.out
    back = host.run("rehydrate", "--session", session, stdin=safe.out)
    assert (back.code, back.out) == (0, text.encode())


def test_filters_compose_in_a_pipe_that_starts_all_at_once(host: Host) -> None:
    text = TEXTS["looks_like_tokens"] + TEXTS["crlf"]
    line = "oguardai transform --session s.blob | cat | oguardai rehydrate --session s.blob"
    done = host.shell(f"set -o pipefail; {line}", text.encode())
    assert (done.code, done.out, done.err) == (0, text.encode(), "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_large_text_comes_out_whole(host: Host, unbuffered: str) -> None:
    text = f"{VALUE} and more, ".encode() * 50_000
    line = "oguardai transform --session s.blob | (sleep 0.2; cat) | oguardai rehydrate --session s.blob"
    done = host.shell(line, text, environ={"PYTHONUNBUFFERED": unbuffered})
    assert done.err == ""
    assert done.out == text


def test_files_work_as_standard_input_does(host: Host) -> None:
    source = host.write(host.root / "in.txt", TEXTS["plain"])
    session = str(host.root / "s.blob")
    safe = host.run("transform", "--session", session, str(source))
    assert safe.out == b"Write to {{email:e_001}} now.\n"
    assert host.run("rehydrate", str(host.write(host.root / "a", "{{email:e_001}}")), "--session", session).out == (
        VALUE.encode()
    )


def test_a_session_file_is_continued(host: Host) -> None:
    session = str(host.root / "s.blob")
    assert host.run("transform", "--session", session, stdin=VALUE).out == b"{{email:e_001}}"
    second = host.run("transform", "--session", session, stdin=f"john@example.com {VALUE}")
    assert second.out == b"{{email:e_002}} {{email:e_001}}"
    back = host.run("rehydrate", "--session", session, stdin="{{email:e_001}} {{email:e_002}}")
    assert back.out == f"{VALUE} john@example.com".encode()


def test_an_empty_session_file_begins_a_session(host: Host) -> None:
    session = host.write(host.root / "s.blob", "\n")
    assert host.run("transform", "--session", str(session), stdin=VALUE).code == 0
    assert host.run("rehydrate", "--session", str(session), stdin="{{email:e_001}}").out == VALUE.encode()


def test_input_tokens_and_style_are_passed_on(host: Host) -> None:
    session = str(host.root / "s.blob")
    safe = host.run("transform", "--session", session, "--token-style", "tagged", stdin=VALUE).out
    assert safe.startswith(b"{{email:e_001.")
    kept = host.run("transform", "--session", session, "--input-tokens", "keep", stdin=safe)
    assert kept.out == safe


def test_types_and_threshold_are_passed_on(host: Host) -> None:
    session = str(host.root / "s.blob")
    text = f"{VALUE} 10.1.2.3"
    only_ip = host.run("transform", "--session", session, "--types", "ip", stdin=text).out
    assert only_ip == f"{VALUE} {{{{ip:i_001}}}}".encode()
    both = host.run("detect", "--types", "ip,email", "--types", "url", stdin=text).out
    assert [json.loads(line)["type"] for line in both.splitlines()] == ["email", "ip"]
    assert host.run("detect", "--threshold", "1", stdin=text).out == b""


@pytest.mark.parametrize("mode", ["full", "partial", "masked", "formatted", "abstract", "none"])
def test_every_restore_mode_is_taken(host: Host, mode: str) -> None:
    safe, state = host.seal(VALUE)
    session = host.write(host.root / "s.blob", state)
    done = host.run("rehydrate", "--session", str(session), "--restore-mode", mode, stdin=safe)
    assert (done.code, done.err) == (0, "")
    assert (done.out == VALUE.encode()) == (mode in {"full", "formatted"})
    assert (done.out == safe.encode()) == (mode == "none")


def test_repair_restores_what_a_model_garbled(host: Host) -> None:
    _, state = host.seal(VALUE)
    session = str(host.write(host.root / "s.blob", state))
    garbled = "{{ Email: e_001 }}"
    assert host.run("rehydrate", "--session", session, stdin=garbled).out == garbled.encode()
    assert host.run("rehydrate", "--session", session, "--repair", "lenient", stdin=garbled).out == VALUE.encode()


def test_tokens_of_nobody_are_left_and_named(host: Host) -> None:
    _, state = host.seal(VALUE)
    session = host.write(host.root / "s.blob", state)
    done = host.run("rehydrate", "--session", str(session), stdin="{{email:e_007}} {{email:e_007}} {{email:e_001}}")
    assert (done.code, done.out) == (0, f"{{{{email:e_007}}}} {{{{email:e_007}}}} {VALUE}".encode())
    assert done.err.count("{{email:e_007}}") == 1
    assert VALUE not in done.err


# --- the session's file ------------------------------------------------------------------------------------


def test_the_session_file_is_private_and_nothing_else_is_left(host: Host) -> None:
    folder = host.root / "work"
    folder.mkdir()
    session = host.write(folder / "s.blob", "", 0o666)
    old = os.umask(0)
    try:
        assert host.run("transform", "--session", str(session), stdin=VALUE).code == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE(session.stat().st_mode) == 0o600
    assert os.listdir(folder) == ["s.blob"]
    assert VALUE not in session.read_text()


def test_a_link_to_a_session_file_is_followed(host: Host) -> None:
    target, link = host.root / "real", host.root / "link"
    link.symlink_to(target)
    assert host.run("transform", "--session", str(link), stdin=VALUE).code == 0
    assert link.is_symlink()
    assert target.read_text().startswith("og1.0.")


@pytest.mark.parametrize("content", ["important notes\n", "og1.0.AAAA\n", "ümlaut"])
def test_a_file_that_holds_something_else_is_never_overwritten(host: Host, content: str) -> None:
    path = host.write(host.root / "notes", content)
    for command in ("transform", "rehydrate"):
        done = host.run(command, "--session", str(path), stdin=VALUE)
        assert (done.code, done.out) == (65, b"")
        assert "does not hold a sealed session" in done.err
        assert "rm" not in done.err
    assert path.read_text() == content


def test_a_session_that_cannot_be_kept_lets_no_text_out(host: Host) -> None:
    for path in (host.root / "none" / "s.blob", host.root, Path("/dev/null")):
        done = host.run("transform", "--session", str(path), stdin=VALUE)
        assert (done.code, done.out) == (73, b""), path
        assert str(path) in done.err


def test_transform_without_a_session_is_refused(host: Host) -> None:
    done = host.run("transform", stdin=VALUE)
    assert (done.code, done.out) == (2, b"")
    assert "--session" in done.err
    assert "--json" in done.err


# --- sessions that cannot be opened ------------------------------------------------------------------------


def test_an_expired_session_says_when(host: Host) -> None:
    safe, state = host.seal(VALUE, age=7200)
    session = str(host.write(host.root / "s.blob", state))
    for command in ("transform", "rehydrate"):
        done = host.run(command, "--session", session, stdin=safe)
        assert (done.code, done.out) == (65, b"")
        assert "expired at 20" in done.err
        assert ("to begin a new session: rm" in done.err) == (command == "transform")


def test_a_session_of_an_unknown_key_says_which(host: Host) -> None:
    host.write_keys("0", "1")
    safe, state = host.seal(VALUE)
    host.write_keys("0")
    session = str(host.write(host.root / "s.blob", state))
    done = host.run("rehydrate", "--session", session, stdin=safe)
    assert (done.code, done.out) == (65, b"")
    assert "kid 1, and this host's keyring has only 0" in done.err


def test_a_session_of_a_revoked_key_says_so(host: Host) -> None:
    safe, state = host.seal(VALUE)
    host.write_keys("0, state: revoked", "1")
    session = str(host.write(host.root / "s.blob", state))
    done = host.run("rehydrate", "--session", session, stdin=safe)
    assert (done.code, done.out) == (65, b"")
    assert "kid 0, which is revoked" in done.err


def test_a_session_of_another_secret_says_so(host: Host) -> None:
    safe, state = host.seal(VALUE)
    host.write(host.env, f"GUARDAI_SESSION_SECRET={host.secrets[1]}\n")
    session = str(host.write(host.root / "s.blob", state))
    done = host.run("rehydrate", "--session", session, stdin=safe)
    assert (done.code, done.out) == (65, b"")
    assert "another secret than this host has for kid 0, or was altered" in done.err


def test_a_session_over_a_limit_lets_no_text_out(host: Host) -> None:
    host.write_yaml("  max_entities: 1\n")
    done = host.run("transform", "--session", str(host.root / "s.blob"), stdin=f"{VALUE} x@example.com")
    assert (done.code, done.out) == (65, b"")
    assert "session.max_entities" in done.err
    assert not (host.root / "s.blob").exists()


# --- input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [("transform", "--session", "unused"), ("detect",), ("rehydrate", "--session", "s")]
)
def test_input_that_is_not_utf8_is_refused_with_its_offset(host: Host, command: tuple[str, ...]) -> None:
    done = host.run(*command, stdin=b"one\ntwo \xff " + VALUE.encode())
    assert (done.code, done.out) == (65, b"")
    assert "standard input: is not UTF-8 text: the byte at offset 8 (line 2)" in done.err
    assert VALUE not in done.err


def test_a_surrogate_in_the_input_is_refused(host: Host) -> None:
    done = host.run("detect", stdin=b"\xed\xa0\x80")
    assert (done.code, done.out) == (65, b"")


def test_a_missing_input_file_has_its_exit_status(host: Host) -> None:
    for path in (host.root / "none", host.root, host.yaml / "x"):
        assert host.run("detect", str(path)).code == 66, path
    assert host.run("rehydrate", "--session", str(host.root / "none"), stdin="x").code == 66


@pytest.mark.parametrize(
    "words",
    [
        ("detect", "--types", "emial"),
        ("detect", "--threshold", "nan"),
        ("detect", "--threshold", "1.5"),
        ("transform", "--session", "s", "--policy", "none-such"),
        ("transform", "--session", "s", "--input-tokens", "keep"),
        ("rehydrate", "--session", "-"),
        ("rehydrate",),
    ],
    ids=" ".join,
)
def test_wrong_options_are_usage_errors_in_one_line(host: Host, words: tuple[str, ...]) -> None:
    done = host.run(*words, stdin=VALUE)
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("oguardai: ")
    assert done.err.count("\n") == 1
    assert VALUE not in done.err


# --- output ------------------------------------------------------------------------------------------------


def test_json_is_what_the_api_answers(host: Host) -> None:
    from oguardai.web import create_app  # noqa: PLC0415 - the only test that needs it
    from oguardai.web.source import StaticSource  # noqa: PLC0415

    config = host.config()
    client = create_app(StaticSource(config.settings, config.keyring)).test_client()

    def ask(path: str, body: dict[str, object]) -> dict[str, object]:
        answer: dict[str, object] = client.post(path, json=body).get_json()
        return answer

    def tell(*words: str, stdin: str) -> dict[str, object]:
        answer: dict[str, object] = json.loads(host.run(*words, "--json", stdin=stdin).out)
        return answer

    changing = ("session_id", "session_state", "expires_at")
    api, ours = ask("/v1/transform", {"input": VALUE}), tell("transform", stdin=VALUE)
    assert [type(ours[name]) for name in changing] == [type(api[name]) for name in changing]
    assert len(str(ours["expires_at"])) == len(str(api["expires_at"]))
    assert {**ours, **dict.fromkeys(changing)} == {**api, **dict.fromkeys(changing)}
    assert list(ours) == list(api)

    session = host.write(host.root / "s.blob", str(ours["session_state"]))
    text = "{{email:e_001}} {{email:e_009}}"
    assert tell("rehydrate", "--session", str(session), stdin=text) == ask(
        "/v1/rehydrate", {"output": text, "session_state": api["session_state"]}
    )
    assert tell("detect", "--values", stdin=VALUE) == ask("/v1/detect", {"input": VALUE})
    assert tell("detect", stdin=VALUE) == ask("/v1/detect", {"input": VALUE, "include_values": False})


def test_json_with_a_session_file_keeps_it_too(host: Host) -> None:
    session = host.root / "s.blob"
    answer = json.loads(host.run("transform", "--json", "--session", str(session), stdin=VALUE).out)
    assert session.read_text().strip() == answer["session_state"]


def test_detect_shows_values_only_when_asked(host: Host) -> None:
    assert VALUE.encode() not in host.run("detect", stdin=VALUE).out
    assert VALUE.encode() not in host.run("detect", "--json", stdin=VALUE).out
    line = json.loads(host.run("detect", "--values", stdin=VALUE).out)
    assert line["value"] == VALUE
    assert line["span"] == {"start": 0, "end": len(VALUE)}


def test_detect_prints_a_table_on_a_terminal(host: Host) -> None:
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "oguardai", "detect", "--values"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=follower, env=host.environ()) as process:
        os.close(follower)
        process.communicate(f"x {VALUE}".encode(), timeout=60)
    shown = os.read(leader, 10_000).decode()
    os.close(leader)
    header, row = shown.splitlines()
    assert header.split() == ["TYPE", "SPAN", "CONFIDENCE", "DETECTOR", "VALUE"]
    assert row.split() == ["email", f"2-{2 + len(VALUE)}", "0.95", "email", VALUE]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error_message(host: Host, unbuffered: str) -> None:
    line = "oguardai transform --session s.blob | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}"
    done = host.shell(line, b"text " * 200_000, environ={"PYTHONUNBUFFERED": unbuffered})
    assert (done.out, done.err) == (b"141\n", "")


def test_a_full_disk_is_an_error(host: Host) -> None:
    done = host.shell("oguardai detect >/dev/full", VALUE.encode())
    assert done.code == 74
    assert done.err == "oguardai: standard output: No space left on device\n"


def test_closed_streams_are_errors_not_tracebacks(host: Host) -> None:
    done = host.shell("oguardai detect <&-")
    assert (done.code, done.err) == (66, "oguardai: standard input is closed\n")
    done = host.shell("oguardai detect >&-", VALUE.encode())
    assert (done.code, done.err) == (74, "oguardai: standard output is closed\n")


def test_a_locale_without_unicode_changes_nothing(host: Host) -> None:
    text = f"Grüße \U0001f600 {VALUE}\n"
    line = "oguardai transform --session s.blob | oguardai rehydrate --session s.blob"
    done = host.shell(line, text.encode(), environ={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert done.out == text.encode()
