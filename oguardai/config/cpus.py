"""How many cores this process may use: affinity and the control group's CPU quota, not the machine's size."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from oguardai.config.settings import MAX_WORKERS, Settings


def effective_workers(settings: Settings) -> int:
    """Return the number of workers to start: ``server.workers``, or the available cores when that is 0."""
    return settings.server.workers or min(available_cpus(), MAX_WORKERS)


def available_cpus(root: Path = Path("/")) -> int:
    """Count the usable cores: the CPU quota rounded up, at most the affinity's, at least 1.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    cores = max(1, len(os.sched_getaffinity(0)))
    quota = _quota(root)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def _quota(root: Path) -> float | None:
    """Return the smallest quota on the way from our control group to the root, in cores; None without one."""
    quotas: list[float] = []
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            for directory in _upwards(root / "sys/fs/cgroup", path):
                quotas += _numbers_v2(directory)
        elif "cpu" in controllers.split(","):
            for mount in dict.fromkeys(("cpu", controllers, "cpu,cpuacct")):
                for directory in _upwards(root / "sys/fs/cgroup" / mount, path):
                    quotas += _numbers_v1(directory)
    return min(quotas, default=None)


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """Yield the group's directory and those above it; a container may see only the topmost."""
    relative = PurePosixPath(group.lstrip("/"))
    if ".." not in relative.parts:
        yield from (mount / part for part in (relative, *relative.parents))
    else:
        yield mount


def _numbers_v2(directory: Path) -> list[float]:
    words = _read(directory / "cpu.max").split()  # "200000 100000" or "max 100000"
    return _cores(words[0], words[1]) if len(words) == 2 else []


def _numbers_v1(directory: Path) -> list[float]:
    return _cores(_read(directory / "cpu.cfs_quota_us"), _read(directory / "cpu.cfs_period_us"))


def _cores(quota: str, period: str) -> list[float]:
    try:
        used, whole = int(quota), int(period)
    except ValueError:
        return []
    return [used / whole] if used > 0 and whole > 0 else []  # v1 says -1 for "no quota"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
