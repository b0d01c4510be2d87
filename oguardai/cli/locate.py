"""Find the running server of a configuration, also while that configuration is bad.

Somebody who runs ``oguardai reload`` on a bad file must reach the server, so that the server, its journal and its
metrics say that the reload failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from oguardai.config import Config, runtime_dir, runtime_dirs_of
from oguardai.config.layers import Layers
from oguardai.config.registry import build_settings
from oguardai.keyring import Keyring
from oguardai.server.runtime import NotRunningError, RuntimeDirectory


def find_runtime(config_dir: Path, environ: Mapping[str, str], *, port: int | None = None) -> RuntimeDirectory:
    """Return the runtime directory of the server that runs with this configuration.

    The settings that can be read say where it is; if none runs there, any that was started with this configuration
    directory is taken, as long as there is only one.

    Args:
        port: what ``serve --port`` was given; None: nothing, or not known.

    Raises:
        NotRunningError: several run, with different ports, and none where the configuration says.
    """
    expected = RuntimeDirectory(_expected(config_dir, environ, port))
    if port is not None or _runs(expected):
        return expected
    running = _running(config_dir, environ)
    if len(running) > 1:
        ports = ", ".join(found.path.parent.name for found in running)
        raise NotRunningError(f"several servers run with this configuration: say which with --port ({ports})")
    return running[0] if running else expected


def other_runtimes(config_dir: Path, environ: Mapping[str, str], known: RuntimeDirectory) -> list[RuntimeDirectory]:
    """Return the other servers that run with this configuration directory, on other ports."""
    return [found for found in _running(config_dir, environ) if found.path != known.path]


def _running(config_dir: Path, environ: Mapping[str, str]) -> list[RuntimeDirectory]:
    return [found for found in map(RuntimeDirectory, runtime_dirs_of(config_dir, environ)) if _runs(found)]


def _expected(config_dir: Path, environ: Mapping[str, str], port: int | None) -> Path:
    """Return where the settings that can be read put it."""
    layers = Layers(config_dir)
    layers.read_files()
    layers.read_environment(environ)
    layers.read_overrides({"server.port": port})
    stand_in = Config(
        settings=build_settings(layers.values),
        keyring=Keyring(()),
        warnings=(),
        sources=MappingProxyType({}),
        digest="",
        env_file_secret=None,
        env_file_secret_wins=False,
        yaml_stamp=None,
        config_dir=config_dir,
    )
    return runtime_dir(stand_in, environ)


def _runs(runtime: RuntimeDirectory) -> bool:
    try:
        runtime.running_pid()
    except NotRunningError:
        return False
    return True
