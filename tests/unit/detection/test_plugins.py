"""Detectors of other packages: found by their entry points, and refused by name when they are not sound."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oguardai.config import Settings
from oguardai.detection import DetectionError, detect, plugins
from oguardai.detection.configured import Detection
from oguardai.detection.plugins import installed_finders

HEAD = "from oguardai.detection.detector import Finder, Found\n"
ONE = (
    HEAD + "def find(text):\n    at = text.find('Aurora')\n"
    "    return [Found(at, at + 6, 'project', 0.9, 'projects', 'a list')] if at >= 0 else []\n"
    "finder = Finder('projects', frozenset({'project'}), find)\n"
    "def several():\n    return [finder, Finder('others', frozenset({'person', 'project'}), find)]\n"
    "def none():\n    return []\n"
)

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one module and its entry points on the path."""
    modules: list[str] = []

    def put(code: str, value: str = "finder", name: str = "acme") -> None:
        module = f"{name}_detectors"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[oguardai.detectors]\n{name}-point = {module}:{value}\n")

    monkeypatch.syspath_prepend(tmp_path)
    installed_finders.cache_clear()
    yield put
    installed_finders.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


def test_nothing_is_installed_here() -> None:
    installed_finders.cache_clear()
    assert installed_finders() == ()


def test_a_finder_is_found(install: Install) -> None:
    install(ONE)
    (finder,) = installed_finders()
    assert (finder.name, finder.types) == ("projects", {"project"})
    settings = Settings()
    detection = Detection(settings.detection, settings.detector)
    assert detection.types["project"].level == 2
    (entity,) = detection.detect("about Aurora", types=["project"]).entities
    assert (entity.value, entity.type, entity.detector) == ("Aurora", "project", "projects")


@pytest.mark.parametrize(("value", "names"), [("several", ["projects", "others"]), ("none", [])])
def test_a_function_gives_several_or_none(install: Install, value: str, names: list[str]) -> None:
    install(ONE, value)
    assert [finder.name for finder in installed_finders()] == names


def test_they_are_loaded_once(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(ONE)
    first = installed_finders()
    monkeypatch.setattr(plugins, "entry_points", None)
    assert installed_finders() is first


def test_they_come_in_the_order_of_their_names(install: Install) -> None:
    for name in ("zeta", "acme"):
        install(ONE.replace("'projects'", f"'{name}'"), name=name)
    assert [finder.name for finder in installed_finders()] == ["acme", "zeta"]


@pytest.mark.parametrize(
    ("code", "value", "wrong"),
    [
        ("import no_such_module_at_all", "finder", "cannot be loaded: ModuleNotFoundError"),
        ("1 / 0", "finder", "cannot be loaded: ZeroDivisionError"),
        ("finder =", "finder", "cannot be loaded: SyntaxError"),
        (ONE, "missing", "cannot be loaded: AttributeError"),
        ("def finder():\n    raise KeyError('x')", "finder", "cannot be loaded: KeyError"),
        ("finder = 1", "finder", "cannot be loaded: TypeError"),
        ("def finder():\n    return 1", "finder", "cannot be loaded: TypeError"),
        ("def finder():\n    return ['x']", "finder", "gives something else than Finder objects"),
        (HEAD + "finder = Finder('', frozenset({'x'}), len)", "finder", "without a name and types"),
        (HEAD + "finder = Finder('A b', frozenset({'x'}), len)", "finder", "without a name and types"),
        (HEAD + "finder = Finder('a', frozenset(), len)", "finder", "without a name and types"),
        (HEAD + "finder = Finder('a', frozenset({'Project X'}), len)", "finder", "without a name and types"),
        (HEAD + "finder = Finder('a', frozenset({1}), len)", "finder", "without a name and types"),
        (HEAD + "finder = Finder('a', frozenset({'literal'}), len)", "finder", "of the type literal"),
    ],
)
def test_one_that_is_not_sound_is_refused_by_its_name(install: Install, code: str, value: str, wrong: str) -> None:
    install(code, value)
    with pytest.raises(DetectionError, match=wrong) as refused:
        installed_finders()
    assert str(refused.value).startswith(f"the detector acme-point of acme (acme_detectors:{value}) ")
    assert refused.value.detector == "acme-point"


def test_two_with_one_name_are_refused(install: Install) -> None:
    install(ONE)
    install(ONE, name="other")
    with pytest.raises(DetectionError, match=r"other-point of other .* is the second with a finder called projects"):
        installed_finders()


@pytest.mark.parametrize(
    "found", ["(0, 999, 'project')", "(-1, 2, 'project')", "(2, 2, 'project')", "(0, 2, 'email')", "(0, 2, 'other')"]
)
def test_a_find_outside_the_text_or_its_types_fails_the_request(install: Install, found: str) -> None:
    install(
        HEAD
        + f"found = {found}\n"
        + "finder = Finder('projects', frozenset({'project'}), lambda text: [Found(*found, 0.9, 'projects')])\n"
    )
    with pytest.raises(DetectionError, match="detector projects left the text or its types"):
        detect("about Aurora", types=["project"], finders=installed_finders())
