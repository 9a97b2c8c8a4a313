"""Pass rates of many problems together: how they are spread, and their mean in a bucket."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Floats, Integers

RATES = np.concatenate([[0.0], (np.arange(100) + 0.5) / 100, [1.0]])
STEPS = 200  # of expectation and maximisation
DRAWS = 50  # of the bootstrap


def mean_pass_rates(n: Floats, c: Floats, bucket: Integers, buckets: int, level: float) -> Floats:
    """(buckets, 3) mean of the true pass rates of each bucket's problems, and its interval.

    Problems are in a bucket for the rollouts that are then to tell its mean: those that were lucky
    are among the easy ones. So each problem counts with what its rollouts make probable, among
    problems like these: the distribution of pass rates is the likeliest one for all of them, and
    how far that is known is seen by drawing the problems again. NaN for a bucket without a problem.

    Source: Efron 2010, "Large-Scale Inference", chapter 1 (empirical Bayes against selection);
    Laird 1978, "Nonparametric Maximum Likelihood Estimation of a Mixing Distribution".

    Args:
        n, c: (P,) rollouts and passes of all problems.
        bucket: (P,) the bucket of each, chosen by its rollouts.
        level: mass of the interval.
    """
    from scipy.special import ndtri

    states, state, count = np.unique(n + 1j * c, return_inverse=True, return_counts=True)
    likely = _likelihood(states.real, states.imag)
    draws = np.random.default_rng(0).multinomial(len(n), count / len(n), DRAWS)
    mean, variance = _posteriors(likely, np.vstack([count, draws]).astype(np.float64))
    size = np.bincount(bucket, minlength=buckets)
    there = np.zeros((buckets, len(states)))
    np.add.at(there, (bucket, state), 1)
    with np.errstate(invalid="ignore"):
        share = there / size[:, None]
        middle = share @ mean.T  # (buckets, 1 + DRAWS)
        spread = np.sqrt(share @ variance / size + middle[:, 1:].var(axis=1))
    reach = ndtri((1 + level) / 2) * spread
    ends = [middle[:, 0], middle[:, 0] - reach, middle[:, 0] + reach]
    return np.asarray(np.clip(np.stack(ends, axis=1), 0, 1))


def _likelihood(n: Floats, c: Floats) -> Floats:
    """(S, G) of c passes in n at each of `RATES`, but for a factor a row."""
    from scipy.special import xlog1py, xlogy

    logs = xlogy(c[:, None], RATES) + xlog1py((n - c)[:, None], -RATES)
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _posteriors(likely: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """(D, S) mean pass rate of each state under the likeliest distribution for each row of counts.

    And (S,) its variance, for the first row.
    """
    weight = np.full((len(counts), len(RATES)), 1 / len(RATES))
    share = counts / counts.sum(axis=1, keepdims=True)
    for _ in range(STEPS):
        weight *= (share / (weight @ likely.T)) @ likely
    whole = weight @ likely.T
    mean = (weight * RATES) @ likely.T / whole
    square = (weight[0] * RATES**2) @ likely.T / whole[0]
    return mean, square - mean[0] ** 2
