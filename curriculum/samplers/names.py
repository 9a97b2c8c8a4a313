"""Samplers by the names of their options, without the configuration."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

from curriculum.core.errors import UserError, blamed
from curriculum.samplers.bandit import Bandit
from curriculum.samplers.base import Sampler
from curriculum.samplers.easy_to_hard import EasyToHard
from curriculum.samplers.learnability import Learnability
from curriculum.samplers.multi_source import MultiSource
from curriculum.samplers.pools import Pools
from curriculum.samplers.reward_curriculum import RewardCurriculum
from curriculum.samplers.skip_zero_variance import SkipZeroVariance
from curriculum.samplers.target_difficulty import TargetDifficulty
from curriculum.samplers.thompson import Thompson
from curriculum.samplers.time_curriculum import TimeCurriculum
from curriculum.samplers.uniform import Uniform

CLASSES = (
    *(Bandit, EasyToHard, Learnability, MultiSource, Pools, RewardCurriculum, SkipZeroVariance),
    *(TargetDifficulty, Thompson, TimeCurriculum, Uniform),
)
BUILT_IN = {re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower(): cls for cls in CLASSES}


def sampler_named(name: str) -> Sampler:
    """One with its defaults, of this package or a plugin. Raises UserError where there is none."""
    plugins = entry_points(group="curriculum.sampler")
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if name in plugins.names:
        with blamed(f"the plugin's sampler {name} can't be had"):
            made: Sampler = plugins[name].load()()
        return made
    there_are = ", ".join(sorted({*BUILT_IN, *plugins.names}))
    raise UserError(f"there is no sampler '{name}'; there are: {there_are}")
