"""Which prompts come next."""

from curriculum.samplers.bandit import Bandit
from curriculum.samplers.base import Sampler, Sampling
from curriculum.samplers.curriculum import Curriculum
from curriculum.samplers.easy_to_hard import EasyToHard
from curriculum.samplers.frontier import Frontier
from curriculum.samplers.guards import Guards
from curriculum.samplers.learnability import Learnability
from curriculum.samplers.multi_source import MultiSource
from curriculum.samplers.pools import Pools
from curriculum.samplers.reward_curriculum import RewardCurriculum
from curriculum.samplers.skip_zero_variance import SkipZeroVariance
from curriculum.samplers.target_difficulty import TargetDifficulty
from curriculum.samplers.thompson import Thompson
from curriculum.samplers.time_curriculum import TimeCurriculum
from curriculum.samplers.uniform import Uniform

# Names of verl_extensions, of 0.3.0 and before.
MultiSourceSampler = MultiSource
TimeCurriculumSampler = CurriculumMultiSourceSampler = TimeCurriculum
RewardCurriculumSampler = RewardGatedCurriculumSampler = RewardCurriculum

__all__ = [
    "Bandit",
    "Curriculum",
    "CurriculumMultiSourceSampler",
    "EasyToHard",
    "Frontier",
    "Guards",
    "Learnability",
    "MultiSource",
    "MultiSourceSampler",
    "Pools",
    "RewardCurriculum",
    "RewardCurriculumSampler",
    "RewardGatedCurriculumSampler",
    "Sampler",
    "Sampling",
    "SkipZeroVariance",
    "TargetDifficulty",
    "Thompson",
    "TimeCurriculum",
    "TimeCurriculumSampler",
    "Uniform",
]
