"""What is in the image, and how it runs by itself."""

from __future__ import annotations

import json
import re
import shlex
import tarfile
import time
from collections.abc import Callable

import pytest

from tests.docker.client import PORT, is_ready, opens, transform
from tests.docker.conftest import IMAGE, Builds, figures
from tests.docker.engine import Engine
from tests.docker.layers import Saved
from tests.server.harness import wait_for

LOCKED_DOWN = (
    "--read-only --cap-drop=ALL --security-opt=no-new-privileges "
    f"--tmpfs /run/oguardai:uid=10001,gid=10001,mode=0700 --publish 127.0.0.1:{PORT}:3000"
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/=]{40}")
_SECRET_LINE = re.compile(rb"^GUARDAI_\w*SECRET=\S+", re.MULTILINE)


def start(engine: Engine, secret: str, options: str = LOCKED_DOWN) -> str:
    """Start a container with the secret in its environment; return its id."""
    return engine.output(f"docker run -d -e GUARDAI_SESSION_SECRET {options} {IMAGE}", GUARDAI_SESSION_SECRET=secret)


def test_it_starts_with_a_read_only_file_system_and_no_capability(engine: Engine, secret: str) -> None:
    began = time.monotonic()
    container = start(engine, secret)
    wait_for(is_ready, "the first answer of /v1/ready")
    figures["from `docker run` to the first 200 of /v1/ready"] = f"{time.monotonic() - began:.2f} s"
    assert opens(transform())
    health = "docker inspect -f '{{.State.Health.Status}}' " + container
    wait_for(lambda: engine.output(health) == "healthy", "the engine to call it healthy")
    written = engine.run(f"docker exec {container} touch /etc/guardai/x", check=False)
    assert "Read-only file system" in written.stderr
    assert engine.output(f"docker diff {container}") == "", "and it tried to write nowhere"


def test_no_process_is_root_and_signals_reach_the_server(engine: Engine, secret: str) -> None:
    container = start(engine, secret)
    wait_for(is_ready, "the server to be ready")
    read = "for p in /proc/[0-9]*; do echo $(grep ^Uid: $p/status) $(tr '\\0' ' ' <$p/cmdline); done"
    processes = engine.output(f"docker exec {container} sh -c {shlex.quote(read)}").splitlines()
    assert len(processes) >= 4, "tini, the main process, a worker and this shell"
    assert all(line.startswith("Uid: 10001 10001 10001 10001") for line in processes), processes
    assert "/usr/bin/tini -- oguardai serve" in processes[0]
    config = json.loads(engine.output(f"docker inspect {IMAGE}"))[0]["Config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert (config["Entrypoint"], config["Cmd"]) == (["/usr/bin/tini", "--", "oguardai"], ["serve"]), "no shell"


def test_it_tells_health_by_ready_and_not_by_life(engine: Engine, secret: str) -> None:
    container = start(engine, secret)
    wait_for(is_ready, "the server to be ready")
    check = f"docker exec {container} /usr/share/oguardai/healthcheck"
    assert engine.run(check).returncode == 0
    link = "GUARDAI_PORT=tcp://10.0.0.1:3000"
    assert engine.run(check.replace("exec", f"exec -e {link}", 1)).returncode == 0, "what Kubernetes puts there"
    assert engine.run(check.replace("exec", "exec -e GUARDAI_PORT=3001", 1), check=False).returncode == 1
    engine.run(f"docker kill -s TERM {container}")
    done = wait_for(
        lambda: (one := engine.run(check, check=False)).returncode == 1 and one, "it to be told that it drains"
    )
    assert done.stdout == "/v1/ready answers 503 SERVICE UNAVAILABLE\n"


@pytest.mark.parametrize(("given", "told"), [("", "there is no key to seal sessions with"), ("short", "is too short")])
def test_a_missing_or_short_secret_is_refused_in_one_line(engine: Engine, given: str, told: str) -> None:
    done = engine.run(f"docker run --rm -e GUARDAI_SESSION_SECRET {IMAGE}", check=False, GUARDAI_SESSION_SECRET=given)
    assert done.returncode == 78
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("oguardai: ")
    assert told in lines[0]
    assert "GUARDAI_SESSION_SECRET" in lines[0]
    assert lines[0].endswith("with: oguardai secret generate")


def test_a_directory_that_others_own_is_refused_in_one_line(engine: Engine, secret: str) -> None:
    options = "--rm -e GUARDAI_SESSION_SECRET --tmpfs /run/oguardai:uid=0,mode=0755"
    done = engine.run(f"docker run {options} {IMAGE}", check=False, GUARDAI_SESSION_SECRET=secret)
    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert "/run/oguardai" in done.stderr
    assert "uid" in done.stderr


def test_it_is_small_and_has_nothing_to_build_or_install_with(engine: Engine) -> None:
    ours, base = (
        int(engine.output(f"docker inspect -f '{{{{.Size}}}}' {tag}")) for tag in (IMAGE, "debian:trixie-slim")
    )
    figures["size over the base"] = f"{(ours - base) / 1e6:.0f} MB"
    assert ours - base < 150e6
    look = "for name in pip pip3 gcc cc make curl wget; do ! command -v $name; done; find / -xdev -name 'pip*' -type d"
    run = f"docker run --rm --network=none --user 0 --entrypoint sh {IMAGE} -c {shlex.quote(look)}"
    assert engine.output(run) == ""


def test_no_secret_is_in_any_layer(builds: tuple[Builds, Engine], saved: Callable[[str], Saved]) -> None:
    made, engine = builds
    canary = made.canary.encode()
    files = 0
    with tarfile.open(saved(made.again).archive) as image:
        for member in image:
            outer = image.extractfile(member) if member.isfile() else None
            if outer is None:
                continue
            if not member.name.endswith("layer.tar") and not tarfile_like(outer.read(512)):
                outer.seek(0)
                text = outer.read()
                assert canary not in text, member.name
                assert not _SECRET_LINE.search(text), member.name
                continue
            outer.seek(0)
            with tarfile.open(fileobj=outer) as layer:
                for one in layer:
                    file = layer.extractfile(one) if one.isfile() else None
                    content = file.read() if file else b""
                    files += bool(file)
                    assert canary not in content, one.name
                    assert not _PRIVATE_KEY.search(content), one.name
                    assert not _SECRET_LINE.search(content), one.name
    assert files > 3000, "these are all files of the image"
    assert made.canary not in engine.output(f"docker history --no-trunc {made.again}")


def tarfile_like(head: bytes) -> bool:
    return head[257:262] == b"ustar"
