"""What the Debian package says of itself is what the checkout says."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import oguardai

ROOT = Path(__file__).parents[2]
DEBIAN = ROOT / "packaging" / "debian"


def _fields(name: str) -> dict[str, tuple[str, str]]:
    """Return the packages of a field of the control file, each with the version that it asks for."""
    binary = (DEBIAN / "control").read_text().partition("\nPackage:")[2]
    match = re.search(rf"^{name}:(.*(?:\n .*)*)", binary, re.MULTILINE)
    assert match is not None
    found = re.findall(r"([a-z0-9-]+) \((>=) ([0-9.]+)\)", match[1])
    return {package: (relation, version) for package, relation, version in found}


def test_the_version_is_that_of_the_checkout() -> None:
    head = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert re.match(r"oguardai \((.*)\) ", head)[1] == oguardai.__version__  # type: ignore[index]


def test_every_requirement_of_the_python_package_is_a_dependency_with_its_version() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = dict(line.split(">=") for line in config["options"]["install_requires"].split("\n") if line)
    names = {"PyYAML": "python3-yaml", "python-dotenv": "python3-dotenv", "python-stdnum": "python3-stdnum"}
    wanted = {names.get(name, f"python3-{name}"): version for name, version in required.items()}
    depends = _fields("Depends")
    assert depends.pop("python3") == (">=", "3.11")
    assert depends.keys() == wanted.keys()
    for package, version in wanted.items():
        assert version.removesuffix(".0") == depends[package][1].removesuffix(".0")


def test_the_shipped_configuration_is_short_and_has_the_lifetime_written_out() -> None:
    shipped = (ROOT / "etc" / "oguardai.yaml").read_text()
    assert "ttl_seconds: 3600\n" in shipped
    assert len(shipped.splitlines()) < 20
