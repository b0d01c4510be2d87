"""Configuration: the registry of settings, reading and checking files, where the server keeps its files."""

from __future__ import annotations

from oguardai.config.cpus import available_cpus, effective_workers
from oguardai.config.layers import DEFAULT, ENV_NAME, YAML_NAME
from oguardai.config.loader import (
    DEFAULT_CONFIG_DIR,
    Config,
    find_config_dir,
    load_config,
)
from oguardai.config.paths import ensure_private_dir, runtime_dir, runtime_dirs_of, state_dir
from oguardai.config.registry import (
    CONFIG_DIR_ENV,
    KEYRING_PATH,
    SECRET_ENV,
    SETTINGS,
    Setting,
    settings_from_json,
    settings_to_json,
)
from oguardai.config.settings import (
    DetectionSettings,
    DetectorSettings,
    LogSettings,
    ServerSettings,
    SessionSettings,
    Settings,
)

__all__ = [
    "CONFIG_DIR_ENV",
    "DEFAULT",
    "DEFAULT_CONFIG_DIR",
    "ENV_NAME",
    "KEYRING_PATH",
    "SECRET_ENV",
    "SETTINGS",
    "YAML_NAME",
    "Config",
    "DetectionSettings",
    "DetectorSettings",
    "LogSettings",
    "ServerSettings",
    "SessionSettings",
    "Setting",
    "Settings",
    "available_cpus",
    "effective_workers",
    "ensure_private_dir",
    "find_config_dir",
    "load_config",
    "runtime_dir",
    "runtime_dirs_of",
    "settings_from_json",
    "settings_to_json",
    "state_dir",
]
