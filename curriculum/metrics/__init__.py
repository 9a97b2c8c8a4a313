"""Numbers about problems, each from the rewards of its rollouts.

`conf/metric/` chooses the one that bucketers cut on; the standard ones are always computed.
"""

from curriculum.metrics.base import Metric, Samples
from curriculum.metrics.difficulty_score import DifficultyScore
from curriculum.metrics.extremes import MaxReward, MinReward
from curriculum.metrics.inverse_mean import InverseMean
from curriculum.metrics.mean_at_k import MeanAtK
from curriculum.metrics.mean_reward import MeanReward
from curriculum.metrics.measure import Measure, measure
from curriculum.metrics.pass_at_k import PassAtK
from curriculum.metrics.pass_rate import PassRate
from curriculum.metrics.spread import StdReward, Variance
from curriculum.metrics.unbiased_pass_at_k import UnbiasedPassAtK

__all__ = [
    "DifficultyScore",
    "InverseMean",
    "MaxReward",
    "MeanAtK",
    "MeanReward",
    "Measure",
    "Metric",
    "MinReward",
    "PassAtK",
    "PassRate",
    "Samples",
    "StdReward",
    "UnbiasedPassAtK",
    "Variance",
    "measure",
]
