"""What packaging/man makes from the code: manual pages, the reference copy of oguardai.yaml, completion for bash."""

from __future__ import annotations

import inspect
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from oguardai.cli import cli
from oguardai.cli.failure import MEANING
from oguardai.cli.keyedit import create_keyring
from oguardai.config import KEYRING_PATH, SECRET_ENV, SETTINGS, Config, Setting, Settings, load_config
from oguardai.config.envfile import known_names
from oguardai.config.keys import FIELDS
from oguardai.keyring import generate_secret

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "packaging" / "man" / "build.py"
PAGES = ("oguardai.1", "oguardai.yaml.5", "oguardai.env.5", "oguardai-server.8")
REFERENCE = "examples/oguardai.yaml"
COMPLETION = "completion/oguardai"
NOW = 1_800_000_000.0

MACROS = {".TH", ".SH", ".SS", ".PP", ".IP", ".TP", ".RS", ".RE", ".EX", ".EE", ".PD", ".br", ".nh", ".ad", ".ss"}
GLYPHS = {
    r"\-": "-",
    r"\:": "",
    r"\e": "\\",
    r"\&": "",
    r"\ ": " ",
    r"\(aq": "'",
    r"\(ga": "`",
    r"\(ha": "^",
    r"\(ti": "~",
}
SETTING_LINE = re.compile(r"^( *)#(?=\S)", re.MULTILINE)


def build(folder: str | Path, cwd: Path = ROOT, **environ: str) -> dict[str, bytes]:
    """Run the generator with nothing in its environment but what is said; return what it wrote."""
    environ = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1", **environ}
    done = subprocess.run(
        [sys.executable, "-W", "error", BUILD, folder],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    top = cwd / folder
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("manual")
    build(path, SOURCE_DATE_EPOCH="1795770000")
    return path


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def plain(roff: str) -> str:
    """Return what a reader sees of roff, on one line."""
    roff = re.sub(r'^\.\\".*\n|\\f[A-Z]', "", roff, flags=re.MULTILINE)
    roff = re.sub(r"^\.(?:EX|EE|RS|RE|PP|TP|IP|br|nh|PD).*\n", " ", roff, flags=re.MULTILINE)
    roff = re.sub(r"\\\[u([0-9A-F]+)\]", lambda match: chr(int(match[1], 16)), roff)
    return " ".join(re.sub(r"\\(?:\(..|.)", lambda match: GLYPHS[match[0]], roff).split())


def words_of(text: str) -> str:
    """Return Markdown, or a docstring, as a reader sees it, on one line."""
    return " ".join(re.sub(r"`|\*\*|\x08", "", text).split())


def section(page: str, heading: str) -> str:
    """Return what stands below a heading, up to the next of its kind or a greater one."""
    mark = heading.replace("-", r"\-")
    end = r"^\.SH " if heading.startswith(".SH") else r"^\.S[HS] "
    before, found, after = page.partition(f"\n{mark}\n")
    assert found, (heading, before[:40])
    return re.split(end, after, maxsplit=1, flags=re.MULTILINE)[0]


def items(text: str) -> dict[str, str]:
    """Return the hanging items of a section by their tags, as a reader sees them."""
    parts = re.split(r"^\.(?:TP|SS .*)\n", text, flags=re.MULTILINE)[1:]
    return {plain(tag): plain(rest) for tag, _, rest in (part.partition("\n") for part in parts)}


def commands(group: click.Group = cli, path: str = "") -> dict[str, click.Command]:
    """Return every command that does something, by its words."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        found.update(commands(command, words) if isinstance(command, click.Group) else {words: command})
    return found


def examples(page: str) -> Iterator[str]:
    """Yield the lines that a page shows as they are typed."""
    for block in re.findall(r"^\.EX\n(.*?)^\.EE\n", page, re.MULTILINE | re.DOTALL):
        yield from (plain(line) for line in block.splitlines())


# --- all of it ---------------------------------------------------------------------------------------------


def test_two_builds_are_the_same_wherever_they_are_made(tmp_path: Path) -> None:
    first = build(
        tmp_path / "one", COLUMNS="40", LINES="10", TZ="Pacific/Kiritimati", LC_ALL="C", SOURCE_DATE_EPOCH="1795770000"
    )
    second = build(
        "two/deep",
        cwd=tmp_path,
        COLUMNS="200",
        TZ="America/Los_Angeles",
        LC_ALL="de_DE.UTF-8",
        LANGUAGE="de",
        TERM="xterm",
        PYTHONHASHSEED="7",
        GUARDAI_CONFIG_DIR="/nowhere",
        SOURCE_DATE_EPOCH="1795770000",
    )
    assert set(first) == {*PAGES, REFERENCE, COMPLETION}
    assert first == second


@pytest.mark.parametrize(("environ", "date"), [({"SOURCE_DATE_EPOCH": "86399"}, "1970-01-01"), ({}, "")])
def test_the_date_is_that_of_the_source_never_that_of_the_build(
    tmp_path: Path, environ: dict[str, str], date: str
) -> None:
    made = build(tmp_path, TZ="Pacific/Kiritimati", **environ)
    for page in PAGES:
        assert f' "{date}" '.encode() in made[page].splitlines()[0]


# --- every page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_what_apropos_and_readers_look_for(folder: Path, name: str) -> None:
    page = read(folder, name)
    stem, _, number = name.rpartition(".")
    title = stem.upper().replace("-", r"\-")
    assert re.match(rf'\.TH {re.escape(title)} {number} "2026-11-27" "OGuardAI [\d.]+" "[A-Z]', page)
    whatis = section(page, ".SH NAME").splitlines()
    assert len(whatis) == 1
    assert re.fullmatch(rf"{re.escape(stem)} - [A-Za-z]\S.{{10,60}}[^.]", plain(whatis[0]))
    headings = re.findall(r"^\.SH (.*)$", page, re.MULTILINE)
    assert headings[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert headings[-1] == "SEE ALSO"
    others = set(re.findall(r"([a-z.-]+\(\d\))", plain(section(page, ".SH SEE ALSO"))))
    own = {f"{one.rpartition('.')[0]}({one.rpartition('.')[2]})" for one in PAGES}
    assert own - others == {f"{stem}({number})"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_roff(folder: Path, name: str) -> None:
    page = read(folder, name)
    assert page.isascii()
    filled = re.sub(r"^\.EX\n.*?^\.EE\n", "", page, flags=re.MULTILINE | re.DOTALL)
    assert "\n\n" not in filled, "an empty line makes a gap"
    for line in page.splitlines():
        assert not line.startswith("'")
        if line.startswith(".") and not line.startswith('.\\"'):
            assert line.split()[0] in MACROS, line
        assert line.count(r"\fB") + line.count(r"\fI") == line.count(r"\fR"), line
    for begin, end in ((".RS", ".RE"), (".EX", ".EE")):
        assert len(re.findall(rf"^\{begin}\b", page, re.MULTILINE)) == len(
            re.findall(rf"^\{end}\b", page, re.MULTILINE)
        )


@pytest.mark.parametrize("name", PAGES)
def test_what_is_pasted_from_a_page_has_real_hyphens(folder: Path, name: str) -> None:
    page = read(folder, name)
    assert not re.search(r"(?<!\\)-(?:-|\\-)", page)
    for text in re.findall(r"^\.EX\n(.*?)^\.EE\n", page, re.MULTILINE | re.DOTALL) + re.findall(r"\\fB(.*?)\\fR", page):
        assert not re.search(r"(?<!\\)-|['`^~]", text), text


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize("name", PAGES)
def test_the_formatters_that_are_installed_have_nothing_to_say(folder: Path, name: str, width: str) -> None:
    checks = (
        ("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"),  # as lintian does
        ("mandoc", "-Tlint", "-Wwarning"),
    )
    for command in checks:
        if shutil.which(command[0]) is not None:
            environ = {"PATH": os.environ["PATH"], "MANWIDTH": width, "LC_ALL": "C.UTF-8"}
            done = subprocess.run(
                [*command, folder / name], env=environ, capture_output=True, text=True, check=False, timeout=60
            )
            assert (done.returncode, done.stderr) == (0, ""), command
            assert command[0] == "man" or done.stdout == ""


@pytest.mark.parametrize("name", PAGES)
def test_every_example_is_a_command_that_exists(folder: Path, name: str) -> None:
    known = commands()
    found = 0
    for line in examples(read(folder, name)):
        for call in re.findall(r"(?:^|[|(] *|sudo )oguardai ([^|<>)]*)", line):
            words = [word for word in call.split() if word != "\\"]
            matches = [one for one in known if f"{' '.join(words)} ".startswith(f"{one} ")]
            assert matches, line
            options = {option for parameter in known[matches[0]].params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, line
            found += 1
    assert found


# --- oguardai(1) -------------------------------------------------------------------------------------------


def test_the_page_of_the_command_has_every_option_that_all_commands_take(folder: Path) -> None:
    found = items(section(read(folder, "oguardai.1"), ".SH OPTIONS"))
    assert {tag.split()[0] for tag in found} == {"--config-dir", "--version", "-h,"}
    for parameter in cli.params:
        assert isinstance(parameter, click.Option)
        assert found[next(tag for tag in found if tag.split()[0] in parameter.opts)].startswith(
            words_of(parameter.help or "")
        )


@pytest.mark.parametrize("words", commands())
def test_the_page_of_the_command_has_every_command_with_its_options(folder: Path, words: str) -> None:
    page = read(folder, "oguardai.1")
    command = commands()[words]
    text = section(page, f".SS {words}")
    seen = plain(text)
    usage, described = seen.partition(words_of(inspect.cleandoc(command.help or "")).split(".")[0])[::2]
    assert usage.startswith(f"oguardai {words} ") or usage == f"oguardai {words} "
    assert described
    for block in inspect.cleandoc(command.help or "").split("\n\n"):
        assert words_of(block) in seen
    found = items(text)
    common = {option for parameter in cli.params for option in parameter.opts}
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            shown = "-" if isinstance(parameter.type, click.Choice) else (parameter.name or "").upper()
            assert usage.rstrip().endswith(shown if parameter.required else f"[{shown}]")
        elif not common.issuperset(parameter.opts):
            assert isinstance(parameter, click.Option)
            tags = [tag for tag in found if set(parameter.opts) & set(re.split(r"[ ,]+", tag))]
            assert len(tags) == 1
            assert found[tags[0]] == words_of(parameter.help or "")
            assert (" " in tags[0]) is not parameter.is_flag
            for choice in getattr(parameter.type, "choices", ()):
                assert choice in tags[0]
                assert choice in usage
            assert all(option in usage for option in parameter.opts)


def test_no_mark_for_click_is_left_in_the_page_of_the_command(folder: Path) -> None:
    page = read(folder, "oguardai.1")
    assert "\b" not in page
    assert r"\eb" not in page  # as a docstring has it whose mark is not click's


def test_the_page_of_the_command_has_every_exit_status_once(folder: Path) -> None:
    page = read(folder, "oguardai.1")
    found = items(section(page, ".SH EXIT STATUS"))
    assert {int(code): text.lower() for code, text in found.items()} == {
        int(code): f"{text.lower()}." for code, text in MEANING.items()
    }
    assert plain(page).count("the command line is wrong") <= 1


# --- oguardai.yaml(5), oguardai.env(5) ---------------------------------------------------------------------


def shown_default(setting: Setting) -> str:
    if isinstance(setting.default, tuple):
        return ", ".join(setting.default) or "empty"
    return str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default) or "empty"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.path)
def test_both_pages_say_all_that_there_is_to_say_of_a_setting(folder: Path, setting: Setting) -> None:
    for name, heading, tag, other in (
        ("oguardai.yaml.5", ".SH SETTINGS", setting.path, f"Variable: {setting.env}."),
        ("oguardai.env.5", ".SH VARIABLES", setting.env, f"Setting: {setting.path}."),
    ):
        text = items(section(read(folder, name), heading))[tag]
        assert text.startswith(words_of(setting.doc))
        facts = text.removeprefix(words_of(setting.doc))
        assert other in facts
        assert f"Default: {shown_default(setting)}." in facts
        assert f"Change needs: {'restart' if setting.restart else 'reload'}." in facts
        assert setting.unit in facts
        for part in setting.choices or setting.range.split():
            assert part in facts


def test_the_page_of_the_yaml_has_every_field_of_a_key(folder: Path) -> None:
    found = items(section(read(folder, "oguardai.yaml.5"), f".SS {KEYRING_PATH}"))
    for name, takes, meaning in FIELDS:
        assert found[name].startswith(words_of(f"{meaning} Takes: {takes}."))


def test_the_page_of_the_env_file_has_every_name_that_may_stand_in_it(folder: Path) -> None:
    page = read(folder, "oguardai.env.5")
    found = {*items(section(page, ".SH SECRETS")), *items(section(page, ".SH VARIABLES"))}
    assert found == set(known_names())


# --- oguardai-server(8) ------------------------------------------------------------------------------------


def test_the_page_of_the_service_has_what_an_administrator_types(folder: Path) -> None:
    text = plain(read(folder, "oguardai-server.8"))
    for words in (
        "systemctl reload oguardai-server",
        "systemctl restart oguardai-server",
        "systemctl stop oguardai-server.socket oguardai-server.service",
        "systemctl edit oguardai-server.socket",
        "[Socket] ListenStream= ListenStream=8080",
        "systemctl enable --now oguardai-rotate.timer",
        "journalctl -u oguardai-server",
        "event=SessionExpired reason=",
        "PrivateNetwork=yes",
        "session.shared: true",
        "/run/oguardai",
        "/var/lib/oguardai",
    ):
        assert words in text


def test_the_page_of_the_service_names_its_units_as_they_are(folder: Path) -> None:
    text = plain(section(read(folder, "oguardai-server.8"), ".SH SYNOPSIS"))
    assert set(text.split()) == {path.name for path in (ROOT / "systemd").iterdir() if path.suffix != ".conf"}


# --- the reference copy of oguardai.yaml -------------------------------------------------------------------


def load(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> Config:
    path = tmp_path / "oguardai.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o640)
    config = load_config(tmp_path, {SECRET_ENV: generate_secret()} if environ is None else environ, now=NOW)
    assert config.warnings == ()
    return config


def test_the_reference_yaml_sets_nothing_as_it_is(folder: Path, tmp_path: Path) -> None:
    config = load(tmp_path, read(folder, REFERENCE))
    assert config.settings == Settings()
    assert {config.sources[setting.path] for setting in SETTINGS} == {"default"}


def test_the_reference_yaml_without_its_marks_sets_everything_to_the_default(folder: Path, tmp_path: Path) -> None:
    config = load(tmp_path, SETTING_LINE.sub(r"\1", read(folder, REFERENCE)))
    assert config.settings == Settings()
    for setting in SETTINGS:
        assert "oguardai.yaml" in config.sources[setting.path], setting.path


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.path)
def test_a_single_setting_of_the_reference_yaml_can_be_taken(folder: Path, tmp_path: Path, setting: Setting) -> None:
    text = read(folder, REFERENCE)
    about = text.index(f"  # {setting.path}, {setting.env}: ")
    end = text.index("\n\n", about) if "\n\n" in text[about:] else len(text)
    config = load(tmp_path, text[:about] + SETTING_LINE.sub(r"\1", text[about:end]) + text[end:])
    assert [one.path for one in SETTINGS if config.sources[one.path] != "default"] == [setting.path]


def test_the_reference_yaml_explains_every_setting_and_the_keyring(folder: Path) -> None:
    text = read(folder, REFERENCE)
    assert all(len(line) <= 100 and line == line.rstrip() for line in text.splitlines())
    comments = " ".join(re.sub(r"^ *#", "", text, flags=re.MULTILINE).split())
    for setting in SETTINGS:
        assert words_of(setting.doc) in comments
    for name, takes, meaning in FIELDS:
        assert words_of(f"{name}: {takes}. {meaning}") in comments
    assert re.search(r"^  # # keyring:\n  # #   - kid: 0\n", text, re.MULTILINE)


def test_a_keyring_can_be_made_in_a_copy_of_the_reference_yaml(folder: Path, tmp_path: Path) -> None:
    edited = create_keyring(read(folder, REFERENCE), {"kid": "0", "secret": generate_secret()})
    config = load(tmp_path, edited, {})
    assert [key.kid for key in config.keyring.keys] == [0]
    assert config.settings == Settings()


# --- completion --------------------------------------------------------------------------------------------

PROMPT = b"what now? "
INSERT_ALL = "\x1b*"  # readline's insert-completions, Meta-*: every candidate goes into the line
BEGINNING = "\x01"


@pytest.fixture
def desk(folder: Path, tmp_path: Path) -> Path:
    """A folder with a directory and a file in it; beside it ``bin`` with ``oguardai``, and its completion."""
    program = tmp_path / "bin" / "oguardai"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oguardai "$@"\n')
    program.chmod(0o755)
    shutil.copy(folder / COMPLETION, tmp_path / "completion")
    path = tmp_path / "desk"
    (path / "conf.d").mkdir(parents=True)
    (path / "note.txt").touch()
    return path


def complete(desk: Path, line: str) -> list[str]:
    """Type a line into an interactive bash, and let it insert every completion; return what its last word became."""
    environ = {
        "PATH": f"{desk.parent}/bin:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(desk.parent),
        "INPUTRC": "/dev/null",
        "PS1": PROMPT.decode(),
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    ours, theirs = pty.openpty()
    try:
        shell = ["bash", "--noprofile", "--norc", "-i"]
        with subprocess.Popen(
            shell, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=desk, start_new_session=True
        ) as process:
            os.close(theirs)
            shown = read_until(ours, PROMPT)
            # A long line would be scrolled, and its echo be mistaken for output.
            os.write(ours, b"source ../completion; stty -echo; bind 'set enable-bracketed-paste off'\n")
            read_until(ours, PROMPT)
            os.write(ours, f"{line}{INSERT_ALL}{BEGINNING}printf '<%s>\\n' \nexit\n".encode())
            shown = read_until(ours, None)
            assert process.wait(60) == 0, shown
    finally:
        os.close(ours)
    words = re.findall(r"^<(.*)>\r?$", shown.decode(), re.MULTILINE)
    assert words[0] == "oguardai", shown
    return words[len(line.split()) - (not line.endswith(" ")) :]


def read_until(terminal: int, end: bytes | None) -> bytes:
    """Read what a terminal shows until it ends so; None: until nobody writes to it any more."""
    shown = b""
    while end is None or not shown.endswith(end):
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, shown
        try:
            shown += os.read(terminal, 65_536)
        except OSError:  # EIO: the other side is closed
            assert end is None, shown
            break
    return shown


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("oguardai key", ["keyring"]),
        ("oguardai keyring rot", ["rotate"]),
        ("oguardai keyring r", ["remove", "revoke", "rollback", "rotate"]),
        ("oguardai --config-dir conf.d keyring rot", ["rotate"]),
        ("oguardai --config-dir=conf.d keyring rot", ["rotate"]),
        ("oguardai keyring rotate --a", ["--activate-in", "--adopt"]),
        ("oguardai keyring rotate --port 3000 --a", ["--activate-in", "--adopt"]),
        ("oguardai doctor --url http://localhost:3000 --sa", ["--save"]),
        ("oguardai transform --token-style ", ["plain", "tagged"]),
        ("oguardai transform --token-style=t", ["--token-style=tagged"]),
    ],
)
def test_bash_completes_commands_options_and_choices(desk: Path, line: str, words: list[str]) -> None:
    assert complete(desk, line) == words


@pytest.mark.parametrize("group", ["", "keyring"])
def test_bash_offers_every_command(desk: Path, group: str) -> None:
    found = cli.commands[group] if group else cli
    assert isinstance(found, click.Group)
    assert sorted(complete(desk, f"oguardai {group} ")) == sorted(found.commands)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("oguardai keyring status --config-dir ", ["conf.d"]),
        ("oguardai --config-dir=c", ["--config-dir=conf.d"]),
        ("oguardai doctor --save n", ["note.txt"]),
        ("oguardai detect ", ["conf.d", "note.txt"]),
        ("oguardai serve --port ", []),
        ("oguardai keyring activate ", []),
        ("oguardai n", ["n"]),
    ],
)
def test_bash_offers_files_where_a_file_is_meant(desk: Path, line: str, words: list[str]) -> None:
    assert sorted(word.rstrip("/") for word in complete(desk, line)) == words
