"""The zone of proximal development, as a bucketer, a metric, and a reward that asks for brevity."""

from curriculum_zpd.bucketer import ZPD
from curriculum_zpd.metric import GradientShare, gradient_share
from curriculum_zpd.reward import Concise

__all__ = ["ZPD", "Concise", "GradientShare", "gradient_share"]
