"""Where problems and rollouts come from."""

from curriculum.data.base import Data, File, Limits, Loaded, Rejected, RolloutData
from curriculum.data.buckets import Buckets
from curriculum.data.demo import Demo
from curriculum.data.huggingface import HuggingFace
from curriculum.data.reasoning_gym import ReasoningGym
from curriculum.data.rollouts import Rollouts
from curriculum.data.stored import Stored
from curriculum.data.stored import load as load_stored
from curriculum.data.verl import Verl

__all__ = [
    "Buckets",
    "Data",
    "Demo",
    "File",
    "HuggingFace",
    "Limits",
    "Loaded",
    "ReasoningGym",
    "Rejected",
    "RolloutData",
    "Rollouts",
    "Stored",
    "Verl",
    "load_stored",
]
