"""Rollouts to metrics and buckets, against the pandas script one would write instead.

    python benchmarks/measure.py --problems 100000 --samples 16

Both compute all standard metrics of every problem of a long parquet file and cut quartiles; ours
adds intervals. Ours also reads the problems once, gives them ids and keeps that in the store.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.bucketers import Percentile
from curriculum.core.records import Buckets, Problems, Rewards, Rollouts
from curriculum.data import Rollouts as Files
from curriculum.metrics import MeanReward, Measure, measure
from curriculum.run.scoring.scoring import read_recorded

ROUNDS = 5
MEASURE = Measure()


def write_rollouts(path: Path, problems: int, samples: int) -> None:
    """Long rollouts with 200 characters of text each, 1 in 10 different."""
    rng = np.random.default_rng(0)
    problem = np.repeat(np.arange(problems), samples)
    rate = np.repeat(rng.random(problems), samples)
    texts = pa.array([rng.bytes(100).hex() for _ in range(len(problem) // 10 + 1)])
    table = pa.table(
        {
            "prompt": pa.array([f"question {i}" for i in range(problems)]).take(pa.array(problem)),
            "response": texts.take(pa.array(np.arange(len(problem)) // 10)),
            "data_idx": problem,
            "sample_idx": np.tile(np.arange(samples), problems),
            "reward": (rng.random(len(problem)) < rate).astype(float),
        }
    )
    pq.write_table(table, path)


def read(path: Path) -> tuple[Problems, Rollouts]:
    """What a first run does, and the store then keeps: problems with ids, an index of rollouts."""
    files = Files(str(path), "problem_id", "prompt", "reward_model")
    problems, index, *_ = files.load()
    return problems, Rollouts(index, files.responses, files.rows)


def ours(problems: Problems, rollouts: Rollouts) -> Buckets:
    """All standard metrics with intervals, and quartiles."""
    rewards = Rewards.group(rollouts, read_recorded(rollouts, max_failures=0))
    metrics = measure(problems, rewards, MEASURE, MeanReward(), "mean_reward")
    bucketer = Percentile(4).fit(metrics)
    return Buckets(bucketer.names_, bucketer.assign(metrics))


def pandas_script(path: Path) -> pd.Series:
    """The same metrics, no intervals, and quartiles."""
    frame = pd.read_parquet(path, columns=["data_idx", "reward"])
    frame["passed"], frame["above"] = frame["reward"] >= 0.5, frame["reward"] > 0.5
    group = frame.groupby("data_idx")
    table = group["reward"].agg(["mean", "std", "var", "min", "max", "size"])
    table["c"], table["success_rate"] = group["passed"].sum(), group["above"].mean()
    table["difficulty"] = 1 - table["mean"] + 0.3 * table["std"]
    frame = frame.sort_values(["data_idx", "reward"], ascending=[True, False])
    rank = frame.groupby("data_idx").cumcount()
    for k in MEASURE.mean_at_k:
        table[f"mean@{k}"] = frame["reward"].where(rank < k).groupby(frame["data_idx"]).mean()
    for k in MEASURE.pass_at_k:
        share = np.ones(len(table))
        for i in range(k):
            share *= np.maximum(table["size"] - table["c"] - i, 0) / (table["size"] - i).clip(1)
        table[f"pass@{k}"] = 1 - share
    return pd.qcut(table["mean"].rank(method="first"), 4)


def main() -> None:
    """Print seconds and ratios, medians over rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rollouts.parquet"
        write_rollouts(path, arguments.problems, arguments.samples)
        problems, rollouts = read(path)
        tasks = {
            "read once": lambda: read(path),
            "metrics and buckets": lambda: ours(problems, rollouts),
            "pandas": lambda: pandas_script(path),
        }
        rounds = [{name: seconds(task) for name, task in tasks.items()} for _ in range(ROUNDS)]
    median = {name: float(np.median([each[name] for each in rounds])) for name in tasks}
    for name, value in median.items():
        print(f"{name:20} {value:6.2f} s   {value / median['pandas']:.2f} x pandas")


def seconds(task: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
