"""Reading runs: what each has left, and what a table says of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curriculum.core.names import CUTS, EDGES, SUMMARY
from curriculum.sweep import jobs


@dataclass(frozen=True)
class Result:
    """What comparisons need of a run's `result.json`; None for what it did not come to."""

    status: str
    error: str | None
    problems: int | None
    rollouts: int | None
    shard: str | None  # how far, of a shard that left the rest to others
    buckets: dict[str, int] | None  # problems of each, from easy to hard
    reused: list[str]  # stages that were in the store already
    problems_folder: Path | None
    training: dict[str, Any] | None
    seed: int | None
    sampler: str | None
    store_dir: str | None


def read_result(folder: Path) -> Result | None:
    """What a run left; None where it has not ended."""
    content = jobs.result_of(folder)
    if content is None:
        return None
    stages, config = content.get("stages", {}), content.get("config", {})
    buckets = content.get("buckets")  # none where a run stopped at its rollouts
    done = f"{content['batches']} of {content['total_batches']}" if "batches" in content else None
    return Result(
        status=content["status"],
        error=content.get("error"),
        problems=content.get("total_problems"),
        rollouts=content.get("total_rollouts"),
        shard=f"{done} batches were there" if done else None,
        buckets=buckets and {name: bucket["count"] for name, bucket in buckets.items()},
        reused=[name for name, stage in stages.items() if stage["reused"]],
        problems_folder=Path(stages["problems"]["folder"]) if "problems" in stages else None,
        training=content.get("training"),
        seed=config.get("seed"),
        sampler=content.get("choices", {}).get("sampler"),
        store_dir=config.get("store_dir"),
    )


def read_run(folder: Path, plan: Sequence[Sequence[str]] = ()) -> dict[str, Any]:
    """What a table says of a run; where it left no result, how it stands.

    Args:
        plan: overrides of a sweep's jobs, for those that have not begun.
    """
    run: dict[str, Any] = {"job": folder.name, "overrides": jobs.overrides_of(folder, plan)}
    result = read_result(folder)
    if result is None:
        status, explanation = jobs.why_unfinished(folder)
        return run | {"status": status, "error": explanation}
    run |= {"status": result.status, "error": result.error}
    if result.problems is not None:
        run |= {"problems": result.problems, "rollouts": result.rollouts}
    elif result.shard is not None:
        run["shard"] = result.shard
    if result.buckets is not None:
        edges = describe_edges(json.loads((folder / EDGES).read_text()))
        run |= {"buckets": result.buckets, "edges": edges, "reused": result.reused}
    if result.training is not None:
        run |= {"training": result.training, "seed": result.seed, "sampler": result.sampler}
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
