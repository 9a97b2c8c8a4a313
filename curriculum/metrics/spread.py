"""`metric=variance` and `metric=std_reward`: how inconsistent the model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics.base import Metric
from curriculum.metrics.mean_reward import MeanReward


@dataclass(frozen=True)
class Variance(Metric):
    """Population variance of the rewards."""

    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        mean = MeanReward()(rewards)
        return rewards.sum((rewards.values - mean[rewards.owner]) ** 2) / rewards.counts


@dataclass(frozen=True)
class StdReward(Metric):
    """Population standard deviation of the rewards."""

    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        return np.sqrt(Variance()(rewards))
