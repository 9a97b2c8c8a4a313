"""What n rollouts say about a problem's pass rate: the one prior, and posteriors under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.core.records import Floats, Integers

Priors = list[tuple[Integers, tuple[float, float]]]  # rows of problems, and (a, b) of theirs
JEFFREYS = (0.5, 0.5)  # (a, b) of the Beta prior that nothing else is known under


def beta_posterior(
    n: Floats, c: Floats, prior: tuple[float, float], level: float
) -> tuple[Floats, Floats, Floats]:
    """Mean and interval of the pass rate after c passes in n samples.

    The posterior is Beta(a + c, b + n - c). The interval leaves out equal tails; without a pass it
    begins at 0, without a failure it ends at 1, and all that it leaves out lies at the other end.
    Source: Brown, Cai and DasGupta 2001, "Interval Estimation for a Binomial Proportion", section
    4.1, which keeps the other end.

    Args:
        n, c: (P,) samples and passes, whole numbers or not.
        prior: (a, b), both above 0.
        level: mass of the interval, 0.9 for 90 %.

    Returns:
        mean, low and high, each (P,).
    """
    from scipy.special import betaincinv

    # There are few different (n, c); the inverse is too slow to take a million times.
    pairs, back = np.unique(n + 1j * c, return_inverse=True)
    many, passes = pairs.real, pairs.imag
    a, b = prior[0] + passes, prior[1] + many - passes
    never, always = passes == 0, passes == many
    one_sided = never | always
    tail = np.where(one_sided, 1 - level, (1 - level) / 2)
    low = np.where(never, 0.0, betaincinv(a, b, tail))
    high = np.where(always, 1.0, betaincinv(a, b, 1 - tail))
    return (a / (a + b))[back], low[back], high[back]


def mixed_groups(n: Floats, c: Floats, prior: tuple[float, float], size: int) -> Floats:
    """(P,) share of groups of so many rollouts in which some pass and some fail.

    What is expected of 1 - p^G - (1 - p)^G under the posterior Beta(a + c, b + n - c) of the pass
    rate p: under GRPO and its kin a group that is all alike has no advantage, and no gradient.

    Args:
        n, c: (P,) samples and passes.
        prior: (a, b), both above 0.
        size: G, rollouts of a group.
    """
    from scipy.special import betaln

    pairs, back = np.unique(n + 1j * c, return_inverse=True)
    a, b = prior[0] + pairs.imag, prior[1] + pairs.real - pairs.imag
    whole = betaln(a, b)
    alike = np.exp(betaln(a + size, b) - whole) + np.exp(betaln(a, b + size) - whole)
    return np.asarray((1 - alike)[back])


def mass_between(
    n: Floats, c: Floats, prior: tuple[float, float], low: float, high: float
) -> Floats:
    """(P,) probability that the pass rate lies from `low` to `high`, under the posterior."""
    from scipy.special import betainc

    pairs, back = np.unique(n + 1j * c, return_inverse=True)
    a, b = prior[0] + pairs.imag, prior[1] + pairs.real - pairs.imag
    return np.asarray((betainc(a, b, high) - betainc(a, b, low))[back])


def fit_beta(n: Floats, c: Floats) -> tuple[float, float]:
    """(a, b) of the Beta prior under which the passes are likeliest: empirical Bayes.

    Marginal likelihood of the beta-binomial times a weak log-normal around Jeffreys' prior, at its
    maximum: a handful of problems changes Jeffreys' little, many outvote it.

    Args:
        n, c: (P,) samples and passes.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln

    states, count = np.unique(np.stack([n, c], axis=1), axis=0, return_counts=True)
    many, passes = states.T

    def unlikelihood(logs: Floats) -> float:
        a, b = np.exp(logs)
        likely = (count * (betaln(a + passes, b + many - passes) - betaln(a, b))).sum()
        return float((((logs - start) ** 2).sum() / 2 - likely) / count.sum())

    start = np.log(JEFFREYS)
    found = minimize(unlikelihood, start, method="L-BFGS-B", bounds=[(-5, 6)] * 2)
    a, b = np.exp(found.x)
    return float(a), float(b)


def priors(n: Floats, c: Floats, source: npt.NDArray[Any], given: Sequence[float] | None) -> Priors:
    """The prior that is given for all problems, or each source's own: (rows, (a, b))."""
    if given is not None:
        a, b = given
        return [(np.arange(len(n)), (a, b))]
    import pandas as pd

    groups = pd.Series(source).groupby(source).indices.values()
    rows = [np.asarray(each, np.int64) for each in groups]
    return [(each, fit_beta(n[each], c[each])) for each in rows]
