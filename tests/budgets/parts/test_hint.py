"""Problems alike, and how much they tell."""

from dataclasses import replace

import numpy as np
import pytest

from curriculum.budgets import Tally
from curriculum.budgets.parts.groups import Groups
from curriculum.budgets.parts.hint import alike, fit_near, weight
from curriculum.budgets.parts.prior import fit, grid

MANY = 800


def tally_of(hint_rate, rate, n=8, sources=("one",)):
    rng = np.random.default_rng(0)
    each = np.full(len(rate), 16)
    hint = each, rng.binomial(each, hint_rate)
    tally = Tally.empty([sources[i % len(sources)] for i in range(len(rate))], hint)
    counts = np.full(len(rate), n)
    return tally.seeing(np.arange(len(rate)), counts, rng.binomial(counts, rate))


RATE = np.random.default_rng(1).beta(0.6, 0.8, MANY)


def test_problems_found_about_as_hard_are_alike_and_ties_stay_together():
    passes = np.repeat([0, 1, 2, 3, 4], 20)
    groups = alike(Tally.empty(["one"] * 100, (np.full(100, 4), passes)))
    by_passes = [set(groups[passes == c].tolist()) for c in range(5)]
    assert all(len(each) == 1 for each in by_passes)
    order = [each.pop() for each in by_passes]
    assert order == sorted(order) and len(set(order)) == 5


def test_never_of_4_and_never_of_128_are_not_alike():
    n = np.array([4] * 50 + [128] * 50 + [16] * 50)
    c = np.array([0] * 100 + list(range(17)) * 2 + [8] * 16)
    groups = alike(Tally.empty(["one"] * 150, (n, c)))
    assert groups[99] < groups[0]


def test_any_number_of_rollouts_tells():
    n = np.full(40, 100_000)
    groups = alike(Tally.empty(["one"] * 40, (n, np.linspace(0, 100_000, 40).astype(int))))
    assert (np.diff(groups) >= 0).all() and len(set(groups.tolist())) == 8


def test_problems_that_the_earlier_run_has_not_are_told_by_their_source():
    tally = tally_of(RATE, RATE)
    missing = np.arange(MANY) % 4 == 0
    tally = replace(tally, hint_n=np.where(missing, 0, tally.hint_n))
    assert (alike(tally) == -1).tolist() == missing.tolist()
    groups = Groups.of(tally)
    (prior,) = [prior for rows, prior in groups.groups if missing[rows].all()]
    assert prior == pytest.approx(fit_near(tally.n, tally.c))
    rows = np.sort(np.concatenate([rows for rows, _ in groups.groups]))
    assert rows.tolist() == list(range(MANY))


def test_priors_of_alike_problems_are_mixed_with_their_sources():
    tally = tally_of(RATE, RATE, sources=("one", "two"))
    hints, found = alike(tally), Groups.of(tally)
    assert found.weight == weight(tally, hints) > 0.9
    for rows, prior in found.groups:
        source, like = tally.source == tally.source[rows[0]], hints == hints[rows[0]]
        mixed = (1 - found.weight) * fit_near(tally.n[source], tally.c[source])
        mixed += found.weight * fit_near(tally.n[like], tally.c[like])
        assert prior == pytest.approx(mixed)


def test_without_an_earlier_run_each_source_is_a_group():
    tally = tally_of(RATE, RATE, sources=("one", "two"))
    groups = Groups.of(replace(tally, hint_n=tally.hint_n * 0))
    assert groups.weight == 0
    assert [rows[0] for rows, _ in groups.groups] == [0, 1]
    first = tally.source == 0
    assert groups.groups[0].prior == pytest.approx(fit(tally.n[first], tally.c[first]))


@pytest.mark.parametrize("seed", range(2))
def test_luck_has_no_weight(seed):
    tally = tally_of(np.random.default_rng(seed).permutation(RATE), RATE)
    assert weight(tally, alike(tally)) < 0.05


def test_the_weight_is_the_likeliest_of_all():
    """Against the mixture's likelihood, written out fold by fold, at other weights."""
    tally = tally_of(RATE, np.clip(RATE + 0.2 * np.sin(40 * RATE), 0, 1), n=4)
    groups = alike(tally)
    fold, priors = np.random.default_rng(0).permutation(MANY) % 4, {}
    found = np.zeros((2, MANY))
    for row in range(MANY):
        others = fold != fold[row]
        for i, group in enumerate((tally.source, groups)):
            same = others & (group == group[row])
            key = (i, group[row], fold[row])
            if key not in priors:
                priors[key] = fit_near(tally.n[same], tally.c[same])
            passes, fails = tally.c[row], tally.n[row] - tally.c[row]
            found[i, row] = priors[key] @ (grid().rate ** passes * (1 - grid().rate) ** fails)
    own = weight(tally, groups)

    def likely(share):
        return np.log((1 - share) * found[0] + share * found[1]).sum() + 10 * np.log(1 - share)

    assert 0.5 < own < 0.99
    assert likely(own) > max(likely(own - 0.005), likely(own + 0.005))


def test_few_problems_that_agree_have_some_weight_and_few_that_do_not_have_none():
    few = RATE[:60]
    related, unrelated = tally_of(few, few), tally_of(few[::-1], few)
    assert 0.1 < weight(related, alike(related)) < 0.95
    assert weight(unrelated, alike(unrelated)) < 0.05
