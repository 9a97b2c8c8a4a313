"""Small inputs for strategies under test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curriculum.core.prompts import Prompts
from curriculum.core.records import PROBLEM_SCHEMA, Metrics, Problems, Rewards, reaches
from curriculum.metrics import MeanReward, Measure, measure

STANDARD = Measure()


def make_rewards(groups: Sequence[Sequence[float]]) -> Rewards:
    """Rewards of as many problems as there are groups, each with its own number of rollouts."""
    counts = [len(group) for group in groups]
    values = np.concatenate([np.asarray(group, np.float64) for group in groups])
    return Rewards(np.arange(len(groups)), values, np.concatenate([[0], np.cumsum(counts)]))


def write_rows(path: Path, rows: Sequence[Any], schema: pa.Schema | None = None) -> Path:
    """A file of rows, one a line or, where its name ends so, in parquet of a schema."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows), schema), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_problems(count: int) -> Problems:
    """Problems called p0, p1, ..."""
    rows = [
        {
            "problem_id": f"p{i}",
            "data_source": "test",
            "prompt": json.dumps(f"question {i}"),
            "ground_truth": json.dumps(str(i)),
            "data_idx": i,
            "file": "test.parquet",
            "position": i,
        }
        for i in range(count)
    ]
    return Problems(pa.Table.from_pylist(rows, PROBLEM_SCHEMA))


def make_metrics(groups: Sequence[Sequence[float]], config: Measure = STANDARD) -> Metrics:
    """The standard metrics of groups of rewards, cut on the mean reward.

    The data puts problems in the buckets easy and hard, by a mean reward of 0.5.
    """
    means = [np.mean(group) for group in groups]
    recorded = np.where(reaches(means, 0.5, strict=False), "easy", "hard")
    problems = make_problems(len(groups)).in_buckets(pa.array(recorded, pa.string()))
    rewards = make_rewards(groups)
    return measure(problems, rewards, config, MeanReward(), "mean_reward")


def make_prompts(count: int, sources: int = 2, buckets: int = 4) -> Prompts:
    """Prompts measured with 16 rollouts each, a fifth of them never, called p0, p1, ...

    Their extra_info has the numbers `score` and `weak`.
    Sources s0, s1, ... are of unequal size; buckets b0, b1, ... are of equal size, easy to hard.
    """
    rng = np.random.default_rng(0)
    rate = rng.random(count)
    n = np.where(rng.random(count) < 0.2, 0.0, 16.0)
    c = rng.binomial(n.astype(np.int64), rate).astype(np.float64)
    difficulty = 1 - (c + 0.5) / (n + 1)
    rank = np.empty(count, np.int64)
    rank[np.lexsort((rng.random(count), difficulty))] = np.arange(count)
    infos = [json.dumps({"score": score, "weak": 0.0}) for score in rate.tolist()]
    return Prompts(
        ids=np.array([f"p{i}" for i in range(count)], object),
        index=np.arange(count),
        source=np.minimum(rng.geometric(0.5, count) - 1, sources - 1),
        sources=[f"s{i}" for i in range(sources)],
        bucket=rank * buckets // max(count, 1),
        buckets=[f"b{i}" for i in range(buckets)],
        difficulty=difficulty,
        n=n,
        c=c,
        trained=np.ones(count, np.bool_),
        extra_info=np.array(infos, object),
        length=np.array([len(f"question {i}") for i in range(count)], np.int64),
    )
