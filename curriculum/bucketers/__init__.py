"""From metrics to buckets."""

from curriculum.bucketers.adaptive import Adaptive
from curriculum.bucketers.base import Bucketer, Count, Names, bucket_names
from curriculum.bucketers.mean_reward import MeanReward
from curriculum.bucketers.pass_rate import PassRate
from curriculum.bucketers.percentile import Percentile
from curriculum.bucketers.recorded import Recorded
from curriculum.bucketers.threshold import Threshold

__all__ = [
    "Adaptive",
    "Bucketer",
    "Count",
    "MeanReward",
    "Names",
    "PassRate",
    "Percentile",
    "Recorded",
    "Threshold",
    "bucket_names",
]
