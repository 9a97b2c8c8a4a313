"""`sampler=time_curriculum`: the easiest prompts first, linearly more over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed, Sampling
from curriculum.samplers.multi_source import MultiSourceSampling
from curriculum.samplers.parts.complexity import ComplexitySettings, easiest_first
from curriculum.samplers.state import State

SAID_EVERY = 10  # percent


@dataclass(frozen=True, kw_only=True)
class TimeCurriculum(ComplexitySettings):
    """The easiest X % of a source, X growing with every batch drawn.

    Its clock is batches, not feedback, which may be late or missing.

    Source: TimeCurriculumSampler of verl_extensions 0.3.0, there once CurriculumMultiSourceSampler.
    """

    complexity_warmup_steps: Annotated[int, Field(ge=0)] = 100

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return TimeCurriculumSampling(self, prompts, batch_size, rng)

    def percentile(self, batch: int) -> float:
        """How many percent of the prompts are drawn from in a batch (from 0)."""
        steps = self.complexity_warmup_steps
        done = min(batch / steps, 1.0) if steps else 1.0
        first, last = self.percentiles
        return first + (last - first) * done


class TimeCurriculumSampling(MultiSourceSampling):
    """See `TimeCurriculum`."""

    _batch: State[int]
    _said: State[float]  # percent

    def __init__(
        self,
        settings: TimeCurriculum,
        prompts: Prompts,
        batch_size: float,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(settings, prompts, batch_size, rng)
        self._settings, self._prompts = settings, prompts
        self._sources = settings.curriculum_sources(prompts)
        self._rank = np.full(len(prompts), -1)  # (P,) in its source; -1: no curriculum there
        for source in self._sources:
            rows = easiest_first(prompts, source, settings.complexity_score)
            self._rank[rows] = np.arange(len(rows))
        self._batch, self._said = 0, settings.initial_complexity_percentile

    def started(self) -> list[Event]:
        """See `Sampling`."""
        settings, tag = self._settings, self._settings.tag
        first, last = settings.percentiles
        text = (
            f"{tag} Complexity curriculum for {settings.named}\n"
            f"{tag} Progress: {first:g}% → {last:g}% over "
            f"{settings.complexity_warmup_steps} updates"
        )
        return [*super().started(), Event("start", text, {"percentile": self._percentile})]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        self._batch = batch
        opened = self._opened()

        def unlocked(rows: Integers) -> Mask:
            is_open = self._rank[rows] < opened[self._prompts.source[rows]]
            return np.asarray(allowed(rows) & is_open)

        return super().draw(count, unlocked, batch)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        events, percentile = super().observe(observations), self._percentile
        final = percentile == self._settings.final_complexity_percentile != self._said
        if percentile // SAID_EVERY > self._said // SAID_EVERY or final:
            self._said = percentile
            total = int(self._mix.sizes[self._sources].sum())
            text = (
                f"{self._settings.tag} Complexity: {percentile:.0f}% ({self._samples}/{total} "
                "items)"
            )
            events.append(Event("complexity", text, self.metrics()))
        return events

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        own = {"percentile": self._percentile, "samples": float(self._samples)}
        return super().metrics() | own

    @property
    def _percentile(self) -> float:
        return self._settings.percentile(self._batch)

    @property
    def _samples(self) -> int:
        return int(self._opened()[self._sources].sum())

    def _opened(self) -> Integers:
        """(S,) how many prompts of each source are drawn from."""
        some = np.maximum(np.round(self._mix.sizes * self._percentile / 100), 1)
        return np.asarray(some, np.int64)
