"""How many processor cores this process may use at once."""

import math
import os
from pathlib import Path

__all__ = ["available_cores"]

GROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_cores(*, groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Return the cores that this process may run on, within the CPU quota of its container; at least one.

    Libraries count the machine's cores, and in a container of half a core start as many threads, which then wait for
    each other. A quota of two and a half cores counts as three.

    Args:
        groups: where Linux shows control groups, of version 1 or 2; anywhere else there is no quota.
        own_groups: the file that says to which of them this process belongs.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min([cores, *_quotas(groups, own_groups)])))


def _quotas(groups: Path, own_groups: Path) -> list[float]:
    """Return the quotas, in cores, of this process's control groups and all that hold these."""
    found = []
    for line in _words(own_groups, lines=True):
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = groups / "cpu" if controllers else groups
        inner = root / path.strip("/")
        # in a container its own group is often shown as the root, and the path does not exist
        for folder in (inner, *inner.parents):
            quota = _words(folder / "cpu.max") or [
                *_words(folder / "cpu.cfs_quota_us"),
                *_words(folder / "cpu.cfs_period_us"),
            ]
            if len(quota) == 2 and quota[0] not in ("max", "-1"):
                found.append(int(quota[0]) / int(quota[1]))
            if folder == root:
                break
    return found


def _words(path: Path, *, lines: bool = False) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    return text.splitlines() if lines else text.split()
