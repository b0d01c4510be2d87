"""Where a server keeps its files: found from its configuration alone, so that any shell finds them."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from oguardai.config.loader import DEFAULT_CONFIG_DIR, Config
from oguardai.errors import ConfigError, Problem

SYSTEM_RUNTIME_DIR = Path("/run/oguardai")
SYSTEM_STATE_DIR = Path("/var/lib/oguardai")
_OVERFLOW_UID = 65_534  # owner, as seen in a user namespace, of what belongs to nobody inside it


def runtime_dir(config: Config, environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory of pid file, status, metrics and admin socket; it is not created here.

    ``server.runtime_dir``; else /run/oguardai for /etc/guardai; else one derived from the configuration
    directory and the port, see :func:`_derived`.

    Args:
        environ: looked at for ``XDG_RUNTIME_DIR``; None: the process environment.
    """
    if config.settings.server.runtime_dir:
        return Path(config.settings.server.runtime_dir)
    if _is_system(config.config_dir):
        return SYSTEM_RUNTIME_DIR
    return _derived(config, environ) / "run"


def state_dir(config: Config, environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory that remembers when each key sealed last; it is not created here.

    ``server.state_dir``; else /var/lib/oguardai for /etc/guardai; else beside the derived runtime directory.
    """
    if config.settings.server.state_dir:
        return Path(config.settings.server.state_dir)
    if _is_system(config.config_dir):
        return SYSTEM_STATE_DIR
    return _derived(config, environ) / "state"


def _is_system(config_dir: Path) -> bool:
    if Path(os.path.abspath(config_dir)) == DEFAULT_CONFIG_DIR:
        return True
    return os.path.realpath(config_dir) == os.path.realpath(DEFAULT_CONFIG_DIR)


def _derived(config: Config, environ: Mapping[str, str] | None) -> Path:
    """Return ``<base>/oguardai-<uid>/<12 digits>/<port>`` of the first base where it exists, else of the first base.

    A shell of ``su`` or ``cron`` lacks the variable that the server's shell had, so what exists decides.
    """
    places = [place / str(config.settings.server.port) for place in _places(config.config_dir, environ)]
    return next((place for place in places if _is_own_dir(place)), places[0])


def runtime_dirs_of(config_dir: Path, environ: Mapping[str, str] | None = None) -> list[Path]:
    """Return the runtime directories that servers with this configuration directory made, whatever their port.

    For commands that must find a server whose configuration cannot be read now.
    """
    if _is_system(config_dir):
        return [SYSTEM_RUNTIME_DIR]
    found = [path for place in _places(config_dir, environ) if _is_own_dir(place) for path in place.glob("*/run")]
    return sorted(path for path in found if _is_own_dir(path))


def _places(config_dir: Path, environ: Mapping[str, str] | None) -> list[Path]:
    """Return where the directories of a configuration directory may be.

    Below ``$XDG_RUNTIME_DIR``, ``/run/user/<uid>`` or the directory for temporary files.
    """
    uid = os.geteuid()
    digits = hashlib.sha256(os.fsencode(os.path.realpath(config_dir))).hexdigest()[:12]
    name = Path(f"oguardai-{uid}", digits)
    environ = os.environ if environ is None else environ
    users = [Path(path) for path in (environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{uid}") if path]
    bases = [path for path in users if path.is_absolute() and _is_own_dir(path)]
    bases += [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - ensure_private_dir checks what is there
    return list(dict.fromkeys(base / name for base in bases))


def _is_own_dir(path: Path) -> bool:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def ensure_private_dir(path: Path) -> Path:
    """Create a directory, mode 0700, or check the one that is there; return its path.

    What exists must be ours and not writable by group or others; the way to it may not lead over a link or a
    directory of another user (an attack that /tmp invites). Links of root's are followed, as systemd makes
    them.

    Raises:
        ConfigError: it cannot be created, or is not safe; says what to do.
    """
    path = Path(os.path.abspath(path))
    try:
        for part in (*reversed(path.parents), path):
            _ensure_part(part, path)
        status = os.stat(path)
    except OSError as error:
        raise _refused(path, f"cannot be created: {os.strerror(error.errno or 0)}") from None
    except ValueError:
        raise _refused(path, "is not a path") from None
    if status.st_uid != os.geteuid():
        raise _refused(path, f"belongs to uid {status.st_uid}, this process runs as uid {os.geteuid()}")
    if status.st_mode & 0o022:
        mode = stat.S_IMODE(status.st_mode)
        raise _refused(path, f"can be written by others (mode {mode:04o}); run: chmod go-w {path}")
    return path


def _ensure_part(part: Path, path: Path) -> None:
    try:
        os.mkdir(part, 0o700)
    except OSError:
        if not os.path.lexists(part):
            raise
    itself, target = os.lstat(part), os.stat(part)
    if not stat.S_ISDIR(target.st_mode):
        raise _refused(path, f"cannot be created: {part} is not a directory")
    if part == path and not stat.S_ISLNK(itself.st_mode):
        return  # the caller looks at it more closely
    for status in (itself, target):
        if status.st_uid not in {os.geteuid(), 0, _OVERFLOW_UID}:
            raise _refused(path, f"leads over {part}, which belongs to uid {status.st_uid}; remove it")
    if part != path and target.st_mode & stat.S_IWOTH and not target.st_mode & stat.S_ISVTX:
        raise _refused(path, f"leads over {part}, which everybody can write; run: chmod o-w {part}")


def _refused(path: Path, message: str) -> ConfigError:
    advice = "; or choose another place with server.runtime_dir and server.state_dir"
    return ConfigError([Problem(message + advice, file=str(path))])
