import os

import pytest

from paper_utils.cores import available_cores

HAVE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def machine(tmp_path, files, own):
    """A made-up tree of control groups: the files' contents by name, and what /proc/self/cgroup says."""
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "self").write_text(own)
    return {"groups": tmp_path / "cgroup", "own_groups": tmp_path / "self"}


@pytest.mark.parametrize(
    ("files", "own", "cores"),
    [
        ({"cpu.max": "50000 100000\n"}, "0::/\n", 1),
        ({"cpu.max": "150000 100000\n"}, "0::/\n", 2),
        ({"cpu.max": "max 100000\n"}, "0::/\n", 1000),
        ({"cpu.max": "max 100000\n", "jobs/cpu.max": "100000 100000\n"}, "0::/jobs/mine\n", 1),
        (
            {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            "3:memory:/a\n4:cpu,cpuacct:/a\n",
            1,
        ),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, "4:cpu,cpuacct:/\n", 1000),
        ({}, "", 1000),
    ],
)
def test_a_quota_bounds_the_cores(tmp_path, files, own, cores):
    assert available_cores(**machine(tmp_path, files, own)) == min(HAVE, cores)


def test_without_control_groups_all_cores_are_there(tmp_path):
    assert available_cores(groups=tmp_path / "none", own_groups=tmp_path / "none") == HAVE
