"""`metric=mean_at_k`: the model on its better days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics.base import Metric, Samples


@dataclass(frozen=True)
class MeanAtK(Metric):
    """mean@k: mean of the k highest rewards; NaN with fewer than k rollouts."""

    k: Samples = 5
    easier: ClassVar[Easier] = "higher"

    @property
    def name(self) -> str:
        """See `Metric`."""
        return f"mean@{self.k}"

    def __call__(self, rewards: Rewards) -> Floats:
        best = rewards.sum(np.where(rewards.rank < self.k, rewards.descending, 0.0))
        return np.where(rewards.counts < self.k, np.nan, best / self.k)
