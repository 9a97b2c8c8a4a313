"""What the layouts share: statistics of buckets, and JSON and parquet files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curriculum.core.records import Outcome
from curriculum.layouts.settings import Export

Mask = npt.NDArray[np.bool_]


class Written(NamedTuple):
    """A file of a run and what it holds."""

    path: Path
    what: str


class Layout(NamedTuple):
    """A convention's way to leave its results: in files, and on the terminal."""

    name: str
    write: Callable[[Outcome, Path, Export], list[Written]]
    show: Callable[[Outcome, list[Written]], None]
    by_strategy: bool = False  # whether file names have the bucketer's
    on_request: bool = False  # whether it stands beside a convention's own
    # Names that it may write: a run's older file of one it has not written is no longer true.
    claims: Callable[[Outcome, Export], list[str]] = lambda outcome, export: []
    # (P,) which of the measured problems its files are to be trained on.
    trained: Callable[[Outcome, Export], Mask] = lambda outcome, export: np.ones(
        len(outcome.measured), np.bool_
    )


def bucket_statistics(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Per bucket, easy to hard: count and, where it is not 0, means over its problems."""
    metrics = outcome.metrics
    statistics: dict[str, dict[str, float]] = {}
    for i, (name, count) in enumerate(outcome.buckets.sizes().items()):
        inside = outcome.buckets.assignment == i
        statistics[name] = {"count": count}
        if count:
            share = metrics["c"][inside] / metrics["n"][inside]
            statistics[name] |= {
                "mean_reward": float(metrics["mean_reward"][inside].mean()),
                "mean_pass_rate": float(share.mean()),
                "mean_difficulty_score": float(metrics["difficulty_score"][inside].mean()),
                "lowest_pass_rate": float(share.min()),
                "highest_pass_rate": float(share.max()),
            }
    return statistics


def overall_statistics(outcome: Outcome) -> dict[str, float]:
    """Counts, and means over problems; shares for pass rates."""
    metrics = outcome.metrics
    return {
        "total_problems": len(metrics),
        "total_rollouts": int(metrics["n"].sum()),
        "mean_pass_rate": float((metrics["c"] / metrics["n"]).mean()),
        "mean_reward": float(metrics["mean_reward"].mean()),
        "truncated_rollouts": int(metrics["truncated"].sum()),
    }


def write_json(path: Path, value: Any) -> Path:
    """JSON that any reader takes: infinite numbers become null."""
    path.write_text(json.dumps(_finite(value), indent=2, ensure_ascii=False) + "\n")
    return path


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
