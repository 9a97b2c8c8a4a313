"""Priors and stopping against counting by hand and brute force."""

from functools import cache
from math import comb

import numpy as np
import pytest
from scipy.stats import beta

from curriculum.budgets.parts.prior import fit, grid, jeffreys, quantile
from curriculum.budgets.parts.question import Question
from curriculum.budgets.parts.stopping import Beliefs, error_of_fixed, state

KEEP = Question((0.1, 0.9), (0, 1, 0))
FOUR = Question((0.2, 0.5, 0.8), (3, 2, 1, 0))


def prior_of(a, b):
    weights = beta(a, b).cdf(grid().high) - beta(a, b).cdf(grid().low)
    return weights / weights.sum()


def test_an_answer_begins_at_its_cut():
    rates = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    assert KEEP.of(rates).tolist() == [0, 1, 1, 0, 0]
    assert FOUR.of(rates).tolist() == [3, 3, 1, 0, 0]
    assert KEEP.texts() == ["0 to 0.1 or 0.9 to 1", "0.1 to 0.9"]


def test_cells_that_a_cut_goes_through_are_shared_out():
    question = Question((0.255,), (1, 0))
    cell = int(np.flatnonzero((grid().low < 0.255) & (grid().high > 0.255))[0])
    assert question.shares[cell] == pytest.approx([0.5, 0.5])
    assert question.shares.sum(axis=1) == pytest.approx(1)
    assert question.shares[0].tolist() == [0, 1] and question.shares[-1].tolist() == [1, 0]
    assert len(question.shares) == 100


@pytest.mark.parametrize(("n", "c"), [(4, 0), (8, 3), (16, 15), (30, 30)])
def test_beliefs_are_bayes_rule(n, c):
    beliefs = Beliefs.under(prior_of(1, 1), FOUR, 32)
    posterior = beta(1 + c, 1 + n - c)
    shares = np.diff(posterior.cdf([0.8, 1, 0, 0.2, 0.2, 0.5, 0.5, 0.8]))[::2]
    by_hand = [shares[0], shares[3], shares[2], shares[1]]
    place = state(np.array(n), np.array(c))
    assert beliefs.answer[place] == int(np.argmax(by_hand))
    assert beliefs.risk[place] == pytest.approx(1 - max(by_hand), abs=0.003)


def test_going_on_is_the_best_of_all_policies():
    """Against the recursion written out state by state, without its convolution."""
    prior, cap, step, price = prior_of(0.7, 1.2), 12, 4, 0.004
    beliefs = Beliefs.under(prior, KEEP, cap)
    rate, inside = grid().rate, KEEP.shares

    def posterior(n, c):
        weights = prior * rate**c * (1 - rate) ** (n - c)
        return weights / weights.sum()

    @cache
    def value(n, c):
        stop = 1 - (posterior(n, c) @ inside).max()
        return min(stop, ahead(n, c)) if n < cap else stop

    @cache
    def ahead(n, c):
        more = min(step, cap - n)
        chance = [
            comb(more, k) * (posterior(n, c) @ (rate**k * (1 - rate) ** (more - k)))
            for k in range(more + 1)
        ]
        return price * more + sum(p * value(n + more, c + k) for k, p in enumerate(chance))

    going_on = beliefs.going_on(step, price, confidence=1.0)
    for n in range(cap):
        for c in range(n + 1):
            wanted = ahead(n, c) < 1 - (posterior(n, c) @ inside).max() - 1e-12
            assert going_on[state(np.array(n), np.array(c))] == wanted, (n, c)
    assert going_on.any()


def test_a_sure_answer_stops_and_a_free_rollout_never_does():
    beliefs = Beliefs.under(prior_of(1, 1), KEEP, 64)
    sure = beliefs.risk <= 0.1
    assert not beliefs.going_on(4, 0.0, confidence=0.9)[sure].any()
    below_the_cap = np.arange(len(sure)) < state(np.array(64), np.array(0))
    assert beliefs.going_on(4, 0.0, confidence=0.9)[~sure & below_the_cap].all()
    assert not beliefs.going_on(4, 1.0, confidence=0.9).any()


@pytest.mark.parametrize("n", [8, 64])
def test_the_error_of_a_fixed_budget_is_what_a_simulation_finds(n):
    rng = np.random.default_rng(0)
    rate = rng.beta(0.5, 0.5, 200_000)
    passes = rng.binomial(n, rate)
    beliefs = Beliefs.under(jeffreys(), FOUR, n)
    answers = beliefs.answer[state(np.full(len(rate), n), passes)]
    wrong = (answers != FOUR.of(rate)).mean()
    assert error_of_fixed(jeffreys(), FOUR, n) == pytest.approx(wrong, abs=0.003)


def test_a_fitted_prior_finds_the_shape_and_few_problems_change_little():
    rng = np.random.default_rng(0)
    rate = np.where(rng.random(20_000) < 0.6, 0.0, rng.beta(4, 2, 20_000))
    n = rng.choice([4, 8, 16], len(rate))
    fitted = fit(n, rng.binomial(n, rate))
    assert fitted.sum() == pytest.approx(1)
    # A tenth of what it says is Jeffreys'.
    assert fitted[grid().rate < 0.03].sum() == pytest.approx(0.6, abs=0.08)
    assert quantile(fitted, 0.8) == pytest.approx(np.quantile(rate, 0.8), abs=0.03)
    few = fit(np.array([8, 8]), np.array([0, 0]))
    assert abs(few - jeffreys()).sum() < 0.2


def test_stopping_early_does_not_bend_the_prior():
    """Half of the problems stop after 4 rollouts because they look solved; likelihood holds."""
    rng = np.random.default_rng(2)
    rate = rng.beta(1, 1, 40_000)
    first = rng.binomial(4, rate)
    goes_on = first < 4
    n = np.where(goes_on, 20, 4)
    c = first + np.where(goes_on, rng.binomial(16, rate), 0)
    fitted = fit(n, c)
    thirds = [fitted[(grid().rate > low) & (grid().rate < low + 1 / 3)].sum() for low in (0, 1 / 3)]
    assert thirds == pytest.approx([1 / 3, 1 / 3], abs=0.03)
