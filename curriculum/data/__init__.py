"""Where problems and rollouts come from."""

from curriculum.data.base import Data, Limits, Loaded, RolloutData
from curriculum.data.buckets import Buckets
from curriculum.data.demo import Demo
from curriculum.data.graded import GradedTasks
from curriculum.data.huggingface import HuggingFace
from curriculum.data.reasoning_gym import ReasoningGym
from curriculum.data.rollouts import Rollouts
from curriculum.data.verl import Verl

__all__ = [
    "Buckets",
    "Data",
    "Demo",
    "GradedTasks",
    "HuggingFace",
    "Limits",
    "Loaded",
    "ReasoningGym",
    "RolloutData",
    "Rollouts",
    "Verl",
]
