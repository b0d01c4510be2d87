from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from oguardai.config import Config, load_config
from oguardai.errors import ConfigError, Problem, Severity

NOW = 1_800_000_000.0


class Directory:
    """A configuration directory that a test writes and loads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: str | bytes, mode: int = 0o640) -> Path:
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def yaml(self, content: str | bytes) -> Path:
        return self.write("oguardai.yaml", content)

    def env(self, content: str | bytes) -> Path:
        return self.write("oguardai.env", content)

    def load(
        self,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, object] | None = None,
        now: float = NOW,
    ) -> Config:
        return load_config(self.path, environ or {}, overrides, now=now)

    def refused(self, environ: Mapping[str, str] | None = None, **kwargs: object) -> list[Problem]:
        """Load, expect a refusal, return its errors."""
        with pytest.raises(ConfigError) as caught:
            self.load(environ, **kwargs)  # type: ignore[arg-type]
        return [problem for problem in caught.value.problems if problem.severity is Severity.ERROR]

    def refused_once(self, environ: Mapping[str, str] | None = None, **kwargs: object) -> Problem:
        problems = self.refused(environ, **kwargs)
        assert len(problems) == 1, [str(problem) for problem in problems]
        return problems[0]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    path = tmp_path / "guardai"
    path.mkdir()
    return Directory(path)


@pytest.fixture
def secret() -> str:
    return "Zk3uQ9v/bH1+o7cXy0TgLs5DnW2aRm8PiEjVfKhYx4U="


@pytest.fixture
def other_secret() -> str:
    return "q8N-d1_ZsVb6WkX4mRt0YhGc3LfJ7uPoE9iAxTy2Ku8"


@pytest.fixture
def ring(secret: str, other_secret: str) -> Callable[..., str]:
    """Render a keyring of two keys; ``first`` and ``second`` are further fields."""

    def render(first: str = "", second: str = "") -> str:
        return (
            "session:\n"
            "  keyring:\n"
            f"    - kid: 0\n      secret: {secret}\n{first and f'      {first}' + chr(10)}"
            f"    - kid: 1\n      secret: {other_secret}\n{second and f'      {second}' + chr(10)}"
        )

    return render
