"""`sampler=frontier`: problems like those solved now and then, of sources that progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import (
    Allowed,
    AtLeastOne,
    Positive,
    Sampler,
    Sampling,
    Share,
    Weight,
)
from curriculum.samplers.parts.cells import Cells
from curriculum.samplers.parts.progress import Progress
from curriculum.samplers.parts.stratified import Stratified
from curriculum.samplers.state import State

LEAST = 1e-3  # weight of a cell of which nothing is hoped


@dataclass(frozen=True, kw_only=True)
class Frontier(Sampler):
    """Learns where in a cheap feature the model's frontier lies; nothing need be measured before.

    The prompts of each source fall into cells by a feature that costs no rollout (`by`: the length
    of the prompt, its bucket, or a number of extra_info). A prompt never drawn is believed to be
    like its cell, which is what finds the few that can be learned among many that can't.

    Within a source, a cell's share of the batch is its weight,

        (1 - p**G - (1 - p)**G) * (1 - p) * N**size

    p drawn from what is believed of the cell's pass rate (Thompson sampling: what is uncertain is
    tried), G the group's size, N the cell's. The first factor is exact: the probability that a
    group has passes and failures, without which it has no gradient. The second is the most that
    its pass rate can still rise. The third is chosen: with an exponent of 0 a few small cells are
    drawn again and again, with 1 the large ones that can't be learned yet take most of the batch.
    Belief is Beta: a prior, and passes and failures of the cell and, counted `sharing` ** distance,
    of the others of its source. A batch of groups in it or near takes the evidence to `memory` of
    itself, for the model moves on. Evidence of neighbours is what keeps a cell that is never solved
    in the batches once its neighbour is: where it counted for four rollouts at most, the hardest
    strings of docs/results.md's setting C were given up in four of five seeds.

    Sources have their shares of the pool times `least_share` + (1 - `least_share`) * progress (see
    `Progress`), relative to the source that progresses most: a source that can't be learned, like
    one of coin flips, has groups with a gradient for ever and no progress.

    Sources: chance of a gradient as DAPO's filter (arXiv 2503.14476) has it; learning progress as a
    curriculum's signal: Graves et al. 2017 (arXiv 1704.03003), Matiisen et al. 2017 (1707.00183).
    Cells, shared and fading evidence, and their product are this project's; docs/results.md has
    what they come to in real training.
    """

    by: str = "length"
    cells: AtLeastOne = 12
    memory: Share = 0.8
    sharing: Share = 0.5
    prior: Annotated[list[Positive], Field(min_length=2, max_length=2)] = field(
        default_factory=lambda: [0.5, 0.5]
    )
    size: Share = 0.5
    least_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    trust: Weight = 16.0
    mixes_sources: ClassVar[bool] = True

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return FrontierSampling(self, prompts, group_size, rng)


class FrontierSampling(Sampling):
    """See `Frontier`."""

    _passed: State[Floats]  # (C,) of each cell, as far as they are remembered
    _failed: State[Floats]  # (C,)
    _progress: State[Progress]
    _groups: State[Stratified]

    def __init__(
        self, settings: Frontier, prompts: Prompts, group_size: int, rng: np.random.Generator
    ) -> None:
        self._settings, self._group_size, self._rng = settings, group_size, rng
        self._cells = cells = Cells.of(prompts, settings.by, settings.cells)
        self._sharing = cells.sharing(settings.sharing)
        measured = cells.sum(prompts.n)
        trust = np.minimum(1.0, settings.trust / np.maximum(measured, 1e-9))
        self._passed = trust * cells.sum(prompts.c)
        self._failed = trust * measured - self._passed
        self._progress = Progress(cells, settings.memory)
        self._groups = Stratified(cells.members(), rng)

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        return self._groups.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        cell, count = self._cells.cell[observations.prompt], len(self._cells)
        passed, failed = (
            np.asarray(np.bincount(cell, each, count), np.float64)
            for each in (observations.passed, observations.n - observations.passed)
        )
        near = self._sharing @ np.bincount(cell, minlength=count)
        kept = self._settings.memory ** np.minimum(1, near)
        self._passed = kept * self._passed + passed
        self._failed = kept * self._failed + failed
        self._progress.observe(passed, failed)
        return []

    def metrics(self) -> dict[str, float]:
        """Each source's share of the batches, where there are several."""
        sources = self._cells.sources
        if len(sources) < 2:
            return {}
        shares = zip(sources, self._source_shares().tolist(), strict=True)
        return {f"source/{name}/weight": share for name, share in shares}

    def _shares(self) -> Floats:
        """(C,) of a batch."""
        cells, size = self._cells, self._group_size
        rate = self._rng.beta(*self._believed())
        gradient = 1 - rate**size - (1 - rate) ** size
        weight = (gradient * (1 - rate) + LEAST) * cells.sizes**self._settings.size
        of_source = np.bincount(cells.source, weight, len(cells.shares))
        return np.asarray(weight / of_source[cells.source] * self._source_shares()[cells.source])

    def _believed(self) -> tuple[Floats, Floats]:
        """(C,) a and b of each cell's pass rate."""
        a, b = self._settings.prior
        return a + self._sharing @ self._passed, b + self._sharing @ self._failed

    def _source_shares(self) -> Floats:
        """(S,) of a batch."""
        least, progress = self._settings.least_share, self._progress.of_sources()
        relative = progress / max(progress.max(), 1e-9)
        shares = self._cells.shares * (least + (1 - least) * relative)
        return np.asarray(shares / shares.sum())
