"""Whatever bytes stand in the files: a configuration, or a refusal that repeats no secret."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from oguardai.config import (
    SETTINGS,
    Config,
    Settings,
    load_config,
    settings_from_json,
    settings_to_json,
)
from oguardai.config.registry import build_settings
from oguardai.errors import ConfigError, SecretError
from oguardai.keyring import Key

NOW = 1_800_000_000.0
no_deadline = hypothesis_settings(deadline=None)  # nothing here may depend on the speed of the machine
MARK = "Zk3uQ9v-bH1_o7cXy0TgLs5DnW2aRm8PiEjVfKhYx4U"


@contextmanager
def files(yaml: bytes | None = None, env: bytes | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        for file, content in (("oguardai.yaml", yaml), ("oguardai.env", env)):
            if content is not None:
                path = Path(name) / file
                path.write_bytes(content)
                path.chmod(0o600)
        yield Path(name)


def load(yaml: bytes | None = None, env: bytes | None = None) -> Config | ConfigError:
    with files(yaml, env) as directory:
        try:
            return load_config(directory, {}, now=NOW)
        except ConfigError as error:
            return error


def acceptable(secret: str) -> bool:
    try:
        Key.from_secret(0, secret)
    except SecretError:
        return False
    return True


# Any text that can be a secret: one line, no control characters.
text = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=32, max_size=60)
base64 = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="), min_size=32)
ascii_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=32, max_size=60)
secrets = st.one_of(text, base64, ascii_text).filter(acceptable)


def single(secret: str) -> str:
    return "'" + secret.replace("\\", "\\\\").replace("'", "\\'") + "'"


def double(secret: str) -> str:
    return '"' + secret.replace("\\", "\\\\").replace('"', '\\"') + '"'


@no_deadline
@given(
    secret=secrets,
    quote=st.sampled_from([single, double]),
    prefix=st.sampled_from(["", "export ", "  ", "\ufeff", "# it's a comment\n", "GUARDAI_HOST='::1'\n"]),
    suffix=st.sampled_from(["", "\n", "\r\n", ' # it\'s "new"\n', "\nGUARDAI_PORT='1'\n", '\nGUARDAI_PORT="1"\n']),
)
@example(secret=MARK + "\\", quote=single, prefix="", suffix=" # it's\n")
@example(secret=MARK + "\\'", quote=single, prefix="", suffix="\nGUARDAI_PORT='1'\n")
def test_a_quoted_secret_is_read_as_it_was_written(secret: str, quote: object, prefix: str, suffix: str) -> None:
    line = f"{prefix}GUARDAI_SESSION_SECRET={quote(secret)}{suffix}"  # type: ignore[operator]
    config = load(env=line.encode())
    assert isinstance(config, Config), str(config)
    assert config.keyring.keys == (Key.from_secret(0, secret, source="env"),)
    assert config.warnings == ()


@no_deadline
@given(secret=secrets, suffix=st.sampled_from(["", "\n", "\r\n", "  \n", " # comment\n"]))
def test_a_bare_secret_without_blanks_and_quotes_is_read_as_it_was_written(secret: str, suffix: str) -> None:
    secret = "".join(secret.split()).lstrip("'\"")
    if not acceptable(secret):
        return
    config = load(env=f"GUARDAI_SESSION_SECRET={secret}{suffix}".encode())
    assert isinstance(config, Config), str(config)
    assert config.keyring.keys == (Key.from_secret(0, secret, source="env"),)


@no_deadline
@given(secret=secrets)
def test_a_secret_quoted_in_yaml_is_read_as_it_was_written(secret: str) -> None:
    if not all(char.isprintable() and ord(char) < 0x10000 and char != "\ufeff" for char in secret):
        return
    quoted = "'" + secret.replace("'", "''") + "'"
    config = load(yaml=f"session:\n  keyring:\n    - kid: 7\n      secret: {quoted}\n".encode())
    assert isinstance(config, Config), str(config)
    assert config.keyring.keys == (Key.from_secret(7, secret),)


noise = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda value: value.encode("utf-8", "surrogatepass")),
    st.text(st.sampled_from("ab:-#'\"[]{}&*!|>%@`\\,?<~=$ \t\r\n\0\ufeff0x"), max_size=100).map(str.encode),
)
TEMPLATES = [
    b"GUARDAI_SESSION_SECRET=%b",
    b"GUARDAI_SESSION_SECRET='%b",
    b"session:\n  keyring:\n    - kid: 0\n      secret: %b\n",
    b"session:\n  keyring:\n    - kid: 0\n      secret: '%b\n      state: staged\n",
    b"session: {keyring: [{kid: %b, secret: x, secret_file: y}]}",
    b"server:\n  port: %b\n  allow_networks: [%b]\nlog:\n  level: %b\n",
    b"%b",
    b"%b: x\n%b: x\n",
]


@no_deadline
@given(before=noise, between=noise, after=noise, template=st.sampled_from(TEMPLATES))
def test_any_bytes_give_a_configuration_or_a_refusal_that_repeats_no_secret(
    before: bytes, between: bytes, after: bytes, template: bytes
) -> None:
    value = between + MARK.encode() + between
    content = before + template.replace(b"%b", value) + after
    for outcome in (load(yaml=content), load(env=content), load(yaml=content, env=content)):
        problems = outcome.warnings if isinstance(outcome, Config) else outcome.problems
        told = "\n".join(str(problem) for problem in problems) + repr(outcome)
        assert MARK not in told
        for problem in problems:
            assert problem.message.isprintable()
            assert problem.line is None or 1 <= problem.line <= len(content) + 1


@no_deadline
@given(content=noise, prefix=st.sampled_from([b"", b"server:\n  host: ", b'log: "', b"a: [", b"- ? ", b"%YAML "]))
def test_any_bytes_as_yaml_are_no_accident(content: bytes, prefix: bytes) -> None:
    load(yaml=prefix + content)


def values() -> st.SearchStrategy[Settings]:
    strategies = {}
    for setting in SETTINGS:
        if setting.type is int:
            strategies[setting.path] = st.integers(int(setting.low or 0), int(setting.high or 0))
        elif setting.type is float:
            strategies[setting.path] = st.floats(0, 1)
        elif setting.type is bool:
            strategies[setting.path] = st.booleans()
        elif setting.type is tuple:
            strategies[setting.path] = st.lists(st.text(max_size=10), max_size=3).map(tuple)
        else:
            strategies[setting.path] = st.text(max_size=10)
    return st.fixed_dictionaries(strategies).map(build_settings)


@no_deadline
@given(settings=values())
def test_settings_survive_their_way_to_the_workers(settings: Settings) -> None:
    assert settings_from_json(settings_to_json(settings)) == settings


@no_deadline
@given(
    lines=st.lists(st.sampled_from([setting for setting in SETTINGS if setting.type is int]), unique=True, max_size=8),
    data=st.data(),
)
def test_every_number_in_range_is_taken_from_either_file(lines: list[object], data: st.DataObject) -> None:
    chosen = {
        setting: data.draw(st.integers(int(setting.low), int(setting.high)))  # type: ignore[attr-defined]
        for setting in lines
    }
    env = "".join(f"{setting.env}={number}\n" for setting, number in chosen.items())  # type: ignore[attr-defined]
    outcome = load(env=f"{env}GUARDAI_SESSION_SECRET={MARK}\n".encode())
    if isinstance(outcome, ConfigError):
        # Only what is checked across settings may refuse numbers that are each in range.
        assert {problem.key for problem in outcome.problems} <= {"session.max_age_seconds", "session.max_blob_bytes"}
        return
    for setting, number in chosen.items():
        assert setting.get(outcome.settings) == number  # type: ignore[attr-defined]
