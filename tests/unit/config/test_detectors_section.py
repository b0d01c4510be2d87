"""What an operator can set of detection: terms, own detectors, and the advanced detector."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oguardai.config import SETTINGS, Config, DetectorSettings, settings_from_json, settings_to_json
from oguardai.detection import detection_of
from oguardai.errors import ConfigError
from oguardai.server import network

from .conftest import Directory

TERMS = "detection:\n  terms: ["


@pytest.fixture
def environ(secret: str) -> dict[str, str]:
    return {"GUARDAI_SESSION_SECRET": secret}


# --- the advanced detector -----------------------------------------------------------------------------------


def test_by_default_the_built_in_detectors_find_alone(directory: Directory, environ: dict[str, str]) -> None:
    assert directory.load(environ).settings.detector == DetectorSettings("builtin", "", 2000, "closed")


@pytest.mark.parametrize("mode", ["both", "advanced"])
def test_a_mode_that_needs_a_detector_is_refused_without_one(
    directory: Directory, environ: dict[str, str], mode: str
) -> None:
    file = directory.yaml(f"log:\n  level: info\ndetector:\n  timeout_ms: 500\n  mode: {mode}\n")
    problem = directory.refused_once(environ)
    assert (problem.file, problem.line, problem.key) == (str(file), 5, "detector.mode")
    assert "detector.advanced_url" in problem.message


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9090", "http://localhost:9090/", "https://ner.example.com", "http://[::1]:9090",
        "unix:/run/oguardai-ner/socket", "local:rampart",
    ],
)  # fmt: skip
def test_a_url_of_a_detector_is_taken(directory: Directory, environ: dict[str, str], url: str) -> None:
    directory.yaml(f"detector:\n  mode: both\n  advanced_url: {url!r}\n  on_failure: open\n")
    assert directory.load(environ).settings.detector == DetectorSettings("both", url, 2000, "open")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:9090", "ftp://localhost", "http://", "http://user:pass@ner.example.com", "http://localhost:9090/x?y=1",
        "unix:socket", "unix:/" + "x" * 200, "unix:/a b", "local:other", "http://a b", "http://localhost:port",
        "http://localhost:99999", "http://[::1", "http://localhost:0", "http://[ner.example.com]:9090", "https://:9090",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_detector_is_refused(directory: Directory, environ: dict[str, str], url: str) -> None:
    directory.yaml(f"detector:\n  advanced_url: {json.dumps(url)}\n")
    problem = directory.refused_once(environ)
    assert (problem.line, problem.key) == (2, "detector.advanced_url")
    assert "unix:/path" in problem.message
    assert "example" not in problem.message


@pytest.mark.parametrize(
    ("name", "value"),
    [("mode", "ner"), ("timeout_ms", "9"), ("timeout_ms", "60001"), ("on_failure", "ignore"), ("modus", "both")],
)
def test_wrong_values_are_refused_by_name(directory: Directory, environ: dict[str, str], name: str, value: str) -> None:
    directory.yaml(f"detector:\n  {name}: {value}\n")
    assert directory.refused_once(environ).key == f"detector.{name}"


def _with_url(directory: Directory, environ: dict[str, str], url: str) -> Config:
    return directory.load({**environ, "GUARDAI_DETECTOR_ADVANCED_URL": url})


def test_a_service_without_a_network_refuses_a_detector_behind_one(
    directory: Directory, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "find_shortage", lambda: "has no network")
    for url in ("", "unix:/run/x", "local:rampart"):
        network.check_needs(_with_url(directory, environ, url), SETTINGS)
    with pytest.raises(ConfigError, match=r"^detector\.advanced_url: \(from environment\) needs the network"):
        network.check_needs(_with_url(directory, environ, "http://127.0.0.1:9090"), SETTINGS)


# --- terms ---------------------------------------------------------------------------------------------------


def test_terms_are_taken_with_their_blanks(directory: Directory, environ: dict[str, str]) -> None:
    directory.yaml(f"{TERMS}Project Aurora, 'Smith, John', Müller]\n")
    assert directory.load(environ).settings.detection.terms == ("Project Aurora", "Smith, John", "Müller")
    config = directory.load({**environ, "GUARDAI_DETECTION_TERMS": " Project Aurora ,Müller,"})
    assert config.settings.detection.terms == ("Project Aurora", "Müller")


@pytest.mark.parametrize("term", ["x", "x" * 201, "' aurora'", "'aurora '"])
def test_a_term_that_is_too_short_or_long_is_refused(directory: Directory, environ: dict[str, str], term: str) -> None:
    directory.yaml(f"{TERMS}aurora, {term}]\n")
    problem = directory.refused_once(environ)
    assert (problem.line, problem.key) == (2, "detection.terms")
    assert problem.message.startswith("entry 2: ")


@pytest.mark.parametrize(("count", "taken"), [(1000, True), (1001, False)])
def test_there_are_at_most_a_thousand_terms(
    directory: Directory, environ: dict[str, str], count: int, taken: bool
) -> None:
    directory.yaml(f"{TERMS}{', '.join(f'term {number}' for number in range(count))}]\n")
    if taken:
        assert len(directory.load(environ).settings.detection.terms) == count
    else:
        assert "1000" in directory.refused_once(environ).message


def test_configured_terms_are_always_found(directory: Directory, environ: dict[str, str]) -> None:
    directory.yaml(f"{TERMS}Project Aurora]\n")
    found = detection_of(directory.load(environ).settings).detect("about project  AURORA.")
    assert [(one.type, one.value) for one in found.entities] == [("term", "project  AURORA")]


# --- own detectors -------------------------------------------------------------------------------------------

OWN = r"""
detection:
  types: [email, employee_id]
  detectors:
    - name: employee
      type: employee_id
      pattern: '\bEMP-[0-9]{6}\b'
      context: [staff, personal*]
      needs_context: false
      confidence: 0.7
      level: 1
      ignore_case: true
    - {name: badge, type: employee_id, pattern: '\b[0-9]{9}\b', validator: stdnum.nl.bsn, confidence: 0.1}
"""


def test_own_detectors_find(directory: Directory, environ: dict[str, str]) -> None:
    directory.yaml(OWN)
    settings = directory.load(environ).settings
    assert settings_from_json(json.loads(json.dumps(settings_to_json(settings)))) == settings
    detection = detection_of(settings)
    assert detection.types["employee_id"].level == 1
    assert [(one.detector, one.confidence) for one in detection.detect("ask emp-123456").entities] == [
        ("employee", 0.7)
    ]


def test_a_type_of_an_own_detector_can_be_asked_for_wherever_types_are_given(
    directory: Directory, environ: dict[str, str]
) -> None:
    directory.yaml(OWN)
    config = directory.load({**environ, "GUARDAI_DETECTION_TYPES": "employee_id"})
    assert config.settings.detection.types == ("employee_id",)
    assert directory.load(environ, overrides={"detection.types": ["employee_id"]})
    directory.env("GUARDAI_DETECTION_TYPES=employe_id\n")
    assert "did you mean employee_id" in directory.refused_once(environ).message


def _refusal(directory: Directory, environ: dict[str, str], yaml: str) -> tuple[Path, str]:
    file = directory.yaml(f"detection:\n  detectors:\n{yaml}")
    problems = directory.refused(environ)
    assert {problem.file for problem in problems} == {str(file)}
    assert {problem.key for problem in problems} == {"detection.detectors"}
    return file, "\n".join(problem.message for problem in problems)


def test_everything_that_is_wrong_is_told_with_its_line(directory: Directory, environ: dict[str, str]) -> None:
    _, told = _refusal(
        directory,
        environ,
        "    - {name: a1, type: x1, pattern: '(a+)+'}\n"
        "    - {name: b1, type: X1, pattern: 'b', validator: md5}\n"
        "    - {name: a1, type: x1, pattern: 'c', contxt: [x]}\n"
        "    - {name: c1, type: x1, pattern: 'c', confidence: 2, level: 4, needs_context: yes, context: word}\n"
        "    - {name: d1, type: x1}\n"
        "    - word\n",
    )
    for words in (
        "line 3: pattern: has a repeat", "line 4: type: expected a name", "line 4: validator: expected one of",
        "line 5: contxt is no field", "line 6: confidence: expected", "line 6: level: expected",
        "line 6: needs_context: expected", "line 6: context: expected a list", "line 7: pattern: is missing",
        "line 8: expected name",
    ):  # fmt: skip
        assert words in told, words


def test_two_detectors_have_two_names(directory: Directory, environ: dict[str, str]) -> None:
    _, told = _refusal(directory, environ, "    - {name: a1, type: x1, pattern: a}\n" * 2)
    assert told == "line 4: name: stands twice"


def test_there_are_at_most_a_hundred(directory: Directory, environ: dict[str, str]) -> None:
    rows = "".join(f"    - {{name: n{number}, type: x1, pattern: a}}\n" for number in range(101))
    assert "at most 100" in _refusal(directory, environ, rows)[1]


def test_own_detectors_stand_in_yaml_only(directory: Directory, environ: dict[str, str]) -> None:
    problem = directory.refused_once({**environ, "GUARDAI_DETECTION_DETECTORS": "[]"})
    assert problem.key == "GUARDAI_DETECTION_DETECTORS"
    assert "oguardai.yaml" in problem.message
