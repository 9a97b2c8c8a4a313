"""This project's own layout: one table of problems, one summary."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.records import Outcome
from curriculum.core.summary import show_summary
from curriculum.layouts.base import Written, bucket_statistics, overall_statistics, write_json
from curriculum.layouts.settings import Export


def write(outcome: Outcome, folder: Path, export: Export) -> list[Written]:
    """`problems.parquet` and `summary.json`."""
    table = folder / f"{export.prefix}problems.parquet"
    pq.write_table(problem_table(outcome), table)
    summary = {
        **overall_statistics(outcome),
        "bucketing_strategy": outcome.bucketing,
        "metric": outcome.metrics.chosen,
        "buckets": bucket_statistics(outcome),
    }
    totals = write_json(folder / f"{export.prefix}summary.json", summary)
    return [
        Written(table, "a row a problem: prompt, metrics, interval, bucket"),
        Written(totals, "counts and means by bucket"),
    ]


def problem_table(outcome: Outcome) -> pa.Table:
    """What is known of each measured problem, in the order of the data."""
    problems = outcome.problems.table.take(pa.array(outcome.measured))
    metrics = outcome.metrics.table()
    own = {name: problems[name] for name in ("problem_id", "data_source", "data_idx")}
    text = {name: _readable(problems[name]) for name in ("prompt", "ground_truth")}
    columns = {name: metrics[name] for name in metrics.column_names if name != "problem_id"}
    origin = {name: problems[name] for name in ("file", "position")}  # of the original row
    bucket = outcome.buckets.labels()
    return pa.table({**own, **text, "bucket": bucket, **columns, **origin})


show = show_summary


def _readable(column: pa.ChunkedArray) -> pa.Array:
    """Strings as they are, anything else as JSON text."""
    decoded = [(text, None if text is None else json.loads(text)) for text in column.to_pylist()]
    return pa.array(
        [value if isinstance(value, str) else text for text, value in decoded], pa.string()
    )
