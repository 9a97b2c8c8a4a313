"""The layout of difficulty-filtering scripts: metrics by problem and a summary, by strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.measured import Measured
from curriculum.core.summary import Written, show_summary
from curriculum.formats.tables import struct_of
from curriculum.layouts.base import Layout, write_json
from curriculum.layouts.settings import Export

STATISTICS = ["mean_reward", "std_reward", "max_reward", "min_reward", "pass_rate"]
POSTERIOR = ["pass_rate_mean", "pass_rate_low", "pass_rate_high"]


@dataclass(frozen=True)
class FilterDifficulty(Layout):
    """`difficulty_metrics_{strategy}.{json,parquet}` and `summary_{strategy}.json`."""

    by_strategy: ClassVar = True

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """See `Layout`."""
        strategy = outcome.bucketing
        table = _metrics_table(outcome)
        name = f"{export.prefix}difficulty_metrics_{strategy}"
        pq.write_table(table, folder / f"{name}.parquet")
        summary = folder / f"{export.prefix}summary_{strategy}.json"
        return [
            Written(
                write_json(folder / f"{name}.json", list(_rows(table))),
                "a problem an entry: metrics, bucket, rewards",
            ),
            Written(folder / f"{name}.parquet", "the same, a row a problem"),
            Written(write_json(summary, _summary(outcome)), "totals and means by bucket"),
        ]

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print the distribution of difficulty, buckets, sources and files."""
        show_summary(outcome, written)


def _metrics_table(outcome: Measured) -> pa.Table:
    metrics = outcome.metrics.table()
    best = [name for name in metrics.column_names if name.startswith("mean@")]
    mean_at_k = {name.removeprefix("mean@"): metrics[name].combine_chunks() for name in best}
    # Parquet has no objects without fields.
    best_of = {"mean_at_k": struct_of(mean_at_k)} if best else {}
    offsets = pa.array(outcome.groups.offsets, pa.int32())
    own = outcome.problems.table.take(pa.array(outcome.measured))
    origin = {name: own[name] for name in ("data_idx", "file", "position")}
    return pa.table(
        {
            "problem_id": metrics["problem_id"],
            "data_source": own["data_source"],
            **{name: metrics[name] for name in STATISTICS},
            **best_of,
            "difficulty_score": metrics["difficulty_score"],
            "difficulty_bucket": outcome.buckets.labels(),
            **{name: metrics[name] for name in POSTERIOR},
            "raw_rewards": pa.ListArray.from_arrays(offsets, outcome.groups.values),
            **origin,
        }
    )


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows for JSON, without the mean@k of more samples than a problem has."""
    for row in table.to_pylist():
        best = {k: value for k, value in row.get("mean_at_k", {}).items() if value is not None}
        yield row | {"mean_at_k": best}


def _summary(outcome: Measured) -> dict[str, Any]:
    metrics, assignment = outcome.metrics, outcome.buckets.assignment
    everything = np.ones(len(metrics), bool)
    return {
        "total_problems": len(metrics),
        "total_rollouts": int(metrics["n"].sum()),
        "bucketing_strategy": outcome.bucketing,
        "overall_statistics": _means(outcome, everything),
        "bucket_distribution": outcome.buckets.sizes(),
        "bucket_statistics": {
            name: {"count": size, **_means(outcome, assignment == i)}
            for i, (name, size) in enumerate(outcome.buckets.sizes().items())
        },
    }


def _means(outcome: Measured, inside: np.ndarray[Any, Any]) -> dict[str, float]:
    """Means over problems, the pass rate in the convention's scale; none of an empty bucket."""
    if not inside.any():
        return {}
    return {
        f"mean_{name.removeprefix('mean_')}": float(outcome.metrics[name][inside].mean())
        for name in ("mean_reward", "pass_rate", "difficulty_score")
    }
