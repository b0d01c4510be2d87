"""Read the whole configuration and check it: one immutable Config, or every problem at once."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from oguardai.config.files import FileContent
from oguardai.config.keys import KeyringReader
from oguardai.config.layers import ENV_NAME, ENVIRONMENT, YAML_NAME, Layers, Secret, in_words
from oguardai.config.registry import CONFIG_DIR_ENV, KEYRING_PATH, REVOCATION_ENV, SECRET_ENV, build_settings
from oguardai.config.settings import Settings
from oguardai.errors import ConfigError, Problem, SecretError, Severity
from oguardai.keyring import Key, Keyring

DEFAULT_CONFIG_DIR = Path("/etc/guardai")
_DIGEST_KEY = secrets.token_bytes(32)  # the files hold secrets, which nobody shall test guesses of
_HOW_TO = "make a secret with: oguardai secret generate"


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that was read and found good.

    Attributes:
        sources: setting path (``session.keyring`` included) -> ``default``, ``oguardai.yaml:3``,
            ``oguardai.env:2``, ``environment`` or ``command line``.
        digest: of the bytes of every file read (yaml, env, secret files in the order of the keyring) and of the
            variables that count: HMAC-SHA-256 under a key of this process, so equal within one process only.
        env_file_secret: fingerprint of the secret in the env **file**, to notice that it changed while
            something wins over it. ``bad:`` and 4 digits of its SHA-256 when it loses and would be refused as
            a secret: its change is worth noticing all the same. None when it is absent or empty.
        env_file_secret_wins: whether the keyring in force is that secret.
        yaml_stamp: (st_dev, st_ino, st_size, st_mtime_ns) of oguardai.yaml as read; None when there is none.
    """

    settings: Settings
    keyring: Keyring
    warnings: tuple[Problem, ...]
    sources: Mapping[str, str]
    digest: str
    env_file_secret: str | None
    env_file_secret_wins: bool
    yaml_stamp: tuple[int, ...] | None
    config_dir: Path


def find_config_dir(environ: Mapping[str, str]) -> Path:
    """Return the directory when the command line names none: ``GUARDAI_CONFIG_DIR``, or /etc/guardai."""
    return Path(environ.get(CONFIG_DIR_ENV) or DEFAULT_CONFIG_DIR)


def load_config(
    config_dir: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    *,
    now: float,
    yaml_data: bytes | None = None,
) -> Config:
    """Read and check the configuration; later wins: defaults, yaml, env file, environment, command line.

    Args:
        environ: the process environment; nothing is read from ``os.environ``.
        overrides: values of the command line by setting path; None is a value that was not given.
        now: unix seconds, to tell whether a key can seal.
        yaml_data: taken for what stands in oguardai.yaml, to try an edit before it is made.

    Raises:
        ConfigError: with all errors, and the warnings beside them. No message holds a secret.
    """
    layers = Layers(Path(config_dir))
    layers.read_files(yaml_data)
    layers.read_environment(environ)
    layers.read_overrides(overrides or {})
    keyring, secret_files = _choose_keyring(layers, environ, now)
    _check_revocation_secrets(layers, keyring)
    settings = build_settings(layers.values)
    _check_together(layers, settings)
    if keyring is None or layers.refused:
        raise ConfigError(_sorted(layers.problems))
    return Config(
        settings=settings,
        keyring=keyring,
        warnings=tuple(_sorted(layers.problems)),
        sources=MappingProxyType(layers.sources),
        digest=_digest(layers, secret_files),
        env_file_secret=_fingerprint(layers.file_secret),
        env_file_secret_wins=(
            layers.file_secret is not None and layers.environment_secret is None and layers.keyring_entry is None
        ),
        yaml_stamp=layers.yaml.stamp if layers.yaml else None,
        config_dir=layers.config_dir,
    )


def _choose_keyring(layers: Layers, environ: Mapping[str, str], now: float) -> tuple[Keyring | None, list[FileContent]]:
    """Return the keyring of the yaml, else of the environment, else of the env file; and secret files read."""
    if layers.keyring_entry is not None and layers.yaml is not None:
        if layers.environment_secret is not None:
            message = f"is ignored: {KEYRING_PATH} in {YAML_NAME} wins"
            layers.problem(message, ENVIRONMENT, None, SECRET_ENV, Severity.WARNING)
        file = str(layers.yaml.path)
        layers.sources[KEYRING_PATH] = in_words((file, layers.keyring_entry.line))
        reader = KeyringReader(file, layers.config_dir, environ, now)
        keyring = reader.read(layers.keyring_entry)
        layers.problems += reader.problems
        return keyring, reader.files
    secret = layers.environment_secret or layers.file_secret
    if secret is None:
        _report_no_secret(layers)
        return None, []
    layers.sources[KEYRING_PATH] = in_words((secret.file, secret.line))
    if layers.directory_missing:
        layers.problem("there is no such directory", str(layers.config_dir), severity=Severity.WARNING)
    try:
        return Keyring((Key.from_secret(0, secret.text, source="env"),)), []
    except SecretError as error:
        layers.problem(str(error), secret.file, secret.line, SECRET_ENV)
        return None, []


def _report_no_secret(layers: Layers) -> None:
    directory = layers.config_dir
    if layers.directory_missing:
        layers.problem(
            f"there is no such directory; name another with --config-dir or {CONFIG_DIR_ENV}, or run with "
            f"{SECRET_ENV} in the environment ({_HOW_TO})",
            str(directory),
        )
    elif not layers.illegible:  # else a secret may stand in what could not be read
        layers.problem(
            f"there is no key to seal sessions with: set {SECRET_ENV} in {directory / ENV_NAME} or in the "
            f"environment, or list keys under {KEYRING_PATH} in {directory / YAML_NAME}; {_HOW_TO}"
        )


def _check_revocation_secrets(layers: Layers, keyring: Keyring | None) -> None:
    """Check the secret for revocation lists like one for sessions, of which it must be none."""
    sealing = {key.fingerprint: f"kid {key.kid} of {KEYRING_PATH}" for key in (keyring.keys if keyring else ())}
    for given in (layers.file_secret, layers.environment_secret):
        if (fingerprint := _fingerprint(given)) is not None:
            sealing[fingerprint] = SECRET_ENV
    for secret in layers.revocation_secrets:
        try:
            other = sealing.get(Key.from_secret(0, secret.text).fingerprint)
        except SecretError as error:
            layers.problem(str(error), secret.file, secret.line, REVOCATION_ENV)
            continue
        if other is not None:
            message = f"is the secret of {other}, whose rotation would undo every revocation; make one of its own"
            layers.problem(f"{message}: oguardai secret generate", secret.file, secret.line, REVOCATION_ENV)


def _check_together(layers: Layers, settings: Settings) -> None:
    """Check what only several settings together can get wrong."""
    session, server = settings.session, settings.server
    if session.max_age_seconds < session.ttl_seconds:
        path, other = "session.max_age_seconds", "session.ttl_seconds"
        place = layers.places.get(path) or layers.places[other]
        layers.problem(
            f"is {session.max_age_seconds} ({layers.sources[path]}), less than {other}, which is "
            f"{session.ttl_seconds} ({layers.sources[other]}); expected at least that",
            *place,
            path,
        )
    if session.max_blob_bytes >= server.max_body_bytes:
        path = "session.max_blob_bytes"
        place = layers.places.get(path) or layers.places["server.max_body_bytes"]
        message = "is not less than server.max_body_bytes: the largest sessions could not be sent back"
        layers.problem(message, *place, path, Severity.WARNING)
    if settings.detector.mode != "builtin" and not settings.detector.advanced_url:
        path = "detector.mode"
        message = f"is {settings.detector.mode}, but detector.advanced_url does not say where the advanced detector is"
        layers.problem(message, *layers.places[path], path)
    for path, networks in (
        ("server.admin_networks", server.admin_networks),
        ("server.trusted_proxies", server.trusted_proxies),
    ):
        if any(ipaddress.ip_network(network).prefixlen == 0 for network in networks):
            layers.problem("holds every address there is", *layers.places[path], path, Severity.WARNING)


def _fingerprint(secret: Secret | None) -> str | None:
    if secret is None:
        return None
    try:
        return Key.from_secret(0, secret.text).fingerprint
    except SecretError:
        digest = hashlib.sha256(secret.text.encode("utf-8", "surrogatepass")).hexdigest()
        return f"bad:{digest[:4]}"  # enough to notice a change, too little to test a guess


def _digest(layers: Layers, secret_files: list[FileContent]) -> str:
    parts: list[tuple[str, bytes | None]] = [
        (YAML_NAME, layers.yaml.data if layers.yaml else None),
        (ENV_NAME, layers.env.data if layers.env else None),
        *(("secret_file", content.data) for content in secret_files),
        *((name, value.encode("utf-8", "surrogatepass")) for name, value in layers.variables.items()),
    ]
    digest = hmac.new(_DIGEST_KEY, digestmod=hashlib.sha256)
    for name, data in parts:
        digest.update(f"{name} {'absent' if data is None else len(data)}\n".encode())
        digest.update(data or b"")
    return digest.hexdigest()


def _sorted(problems: list[Problem]) -> list[Problem]:
    """Put the problems of a file together, in the order of its lines."""
    files: dict[str | None, int] = {}
    for problem in problems:
        files.setdefault(problem.file, len(files))
    return sorted(problems, key=lambda problem: (files[problem.file], problem.line or 0))
