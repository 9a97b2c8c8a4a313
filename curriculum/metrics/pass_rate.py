"""`metric=pass_rate` and `metric=success_rate`: how often the model passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.records import Easier, Floats, Rewards, reaches
from curriculum.metrics.base import Metric


@dataclass(frozen=True)
class PassRate(Metric):
    """Share of rewards that pass, times `scale` (100 for percent)."""

    threshold: float = 0.5  # the reward from which a rollout passes
    strict: bool = False  # whether it must be above the threshold, not at it
    scale: float = 1
    easier: ClassVar[Easier] = "higher"
    orders_like_pass_rate: ClassVar[bool] = True

    def __call__(self, rewards: Rewards) -> Floats:
        return self.scale * self.passes(rewards) / rewards.counts

    def passes(self, rewards: Rewards) -> Floats:
        """(P,) how many rollouts pass."""
        passing = reaches(rewards.values, self.threshold, strict=self.strict)
        return rewards.sum(passing.astype(np.float64))
