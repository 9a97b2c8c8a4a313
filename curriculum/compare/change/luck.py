"""What luck alone does to the rollouts of a model that has not changed.

If a problem's pass rate is the same in both runs, which of its rollouts are whose is chance: of c
passes among all its n rollouts, those of the first run are hypergeometric, whatever the rate is.
So nothing needs to be known of the rates, and the runs may have different numbers of rollouts.
Source: Fisher 1935, "The Logic of Inductive Inference" (the exact test of two proportions).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from curriculum.compare.change.places import Places
from curriculum.core.records import Floats, Integers

DRAWS = 1000  # of what luck moves
MOST = 20_000  # problems that ranks are drawn of
RANK_DRAWS = 100


class Counts(NamedTuple):
    """Rollouts and passes of P problems in both runs."""

    n_before: Integers
    c_before: Integers
    n_after: Integers
    c_after: Integers

    @property
    def passes(self) -> Integers:
        """(P,) in both."""
        return self.c_before + self.c_after


class Range(NamedTuple):
    """What luck gives: what is expected, and where it lies nearly always."""

    expected: float
    low: float
    high: float


class Moves(NamedTuple):
    """(P,) probabilities that luck alone moves a problem to an easier or a harder bucket."""

    easier: Floats
    harder: Floats


def moves(counts: Counts, before: Places, after: Places) -> Moves:
    """Of each problem, given how many of all its rollouts pass."""
    easier, harder = np.zeros((2, len(counts.passes)))
    for rows, (n, m, passes), first, share in _splits(counts):
        steps = after[m][passes - first] - before[n][first]
        easier[rows], harder[rows] = share[steps < 0].sum(), share[steps > 0].sum()
    return Moves(easier, harder)


def p_values(counts: Counts) -> Floats:
    """(P,) of Fisher's exact test, two-sided: passes as unlikely as these, or more, by luck."""
    values = np.ones(len(counts.passes))
    for rows, _, first, share in _splits(counts):
        slack = 1 + 1e-9  # equally likely ones are computed in different ways
        as_rare = np.array([share[share <= each * slack].sum() for each in share])
        values[rows] = as_rare[counts.c_before[rows] - first[0]]
    return np.minimum(values, 1)


def total(chances: Floats, level: float) -> Range:
    """How many move, where each does with its own probability.

    Args:
        level: how often the number lies in the range.
    """
    chance, many = np.unique(chances.round(9), return_counts=True)
    drawn = np.random.default_rng(0).binomial(many, np.clip(chance, 0, 1), (DRAWS, len(many)))
    tail = (1 - level) / 2
    low, high = np.quantile(drawn.sum(axis=1), [tail, 1 - tail], method="closest_observation")
    return Range(float(chances.sum()), float(low), float(high))


def rank_correlation(counts: Counts) -> float | None:
    """Spearman's, of the pass rates; None where one run solves all problems equally often."""
    from scipy.stats import rankdata

    rates = counts.c_before / counts.n_before, counts.c_after / counts.n_after
    if any(np.ptp(each) == 0 for each in rates):
        return None
    return float(np.corrcoef(rankdata(rates[0]), rankdata(rates[1]))[0, 1])


def ranks_by_luck(counts: Counts, level: float) -> Range | None:
    """The rank correlation that a model which has not changed would have with itself."""
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(counts.passes))[:MOST]
    n, m, passes = (each[chosen] for each in (counts.n_before, counts.n_after, counts.passes))
    drawn = []
    for _ in range(RANK_DRAWS):
        first = rng.hypergeometric(passes, n + m - passes, n)
        value = rank_correlation(Counts(n, first, m, passes - first))
        if value is None:
            return None
        drawn.append(value)
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Range(float(np.mean(drawn)), float(low), float(high))


def _splits(
    counts: Counts,
) -> Iterator[tuple[Integers, tuple[int, int, int], Integers, Floats]]:
    """Problems that are alike: their rows, and which passes may be the first run's, how likely.

    Alike are those with the same rollouts in both runs and the same passes in all.
    """
    from scipy.stats import hypergeom

    keys = np.stack([counts.n_before, counts.n_after, counts.passes], axis=1)
    kinds, kind = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(kind.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(kind.ravel()))
    for (n, m, passes), rows in zip(kinds.tolist(), np.split(order, ends[:-1]), strict=True):
        first = np.arange(max(0, passes - m), min(n, passes) + 1)
        yield rows, (n, m, passes), first, hypergeom.pmf(first, n + m, passes, n)
