"""Differences between arms that ran with the same seeds, and intervals for all of them at once.

What a seed does to one arm it mostly does to the other too, so their difference varies less than
either. Intervals are Student's on the differences over the seeds; where m of them are looked at,
each is at the level 1 - (1 - LEVEL) / m (Bonferroni), so that all hold together with LEVEL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from curriculum.core.records import Floats

LEVEL = 0.9  # of the intervals


class Estimate(NamedTuple):
    """A mean over seeds and its interval; NaN bounds where there is but one seed."""

    mean: float
    low: float
    high: float
    seeds: int


def estimate(values: Sequence[float] | Floats, looks: int = 1) -> Estimate:
    """Of a number of each seed.

    Args:
        values: (seeds,).
        looks: how many such intervals are to hold at once.
    """
    given = np.asarray(values, np.float64)
    if not len(given):
        return Estimate(np.nan, np.nan, np.nan, 0)
    mean, half = float(given.mean()), float(half_widths(given[:, None], looks)[0])
    return Estimate(mean, mean - half, mean + half, len(given))


def half_widths(values: Floats, looks: int = 1) -> Floats:
    """(T,) of the intervals of the means of (seeds, T) values; NaN for a single seed."""
    from scipy.stats import t

    seeds = len(values)
    if seeds < 2:
        return np.full(values.shape[1], np.nan)
    quantile = t.ppf(1 - (1 - LEVEL) / looks / 2, seeds - 1)
    return np.asarray(quantile * values.std(0, ddof=1) / np.sqrt(seeds))


def ratio(values: Sequence[tuple[float, float]], looks: int = 1) -> Estimate:
    """Geometric mean of a / b over the seeds that have both, with its interval."""
    logs = estimate(np.log([a / b for a, b in values]), looks)
    mean, low, high = np.exp([logs.mean, logs.low, logs.high]).tolist()
    return Estimate(mean, low, high, logs.seeds)
