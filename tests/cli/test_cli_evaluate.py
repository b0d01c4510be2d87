"""Operators measure detection on texts of their own, and see figures, never a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.harness import Host

MAIL = {"text": "Mail to jo@example.com.", "spans": [[8, 22, "email"]]}
NONE = {"text": "Order 4711 of 2026", "spans": [], "types": "all"}
DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def write(host: Host, *rows: object, name: str = "mine.jsonl") -> str:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    return str(host.write(host.root / name, text))


def test_the_figures_are_a_table_with_a_total(host: Host) -> None:
    done = host.run("evaluate", write(host, MAIL, NONE))
    assert (done.code, done.err) == (0, "2 rows\n")
    headers, email, everything = done.out.decode().splitlines()
    assert headers.split()[:4] == ["TYPE", "LABELLED", "FOUND", "RIGHT"]
    assert email.split() == ["email", "1", "1", "1", *["1.000"] * 6, "0.000"]
    assert everything.split() == ["total", *email.split()[1:]]


def test_the_example_of_the_documentation_is_what_comes_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    block = DOCS.read_text().split("$ cat mine.jsonl\n", 1)[1].split("```", 1)[0]
    rows, shown = block.split("$ oguardai evaluate mine.jsonl\n")
    host.write(host.root / "mine.jsonl", rows)
    monkeypatch.chdir(host.root)
    done = host.run("evaluate", "mine.jsonl")
    assert done.out.decode() + done.err == shown


def test_json_has_the_same_figures_for_machines(host: Host) -> None:
    done = host.run("evaluate", "--json", write(host, MAIL, NONE))
    answer = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert answer["rows"] == 2
    assert answer["types"]["email"] == answer["total"]
    assert answer["total"]["recall"] == 1


def test_several_files_are_one_measurement_and_a_file_named_twice_counts_once(host: Host) -> None:
    first, second = write(host, MAIL), write(host, MAIL, NONE, name="other.jsonl")
    answer = json.loads(host.run("evaluate", "--json", first, second, first).out)
    assert (answer["rows"], answer["total"]["labelled"]) == (3, 2)


def test_standard_input_is_a_file_too(host: Host) -> None:
    done = host.run("evaluate", "-", stdin=json.dumps(MAIL))
    assert (done.code, done.err) == (0, "1 row\n")


def test_what_leaks_is_no_failure_but_a_figure(host: Host) -> None:
    row = {"text": "nothing here", "spans": [[0, 7, "email"]]}
    done = host.run("evaluate", "--json", write(host, row))
    assert (done.code, json.loads(done.out)["total"]["leaks"]) == (0, 1)


def test_wrong_lines_are_named_and_nothing_is_measured(host: Host) -> None:
    bad = {"text": "jo@example.com", "spans": [[0, 99, "email"]]}
    path = write(host, MAIL, bad, "{jo@example.com", {"spans": []})
    done = host.run("evaluate", path)
    assert (done.code, done.out) == (65, b"")
    assert done.err.splitlines() == [
        f"oguardai: {path}:2: span 1: expected 0 <= start < end <= 14, the text's length",
        f"oguardai: {path}:3: expected a JSON object on one line",
        f"oguardai: {path}:4: expected `text`: a string",
    ]


def test_a_thousand_wrong_lines_do_not_fill_the_screen(host: Host) -> None:
    done = host.run("evaluate", write(host, *["{"] * 1000))
    assert done.code == 65
    assert len(done.err.splitlines()) == 21
    assert done.err.endswith("and 980 lines more\n")


def test_names_that_are_no_types_are_said(host: Host) -> None:
    row = {"text": "jo@example.com", "spans": [[0, 14, "EMAIL_ADDRESS"], [0, 2, "TEAPOT"], [3, 4, "MISC"]]}
    done = host.run("evaluate", write(host, row))
    assert done.code == 0
    assert "no types here, so never found: TEAPOT (1)\n" in done.err
    assert "left out, because no type stands for them: MISC (1)\n" in done.err
    assert "teapot" in done.out.decode()


def test_all_types_looks_for_everything_as_a_server_does(host: Host) -> None:
    # An address in a URL's user part: alone it is found, and the URL wins where it is looked for as well.
    text = "see https://jo@example.com/inbox now"
    path = write(host, {"text": text, "spans": [[12, 26, "email"]], "tested_type": "email"})
    alone = json.loads(host.run("evaluate", "--json", path).out)["total"]
    among = json.loads(host.run("evaluate", "--json", "--all-types", path).out)["total"]
    assert (alone["recall"], among["recall"]) == (1, 0)
    assert among["leaks"] == 0


def test_the_threshold_is_the_configurations_unless_given(host: Host) -> None:
    path = write(host, MAIL)
    recall = [
        json.loads(host.run("evaluate", "--json", *words, path).out)["total"]["recall"]
        for words in ((), ("--threshold", "1"))
    ]
    assert recall == [1, 0]


@pytest.mark.parametrize(
    ("words", "code"),
    [((), 2), (("--threshold", "nan", "x"), 2), (("no-such-file",), 66)],
    ids=["no file", "threshold", "missing"],
)
def test_wrong_commands_have_their_status(host: Host, words: tuple[str, ...], code: int) -> None:
    assert host.run("evaluate", *words).code == code


def test_a_bad_configuration_is_its_own_status(host: Host) -> None:
    host.write_yaml(extra="detection:\n  threshold: 7\n")
    assert host.run("evaluate", write(host, MAIL)).code == 78


def test_a_file_that_is_no_text_is_refused(host: Host) -> None:
    path = host.root / "x.jsonl"
    path.write_bytes(b"\xff")
    done = host.run("evaluate", str(path))
    assert (done.code, done.out) == (65, b"")


def test_no_text_shows_whatever_happens(host: Host) -> None:
    done = host.run("evaluate", write(host, MAIL, {"text": "jo@example.com is it", "spans": [[3, 9, "NO_TYPE"]]}))
    assert "jo@" not in done.out.decode() + done.err
