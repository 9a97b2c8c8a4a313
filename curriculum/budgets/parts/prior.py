"""What the problems measured so far say of one that is not: a prior of pass rates, on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from curriculum.core.posterior import JEFFREYS
from curriculum.core.records import Floats, Integers

CELLS = 100
STEPS = 50  # of EM
# What the prior's own prior counts as; without it EM sees lumps where there are none.
PSEUDO_PROBLEMS = 30.0
PSEUDO_SHARE = 0.1  # and for each problem


@dataclass(frozen=True)
class Grid:
    """Pass rates: the middles of equal cells."""

    rate: Floats  # (G,)
    low: Floats  # (G,) where the cell begins
    high: Floats  # (G,) where it ends


@cache
def grid() -> Grid:
    """The grid that all priors are on."""
    edges = np.linspace(0, 1, CELLS + 1)
    return Grid((edges[:-1] + edges[1:]) / 2, edges[:-1], edges[1:])


@cache
def beta(a: float, b: float) -> Floats:
    """(G,) a Beta prior."""
    from scipy.special import betainc

    weights = betainc(a, b, grid().high) - betainc(a, b, grid().low)
    return np.asarray(weights / weights.sum())


def jeffreys() -> Floats:
    """(G,) Jeffreys' prior."""
    return beta(*JEFFREYS)


def likelihood(n: Integers, c: Integers) -> Floats:
    """(S, G) probability of one given order of c passes among n rollouts, at each rate."""
    rate = grid().rate
    return np.asarray(rate ** c[:, None] * (1 - rate) ** (n - c)[:, None])


def fit(n: Integers, c: Integers, base: Floats | None = None) -> Floats:
    """(G,) the prior under which what was seen is likely: empirical Bayes.

    Nonparametric maximum likelihood by EM (Laird 1978), drawn to another prior with the weight of
    30 problems and a tenth of them all, so that few problems, or few rollouts, don't pretend to
    know the shape. When a problem was stopped does not matter: stopping looked at nothing but n
    and c.

    Args:
        n, c: (P,) rollouts and passes of the problems.
        base: (G,) the prior that it is drawn to; Jeffreys' unless given.
    """
    base = jeffreys() if base is None else base
    states, count = np.unique(np.stack([n, c], axis=1), axis=0, return_counts=True)
    seen = likelihood(*states.T)
    seen /= seen.max(axis=1, keepdims=True)
    pseudo = PSEUDO_PROBLEMS + PSEUDO_SHARE * count.sum()
    weights = base
    for _ in range(STEPS):
        expected = weights * ((count / (seen @ weights)) @ seen)
        weights = (expected + pseudo * base) / (count.sum() + pseudo)
    return np.asarray(weights)


def quantile(weights: Floats, share: float) -> float:
    """The pass rate that this share of the problems stays below."""
    below = np.cumsum(weights)
    cell = int(np.searchsorted(below, share * below[-1]))
    start = below[cell] - weights[cell]
    inside = (share * below[-1] - start) / weights[cell] if weights[cell] else 0.0
    return float(grid().low[cell] + inside * (grid().high[cell] - grid().low[cell]))
