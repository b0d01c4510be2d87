"""Find the running server of a configuration, also while that configuration is bad.

Somebody who runs ``oguardai reload`` on a bad file must reach the server, so that the server, its journal and its
metrics say that the reload failed. Two settings decide where it is; what is wrong with all others is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from oguardai.config import Config, runtime_dir
from oguardai.config.layers import Layers
from oguardai.config.registry import BY_PATH, build_settings
from oguardai.config.values import RefusedError, from_text
from oguardai.keyring import Keyring

_WANTED = ("server.port", "server.runtime_dir")


def find_runtime_dir(config_dir: Path, environ: Mapping[str, str], *, port: int | None = None) -> Path:
    """Return the runtime directory that a server with this configuration has.

    Args:
        port: what ``serve --port`` was given; None: nothing.
    """
    layers = Layers(config_dir)
    layers.read_files()
    layers.read_environment(environ)
    layers.read_overrides({"server.port": port})
    if layers.yaml is not None:
        for path in _WANTED:
            if path not in layers.values:
                _look_in_lines(layers, path, layers.yaml.data.decode("utf-8", "replace"))
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


def _look_in_lines(layers: Layers, path: str, text: str) -> None:
    """Look for a setting's line in a file that may not parse: most likely the mistake is in another line."""
    name = path.rpartition(".")[2]
    found = re.findall(rf"^[ ]+{name}:[ ]+['\"]?([^\s'\"#]+)['\"]?[ ]*(?:#.*)?$", text, re.MULTILINE)
    if len(found) != 1:
        return
    try:
        layers.values[path] = from_text(BY_PATH[path], found[0])
    except RefusedError:
        return
