"""`metric=pass_rate` and `metric=success_rate`: how often the model passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Easier, Floats, Rewards
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
        return self.scale * rewards.passes(self.threshold, self.strict) / rewards.counts
