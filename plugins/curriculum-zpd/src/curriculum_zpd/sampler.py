"""Draw a prompt as often as its groups carry a gradient."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers import Sampler, Sampling
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.parts.rejection import draw_by_rejection
from curriculum.samplers.state import State
from curriculum_zpd.metric import gradient_share


@dataclass(frozen=True)
class Zone(Sampler):
    """Passes over a prompt as often as a group of it would carry no gradient.

    The pass rates are those measured, then moving averages of what comes back.
    """

    alpha: Annotated[float, Field(gt=0, le=1)] = 0.5  # weight of a new group

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        epoch = EpochShuffle(np.arange(len(prompts)), rng)
        return ZoneSampling(self, rng, epoch, group_size, prompts.pass_rate)


@dataclass
class ZoneSampling(Sampling):
    """See `Zone`."""

    zone: Zone
    rng: np.random.Generator
    epoch: State[EpochShuffle]
    group_size: int
    rate: State[Floats]  # (P,)

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""

        def chance(rows: Integers) -> Floats:
            return gradient_share(self.rate[rows], self.group_size)

        return draw_by_rejection(self.epoch, count, allowed, chance, self.rng)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        rows, rate = observations.prompt, observations.passed / observations.n
        self.rate[rows] += self.zone.alpha * (rate - self.rate[rows])
        return []

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        return {"gradient_share": float(gradient_share(self.rate, self.group_size).mean())}
