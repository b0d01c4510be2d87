"""Workers follow the cores that the process may use, not those that the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oguardai.config import ServerSettings, Settings, available_cpus, effective_workers


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense\n"}, 8),
        ({"proc/self/cgroup": "nonsense\n\n"}, 8),
        (
            {
                "proc/self/cgroup": "0::/system.slice/oguardai-server.service\n",
                "sys/fs/cgroup/system.slice/oguardai-server.service/cpu.max": "max 100000",
                "sys/fs/cgroup/system.slice/cpu.max": "300000 100000",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": "12:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "400000",
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            4,
        ),
        (
            {  # inside the container only its own group is mounted
                "proc/self/cgroup": "12:cpu,cpuacct:/docker/abc\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            3,
        ),
        ({"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/cpu.max": "200000 100000"}, 2),
    ],
)
def test_the_quota_of_the_control_group_bounds_the_cores(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    assert available_cpus(tree(tmp_path, files)) == cores


def test_the_affinity_bounds_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3})
    assert available_cpus(tmp_path) == 1


def test_a_number_in_the_settings_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert effective_workers(Settings(server=ServerSettings(workers=11))) == 11
    assert 1 <= effective_workers(Settings()) <= 8
    monkeypatch.setattr("oguardai.config.cpus.available_cpus", lambda: 500)
    assert effective_workers(Settings()) == 64
