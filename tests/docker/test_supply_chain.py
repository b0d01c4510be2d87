"""What the image is made from: locked, listed, and the same each time."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import oguardai
from tests.docker.conftest import IMAGE, Builds, figures
from tests.docker.engine import TOP, Engine
from tests.docker.layers import Entry, Layer, Saved

DEPLOY = TOP / "deploy" / "docker"
_LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
# Made by the engine, or by its builder for the time of a step, and not by ours.
_OF_THE_ENGINE = {"/dev", "/etc", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/proc", "/run", "/sys", "/tmp"}


def locked(name: str) -> dict[str, str]:
    return {match[1]: match[2] for match in _LOCKED.finditer((DEPLOY / name).read_text())}


def test_all_that_setup_cfg_asks_for_is_locked_with_hashes() -> None:
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    wanted = setup["options"]["install_requires"].split() + setup["options.extras_require"]["re2"].split()
    versions = locked("requirements.txt")
    assert len(wanted) >= 10
    for requirement in map(Requirement, wanted):
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, requirement
    assert set(locked("build-requirements.txt")) == {"setuptools"}
    for name in ("requirements.txt", "build-requirements.txt"):
        rest = _LOCKED.sub("", (DEPLOY / name).read_text()).splitlines()
        assert [line for line in rest if not line.lstrip().startswith("#")] == [], "every line has its hashes"


def test_one_version_is_written_everywhere(engine: Engine) -> None:
    version = re.escape(oguardai.__version__)
    for path in ("Dockerfile", "docker-compose.yml", "docker-compose.fleet.yml"):
        text = (DEPLOY / path).read_text()
        found = re.findall(r"VERSION(?:=|:-)([\d.]+)|oguardai-server:([\d.]+)", text)
        assert found
        assert all(re.fullmatch(version, one or other) for one, other in found), path
    assert f"oguardai-server:{oguardai.__version__}" == IMAGE
    labels = json.loads(engine.output(f"docker inspect -f '{{{{json .Config.Labels}}}}' {IMAGE}"))
    assert labels["org.opencontainers.image.version"] == oguardai.__version__
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.parametrize("name", ["Dockerfile", "nginx/Dockerfile"])
def test_hadolint_has_nothing_to_say(engine: Engine, tools: Path, name: str) -> None:
    assert engine.output(f"{tools}/hadolint --failure-threshold style {DEPLOY / name}") == ""


def test_the_bill_of_materials_lists_all_that_is_installed(engine: Engine, tools: Path, work: Path) -> None:
    run = "docker run --rm --network=none --entrypoint"
    text = engine.output(f"{run} cat {IMAGE} /usr/share/oguardai/sbom.cdx.json")
    (work / "sbom.json").write_text(text)
    validate = (
        "import sys; from cyclonedx.schema import SchemaVersion; from cyclonedx.validation.json import "
        "JsonStrictValidator; sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()))"
    )
    engine.run(f'{tools}/python -c "{validate}" <{work}/sbom.json')
    bom = json.loads(text)
    assert bom["metadata"]["component"]["name"] == "oguardai"
    assert bom["metadata"]["component"]["version"] == oguardai.__version__
    listed = {one["purl"].partition("?")[0]: one for one in bom["components"]}
    python = {one["name"]: one["version"] for purl, one in listed.items() if purl.startswith("pkg:pypi/")}
    assert {canonicalize_name(name): version for name, version in python.items()} == locked("requirements.txt")
    debian = {(one["name"], one["version"]) for purl, one in listed.items() if purl.startswith("pkg:deb/debian/")}
    packages = engine.output(f"{run} dpkg-query {IMAGE} -W -f '${{Package}} ${{Version}}\\n'").splitlines()
    assert debian == {tuple(line.split()) for line in packages}
    assert {"python3", "tini", "libc6"} <= {name for name, _ in debian}


def test_the_same_sources_give_the_same_files(builds: tuple[Builds, Engine], saved: Callable[[str], Saved]) -> None:
    """BuildKit twice, from two folders: the same layers to the bit. The older builder: the same files in them."""
    made, engine = builds
    base = len(json.loads(engine.output("docker inspect -f '{{json .RootFS.Layers}}' debian:trixie-slim")))
    legacy, first, second = (saved(tag).layers()[base:] for tag in (made.legacy, made.buildkit, made.again))
    for one, other in zip(first, second, strict=True):
        assert difference(one.entries, other.entries) == {}
        times = {path for path in one.times if one.times[path] != other.times[path]} - _OF_THE_ENGINE
        assert times == set(), "and the same times"
    same = sum(one.digest == other.digest for one, other in zip(first, second, strict=True))
    figures["layers with the same digest in two builds by BuildKit"] = f"{same} of {len(first)}"
    assert same == len(first)
    assert difference(union(legacy), union(first)) == {}
    same = sum(one.digest == other.digest for one, other in zip(legacy, first, strict=True))
    figures["layers with the same digest by the older builder and BuildKit"] = f"{same} of {len(first)}"


def union(layers: list[Layer]) -> dict[str, Entry]:
    return {path: entry for layer in layers for path, entry in layer.entries.items()}


def difference(one: dict[str, Entry], other: dict[str, Entry]) -> dict[str, tuple[Entry | None, Entry | None]]:
    paths = (one.keys() | other.keys()) - _OF_THE_ENGINE
    return {path: (one.get(path), other.get(path)) for path in paths if one.get(path) != other.get(path)}
