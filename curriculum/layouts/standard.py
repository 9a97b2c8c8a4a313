"""This project's own layout: one table of problems, one summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from curriculum.core.left_out import left_out
from curriculum.core.measured import Measured
from curriculum.core.sources import source_statistics
from curriculum.core.summary import (
    Written,
    bucket_statistics,
    overall_statistics,
    problem_table,
    show_summary,
)
from curriculum.layouts.base import Layout, write_json
from curriculum.layouts.settings import Export


@dataclass(frozen=True)
class Standard(Layout):
    """`problems.parquet` and `summary.json`."""

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """See `Layout`."""
        table = folder / f"{export.prefix}problems.parquet"
        pq.write_table(problem_table(outcome), table)
        summary = {
            **overall_statistics(outcome.metrics),
            "bucketing_strategy": outcome.bucketing,
            "metric": outcome.metrics.chosen,
            "buckets": bucket_statistics(outcome),
            "sources": source_statistics(outcome),
            "left_out_metrics": left_out(outcome.metrics),
        }
        totals = write_json(folder / f"{export.prefix}summary.json", summary)
        return [
            Written(table, "a row a problem: prompt, metrics, interval, bucket"),
            Written(totals, "counts and means by bucket and source"),
        ]

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print the distribution of difficulty, buckets, sources and files."""
        show_summary(outcome, written)
