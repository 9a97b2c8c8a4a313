"""`metric=pass_at_k`: what rollout-bucketing scripts call so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.records import Easier, Floats, Rewards, reaches
from curriculum.metrics.base import Metric, Samples


@dataclass(frozen=True)
class PassAtK(Metric):
    """Share of the k highest rewards that reach the threshold; all of them where k is None.

    `UnbiasedPassAtK` is the estimator.
    """

    k: Samples | None = None
    threshold: float = 0.5
    easier: ClassVar[Easier] = "higher"

    @property
    def name(self) -> str:
        """See `Metric`."""
        return "pass_at_k" if self.k is None else f"pass_at_{self.k}"

    def __call__(self, rewards: Rewards) -> Floats:
        k = rewards.counts if self.k is None else np.full(len(rewards), self.k)
        passing = reaches(rewards.descending, self.threshold, strict=False)
        best = rewards.rank < k[rewards.owner]
        share = rewards.sum((passing & best).astype(np.float64)) / k
        return np.where(rewards.counts < k, np.nan, share)
