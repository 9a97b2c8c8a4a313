"""`sampler=uniform`: all prompts alike, the control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.prompts import Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed, Sampler, Sampling
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.state import State


@dataclass(frozen=True)
class Uniform(Sampler):
    """Every prompt once in shuffled order, then again in another; learns nothing.

    What trainers do without a curriculum, so what any curriculum is to be compared to.
    """

    starves_none: ClassVar[bool] = True
    mixes_sources: ClassVar[bool] = True

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return UniformSampling(EpochShuffle(np.arange(len(prompts)), rng))


@dataclass
class UniformSampling(Sampling):
    """See `Uniform`."""

    epoch: State[EpochShuffle]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        return self.epoch.draw(count, allowed)
