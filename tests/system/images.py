"""Root file systems to boot machines from: Debian with systemd, and what the package needs kept ready for apt."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).parents[2]
CACHE = Path("/var/cache/oguardai-system")

_INSTALLED = ("ca-certificates", "curl", "dbus", "faketime", "jq", "openssl", "python3", "sudo", "systemd",
              "systemd-sysv")  # fmt: skip
_KEPT_READY = ("autopkgtest", "dpkg-dev", "man-db", "bash-completion", "nginx-light")
_RECIPE = """\
set -eu
apt-get install -y --download-only -o APT::Install-Recommends=true {needed} {ready}
for name in {wanted}; do
  apt-get install -y --download-only -o APT::Install-Recommends=true {needed} {ready} "$name" || true
done
"""  # with recommendations, as apt inside a machine will want them; what a release lacks it will not want
_MAX_AGE_SECONDS = 14 * 86_400


def base_image(suite: str) -> Path:
    """Return the root file system of a release, made anew each week or when this recipe changes.

    Mirrors, keys and apt's settings are the host's own.
    """
    recipe = _RECIPE.format(
        needed=" ".join(_relations("Depends")), wanted=" ".join(_relations("Recommends")), ready=" ".join(_KEPT_READY)
    )
    week = time.strftime("%G-%V")
    key = hashlib.sha256("\n".join((suite, recipe, *_INSTALLED, week)).encode()).hexdigest()[:16]
    image = CACHE / f"{suite}-{key}"
    if not image.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        _clean()
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=CACHE))
        try:
            _build(suite, recipe, draft / "root")
            if not image.exists():  # another run may have been first
                (draft / "root").rename(image)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return image


def _relations(field: str) -> list[str]:
    """Return the names of packages in a field of the package's control file."""
    control = (TOP / "packaging" / "debian" / "control").read_text().partition("\nPackage:")[2]
    match = re.search(rf"^{field}:(.*(?:\n .*)*)", control, re.MULTILINE)
    assert match is not None, field
    names = (item.split()[0] for item in match[1].replace("\n", " ").split(",") if item.strip())
    return [name for name in names if not name.startswith("$")]


def _build(suite: str, recipe: str, root: Path) -> None:
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    if not sources.exists():
        sources = Path("/etc/apt/sources.list")
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    assert release is not None
    ours = root.with_suffix(sources.suffix)
    ours.write_text(re.sub(rf"\b{release[1]}\b", suite, sources.read_text()))
    settings = [f"--aptopt={path}" for path in sorted(Path("/etc/apt/apt.conf.d").glob("99*"))]
    hook = root.with_suffix(".hook")
    hook.write_text(recipe)
    command = [
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--dpkgopt=force-unsafe-io", *settings,
        f"--include={','.join(_INSTALLED)}", "--skip=cleanup/apt",
        f'--customize-hook=chroot "$1" sh -c "$(cat {hook})"',
        '--customize-hook=rm "$1"/etc/resolv.conf; : >"$1"/etc/machine-id',
        suite, str(root), str(ours),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    finally:
        ours.unlink()
        hook.unlink()
    assert done.returncode == 0, f"mmdebstrap {suite} failed:\n{done.stderr[-4000:]}"


def _clean() -> None:
    for path in CACHE.iterdir():
        if time.time() - path.stat().st_mtime > _MAX_AGE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
