"""`metric=difficulty_score`: low rewards are hard, erratic ones a bit harder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics.base import Metric
from curriculum.metrics.mean_reward import MeanReward
from curriculum.metrics.spread import StdReward


@dataclass(frozen=True)
class DifficultyScore(Metric):
    """(1 - mean reward) + `std_weight` x population standard deviation."""

    std_weight: float = 0.3
    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        return (1 - MeanReward()(rewards)) + self.std_weight * StdReward()(rewards)
