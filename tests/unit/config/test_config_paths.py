"""Any shell finds the running server's files, and nobody else can have put them there."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from oguardai.config import Config, ServerSettings, Settings, ensure_private_dir, runtime_dir, state_dir
from oguardai.errors import ConfigError

from .conftest import Directory

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")


@pytest.fixture
def config(directory: Directory, secret: str) -> Config:
    return directory.load({"GUARDAI_SESSION_SECRET": secret})


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def with_server(config: Config, **values: object) -> Config:
    return replace(config, settings=Settings(server=ServerSettings(**values)))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/etc/guardai", "/etc/guardai/", "/etc/../etc/guardai"])
def test_the_packages_own_directory_has_the_systems_places(config: Config, path: str) -> None:
    packaged = replace(config, config_dir=Path(path))
    assert runtime_dir(packaged) == Path("/run/oguardai")
    assert state_dir(packaged) == Path("/var/lib/oguardai")


def test_settings_win(config: Config) -> None:
    chosen = replace(with_server(config, runtime_dir="/a", state_dir="/b"), config_dir=Path("/etc/guardai"))
    assert (runtime_dir(chosen), state_dir(chosen)) == (Path("/a"), Path("/b"))


def test_other_places_follow_directory_and_port(config: Config, tmp_path: Path, base: Path) -> None:
    xdg = tmp_path / "xdg"
    xdg.mkdir()
    environ = {"XDG_RUNTIME_DIR": str(xdg)}
    first = runtime_dir(config, environ)
    assert first.relative_to(xdg).parts[0] == f"oguardai-{os.geteuid()}"
    assert (first.name, first.parent.name, len(first.parent.parent.name)) == ("run", "3000", 12)
    assert state_dir(config, environ) == first.parent / "state"
    link = tmp_path / "link"
    link.symlink_to(config.config_dir)
    assert runtime_dir(replace(config, config_dir=link), environ) == first
    others = {
        runtime_dir(with_server(config, port=3001), environ),
        runtime_dir(replace(config, config_dir=tmp_path), environ),
    }
    assert len(others | {first}) == 3
    assert list(base.iterdir()) == list(xdg.iterdir()) == []  # only looked, nothing created


def test_a_shell_without_the_session_variable_finds_the_server_of_one_that_has_it_not(
    config: Config, tmp_path: Path, base: Path
) -> None:
    """Cron starts the server, a login shell asks for it."""
    if Path(f"/run/user/{os.geteuid()}").is_dir():
        pytest.skip("this user has a session")
    started = ensure_private_dir(runtime_dir(config, {}))
    assert started.is_relative_to(base)
    xdg = tmp_path / "xdg"
    xdg.mkdir()
    assert runtime_dir(config, {"XDG_RUNTIME_DIR": str(xdg)}) == started


@pytest.mark.parametrize("value", ["", "relative", "/no/such/directory", "/etc/passwd", "/x\0y"])
def test_a_session_directory_that_is_none_is_passed_over(config: Config, value: str) -> None:
    found = runtime_dir(config, {"XDG_RUNTIME_DIR": value})
    assert found == runtime_dir(config, {})


@as_root
def test_another_users_session_directory_is_passed_over(config: Config, tmp_path: Path) -> None:
    xdg = tmp_path / "xdg"
    xdg.mkdir()
    os.chown(xdg, 12345, 12345)
    assert not runtime_dir(config, {"XDG_RUNTIME_DIR": str(xdg)}).is_relative_to(xdg)


def test_a_directory_is_made_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = ensure_private_dir(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    for path in (made, made.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert ensure_private_dir(made) == made


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755])
def test_a_directory_that_others_cannot_write_is_taken(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "run"
    path.mkdir()
    path.chmod(mode)
    ensure_private_dir(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_directory_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "run"
    path.mkdir()
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod go-w"):
        ensure_private_dir(path)


@as_root
def test_another_users_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    os.chown(path, 12345, 12345)
    with pytest.raises(ConfigError, match=r"belongs to uid 12345.*server\.runtime_dir"):
        ensure_private_dir(path)
    with pytest.raises(ConfigError, match="belongs to uid 12345"):
        ensure_private_dir(path / "below")


@as_root
def test_another_users_link_is_refused_wherever_it_leads(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(mine)
    assert ensure_private_dir(link) == link  # our own, as systemd makes one for DynamicUser=
    os.lchown(link, 12345, 12345)
    for path in (link, link / "below"):
        with pytest.raises(ConfigError, match="belongs to uid 12345"):
            ensure_private_dir(path)


def test_a_way_that_everybody_can_change_is_refused_unless_sticky(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.mkdir()
    parent.chmod(0o777)
    with pytest.raises(ConfigError, match="everybody can write"):
        ensure_private_dir(parent / "run")
    parent.chmod(0o1777)
    ensure_private_dir(parent / "run")


def test_what_cannot_be_created_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("file", "file/below"):
        with pytest.raises(ConfigError, match="is not a directory"):
            ensure_private_dir(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be created"):
        ensure_private_dir(tmp_path / "dangling")
    with pytest.raises(ConfigError, match="cannot be created"):
        ensure_private_dir(tmp_path / ("x" * 300))
    with pytest.raises(ConfigError, match="not a path"):
        ensure_private_dir(tmp_path / "a\0b")
