"""Intervals of a bucket's mean pass rate."""

import numpy as np
import pytest
from scipy.stats import beta

from curriculum.report.buckets import mean_interval


@pytest.mark.parametrize("counts", [(8, 8), (8, 5), (8, 4), (3, 64)])
def test_problems_with_other_numbers_of_rollouts_have_an_interval_around_their_mean(counts):
    n = np.array(counts, float)
    c = np.round(n * 0.6)
    low, high = mean_interval(n, c, 0.9)
    worth = 4 / np.sum(1 / n)
    passes = worth * np.mean(c / n)
    expected = beta(0.5 + passes, 0.5 + worth - passes).ppf([0.05, 0.95])
    assert (low, high) == pytest.approx(tuple(expected))
    assert low < np.mean(c / n) < high
