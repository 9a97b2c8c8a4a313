"""Checks that a strategy keeps its contract; plugin authors run them, and so do the built-ins.

Each takes the strategy's class, or anything that makes a fresh one when called without arguments
(`functools.partial(Percentile, n=4, names=None)`), and raises AssertionError with what is wrong.
"""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from curriculum.bucketers import Bucketer
from curriculum.metrics import MeanReward, Measure, Metric, measure
from curriculum.records import PROBLEM_SCHEMA, Floats, Integers, Metrics, Problems, Rewards, Sample
from curriculum.rewards import Reward

STANDARD = Measure(
    threshold=0.5,
    strict=False,
    scale=1,
    std_weight=0.3,
    mean_at_k=[1, 3, 5],
    pass_at_k=[1, 4, 8],
    prior=[0.5, 0.5],
    level=0.9,
)


def make_rewards(groups: Sequence[Sequence[float]]) -> Rewards:
    """Rewards of as many problems as there are groups, each with its own number of rollouts."""
    counts = [len(group) for group in groups]
    values = np.concatenate([np.asarray(group, np.float64) for group in groups])
    return Rewards(np.arange(len(groups)), values, np.concatenate([[0], np.cumsum(counts)]))


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


def make_metrics(groups: Sequence[Sequence[float]]) -> Metrics:
    """The standard metrics of groups of rewards, cut on the mean reward.

    The data puts problems in the buckets easy and hard, by a mean reward of 0.5.
    """
    recorded = ["easy" if np.mean(group) >= 0.5 else "hard" for group in groups]
    problems = make_problems(len(groups)).in_buckets(pa.array(recorded, pa.string()))
    rewards = make_rewards(groups)
    return measure(problems, rewards, STANDARD, MeanReward(), "mean_reward")


def check_bucketer(make: Callable[[], Bucketer]) -> None:
    """Names, determinism, row order, edges that survive JSON, and the odd sets of problems."""
    metrics = make_metrics(_binary_groups(problems=240))
    bucketer = make().fit(metrics)
    assigned = _check_assignment(bucketer, metrics)
    again = make().fit(metrics).assign(metrics)
    assert (again == assigned).all(), "fitting the same problems twice cuts them differently"

    shuffled = np.random.default_rng(0).permutation(len(metrics))
    other = make().fit(metrics.take(shuffled)).assign(metrics.take(shuffled))
    assert (other == assigned[shuffled]).all(), "the order of problems changes their bucket"

    restored = make()
    restored.names_ = list(bucketer.names_)
    restored.edges_ = _through_json(bucketer.edges_)
    assert (restored.assign(metrics) == assigned).all(), "edges_ don't survive JSON"
    part = np.arange(0, len(metrics), 7)
    same = restored.assign(metrics.take(part)) == assigned[part]
    assert same.all(), "assign depends on which problems it is given together"

    for odd in ([[1.0] * 8], [[0.0] * 8] * 30, [[0.0] * 5, [1.0] * 9], [[0.3, 0.7] * 4] * 5):
        _check_assignment(make().fit(make_metrics(odd)), make_metrics(odd))


def check_metric(make: Callable[[], Metric]) -> None:
    """One number a problem, the same alone or in company, in whatever order rewards come."""
    metric = make()
    assert metric.easier in ("higher", "lower"), "easier must be 'higher' or 'lower'"
    groups: list[list[float]] = [
        [0, 1, 1, 0, 1, 0, 0, 0],
        [1.0] * 9,
        [0.0] * 8,
        [0.2, 0.9, 0.4, 0.4] * 3,
    ]
    together = metric(make_rewards(groups))
    assert isinstance(together, np.ndarray), f"a {type(together).__name__}, not an array"
    assert together.shape == (len(groups),), f"shape {together.shape}, not ({len(groups)},)"
    assert together.dtype == np.float64, f"dtype {together.dtype}, not float64"
    for group, value in zip(groups, together, strict=True):
        _check_equal(metric(make_rewards([group])), value, "a problem's company changes its metric")
        turned = metric(make_rewards([group[::-1]]))
        _check_equal(turned, value, "the order of rewards changes the metric")


def check_reward(make: Callable[[], Reward], samples: Sequence[Sample]) -> None:
    """It pickles, and gives one finite number a sample whatever the batch.

    Args:
        samples: some that the reward can score.
    """
    reward = pickle.loads(pickle.dumps(make()))
    scores = [float(score) for score in reward.score(samples)]
    assert len(scores) == len(samples), f"{len(scores)} rewards for {len(samples)} samples"
    assert all(map(math.isfinite, scores)), f"rewards must be finite numbers: {scores}"
    singly = [float(reward.score([sample])[0]) for sample in samples]
    assert singly == scores, "a sample's company changes its reward"
    assert list(make().score(samples)) == scores, "the same samples get other rewards"


def _check_assignment(bucketer: Bucketer, metrics: Metrics) -> Integers:
    names = bucketer.names_
    assert names and len(set(names)) == len(names), f"names_ must differ: {names}"
    assert all(isinstance(name, str) for name in names), f"names_ must be strings: {names}"
    assigned = bucketer.assign(metrics)
    assert assigned.shape == (len(metrics),), f"shape {assigned.shape}, not ({len(metrics)},)"
    assert assigned.dtype.kind == "i", f"assign gives indices, not {assigned.dtype}"
    inside = (assigned >= 0) & (assigned < len(names))
    assert inside.all(), f"indices must lie in 0..{len(names) - 1}"
    return assigned


def _through_json(edges: Any) -> Any:
    try:
        return json.loads(json.dumps(edges, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"edges_ are not JSON: {error}") from error


def _check_equal(got: Floats, wanted: float, message: str) -> None:
    assert np.allclose(got, wanted, rtol=0, atol=1e-12, equal_nan=True), message


def _binary_groups(problems: int) -> list[list[float]]:
    """Groups of 8 to 16 rollouts from never to always right, many of them tied."""
    rng = np.random.default_rng(1)
    rates = np.clip(rng.uniform(-0.3, 1.3, problems), 0, 1)
    sizes = rng.integers(8, 17, problems)
    return [(rng.random(n) < p).astype(float).tolist() for n, p in zip(sizes, rates, strict=True)]
