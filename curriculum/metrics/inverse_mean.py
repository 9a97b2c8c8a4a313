"""`metric=inverse_mean`: for those who want higher to be harder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.records import Easier, Floats, Rewards, reaches
from curriculum.metrics.base import Metric
from curriculum.metrics.mean_reward import MeanReward


@dataclass(frozen=True)
class InverseMean(Metric):
    """1 / mean reward; infinite, the hardest, where the mean is not above 0."""

    easier: ClassVar[Easier] = "lower"
    orders_like_pass_rate: ClassVar[bool] = True

    def __call__(self, rewards: Rewards) -> Floats:
        mean = MeanReward()(rewards)
        above_zero = reaches(mean, 0, strict=True)  # rewards that cancel may leave 1e-17
        infinite = np.full(len(mean), np.inf)
        return np.asarray(np.divide(1.0, mean, out=infinite, where=above_zero))
