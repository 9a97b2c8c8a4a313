"""Samplers by the names of their options, without the configuration."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, TypeVar

from curriculum.core.errors import UserError, blamed
from curriculum.samplers.bandit import Bandit
from curriculum.samplers.base import Sampler
from curriculum.samplers.easy_to_hard import EasyToHard
from curriculum.samplers.frontier import Frontier
from curriculum.samplers.learnability import Learnability
from curriculum.samplers.multi_source import MultiSource
from curriculum.samplers.pools import Pools
from curriculum.samplers.reward_curriculum import RewardCurriculum
from curriculum.samplers.skip_zero_variance import SkipZeroVariance
from curriculum.samplers.target_difficulty import TargetDifficulty
from curriculum.samplers.thompson import Thompson
from curriculum.samplers.time_curriculum import TimeCurriculum
from curriculum.samplers.uniform import Uniform

T = TypeVar("T")

CLASSES = (
    *(Bandit, EasyToHard, Frontier, Learnability, MultiSource, Pools, RewardCurriculum),
    *(SkipZeroVariance, TargetDifficulty, Thompson, TimeCurriculum, Uniform),
)
BUILT_IN: dict[str, type[Sampler]] = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower(): cls for cls in CLASSES
}


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


def with_options(cls: type[T], options: Mapping[str, Any], where: str) -> T:
    """Settings with some of their fields, each checked.

    Args:
        where: the block of the configuration that the options are in, for messages.

    Raises:
        UserError: where an option is none of its fields, or out of its range.
    """
    from pydantic import TypeAdapter, ValidationError

    keys = list(inspect.signature(cls).parameters)
    if unknown := [name for name in options if name not in keys]:
        there_are = ", ".join(sorted(keys)) or "none"
        raise UserError(f"{where}.{unknown[0]} is no key; there are: {there_are}")
    try:
        return TypeAdapter(cls).validate_python(dict(options))
    except ValidationError as error:
        lines = [
            f"{where}.{'.'.join(map(str, each['loc']))}={each['input']!r}: {each['msg']}"
            for each in error.errors()
        ]
        raise UserError("\n".join(lines)) from None
