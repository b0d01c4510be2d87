"""Log lines that cannot be broken or faked, and metrics whose labels nobody outside can make up."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oguardai
from oguardai import telemetry
from oguardai.keyring import Key, Keyring
from oguardai.logs import (
    MAX_VALUE,
    EventFormatter,
    EventHandler,
    configure_logging,
    exception_fields,
    is_journal,
    log_event,
    log_exception,
)
from oguardai.telemetry import Metrics, kid_label

SECRET = "q8Zr2LwXb7NcT4vKd9HsJ1gPf6YmA3eU"


def record(event: str = "Event", level: int = logging.WARNING, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("oguardai.test", level, __file__, 1, event, None, None)
    made.fields = fields
    return made


@pytest.fixture
def restored_root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


class TestLogfmt:
    def test_the_runbooks_grep_finds_a_failed_open(self) -> None:
        line = EventFormatter().format(record("SessionExpired", reason="ttl", kid=0, request_id="r-1"))
        assert "level=warning event=SessionExpired reason=ttl kid=0 request_id=r-1" in line

    def test_a_timestamp_is_rfc_3339_in_utc(self) -> None:
        made = record()
        made.created = 1_790_000_000.4567
        assert EventFormatter().format(made).startswith("time=2026-09-21T14:13:20.456Z level=warning ")

    def test_the_journal_gets_a_priority_and_no_timestamp(self) -> None:
        formatter = EventFormatter(journal=True)
        assert formatter.format(record(level=logging.WARNING)) == "<4>level=warning event=Event"
        assert formatter.format(record(level=logging.ERROR)).startswith("<3>")
        assert formatter.format(record(level=logging.INFO)).startswith("<6>")
        assert formatter.format(record(level=logging.DEBUG)).startswith("<7>")

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("plain/path:1", "plain/path:1"),
            ("two words", '"two words"'),
            ("", '""'),
            ('a"b\\c', r'"a\"b\\c"'),
            ("a\nlevel=error event=Fake", r'"a\nlevel=error event=Fake"'),
            ("\x1b[2J\x00\x7f", r'"\u001b[2J\u0000\u007f"'),
            ("\u2028\u202e\ud800\U0001f600", r'"\u2028\u202e\ud800\U0001f600"'),
            ("a=b", '"a=b"'),
            (["x", "y"], "x,y"),
            (None, ""),
            (True, "true"),
            (1.5, "1.5"),
        ],
    )
    def test_values_are_escaped(self, value: object, shown: str) -> None:
        assert EventFormatter(journal=True).format(record(field=value)) == f"<4>level=warning event=Event field={shown}"

    @settings(deadline=None)
    @given(st.text(st.characters()))
    def test_any_value_stays_within_its_quotes(self, value: str) -> None:
        line = EventFormatter(journal=True).format(record(field=value))
        assert re.fullmatch(r'<4>level=warning event=Event field=([!-~]+|"(?:[ !#-\[\]-~]|\\.)*")', line)

    def test_a_long_value_is_cut(self) -> None:
        assert len(EventFormatter().format(record(field="x" * 100_000))) < MAX_VALUE + 200


class TestJson:
    @settings(deadline=None)
    @given(st.text(st.characters(), max_size=100))
    def test_any_value_gives_one_line_of_ascii_that_parses(self, value: str) -> None:
        line = EventFormatter("json").format(record(field=value, items=[value], number=3, none=None))
        assert re.fullmatch("[ -~]+", line)
        parsed = json.loads(line)
        assert parsed["field"] == value.replace("\x7f", "?")
        assert (parsed["level"], parsed["event"], parsed["number"], parsed["none"]) == ("warning", "Event", 3, None)

    def test_numbers_that_json_lacks_become_text(self) -> None:
        assert json.loads(EventFormatter("json").format(record(field=float("nan"))))["field"] == "nan"

    def test_the_journal_gets_its_prefix(self) -> None:
        assert EventFormatter("json", journal=True).format(record()) == '<4>{"level":"warning","event":"Event"}'


class TestForeignRecords:
    def test_a_librarys_record_becomes_one_event(self) -> None:
        made = logging.LogRecord("lib", logging.ERROR, __file__, 1, "it %s\nbroke", ("has",), None)
        assert EventFormatter(journal=True).format(made) == (
            r'<3>level=error event=Log logger=lib message="it has\nbroke"'
        )

    def test_a_broken_format_string_loses_no_line(self) -> None:
        made = logging.LogRecord("lib", logging.ERROR, __file__, 1, "%d things", ("no",), None)
        assert 'message="%d things"' in EventFormatter().format(made)

    def test_its_exception_is_shown_without_message(self) -> None:
        try:
            raise ValueError("julia@example.com")
        except ValueError:
            made = logging.LogRecord("lib", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
        line = EventFormatter().format(made)
        assert "exception=builtins.ValueError" in line
        assert "julia" not in line


class TestExceptions:
    def test_types_and_places_but_no_message_local_or_source(self) -> None:
        def fail(canary: str) -> None:
            try:
                raise KeyError(canary)
            except KeyError as error:
                raise RuntimeError(f"no {canary}") from error

        with pytest.raises(RuntimeError) as caught:
            fail("4111111111111111")
        fields = exception_fields(caught.value)
        assert fields["exception"] == ["builtins.RuntimeError", "builtins.KeyError"]
        places = fields["at"]
        assert isinstance(places, list)
        assert all(re.fullmatch(r"[\w./-]+\.py:\d+", place) for place in places)
        assert "4111" not in str(fields)

    def test_a_deep_traceback_is_cut(self) -> None:
        def dig(depth: int) -> None:
            if depth:
                dig(depth - 1)
            raise ValueError

        with pytest.raises(ValueError) as caught:  # noqa: PT011 - its message is not the point
            dig(100)
        places = exception_fields(caught.value)["at"]
        assert isinstance(places, list)
        assert len(places) <= 16


class TestConfigureLogging:
    def test_events_go_to_the_stream_and_below_the_level_nowhere(self, restored_root: logging.Logger) -> None:
        stream = io.StringIO()
        configure_logging("json", "warning", stream=stream)
        log_event(logging.getLogger("oguardai.x"), logging.INFO, "Quiet")
        log_event(logging.getLogger("oguardai.x"), logging.WARNING, "Loud", kid=3)
        log_exception(logging.getLogger("oguardai.x"), "Broken", ValueError("secret"))
        events = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [event["event"] for event in events] == ["Loud", "Broken"]
        assert events[0]["kid"] == 3
        assert "secret" not in stream.getvalue()

    def test_calling_again_replaces_only_what_it_installed(self, restored_root: logging.Logger) -> None:
        foreign = logging.NullHandler()
        restored_root.addHandler(foreign)
        configure_logging(stream=io.StringIO())
        second = io.StringIO()
        configure_logging(level="debug", stream=second)
        ours = [handler for handler in restored_root.handlers if isinstance(handler, EventHandler)]
        assert len(ours) == 1
        assert ours[0].stream is second
        assert foreign in restored_root.handlers
        assert restored_root.level == logging.DEBUG

    def test_the_journal_is_recognised_by_device_and_inode(self, tmp_path: Path) -> None:
        with (tmp_path / "journal").open("w") as stream:
            stat = os.fstat(stream.fileno())
            assert is_journal(stream, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
            assert not is_journal(stream, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"})
            assert not is_journal(stream, {})
        assert not is_journal(stream, {"JOURNAL_STREAM": "8:1"})
        assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": "8:1"})


STATUS: dict[str, Any] = {
    "version": "9.9",
    "keyring": {
        "fingerprint": "feed",
        "active_kid": 1,
        "keys": [
            {
                "kid": 0,
                "fingerprint": "aa",
                "state": "standby",
                "last_seal": 50.0,
                "listed_since": 10.0,
                "safe_to_remove_at": 3650.0,
            },
            {"kid": 1, "fingerprint": "bb", "state": "ACTIVE", "last_seal": 90.0, "last_open": 95.5},
        ],
    },
    "reload": {"outcome": "refused", "last_success_at": 70.0, "counts": {"ok": 2, "refused": 1}},
}


def samples(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


class TestMetrics:
    def test_what_was_counted_is_rendered(self) -> None:
        metrics = Metrics()
        metrics.count_request("/v1/transform", "POST", 200, 0.003)
        metrics.count_request("/v1/transform", "POST", 200, 0.003)
        metrics.count_request("unmatched", "BREW", 404, 0.0)
        metrics.count_entities(["email", "email", "iban"])
        metrics.count_sealed(1)
        metrics.count_opened(0)
        metrics.count_session_error("ttl", "0")
        found = samples(metrics.render({}).decode())
        assert found['oguardai_http_requests_total{endpoint="/v1/transform",method="POST",status="200"}'] == 2
        assert found['oguardai_http_requests_total{endpoint="unmatched",method="other",status="404"}'] == 1
        assert found['oguardai_http_request_duration_seconds_count{endpoint="/v1/transform"}'] == 2
        assert found['oguardai_entities_total{type="email"}'] == 2
        assert found['oguardai_sessions_sealed_total{kid="1"}'] == 1
        assert found['oguardai_sessions_opened_total{kid="0"}'] == 1
        assert found['oguardai_session_errors_total{kid="0",reason="ttl"}'] == 1

    def test_the_servers_status_is_rendered(self) -> None:
        found = samples(Metrics().render(STATUS, now=100.0).decode())
        version = ".".join(map(str, sys.version_info[:3]))
        assert found[f'oguardai_build_info{{python="{version}",version="9.9"}}'] == 1
        assert found['oguardai_keyring_fingerprint_info{fingerprint="feed"}'] == 1
        assert found["oguardai_active_kid"] == 1
        assert found['oguardai_keyring_key_info{fingerprint="aa",kid="0",state="standby"}'] == 1
        assert found['oguardai_key_last_seal_timestamp_seconds{kid="0"}'] == 50
        assert found['oguardai_key_last_open_timestamp_seconds{kid="1"}'] == 95.5
        assert found['oguardai_key_age_seconds{kid="0"}'] == 90
        assert found['oguardai_key_safe_to_remove_timestamp_seconds{kid="0"}'] == 3650
        assert found["oguardai_config_last_reload_successful"] == 0
        assert found["oguardai_config_last_reload_success_timestamp_seconds"] == 70
        assert found['oguardai_config_reloads_total{outcome="ok"}'] == 2
        assert found['oguardai_config_reloads_total{outcome="failed"}'] == 0

    def test_what_is_not_known_is_left_out(self) -> None:
        text = Metrics().render(STATUS, now=100.0).decode()
        assert 'oguardai_key_last_open_timestamp_seconds{kid="0"}' not in text
        assert 'oguardai_key_age_seconds{kid="1"}' not in text
        assert "oguardai_active_kid 1" not in Metrics().render({}).decode()

    @pytest.mark.parametrize(("outcome", "good"), [("ok", 1), (None, 1), ("partial", 0), ("refused", 0), ("failed", 0)])
    def test_a_reload_that_did_not_reach_all_is_no_success(self, outcome: str | None, good: int) -> None:
        found = samples(Metrics().render({"reload": {"outcome": outcome}}).decode())
        assert found["oguardai_config_last_reload_successful"] == good

    def test_two_applications_do_not_share_counts(self) -> None:
        first, second = Metrics(), Metrics()
        first.count_sealed(7)
        assert 'kid="7"' not in second.render({}).decode()

    def test_a_kid_label_takes_only_kids_of_the_ring(self) -> None:
        ring = Keyring((Key.from_secret(4, SECRET),))
        assert kid_label(4, ring) == "4"
        assert kid_label(5, ring) == "unknown"
        assert kid_label(None, ring) == "unknown"

    def test_workers_are_added_up(self, tmp_path: Path) -> None:
        worker = "from oguardai.telemetry import Metrics; m = Metrics(); m.count_sealed(3); m.count_sealed(3)"
        reader = "from oguardai.telemetry import Metrics; print(Metrics().render({'version': '1'}).decode())"
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        for _ in range(2):
            subprocess.run([sys.executable, "-c", worker], env=environ, check=True)
        done = subprocess.run([sys.executable, "-c", reader], env=environ, check=True, capture_output=True, text=True)
        found = samples(done.stdout)
        assert found['oguardai_sessions_sealed_total{kid="3"}'] == 4
        assert any(name.startswith("oguardai_build_info{") for name in found)


class TestDocs:
    """docs/observability.md lists every metric and every event, and none that does not exist."""

    ROOT = Path(oguardai.__file__).parent
    TEXT = (ROOT.parent / "docs" / "observability.md").read_text() if (ROOT.parent / "docs").is_dir() else ""

    @pytest.fixture(autouse=True)
    def from_a_checkout(self) -> None:
        if not self.TEXT:
            pytest.skip("installed without docs")

    def test_metrics(self) -> None:
        metrics = Metrics()
        metrics.count_request("/x", "GET", 200, 0.1)
        metrics.count_entities(["email"])
        metrics.count_sealed(0)
        metrics.count_opened(0)
        metrics.count_session_error("ttl", "0")
        metrics.count_detection_failure("email")
        kinds = dict(re.findall("^# TYPE (oguardai_\\S+) (\\w+)$", metrics.render(STATUS).decode(), re.MULTILINE))
        described = dict(re.findall(r"^\| `(oguardai_\w+)` \| (\w+)", self.TEXT, re.MULTILINE))
        assert described == {name: kind for name, kind in kinds.items() if not name.endswith("_created")}

    def test_events(self) -> None:
        source = "".join(path.read_text() for path in self.ROOT.rglob("*.py"))
        called = r'log_(?:event|exception)\(\s*(?:log|logger|_LOG),\s*(?:logging\.\w+,\s*)?"(\w+)"'
        first_cells = re.findall(r"^\|((?: `[A-Z]\w+`,?)+) \| (?:debug|info|warning|error)", self.TEXT, re.MULTILINE)
        described = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
        assert set(re.findall(called, source)) == described


def test_without_room_for_the_counts_nothing_is_counted_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(telemetry, "is_multiprocess", lambda: True)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "gone"))
    metrics = Metrics()
    metrics.count_request("/v1/health", "GET", 200, 0.1)
    metrics.count_entities(["email"])
    metrics.count_sealed(0)
    metrics.count_opened(0)
    metrics.count_session_error("ttl", "0")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    other = Metrics()
    other.count_sealed(0)
    assert {path.stat().st_size for path in tmp_path.iterdir()} == {telemetry.FILE_BYTES}


def test_a_worker_without_room_for_its_counts_does_not_spoil_those_of_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(telemetry, "is_multiprocess", lambda: True)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(os, "posix_fallocate", full)
    Metrics().count_sealed(0)
    assert list(tmp_path.iterdir()) == []


def test_no_thread_counts_before_another_has_found_room_for_the_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A write into a file without room ends the process (SIGBUS)."""
    looking, looked = threading.Event(), threading.Event()

    def full(*_: object) -> None:
        looking.set()
        looked.wait(10)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(telemetry, "is_multiprocess", lambda: True)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(os, "posix_fallocate", full)
    metrics = Metrics()
    counted: list[int] = []
    monkeypatch.setattr(metrics, "_sealed", SimpleNamespace(labels=counted.append))
    first = threading.Thread(target=metrics.count_sealed, args=(0,))
    second = threading.Thread(target=metrics.count_sealed, args=(1,))
    first.start()
    assert looking.wait(10)
    second.start()
    second.join(0.2)
    looked.set()
    first.join(10)
    second.join(10)
    assert counted == []
