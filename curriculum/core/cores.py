"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container, in cgroup v2


def count_cores(quota: Path = QUOTA) -> int:
    """The cores it is bound to, as SLURM and taskset do, no more than its container's share.

    A machine's own number would start ten workers for each core of a small job on a big node.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = _share(quota)
    return min(bound or 1, share) if share else bound or 1


def _share(quota: Path) -> int | None:
    """Cores that a container may keep busy, a part of one as a whole; None where none is set."""
    if not quota.exists():
        return None
    microseconds, period = quota.read_text().split()
    return None if microseconds == "max" else math.ceil(int(microseconds) / int(period))
