"""What every metric keeps to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from curriculum.core.records import Floats
from curriculum.metrics import Metric
from curriculum.testing.make import make_rewards


def check_metric(make: Callable[[], Metric]) -> None:
    """One number a problem, the same on parts of the problems, in whatever order rewards come."""
    metric = make()
    assert metric.easier in ("higher", "lower"), "easier must be 'higher' or 'lower'"
    assert metric.name is None or isinstance(metric.name, str), "name must be a string or None"
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
    for cut in range(1, len(groups)):
        parts = [metric(make_rewards(part)) for part in (groups[:cut], groups[cut:])]
        _check_equal(np.concatenate(parts), together, "a problem's company changes its metric")
    for group, value in zip(groups, together, strict=True):
        _check_equal(metric(make_rewards([group])), value, "a problem's company changes its metric")
        turned = metric(make_rewards([group[::-1]]))
        _check_equal(turned, value, "the order of rewards changes the metric")


def _check_equal(got: Floats, wanted: Floats | float, message: str) -> None:
    assert np.allclose(got, wanted, rtol=0, atol=1e-12, equal_nan=True), message
