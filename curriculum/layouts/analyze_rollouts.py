"""The layout of rollout-analysis scripts: rollouts with rewards, metrics, buckets, summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.left_out import left_out
from curriculum.core.measured import Measured
from curriculum.core.summary import Written, overall_statistics
from curriculum.core.text import in_a_line
from curriculum.layouts.base import Layout, write_json
from curriculum.layouts.settings import Export

RULE = "=" * 60
BEST = "mean@5"  # that the summary has a mean of
STATISTICS = ["pass_rate", "mean_reward", "max_reward", "min_reward", "std_reward"]
POSTERIOR = ["pass_rate_mean", "pass_rate_low", "pass_rate_high"]


@dataclass(frozen=True)
class AnalyzeRollouts(Layout):
    """`rollouts_with_rewards.parquet`, `{prefix}rollouts_{bucket}.parquet` and three of JSON."""

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """The five kinds of files."""
        labels = outcome.buckets.labels().to_pylist()
        keys = _keys(outcome)
        metrics = dict(zip(keys, _problem_metrics(outcome), strict=True))
        buckets = dict(zip(keys, labels, strict=True))
        return [
            *_write_rollouts(outcome, folder, export.prefix),
            Written(write_json(folder / "problem_metrics.json", metrics), "metrics by data_idx"),
            Written(write_json(folder / "problem_buckets.json", buckets), "bucket by data_idx"),
            Written(
                write_json(folder / "summary.json", _summary(outcome)), "totals and distribution"
            ),
        ]

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print totals, the distribution from hard to easy, and overall means."""
        summary = _summary(outcome)
        print(f"{RULE}\nANALYSIS SUMMARY\n{RULE}")
        print(f"Total problems: {summary['total_problems']}")
        print(f"Total rollouts: {summary['total_rollouts']}")
        print(f"Bucketing strategy: {outcome.bucketing}\n\nBucket distribution:")
        for name, size in summary["bucket_distribution"].items():
            print(f"  {in_a_line(name)}: {size} problems")
        print("\nOverall metrics:")
        for name, value in summary["overall_metrics"].items():
            print(f"  {name.replace('_', ' ').capitalize()}: {value:.3f}")
        print(RULE)


def _summary(outcome: Measured) -> dict[str, Any]:
    overall = overall_statistics(outcome.metrics)
    means = {name: overall[name] for name in ("mean_pass_rate", "mean_reward")}
    best_of_5 = outcome.metrics.columns.get(BEST)
    lacking = {name: each for name, each in left_out(outcome.metrics).items() if name == BEST}
    if best_of_5 is not None and not lacking:
        means[BEST] = float(best_of_5.mean())
    return {
        "total_problems": overall["total_problems"],
        "total_rollouts": overall["total_rollouts"],
        "bucketing_strategy": outcome.bucketing,
        "bucket_distribution": dict(reversed(outcome.buckets.sizes().items())),
        "overall_metrics": means,
        **({"left_out_metrics": lacking} if lacking else {}),
    }


def _keys(outcome: Measured) -> list[str]:
    column = outcome.problems.table[_key(outcome)].take(pa.array(outcome.measured))
    return [str(key) for key in column.to_pylist()]


def _key(outcome: Measured) -> str:
    """`data_idx`, or where files with different problems share some, `problem_id`."""
    numbers = outcome.problems.table["data_idx"].to_pylist()
    return "data_idx" if len(set(numbers)) == len(numbers) else "problem_id"


def _problem_metrics(outcome: Measured) -> Iterator[dict[str, Any]]:
    table = outcome.metrics.table()
    best = [name for name in table.column_names if name.startswith("mean@")]
    chosen = table.select(["problem_id", *best, *STATISTICS, *POSTERIOR, "n"])
    for row in chosen.rename_columns([*chosen.column_names[:-1], "num_samples"]).to_pylist():
        yield {name: value for name, value in row.items() if value is not None}


def _write_rollouts(outcome: Measured, folder: Path, prefix: str) -> list[Written]:
    """One pass over the text: all rollouts, and those of each bucket."""
    names = outcome.buckets.names
    bucket = np.full(len(outcome.problems) + 1, -1, np.int64)  # the last: rollouts kept aside
    bucket[outcome.measured] = outcome.buckets.assignment
    of_rollout = bucket[outcome.rollouts.problem]
    paths = [folder / in_a_line(f"{prefix}rollouts_{name}.parquet") for name in names]
    everything = folder / "rollouts_with_rewards.parquet"
    start = 0
    with ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []
        for rows in outcome.rollouts.rows():
            table = _with_rewards(outcome, rows, start)
            writers = writers or [
                stack.enter_context(pq.ParquetWriter(path, table.schema))
                for path in (everything, *paths)
            ]
            writers[0].write_table(table)
            here = of_rollout[start : start + len(rows)]
            for i, writer in enumerate(writers[1:]):
                writer.write_table(table.filter(pa.array(here == i)))
            start += len(rows)
    return [
        Written(everything, "all rollouts with their reward"),
        *(Written(path, f"rollouts of {name}") for path, name in zip(paths, names, strict=True)),
    ]


def _with_rewards(outcome: Measured, rows: pa.Table, start: int) -> pa.Table:
    """Original rows with `data_idx` and `sample_idx` where they have none, and `reward`."""
    index = outcome.rollouts.index.slice(start, len(rows))
    problem = outcome.rollouts.problem[start : start + len(rows)]
    known = pa.array(problem, mask=problem < 0)
    key = _key(outcome)
    columns = {
        key: outcome.problems.table[key].take(known),
        "data_idx": outcome.problems.table["data_idx"].take(known),
        "sample_idx": index["sample_idx"],
        "reward": outcome.rewards["reward"].slice(start, len(rows)),
    }
    for name, column in columns.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, column)
        elif name == "reward":
            rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows
