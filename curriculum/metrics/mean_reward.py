"""`metric=mean_reward`: the plain choice for rewards of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics.base import Metric


@dataclass(frozen=True)
class MeanReward(Metric):
    """Mean reward."""

    easier: ClassVar[Easier] = "higher"
    orders_like_pass_rate: ClassVar[bool] = True

    def __call__(self, rewards: Rewards) -> Floats:
        return rewards.sum(rewards.values) / rewards.counts
