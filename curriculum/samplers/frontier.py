"""`sampler=frontier`: prompts like those that are sometimes solved now, of sources that progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, AtLeastOne, Positive, Sampler, Sampling, Share
from curriculum.samplers.parts.cells import Cells
from curriculum.samplers.parts.progress import Progress
from curriculum.samplers.parts.stratified import Stratified
from curriculum.samplers.state import State

LEAST = 1e-3  # weight of a cell of which nothing is hoped


@dataclass(frozen=True, kw_only=True)
class Frontier(Sampler):
    """TODO."""

    by: str = "length"
    cells: AtLeastOne = 12
    memory: Share = 0.8
    sharing: Share = 0.5
    prior: Annotated[list[Positive], Field(min_length=2, max_length=2)] = field(
        default_factory=lambda: [0.5, 0.5]
    )
    size: Share | None = 0.5
    headroom: float = 1.0
    least_share: Share = 0.3
    slow: Share = 0.95
    noise: float = 0.7
    mixes_sources: ClassVar[bool] = True

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return FrontierSampling(self, prompts, group_size, rng)


class FrontierSampling(Sampling):
    """See `Frontier`."""

    _passed: State[Floats]  # (C,) of each cell, what is remembered
    _failed: State[Floats]
    _progress: State[Progress]
    _groups: State[Stratified]

    def __init__(
        self, settings: Frontier, prompts: Prompts, group_size: int, rng: np.random.Generator
    ) -> None:
        self._settings, self._group_size, self._rng = settings, group_size, rng
        self._cells = cells = Cells.of(prompts, settings.by, settings.cells)
        self._sharing = cells.sharing(settings.sharing)
        self._passed, self._failed = np.zeros(len(cells)), np.zeros(len(cells))
        self._progress = Progress(cells, settings.memory, settings.slow, settings.noise)
        self._groups = Stratified(cells.members(), rng)

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        return self._groups.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        cell, count = self._cells.cell[observations.prompt], len(self._cells)
        passed = np.bincount(cell, observations.passed, count)
        failed = np.bincount(cell, observations.n, count) - passed
        near = self._sharing @ np.bincount(cell, minlength=count)
        kept = self._settings.memory ** np.minimum(1, near)
        self._passed = kept * self._passed + passed
        self._failed = kept * self._failed + failed
        self._progress.observe(passed, failed)
        return []

    def _shares(self) -> Floats:
        settings, cells, size = self._settings, self._cells, self._group_size
        a0, b0 = settings.prior
        rate = self._rng.beta(
            a0 + self._sharing @ self._passed, b0 + self._sharing @ self._failed
        )
        gradient = 1 - rate**size - (1 - rate) ** size
        weight = gradient * (1 - rate) ** settings.headroom + LEAST
        exponent = settings.size
        if exponent is None:
            a, b = a0 + self._sharing @ self._passed, b0 + self._sharing @ self._failed
            mean = a / (a + b)
            exponent = float(np.average(1 - mean**size - (1 - mean) ** size, weights=cells.sizes))
        weight = weight * cells.sizes**exponent
        of_source = np.bincount(cells.source, weight, len(cells.shares))
        progress = self._progress.of_sources()
        hope = progress / max(progress.max(), 1e-9)
        least = settings.least_share
        share = cells.shares * (least + (1 - least) * hope)
        return np.asarray(weight / of_source[cells.source] * share[cells.source])
