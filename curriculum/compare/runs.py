"""Reading runs: what each has left, and what a table says of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curriculum.core.names import CUTS, EDGES, SUMMARY
from curriculum.core.run_result import RunResult
from curriculum.sweep import jobs


def read_run(folder: Path, plan: Sequence[Sequence[str]] = ()) -> dict[str, Any]:
    """What a table says of a run; where it left no result, how it stands.

    Args:
        plan: overrides of a sweep's jobs, for those that have not begun.
    """
    run: dict[str, Any] = {"job": folder.name, "overrides": jobs.overrides_of(folder, plan)}
    result = RunResult.load(folder)
    if result is None:
        status, explanation = jobs.why_unfinished(folder)
        return run | {"status": status, "error": explanation}
    run |= {"status": result.status, "error": result.error}
    run |= {} if result.name is None else {"name": result.name}
    found = result.results
    if "total_rollouts" in found:
        run |= {"problems": found["total_problems"], "rollouts": found["total_rollouts"]}
    elif "scored_rollouts" in found:  # a shard that left the rest to others
        done, total = found["scored_rollouts"], found["rollouts_in_all"]
        run |= {"shard": f"{done} of {total} rollouts were scored"}
    elif "batches" in found:
        run |= {"shard": f"{found['batches']} of {found['total_batches']} batches were there"}
    if "buckets" in found:  # none where a run stopped before
        run |= {
            "buckets": {name: each["count"] for name, each in found["buckets"].items()},
            "edges": describe_edges(json.loads((folder / EDGES).read_text())),
            "reused": [name for name, stage in result.stages.items() if stage["reused"]],
        }
    if "training" in found:
        run |= {
            "training": found["training"],
            "seed": result.config["seed"],
            "sampler": result.choices["sampler"],
        }
    return run


def name_choices(runs: list[dict[str, Any]]) -> None:
    """Add `choice` to each run: the overrides that not all of them have."""
    common = set.intersection(*(set(run["overrides"]) for run in runs))
    for run in runs:
        varied = [override for override in run["overrides"] if override not in common]
        run["choice"] = ", ".join(varied) or f"job {run['job']}"


def describe_edges(saved: dict[str, Any]) -> str:
    """Edges in the unit of what was cut, from easy to hard, else what the bucketer says of them."""
    cuts = saved.get(CUTS)  # runs of older versions have none
    return _join(cuts["values"]) if cuts else str(saved.get(SUMMARY, ""))


def _join(values: list[float]) -> str:
    return ", ".join("inf" if value > 1e300 else f"{round(value, 6):.3g}" for value in values)
