"""oguardai.yaml is read strictly: what stands there is what is meant, or it is refused with its line."""

from __future__ import annotations

import pytest

from .conftest import Directory

SECRET = "Zk3uQ9v/bH1+o7cXy0TgLs5DnW2aRm8PiEjVfKhYx4U="
ENVIRON = {"GUARDAI_SESSION_SECRET": SECRET}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# nothing yet\n",
        b"---\n",
        b"--- # nothing yet\n...\n",
        b"\xef\xbb\xbf",
        b"\n\n",
        b"~\n",
        b"server:\n",
        b"server: # all defaults\nlog: {}\n",
        b"%YAML 1.2\n---\nserver:\n",
    ],
)
def test_a_file_that_says_nothing_is_fine(directory: Directory, content: bytes) -> None:
    directory.yaml(content)
    assert directory.load(ENVIRON).settings.server.port == 3000


@pytest.mark.parametrize(
    "content",
    [
        "server:\r\n  port: 3001\r\n",
        "\ufeffserver:\n  port: 3001",
        '"server": {"port": 3001}',
        "server:\n    port:   3001   # comment",
        "---\nserver: {port: 3001}\n...\n",
    ],
)
def test_the_same_can_be_written_in_several_ways(directory: Directory, content: str) -> None:
    directory.yaml(content)
    assert directory.load(ENVIRON).settings.server.port == 3001


@pytest.mark.parametrize(
    "value",
    [
        "03001",
        "0o5671",
        "0xBB9",
        "3_001",
        "3001.0",
        "3.001e3",
        "50:01",
        '"3001"',
        "'3001'",
        "+3001",
        "-1",
        "0",
        "65536",
        "",
        "~",
        "null",
        "true",
        "[3001]",
        "{a: 1}",
        "9" * 5000,
        "2026-12-01",
        "|\n    3001",
        "!!int 3001",
        "३",
    ],
)
def test_a_whole_number_is_a_plain_decimal_in_range(directory: Directory, value: str) -> None:
    path = directory.yaml(f"log:\n  level: info\nserver:\n  port: {value}\n")
    problem = directory.refused_once(ENVIRON)
    assert (problem.file, problem.line) == (str(path), 4)
    if not value.startswith("!"):
        assert problem.key == "server.port"
        assert problem.message.startswith("expected a whole number from 1 to 65535")


@pytest.mark.parametrize("value", ["yes", "no", "on", "off", "True", "FALSE", "1", "0", "y", '"true"', "~", ""])
def test_only_true_and_false_are_booleans(directory: Directory, value: str) -> None:
    directory.yaml(f"log:\n  requests: {value}\n")
    problem = directory.refused_once(ENVIRON)
    assert (problem.line, problem.key) == (2, "log.requests")
    assert "true or false" in problem.message


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1.0", 1.0)])
def test_a_number_may_have_a_fraction(directory: Directory, text: str, value: float) -> None:
    directory.yaml(f"detection:\n  threshold: {text}\n")
    threshold = directory.load(ENVIRON).settings.detection.threshold
    assert threshold == value
    assert type(threshold) is float


@pytest.mark.parametrize("value", [".5", "1.", "1e-1", ".nan", ".inf", "-0.1", "1.1", "50%", "0,5"])
def test_other_ways_to_write_a_number_are_refused(directory: Directory, value: str) -> None:
    directory.yaml(f"detection:\n  threshold: {value}\n")
    assert "expected a number from 0 to 1" in directory.refused_once(ENVIRON).message


@pytest.mark.parametrize(
    "secret",
    [
        "12345678901234567890123456789012345678",
        "0123456701234567e8901234567012345670123456",
        "0x1F2E3D4C5B6A79880123456789ABCDEF0123",
        "1234567890.1234567890123456789012345",
        "1_2_3_4_5_6_7_8_9_0_1_2_3_4_5_6_7_8_9_0",
        "2026-12-01T09:00:00Z-and-some-more-text-x",
        "no-yes-no-yes-null-true-0x1f-2026-12-01",
    ],
)
def test_a_secret_that_looks_like_something_else_is_not_altered(directory: Directory, secret: str) -> None:
    kept = []
    for quoted in (secret, f"'{secret}'", f'"{secret}"'):
        directory.yaml(f"session:\n  keyring:\n  - kid: 0\n    secret: {quoted}\n")
        kept.append(directory.load().keyring.keys[0].prk)
    assert kept[0] == kept[1] == kept[2]
    directory.yaml("")
    assert directory.load({"GUARDAI_SESSION_SECRET": secret}).keyring.keys[0].prk == kept[0]


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        ("server:\n  port: 1\n  host: x\n  port: 2\n", 4, "lines 2 and 4"),
        ("server: {}\nlog: {}\nserver: {}\n", 3, "lines 1 and 3"),
        ("server:\n  port: &p 3001\n", 2, "anchors"),
        ("server:\n  port: *p\n", 2, "anchors"),
        ("server: &s\n  port: 3001\n", 1, "anchors"),
        ("server:\n  port: &\n", 2, "anchors"),
        ("server:\n  <<: {port: 1}\n", 2, "merge keys"),
        ("server:\n  host: !!str x\n", 2, "tags"),
        ("server: !x\n  port: 3001\n", 1, "tags"),
        ("server:\n  host: !a!b x\n", 2, "tags"),
        ("server:\n  port: 1\n---\nlog: {}\n", 3, "second document"),
        ("- server\n", 1, "sections"),
        ("\nserver\n", 2, "sections"),
        ("server: 1\n", 1, "expected settings"),
        ("server:\n  - port: 1\n", 1, "expected settings"),
        ("server:\n  ? [a]\n  : 1\n", 2, "plain word"),
        ("server:\n\tport: 3001\n", 2, "tab"),
        ("server:\n  host: a\n port: 1\n", 3, "indentation"),
        ("server:\n  port 3001\n  host: a\n", 3, "colon"),
        ("server:\n  host: 'a\n", 2, "quote that is not closed"),
        ('server:\n  host: "a\n\n\n', 2, "quote that is not closed"),
        ('server:\n  host: "\\q"\n', 2, "backslash"),
        ('server:\n  host: "\\UFFFFFFFF"\n', 2, "out of range"),
        ("server:\n  host: @a\n", 2, "reserves"),
        ("server:\n  allow_networks: [a\nlog: {}\n", 3, ""),
        ("server: {\n", 2, ""),
        ("%YAML 2.0\n---\n", 1, "YAML 1"),
        ("server:\n  host: a\0b\n", 2, "control character"),
        ("server:\n  host: a\x07b\n", 2, "control character"),
        ("[" * 100_000, 1, "too deeply"),
        ("sever: {}\n", 1, "did you mean server?"),
        ("server:\n  Port: 1\n", 2, "did you mean port?"),
        ("session:\n  key_ring: []\n", 2, "did you mean keyring?"),
        ("server.port: 3001\n", 1, "not a section"),
    ],
)
def test_what_is_unclear_is_refused_with_its_line(directory: Directory, content: str, line: int, expected: str) -> None:
    path = directory.yaml(content)
    problem = directory.refused_once(ENVIRON)
    assert (problem.file, problem.line) == (str(path), line), str(problem)
    assert expected in problem.message


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(directory: Directory) -> None:
    directory.yaml(b"server:\n  host: caf\xe9\n")
    problem = directory.refused_once(ENVIRON)
    assert problem.line == 2
    directory.yaml("server: {}\n".encode("utf-16"))
    assert "UTF-8" in directory.refused_once(ENVIRON).message


@pytest.mark.parametrize(
    "broken",
    [
        "session:\n  keyring:\n  - kid: 0\n    secret:{0}\n",
        "session:\n  keyring:\n  - kid: 0\n    secret: '{0}\n",
        "session:\n  keyring:\n  - kid: 0\n    secret: {0}: x\n",
        "session:\n  keyring:\n  - kid: 0\n    secret: x{0}\n    {0}\n   {0}: 1\n",
        "session:\n  keyring:\n  - kid: {0}\n    secret: x\n",
        "session:\n  keyring:\n  - kid: 0\n    {0}: x\n",
        "session:\n  keyring:\n  - kid: 0\n    secret_file: {0}\n",
        "session:\n  keyring:\n  - kid: 0\n    secret: [{0}]\n",
        "session:\n  keyring:\n  - kid: 0\n    secret: *{0}\n",
        "session:\n  keyring:\n  - kid: 0\n    secret: !{0}\n",
        "session:\n  keyring:\n  - kid: 0\n    not_before: {0}\n    state: {0}\n",
        "session:\n  keyring:\n  - {0}\n",
        "session:\n  keyring: {0}\n",
        "session:\n  {0}: 1\n  {0}: 1\n",
        "session: {0}\n",
        "{0}: 1\n{0}: 2\n",
        "{0}\n",
        "detection:\n  types: [{0}]\nserver:\n  host: {0}=\n  allow_networks: [{0}]\n  runtime_dir: {0}\n  port: {0}\n",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(directory: Directory, broken: str) -> None:
    text = SECRET.rstrip("=")
    directory.yaml(broken.replace("{0}", text))
    told = "\n".join(str(problem) for problem in directory.refused())
    assert text not in told
    assert text.lower() not in told.lower()


def test_networks_are_checked_one_by_one_and_kept_in_canonical_spelling(directory: Directory) -> None:
    directory.yaml(
        "server:\n  allow_networks:\n    - 10.0.0.0/255.0.0.0\n    - FC00:0::/7\n    - 192.0.2.7\n    - 192.0.2.7/32\n"
    )
    networks = directory.load(ENVIRON).settings.server.allow_networks
    assert networks == ("10.0.0.0/8", "fc00::/7", "192.0.2.7/32")
    directory.yaml("server: {allow_networks: []}\n")
    assert directory.load(ENVIRON).settings.server.allow_networks == ()


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("10.0.0.1/8", "expected 10.0.0.0/8"),
        ("fc00::1/7", "expected fc00::/7"),
        ("10.0.0.0/33", "expected a network"),
        ("010.0.0.0/8", "expected a network"),
        ("localhost", "expected a network"),
        ("::ffff:10.0.0.0/104", "expected the IPv4 network"),
        ("10", "expected a network"),
        ("[a]", "each entry a text"),
        ("", "each entry a text"),
    ],
)
def test_a_bad_network_is_refused(directory: Directory, network: str, expected: str) -> None:
    directory.yaml(f"server:\n  admin_networks:\n    - 127.0.0.1\n    - {network}\n")
    problem = directory.refused_once(ENVIRON)
    assert (problem.line, problem.key) == (2, "server.admin_networks")
    assert expected in problem.message


def test_a_list_must_be_a_list(directory: Directory) -> None:
    directory.yaml("server:\n  admin_networks: 127.0.0.1\n")
    assert "expected a list of networks" in directory.refused_once(ENVIRON).message


def test_entity_types_are_those_that_exist(directory: Directory) -> None:
    directory.yaml("detection:\n  types: [email, emial]\n")
    problem = directory.refused_once(ENVIRON)
    assert problem.message.startswith("entry 2: emial is not an entity type; did you mean email?")
    directory.yaml("detection:\n  types: [email]\n")
    assert directory.load(ENVIRON).settings.detection.types == ("email",)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "guardai.internal", "a_b.example.", "fe80::1"])
def test_hosts(directory: Directory, host: str) -> None:
    directory.yaml(f"server:\n  host: '{host}'\n")
    assert directory.load(ENVIRON).settings.server.host == host


@pytest.mark.parametrize(
    "host", ["''", "~", "a b", "127.1", "0.0.0.0:3000", "'[::1]'", "-a", "a..b", '"a\\n"', '"\\ud800"']
)
def test_what_is_no_host(directory: Directory, host: str) -> None:
    directory.yaml(f"server:\n  host: {host}\n")
    assert directory.refused_once(ENVIRON).message == "expected an IP address or a host name"


@pytest.mark.parametrize("path", ["run", "./run", '"/run\\0"', "~", '"/run/\\ud800"'])
def test_directories_are_absolute(directory: Directory, path: str) -> None:
    directory.yaml(f"server:\n  runtime_dir: {path}\n")
    assert "absolute path" in directory.refused_once(ENVIRON).message
