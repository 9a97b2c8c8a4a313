"""`metric=unbiased_pass_at_k`: for code and other any-correct tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics.base import Metric, Samples


@dataclass(frozen=True)
class UnbiasedPassAtK(Metric):
    """Probability that one of k samples passes (Chen et al. 2021); NaN with fewer rollouts."""

    k: Samples = 8
    threshold: float = 0.5
    strict: bool = False
    easier: ClassVar[Easier] = "higher"
    orders_like_pass_rate: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """See `Metric`."""
        return f"pass@{self.k}"

    def __call__(self, rewards: Rewards) -> Floats:
        passes = rewards.passes(self.threshold, self.strict)
        return pass_at_k(rewards.counts.astype(np.float64), passes, self.k)


def pass_at_k(n: Floats, c: Floats, k: int) -> Floats:
    """Unbiased probability that at least one of k samples passes: 1 - C(n-c, k) / C(n, k).

    (P,); NaN where n < k. Source: Chen et al. 2021, "Evaluating Large Language Models Trained on
    Code", equation 1, as a product that does not overflow.
    """
    if k > n.max(initial=0):
        return np.full(len(n), np.nan)
    wrong_only = np.ones(len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(k):
            wrong_only *= np.maximum(n - c - i, 0) / (n - i)
    return np.where(n < k, np.nan, 1 - wrong_only)
