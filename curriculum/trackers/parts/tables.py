"""What a run has measured, as the scalars and tables of a tracker."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from curriculum.core.measured import Measured
from curriculum.core.records import evenly
from curriculum.core.summary import bucket_statistics, problem_table

SHOWN = (  # of a problem, as in problems.parquet
    "problem_id",
    "data_source",
    "prompt",
    "bucket",
    "n",
    "c",
    "mean_reward",
    "pass_rate_mean",
    "pass_rate_low",
    "pass_rate_high",
    "difficulty_score",
)
NAMES = {"mean_pass_rate": "pass_rate", "mean_difficulty_score": "difficulty"}  # here, shorter


def of_buckets(outcome: Measured) -> dict[str, dict[str, float]]:
    """Per bucket, easy to hard: its statistics, and the middle of its problems' intervals.

    `pass_rate_low` and `pass_rate_high` are means over the bounds of the problems' own intervals:
    how well a problem of the bucket is known, not how well the bucket's mean is.
    """
    metrics, found = outcome.metrics, {}
    for i, (name, numbers) in enumerate(bucket_statistics(outcome).items()):
        inside = outcome.buckets.assignment == i
        bounds = ("pass_rate_low", "pass_rate_high") if inside.any() else ()
        found[name] = {
            **{NAMES.get(key, key): value for key, value in numbers.items()},
            **{key: float(metrics[key][inside].mean()) for key in bounds},
        }
    return found


def of_problems(outcome: Measured, rows: int, characters: int) -> pd.DataFrame:
    """Problems from easy to hard, at most so many, spread evenly over their hardness.

    Args:
        characters: of a prompt that are kept.
    """
    order = np.argsort(outcome.metrics.sortable(), kind="stable")
    table = problem_table(outcome).take(pa.array(order[evenly(len(order), rows)]))
    frame: pd.DataFrame = table.select(list(SHOWN)).to_pandas()
    return frame.assign(prompt=frame["prompt"].str.slice(stop=characters))
