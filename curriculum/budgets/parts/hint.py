"""What an earlier run's counts tell of a problem before it has shown anything itself."""

from __future__ import annotations

import numpy as np

from curriculum.budgets.base import Tally
from curriculum.budgets.parts.prior import PSEUDO_PROBLEMS, beta, fit, grid, jeffreys, likelihood
from curriculum.core.posterior import fit_beta
from curriculum.core.records import Floats, Integers

GROUPS = 8
FOLDS = 4
ENOUGH = 512  # rollouts tell more than a group is wide
MOST = 1 - 1e-9  # weight, for counts that are impossible by the hint
UNMOVED = 10.0  # problems that stand for no weight, so that luck gives none


def alike(tally: Tally) -> Integers:
    """(P,) which problems an earlier run found about as hard, -1 where it tells nothing.

    Groups of about equal size by the mean that its counts make probable, so that a never solved of
    4 rollouts is not one of 128. In which direction hardness goes is left to what is seen.
    """
    known = np.flatnonzero(tally.hint_n)
    group = np.full(len(tally), -1)
    if not len(known):
        return group
    n, c = _within(tally.hint_n[known], tally.hint_c[known])
    states, state = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
    posterior = likelihood(*states.T) * fit(n, c)
    # Rounded, for sums of the same in another order differ by 1e-16.
    mean = (posterior @ grid().rate / posterior.sum(axis=1)).round(9)[state.ravel()]
    edges = np.quantile(mean, np.arange(1, GROUPS) / GROUPS, method="lower")
    group[known] = np.searchsorted(np.unique(edges), mean)
    return group


def fit_near(n: Integers, c: Integers) -> Floats:
    """(G,) the prior that problems show, drawn to the Beta distribution that they show too.

    Problems `alike` lie close together, and Jeffreys' prior is far from all of them; so the Beta
    distribution is what is drawn to that, with the weight of 30 problems. The priors of sources
    are made so too where they stand beside it, or a better base would look like a telling hint.
    """
    if not len(n):
        return jeffreys()
    shown = beta(*fit_beta(n.astype(np.float64), c.astype(np.float64)))
    base = (len(n) * shown + PSEUDO_PROBLEMS * jeffreys()) / (len(n) + PSEUDO_PROBLEMS)
    return fit(n, c, base)


def weight(tally: Tally, groups: Integers) -> float:
    """How much priors of `alike` problems say beside those of sources: from 0 to 1.

    The share in their mixture under which counts are likeliest that neither was fitted to, in 4
    folds; with some problems' weight on none, as a hint that tells nothing must have. Source: Yao,
    Vehtari, Simpson and Gelman 2018, "Using Stacking to Average Bayesian Predictive Distributions".
    """
    from scipy.optimize import brentq

    known = groups >= 0
    if not known.any():
        return 0.0
    by_source = _predicted(tally, tally.source)[known]
    gain = _predicted(tally, groups)[known] / by_source - 1

    def slope(share: float) -> float:
        """Of the log likelihood, times 1 - share."""
        return float((1 - share) * (gain / (1 + share * gain)).sum() - UNMOVED)

    return float(brentq(slope, 0, MOST)) if slope(0) > 0 else 0.0


def _within(n: Integers, c: Integers) -> tuple[Integers, Integers]:
    """The same shares of passes, among few enough rollouts for a likelihood above 0."""
    fewer = np.minimum(n, ENOUGH)
    return fewer, np.round(c * (fewer / n)).astype(np.int64)


def _predicted(tally: Tally, group: Integers) -> Floats:
    """(P,) probability of a problem's counts under a prior of its group's other folds."""
    fold = np.random.default_rng(0).permutation(len(tally)) % FOLDS
    predicted = np.ones(len(tally))
    for rows in (np.flatnonzero(group == each) for each in np.unique(group[group >= 0])):
        for held_out in range(FOLDS):
            inside = fold[rows] == held_out
            others, own = rows[~inside], rows[inside]
            prior = fit_near(tally.n[others], tally.c[others])
            states = np.stack([tally.n[own], tally.c[own]], axis=1)
            states, state = np.unique(states, axis=0, return_inverse=True)
            predicted[own] = (likelihood(*states.T) @ prior)[state.ravel()]
    return predicted
