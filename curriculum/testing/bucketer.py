"""What every bucketer keeps to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from curriculum.bucketers import Bucketer
from curriculum.core.records import Integers, Metrics, rounded
from curriculum.metrics import Measure
from curriculum.testing.make import make_metrics


def check_bucketer(make: Callable[[], Bucketer]) -> None:
    """Names, determinism, row order, edges that survive JSON, and the odd sets of problems.

    What it describes are the values between its buckets, in the unit of the metric's column.
    """
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
    assert restored.describe(metrics) == bucketer.describe(metrics), "describe reads edges_ alone"
    part = np.arange(0, len(metrics), 7)
    same = restored.assign(metrics.take(part)) == assigned[part]
    assert same.all(), "assign depends on which problems it is given together"

    for odd in ([[1.0] * 8], [[0.0] * 8] * 30, [[0.0] * 5, [1.0] * 9], [[0.3, 0.7] * 4] * 5):
        _check_assignment(make().fit(make_metrics(odd)), make_metrics(odd))
    for scale in (1, 100):
        metrics = make_metrics(_binary_groups(problems=60), Measure(scale=scale))
        _check_cuts(make().fit(metrics), metrics)


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


def _check_cuts(bucketer: Bucketer, metrics: Metrics) -> None:
    cuts = bucketer.describe(metrics)
    if cuts is None:
        return
    values = np.asarray(_through_json(list(cuts.values)), np.float64)
    places = len(bucketer.names_) - 1
    assert len(values) <= places, f"{len(values)} values can't lie between {places + 1} buckets"
    hardness = metrics.hardness(cuts.metric)
    edges = rounded(-values if metrics.easier[cuts.metric] == "higher" else values)
    beyond = bucketer.assign(metrics)[:, None] > np.arange(len(values))
    inside = np.where(beyond, hardness[:, None] >= edges, hardness[:, None] <= edges)
    assert inside.all(), f"{cuts.metric} of some problems is on the other side of {cuts.values}"


def _through_json(edges: Any) -> Any:
    try:
        return json.loads(json.dumps(edges, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"edges_ are not JSON: {error}") from error


def _binary_groups(problems: int) -> list[list[float]]:
    """Groups of 8 to 16 rollouts from never to always right, many of them tied."""
    rng = np.random.default_rng(1)
    rates = np.clip(rng.uniform(-0.3, 1.3, problems), 0, 1)
    sizes = rng.integers(8, 17, problems)
    return [(rng.random(n) < p).astype(float).tolist() for n, p in zip(sizes, rates, strict=True)]
