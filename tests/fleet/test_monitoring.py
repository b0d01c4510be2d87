"""The alerts fire when they should, and the dashboard shows what a real Prometheus has of a real server."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from oguardai.cli.root import cli
from tests.server.harness import RunningServer, wait_for

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RULES = PROMETHEUS / "oguardai-alerts.yaml"
RULE_TESTS = PROMETHEUS / "oguardai-alerts-test.yaml"
DASHBOARD = ROOT / "deploy/grafana/oguardai.json"
PAGE = ROOT / "docs/observability.md"

JOB = "oguardai"
WINDOW = "10s"  # of the dashboard's rates: some scrapes, as Grafana's $__rate_interval is
TEXT = "write to test@example.com"
UNKNOWN_KID = 99
# Its panel and alert want a detector that fails.
NO_SIDECAR = """
server:
  drain_seconds: 0
detector:
  mode: both
  advanced_url: unix:/nonexistent/socket
  on_failure: open
"""


def program(name: str) -> str:
    """Return the path of Prometheus' programs, which Debian has in one package."""
    path = shutil.which(name) or shutil.which(name, path="/usr/bin:/usr/local/bin")
    assert path, f"{name} is not installed: script/test-fleet installs it (Debian's package prometheus)"
    return path


def promtool(*words: str | Path) -> str:
    done = subprocess.run([program("promtool"), *words], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


# --- the rules ---------------------------------------------------------------------------------------------


def test_promtool_takes_the_rules() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", RULES)


def test_every_alert_fires_when_it_should_and_not_else() -> None:
    promtool("test", "rules", RULE_TESTS)
    fires, is_silent = set(), set()
    for group in yaml.safe_load(RULE_TESTS.read_text())["tests"]:
        for case in group.get("alert_rule_test", ()):
            (fires if case.get("exp_alerts") else is_silent).add(case["alertname"])
    names = {rule["alert"] for rule in alerts()}
    assert names == fires
    assert names == is_silent


def test_every_alert_says_what_to_do_next() -> None:
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())
    for rule in alerts():
        assert rule["alert"].startswith("OGuardAI")
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description"}
        if rule["alert"] != "OGuardAINotScraped":
            assert "`oguardai " in rule["annotations"]["description"], rule["alert"]
            assert re.search(r"\{\{ \$labels\.(instance|job|kid) \}\}", rule["annotations"]["summary"])


def test_the_commands_in_the_alerts_exist() -> None:
    called = set(re.findall(r"`oguardai ([^`]+)`", RULES.read_text() + PAGE.read_text()))
    assert "keyring rotate --activate-in 10m" in called
    for words in called:
        command: click.Command = cli
        for word in words.split():
            if isinstance(command, click.Group):
                assert word in command.commands, words
                command = command.commands[word]
            elif word.startswith("--"):
                assert any(word in option.opts for option in command.params), words
        assert not isinstance(command, click.Group), words


def test_the_page_lists_the_alerts() -> None:
    listed = re.findall(r"^\| `(OGuardAI\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert listed == [rule["alert"] for rule in alerts()]


def test_the_examples_beside_the_rules_are_valid(tmp_path: Path) -> None:
    page = (PROMETHEUS / "README.md").read_text()
    server_yaml, prometheus_yaml = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    config = tmp_path / "prometheus.yml"
    config.write_text(prometheus_yaml)
    promtool("check", "config", "--syntax-only", config)
    server = RunningServer(tmp_path)
    server.extra = server_yaml
    server.write_keys(server.key(0))
    done = server.run("config", "validate")
    assert done.returncode == 0, done.stderr


# --- the dashboard -----------------------------------------------------------------------------------------


def panels() -> list[dict[str, Any]]:
    """Return the panels that show something, not the rows."""
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def queries() -> list[tuple[str, str]]:
    """Return where it stands and the query, variables replaced, for each of the dashboard's queries."""
    board = json.loads(DASHBOARD.read_text())
    found = [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]
    found += [(one["name"], one["expr"]) for one in board["annotations"]["list"] if "expr" in one]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
            found.append((variable["name"], f"count by ({label}) ({selector})"))
    return [(where, fill_in(expression)) for where, expression in found]


def fill_in(expression: str) -> str:
    """Replace Grafana's variables as it would with everything chosen."""
    for name, value in (("__rate_interval", WINDOW), ("__range", "1m"), ("job", "oguardai.*"), ("instance", ".*")):
        expression = re.sub(rf"\${name}\b", value, expression)
    assert "$" not in expression, expression
    return expression


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert board["id"] is None
    assert (board["uid"], board["title"]) == ("oguardai", "OGuardAI")
    assert board["schemaVersion"] >= 36
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "instance"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    types = {one["id"] for one in board["__requires"] if one["type"] == "panel"}
    assert types == {panel["type"] for panel in panels()}


def test_every_panel_says_what_it_shows_and_asks_the_chosen_source() -> None:
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        for asks in (panel, *panel["targets"]):
            assert asks["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        units = [panel["fieldConfig"]["defaults"].get("unit")]
        units += [one["value"] for rule in panel["fieldConfig"]["overrides"] for one in rule["properties"]]
        # Grafana's times are milliseconds, Prometheus' are seconds.
        assert ("dateTimeFromNow" in units) == any("* 1000" in target["expr"] for target in panel["targets"])


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_that_is_used_is_documented() -> None:
    documented = set(re.findall(r"^\| `(oguardai_\w+)` \|", PAGE.read_text(), re.MULTILINE))
    rules = yaml.safe_load(RULES.read_text())
    used = set(re.findall(r"oguardai_\w+", json.dumps(rules) + DASHBOARD.read_text() + RULE_TESTS.read_text()))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in used} <= documented
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"oguardai_\w+", DASHBOARD.read_text())}
    assert shown == documented, "and all of them are on the dashboard"


# --- in a real Prometheus ----------------------------------------------------------------------------------


class RunningPrometheus:
    """A Prometheus that scrapes one server every second, with the rules loaded."""

    def __init__(self, root: Path, target: str) -> None:
        self.log_path = root / "log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": [target]}]}],
        }
        (root / "prometheus.yml").write_text(json.dumps(config))
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={root / 'prometheus.yml'}",
                    f"--storage.tsdb.path={root / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=30) as answer:
                return answer.status == 200
        except OSError:
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters or path}: {error.read().decode()}") from None
        assert answer["status"] == "success"
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples whose value is a finite number; the query itself must be good."""
        data = self.ask("query", query=expression)
        assert data["resultType"] == "vector", expression
        return [sample for sample in data["result"] if math.isfinite(float(sample["value"][1]))]

    def stop(self) -> None:
        """End this process, and no other."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Monitored:
    server: RunningServer
    prometheus: RunningPrometheus
    instance: str

    def use(self) -> None:
        """Let clients do what they do: transform, rehydrate, and come with a session that cannot be opened."""
        sealed = self.server.transform(TEXT)
        assert self.server.opens(sealed, TEXT)
        sealed["session_state"] = re.sub(r"^og1\.\d+", f"og1.{UNKNOWN_KID}", sealed["session_state"])
        assert not self.server.opens(sealed, TEXT)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """A server with a rotation and a failed reload behind it, and a Prometheus that watches it."""
    with contextlib.ExitStack() as ends:
        server = RunningServer(tmp_path_factory.mktemp("server"))
        server.extra = NO_SIDECAR
        server.write_keys(server.key(0), server.key(1))
        ends.callback(lambda: server.process is None or server.stop(signal.SIGINT))
        server.start()
        instance = f"127.0.0.1:{server.port}"
        prometheus = RunningPrometheus(tmp_path_factory.mktemp("prometheus"), instance)
        ends.callback(prometheus.stop)
        wait_for(prometheus.is_ready, "Prometheus to be ready")

        old = server.transform(TEXT)
        revoked = server.key(0, state="revoked")
        server.write_keys(revoked, server.key(3, state="staged"), server.key(1), server.key(2))
        assert server.reload().returncode == 0
        assert server.opens(old, TEXT)
        server.write_yaml("session: nonsense\n")
        assert server.reload().returncode == 1
        yield Monitored(server, prometheus, instance)


def test_the_rules_are_healthy(monitored: Monitored) -> None:
    def evaluated() -> list[dict[str, Any]] | None:
        rules = [rule for group in monitored.prometheus.ask("rules")["groups"] for rule in group["rules"]]
        return None if any(rule["health"] == "unknown" for rule in rules) else rules

    rules = wait_for(evaluated, "every rule to be evaluated")
    assert {rule["name"] for rule in rules} == {rule["alert"] for rule in alerts()}
    assert {(rule["name"], rule["health"], rule.get("lastError")) for rule in rules} == {
        (rule["alert"], "ok", None) for rule in alerts()
    }
    for rule in alerts():
        monitored.prometheus.query(rule["expr"])


def test_a_failed_reload_fires(monitored: Monitored) -> None:
    def firing() -> list[dict[str, Any]]:
        found = monitored.prometheus.ask("alerts")["alerts"]
        return [
            one for one in found if (one["labels"]["alertname"], one["state"]) == ("OGuardAIReloadFailed", "firing")
        ]

    found = wait_for(firing, "the alert to fire")
    assert len(found) == 1
    assert found[0]["labels"] == {
        "alertname": "OGuardAIReloadFailed",
        "instance": monitored.instance,
        "job": JOB,
        "severity": "warning",
    }
    assert monitored.instance in found[0]["annotations"]["description"]


def test_every_query_of_the_dashboard_shows_something(monitored: Monitored) -> None:
    missing = queries()
    assert len(missing) > 30

    def all_shown() -> bool:
        monitored.use()
        missing[:] = [(where, query) for where, query in missing if not monitored.prometheus.query(query)]
        return not missing

    try:
        wait_for(all_shown, "samples")
    except AssertionError:
        raise AssertionError(f"no sample with a finite value: {missing}") from None


def test_the_dashboard_shows_what_is_true(monitored: Monitored) -> None:
    def value(title: str) -> float | None:
        expression = next(query for where, query in queries() if where == title)
        samples = monitored.prometheus.query(expression)
        return float(samples[0]["value"][1]) if samples else None

    expected = {"Instances up": 1, "Instances down": 0, "Different keyrings": 1, "Different active kids": 1}
    expected["Last reload"] = 0
    wait_for(lambda: {title: value(title) for title in expected} == expected, f"{expected}")

    def states() -> dict[str, str]:
        samples = monitored.prometheus.query(f'oguardai_keyring_key_info{{instance="{monitored.instance}"}}')
        return {sample["metric"]["kid"]: sample["metric"]["state"] for sample in samples}

    wait_for(lambda: states() == {"0": "revoked", "1": "standby", "2": "ACTIVE", "3": "staged"}, "the keys' states")
