"""What jobs of a sweep have in common, so that its page says it once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Run = dict[str, Any]  # as `runs.read_run` has it


def common_overrides(runs: Sequence[Run]) -> list[str]:
    """Those that all of the runs have, in their order."""
    common = set.intersection(*(set(run["overrides"]) for run in runs))
    return [override for override in runs[0]["overrides"] if override in common]


def by_buckets(measured: Sequence[Run], agreement: Sequence[dict[str, Any]]) -> list[list[Run]]:
    """Runs with the same buckets together, in the order of the first of each.

    Args:
        measured: runs that have buckets.
        agreement: of every two runs, or none where their buckets can't differ.
    """
    differ = {(each["job"], each["other"]) for each in agreement if each["index"] < 1}
    groups: list[list[Run]] = []
    for run in measured:
        alike = (
            group
            for group in groups
            if all(group[0][key] == run[key] for key in ("buckets", "edges", "problems"))
            and (group[0]["job"], run["job"]) not in differ
        )
        group = next(alike, None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    return groups


def as_one(group: Sequence[Run], runs: Sequence[Run]) -> Run:
    """The first of the runs, named for what they and not all of the runs have in common."""
    if len(group) == 1:
        return group[0]
    of_all = common_overrides(runs)
    told = [override for override in common_overrides(group) if override not in of_all]
    what = ", ".join(told) or f"job {group[0]['job']} and others"
    return group[0] | {"choice": f"{what} · {len(group)} jobs"}
