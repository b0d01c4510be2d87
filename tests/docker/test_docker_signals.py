"""Signals as the engine sends them: a reload, and an end that finishes what was begun."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

from oguardai.keyring import generate_secret
from tests.docker.client import PORT, ask, opens, transform, wait_until_ready
from tests.docker.conftest import IMAGE
from tests.docker.engine import Engine
from tests.docker.test_docker_image import LOCKED_DOWN, start
from tests.server.harness import TEXT, kid_of, wait_for, yaml_of


def _write(folder: Path, text: str) -> None:
    """Replace oguardai.yaml as an editor does, for the server's user to read."""
    draft = folder / ".new"
    draft.write_text(text)
    draft.chmod(0o644)
    draft.replace(folder / "oguardai.yaml")


def test_hup_reloads_the_keyring_and_a_bad_one_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    keys = [{"kid": kid, "secret": generate_secret()} for kid in range(2)]
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    _write(folder, yaml_of(keys[:1]))
    container = engine.output(f"docker run -d {LOCKED_DOWN} -v {folder}:/etc/guardai:ro {IMAGE}")
    wait_until_ready()
    old = transform()
    assert kid_of(old) == 0

    def log() -> str:
        return engine.logs(container)

    _write(folder, yaml_of(keys))
    assert kid_of(transform()) == 0, "an edit alone changes nothing"
    engine.run(f"docker kill -s HUP {container}")
    wait_for(lambda: "event=Reloaded active_kid=1" in log(), "the reload")
    assert kid_of(transform()) == 1
    assert opens(old)

    _write(folder, "session: nonsense\n")
    engine.run(f"docker kill -s HUP {container}")
    wait_for(lambda: "event=ReloadFailed" in log(), "the reload to fail")
    assert kid_of(transform()) == 1
    assert opens(old)
    assert engine.output(f"docker inspect -f '{{{{.State.Running}}}}' {container}") == "true"
    assert not any(key["secret"] in log() for key in keys)


def test_stop_finishes_requests_that_have_begun(engine: Engine, secret: str) -> None:
    container = start(engine, secret)
    wait_until_ready()
    body = json.dumps({"input": TEXT}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.putrequest("POST", "/v1/transform")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:10])
    began = time.monotonic()
    engine.run(f"docker kill -s TERM {container}")  # what `docker stop` sends first
    wait_for(lambda: ask("GET", "/v1/ready")[0] == 503, "it to drain")
    connection.send(body[10:])
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status == 200
    assert "a.person@example.com" not in answer["safe_text"]
    engine.run(f"docker stop -t 60 {container}")
    assert time.monotonic() - began < 60, "it ended by itself and was not killed"
    state = "docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' " + container
    assert engine.output(state) == "0 false"
    assert "event=Stopped" in engine.logs(container)


def test_stop_alone_is_enough_of_a_signal(engine: Engine, secret: str) -> None:
    container = start(engine, secret)
    wait_until_ready()
    engine.run(f"docker stop -t 60 {container}")
    assert engine.output(f"docker inspect -f '{{{{.State.ExitCode}}}}' {container}") == "0"
    assert "event=Draining" in engine.logs(container)
