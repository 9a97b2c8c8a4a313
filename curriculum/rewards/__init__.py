"""From responses to numbers."""

from curriculum.rewards.base import Reward
from curriculum.rewards.exact_match import ExactMatch
from curriculum.rewards.function import Function
from curriculum.rewards.math_verify import MathVerify
from curriculum.rewards.recorded import Auto, Recorded
from curriculum.rewards.stored import load as load_stored
from curriculum.rewards.verl import Verl

__all__ = [
    "Auto",
    "ExactMatch",
    "Function",
    "MathVerify",
    "Recorded",
    "Reward",
    "Verl",
    "load_stored",
]
