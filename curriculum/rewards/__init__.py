"""From responses to numbers."""

from curriculum.rewards.base import Reward
from curriculum.rewards.exact_match import ExactMatch
from curriculum.rewards.function import Function
from curriculum.rewards.instruction_following import InstructionFollowing
from curriculum.rewards.math_verify import MathVerify
from curriculum.rewards.reasoning_gym import ReasoningGym
from curriculum.rewards.recorded import Auto, Recorded
from curriculum.rewards.reward_model import RewardModel
from curriculum.rewards.verl import Verl

__all__ = [
    "Auto",
    "ExactMatch",
    "Function",
    "InstructionFollowing",
    "MathVerify",
    "ReasoningGym",
    "Recorded",
    "Reward",
    "RewardModel",
    "Verl",
]
