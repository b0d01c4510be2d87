"""The image that all of ours begin with, made from Debian's packages as the host gets them."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from pathlib import Path

CACHE = Path("/var/cache/oguardai-docker")
SUITE = "trixie"

# What Debian's own slim image leaves out too.
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
_CERTIFICATES = Path("/usr/local/share/ca-certificates")  # of the host's administrator: the builder's pip needs them


def base_archive() -> Path:
    """Return the root file system as a tar file, made anew each week or when this recipe changes.

    Mirrors, keys, apt's settings and additional certificates are the host's own.
    """
    key = hashlib.sha256((Path(__file__).read_text() + time.strftime("%G-%V")).encode()).hexdigest()[:16]
    archive = CACHE / f"base-{key}.tar"
    if not archive.exists():
        for old in CACHE.glob("base-*.tar"):
            old.unlink(missing_ok=True)
        draft = archive.with_suffix(f".{time.time_ns()}.draft.tar")
        try:
            _build(draft)
            draft.rename(archive)
        finally:
            draft.unlink(missing_ok=True)
    return archive


def _build(archive: Path) -> None:
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    if not sources.exists():
        sources = Path("/etc/apt/sources.list")
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    assert release is not None
    ours = archive.with_suffix(sources.suffix)
    ours.write_text(re.sub(rf"\b{release[1]}\b", SUITE, sources.read_text()))
    command = [
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar", "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT),
        *(f"--aptopt={path}" for path in sorted(Path("/etc/apt/apt.conf.d").glob("99*"))),
    ]  # fmt: skip
    if _CERTIFICATES.is_dir():
        command.append(f"--customize-hook=sync-in {_CERTIFICATES} {_CERTIFICATES}")
        command.insert(-1, f'--customize-hook=mkdir -p "$1"{_CERTIFICATES}')
    try:
        done = subprocess.run(
            [*command, SUITE, str(archive), str(ours)],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    finally:
        ours.unlink()
    assert done.returncode == 0, f"mmdebstrap {SUITE} failed:\n{done.stderr[-4000:]}"
