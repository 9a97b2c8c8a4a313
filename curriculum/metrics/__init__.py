"""Numbers about problems, each from the rewards of its rollouts."""

from curriculum.metrics.metrics import (
    DifficultyScore,
    InverseMean,
    MaxReward,
    MeanAtK,
    MeanReward,
    Measure,
    Metric,
    MinReward,
    PassAtK,
    PassRate,
    StdReward,
    UnbiasedPassAtK,
    Variance,
    measure,
)

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
    "StdReward",
    "UnbiasedPassAtK",
    "Variance",
    "measure",
]
