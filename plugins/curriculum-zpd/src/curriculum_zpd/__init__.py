"""The zone of proximal development: a bucketer, a metric, a sampler, and a reward for brevity."""

from curriculum_zpd.bucketer import ZPD
from curriculum_zpd.metric import GradientShare, gradient_share
from curriculum_zpd.reward import Concise
from curriculum_zpd.sampler import Zone

__all__ = ["ZPD", "Concise", "GradientShare", "Zone", "gradient_share"]
