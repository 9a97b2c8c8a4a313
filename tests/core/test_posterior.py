"""Posterior and fitted prior against scipy."""

import numpy as np
import pytest
from scipy.stats import beta

from curriculum.core.posterior import (
    beta_posterior,
    fit_beta,
    mass_between,
    mixed_groups,
    priors,
)


def grid(largest: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pass count of every n up to the largest, in no order and some of them twice."""
    pairs = [(n, c) for n in range(1, largest + 1) for c in range(n + 1)]
    rows = np.random.default_rng(0).permutation(pairs + pairs[::3])
    return rows[:, 0].astype(float), rows[:, 1].astype(float)


@pytest.mark.parametrize("prior", [(0.5, 0.5), (1.0, 1.0), (2.0, 5.0)])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_posterior_is_the_beta_distribution_of_scipy(prior, level):
    n, c = grid(12)
    expected = beta(prior[0] + c, prior[1] + n - c)
    mean, low, high = beta_posterior(n, c, prior, level)
    np.testing.assert_allclose(mean, expected.mean(), rtol=1e-12)
    np.testing.assert_allclose(expected.cdf(high) - expected.cdf(low), level, rtol=1e-8)
    inside = (c > 0) & (c < n)
    np.testing.assert_allclose(expected.cdf(low)[inside], (1 - level) / 2, rtol=1e-8)


def test_without_a_pass_the_interval_begins_at_0_and_without_a_failure_it_ends_at_1():
    n, c = np.array([4.0, 8.0, 16.0]), np.array([0.0, 8.0, 16.0])
    mean, low, high = beta_posterior(n, c, (0.5, 0.5), 0.9)
    assert mean[0] == pytest.approx(0.5 / 5)
    assert low[0] == 0 and high[0] == pytest.approx(beta(0.5, 4.5).ppf(0.9))
    assert low[1:] == pytest.approx([0.85, 0.92], abs=0.002) and high[1:].tolist() == [1, 1]


@pytest.mark.parametrize(("shape", "n"), [((1, 1), 16), ((0.3, 0.3), 16), ((0.5, 2), 8)])
def test_nine_intervals_in_ten_hold_the_truth(shape: tuple[float, float], n):
    rng = np.random.default_rng(0)
    rate = rng.beta(*shape, 20_000)
    many = np.full(len(rate), float(n))
    passes = rng.binomial(n, rate).astype(float)
    for prior in ((0.5, 0.5), fit_beta(many, passes)):
        _, low, high = beta_posterior(many, passes, prior, 0.9)
        assert 0.88 < ((low <= rate) & (rate <= high)).mean() < 0.92


@pytest.mark.parametrize("shape", [(1.0, 1.0), (0.3, 0.3), (0.5, 2.0), (6.0, 2.0)])
def test_the_fitted_prior_is_the_one_that_pass_rates_were_drawn_from(shape: tuple[float, float]):
    rng = np.random.default_rng(1)
    n = rng.integers(4, 40, 20_000).astype(float)
    c = rng.binomial(n.astype(int), rng.beta(*shape, len(n))).astype(float)
    assert fit_beta(n, c) == pytest.approx(shape, rel=0.05)


def test_interval_turns_with_passes_and_failures():
    n, c = grid(9)
    _, low, high = beta_posterior(n, c, (0.5, 0.5), 0.9)
    _, mirrored_low, mirrored_high = beta_posterior(n, n - c, (0.5, 0.5), 0.9)
    np.testing.assert_allclose(low, 1 - mirrored_high, rtol=1e-8)
    np.testing.assert_allclose(high, 1 - mirrored_low, rtol=1e-8)


def test_samples_that_are_no_whole_numbers():
    n, c = np.array([7.3, 7.3, 2.0]), np.array([0.25, 7.1, 1.9])
    mean, low, high = beta_posterior(n, c, (0.5, 0.5), 0.9)
    expected = beta(0.5 + c, 0.5 + n - c)
    np.testing.assert_allclose(mean, expected.mean(), rtol=1e-12)
    np.testing.assert_allclose((low, high), expected.ppf([[0.05], [0.95]]), rtol=1e-8)


@pytest.mark.parametrize("prior", [(0.5, 0.5), (2.0, 5.0)])
@pytest.mark.parametrize("size", [2, 8])
def test_groups_with_a_gradient_are_the_posterior_s_mean_of_groups_that_are_not_alike(prior, size):
    n, c = grid(12)
    rates = (np.arange(200_000) + 0.5) / 200_000
    mixed = 1 - rates**size - (1 - rates) ** size
    found = mixed_groups(n, c, prior, size)
    for row in range(0, len(n), 17):
        density = beta(prior[0] + c[row], prior[1] + n[row] - c[row]).pdf(rates)
        assert found[row] == pytest.approx((density * mixed).mean(), abs=2e-3)


def test_mass_of_a_band_is_that_of_scipy():
    n, c = grid(9)
    expected = beta(2 + c, 1 + n - c)
    found = mass_between(n, c, (2.0, 1.0), 0.1, 0.9)
    np.testing.assert_allclose(found, expected.cdf(0.9) - expected.cdf(0.1), atol=1e-12)


def test_each_source_has_a_prior_of_its_own_unless_one_is_given():
    n, c = np.full(6, 8.0), np.array([0.0, 0, 1, 8, 8, 7])
    source = np.array(["hard", "hard", "hard", "easy", "easy", "easy"], object)
    known = {tuple(rows.tolist()): prior for rows, prior in priors(n, c, source, None)}
    assert known == {(0, 1, 2): fit_beta(n[:3], c[:3]), (3, 4, 5): fit_beta(n[3:], c[3:])}
    ((rows, prior),) = priors(n, c, source, [1, 2])
    assert rows.tolist() == list(range(6)) and prior == (1, 2)
