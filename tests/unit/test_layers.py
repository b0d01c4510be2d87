"""Imports point one way: the core knows no framework, the web no server, and gunicorn stays behind one door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import oguardai

PACKAGE = Path(oguardai.__file__).parent
CORE = ("errors", "keyring", "sealing", "sessions", "tokens", "transform", "rehydrate", "restore", "detection")
FRAMEWORKS = ("flask", "werkzeug", "gunicorn", "prometheus_client")
OUTER = ("oguardai.web", "oguardai.server", "oguardai.cli", "oguardai.telemetry")


def modules(*names: str) -> Iterator[Path]:
    for name in names:
        package = PACKAGE / name
        yield from sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, wherever in the file; ``from a import b`` counts as a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def reach(path: Path, forbidden: tuple[str, ...]) -> list[str]:
    return sorted(name for name in imports(path) if any(name == one or name.startswith(one + ".") for one in forbidden))


def test_the_core_knows_no_framework_and_nothing_around_it() -> None:
    offences = {str(path): reach(path, FRAMEWORKS + OUTER) for path in modules(*CORE)}
    assert not {path: names for path, names in offences.items() if names}


def test_the_configuration_knows_neither_web_nor_server() -> None:
    offences = {str(path): reach(path, FRAMEWORKS + OUTER) for path in modules("config")}
    assert not {path: names for path, names in offences.items() if names}


def test_the_web_does_not_know_the_server() -> None:
    forbidden = ("gunicorn", "oguardai.server", "oguardai.cli")
    offences = {str(path): reach(path, forbidden) for path in modules("web", "telemetry", "logs")}
    assert not {path: names for path, names in offences.items() if names}


def test_only_the_server_imports_gunicorn() -> None:
    users = {path for path in PACKAGE.rglob("*.py") if reach(path, ("gunicorn",))}
    assert all(path.is_relative_to(PACKAGE / "server") for path in users)


def test_every_module_is_looked_at() -> None:
    assert all(path.is_file() for path in modules(*CORE, "web", "telemetry", "logs"))
