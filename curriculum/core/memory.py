"""How much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")  # of containers and of a scheduler's jobs, in cgroup v2
OWN = Path("/proc/self/cgroup")
GB = 1e9  # bytes


def count_memory(groups: Path = GROUPS, own: Path = OWN) -> float:
    """GB of the machine, no more than its container or its job on a shared node may use."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GB
    group = own.read_text().rpartition("::/")[2].strip() if own.exists() else ""
    nested = [groups / group, *(groups / group).parents]
    limits = (folder / "memory.max" for folder in nested if folder.is_relative_to(groups))
    said = [limit.read_text().strip() for limit in limits if limit.exists()]
    return min([machine, *(int(limit) / GB for limit in said if limit != "max")])
