"""Metric against metric: the numbers of some problems, for the page's scatter plot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from curriculum.core.charts import significant
from curriculum.core.measured import Measured
from curriculum.core.records import Integers, evenly


def points(outcome: Measured, examples: Integers, most: int) -> dict[str, Any]:
    """Columns of at most so many problems, taken evenly from the order of the data.

    Args:
        examples: (E,) of the P problems, those whose text is on the page; they come first.
    """
    metrics = outcome.metrics
    others = np.setdiff1d(np.arange(len(metrics)), examples)
    few = examples[evenly(len(examples), most)] if len(examples) else examples
    room = max(most - len(few), 0)
    rest = others[evenly(len(others), room)] if len(others) and room else others[:0]
    rows = np.concatenate([few, rest])
    names = [name for name, values in metrics.columns.items() if np.isfinite(values).any()]
    return {
        "names": names,
        "columns": [significant(metrics[name][rows]) for name in names],
        "bucket": outcome.buckets.assignment[rows].tolist(),
        "id": metrics.problem_id.take(pa.array(rows)).to_pylist(),
        "start": [
            names.index(metrics.chosen) if metrics.chosen in names else 0,
            names.index("std_reward"),
        ],
    }
