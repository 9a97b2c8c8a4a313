"""`metric=max_reward` and `metric=min_reward`: the best and the worst rollout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics.base import Metric


@dataclass(frozen=True)
class MaxReward(Metric):
    """Best reward."""

    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        return rewards.descending[rewards.offsets[:-1]]


@dataclass(frozen=True)
class MinReward(Metric):
    """Worst reward."""

    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        return rewards.descending[rewards.offsets[1:] - 1]
