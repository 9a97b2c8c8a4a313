"""The mean pass rate of a bucket whose problems were chosen by the rollouts that tell it."""

from collections.abc import Callable

import numpy as np
import pytest

from curriculum.core.mixing import mean_pass_rates

Rates = np.ndarray
SPREADS: dict[str, Callable[[np.random.Generator, int], Rates]] = {
    "mostly never or always": lambda rng, size: rng.beta(0.3, 0.3, size),
    "even": lambda rng, size: rng.random(size),
    "two kinds": lambda rng, size: np.where(
        rng.random(size) < 0.5, rng.beta(2, 20, size), rng.beta(20, 3, size)
    ),
}


def buckets_of(rate):
    return (rate < 0.8).astype(int) + (rate < 0.5) + (rate < 0.2)


@pytest.mark.parametrize("spread", SPREADS)
def test_nine_intervals_in_ten_hold_the_mean_of_the_true_rates(spread):
    rng, held = np.random.default_rng(0), []
    for _ in range(40):
        rate = SPREADS[spread](rng, 400)
        n = rng.choice([4.0, 8.0, 16.0], 400)
        c = rng.binomial(n.astype(int), rate).astype(float)
        bucket = buckets_of(c / n)
        found = mean_pass_rates(n, c, bucket, 4, 0.9)
        for each, (_, low, high) in enumerate(found):
            if (bucket == each).sum() >= 5:
                held.append(low <= rate[bucket == each].mean() <= high)
    assert 0.84 < np.mean(held) < 0.95  # of 160; of what the rollouts say by themselves about .3


def test_a_bucket_of_lucky_problems_is_shrunk_towards_the_others():
    # Coins, all alike: whichever came up heads 6 times of 8 are no better than the others.
    rng = np.random.default_rng(1)
    c = rng.binomial(8, 0.5, 2_000).astype(float)
    bucket = (c < 6).astype(int)
    lucky, others = mean_pass_rates(np.full(2_000, 8.0), c, bucket, 2, 0.9)
    assert c[bucket == 0].mean() / 8 > 0.77
    assert lucky[0] == pytest.approx(0.5, abs=0.03) and others[0] == pytest.approx(0.5, abs=0.02)


def test_a_bucket_without_a_problem_has_no_mean():
    found = mean_pass_rates(np.full(4, 8.0), np.arange(4.0), np.array([0, 0, 2, 2]), 3, 0.9)
    assert np.isnan(found[1]).all() and np.isfinite(found[[0, 2]]).all()
