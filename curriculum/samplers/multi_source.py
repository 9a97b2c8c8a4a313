"""`sampler=multi_source`: sources in given or adaptive shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, Sampling
from curriculum.samplers.parts.source_mix import SourceMix, SourceMixSettings
from curriculum.samplers.parts.stratified import Stratified
from curriculum.samplers.state import State


@dataclass(frozen=True, kw_only=True)
class MultiSource(SourceMixSettings):
    """Each source's prompts in shuffled order, sources in shares that every batch keeps exactly.

    Shares are fixed, or follow rewards: the lower a source's, the more of it (see `SourceMix`).

    Source: MultiSourceSampler of verl_extensions 0.3.0. Its weights depend on the scale of the
    rewards; these don't, and sources of different scales can have `reward_ranges`.
    """

    starves_none: ClassVar[bool] = True

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return MultiSourceSampling(self, prompts, batch_size, rng)


class MultiSourceSampling(Sampling):
    """See `MultiSource`. A subclass may divide sources further."""

    _mix: State[SourceMix]
    _groups: State[Stratified]

    def __init__(
        self,
        settings: SourceMixSettings,
        prompts: Prompts,
        batch_size: float,
        rng: np.random.Generator,
    ) -> None:
        self._mix = SourceMix(settings, prompts, batch_size)
        self._groups = Stratified(self._divided(prompts), rng)

    def started(self) -> list[Event]:
        """See `Sampling`."""
        return [self._mix.started()]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        return self._groups.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        return self._mix.observe(observations)

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        return self._mix.metrics()

    def _divided(self, prompts: Prompts) -> list[Integers]:
        """Rows of the groups that are drawn from."""
        return [np.flatnonzero(prompts.source == source) for source in range(len(prompts.sources))]

    def _shares(self) -> Floats:
        """(groups,) not negative; their scale doesn't matter."""
        return self._mix.shares
