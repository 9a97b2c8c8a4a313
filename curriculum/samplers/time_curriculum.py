"""`sampler=time_curriculum`: the easiest prompts first, linearly more over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.multi_source import MultiSource
from curriculum.samplers.parts.complexity import (
    curriculum_sources,
    easiest_first,
    require_percentiles,
)

SAID_EVERY = 10  # percent


@dataclass(kw_only=True)
class TimeCurriculum(MultiSource):
    """The easiest X % of a source, X growing with every batch drawn.

    Its clock is batches, not feedback, which may be late or missing.

    Source: TimeCurriculumSampler of verl_extensions 0.3.0, there once CurriculumMultiSourceSampler.
    """

    complexity_source: str | None
    complexity_score: str | None
    initial_complexity_percentile: float
    final_complexity_percentile: float
    complexity_warmup_steps: int
    starves_none: ClassVar = False
    _rank: Integers = field(init=False, repr=False)  # (P,) in its source; -1: no curriculum there
    _open: Integers = field(init=False, repr=False)  # (S,) how many prompts are drawn from
    _sources: list[int] = field(init=False, repr=False)
    _prompts: Prompts = field(init=False, repr=False)
    _batch: int = field(init=False, repr=False)
    _said: float = field(init=False, repr=False)  # percent

    def __post_init__(self) -> None:
        super().__post_init__()
        require_percentiles(self.initial_complexity_percentile, self.final_complexity_percentile)
        if self.complexity_warmup_steps < 0:
            raise UserError("sampler.complexity_warmup_steps: 0 or more")

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        events = super().start(prompts, batch_size, rng)
        self._sources = curriculum_sources(prompts, self.complexity_source)
        self._rank = np.full(len(prompts), -1)
        for source in self._sources:
            rows = easiest_first(prompts, source, self.complexity_score)
            self._rank[rows] = np.arange(len(rows))
        self._prompts, self._batch = prompts, 0
        self._said = self.initial_complexity_percentile
        self._unlock()
        named = "every source" if self.complexity_source is None else f"'{self.complexity_source}'"
        text = (
            f"{self._tag} Complexity curriculum for {named}\n"
            f"{self._tag} Progress: {self.initial_complexity_percentile:g}% → "
            f"{self.final_complexity_percentile:g}% over {self.complexity_warmup_steps} updates"
        )
        return [*events, Event("start", text, {"percentile": self._percentile})]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""

        def unlocked(prompts: Integers) -> Mask:
            opened = self._rank[prompts] < self._open[self._prompts.source[prompts]]
            return np.asarray(allowed(prompts) & opened)

        self._batch = batch
        self._unlock()
        return super().draw(count, unlocked, batch)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        events, percentile = super().observe(observations), self._percentile
        final = percentile == self.final_complexity_percentile != self._said
        if percentile // SAID_EVERY > self._said // SAID_EVERY or final:
            self._said = percentile
            total = sum(int(self._mix.sizes[each]) for each in self._sources)
            text = f"{self._tag} Complexity: {percentile:.0f}% ({self._samples}/{total} items)"
            events.append(Event("complexity", text, self.metrics()))
        return events

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return super().state_dict() | {"batch": self._batch, "said": self._said}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        super().load_state_dict(state)
        self._batch, self._said = state["batch"], state["said"]
        self._unlock()

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        own = {"percentile": self._percentile, "samples": float(self._samples)}
        return super().metrics() | own

    @property
    def _percentile(self) -> float:
        steps = self.complexity_warmup_steps
        done = min(self._batch / steps, 1.0) if steps else 1.0
        first, last = self.initial_complexity_percentile, self.final_complexity_percentile
        return first + (last - first) * done

    @property
    def _samples(self) -> int:
        return int(self._open[self._sources].sum())

    def _unlock(self) -> None:
        some = np.maximum(np.round(self._mix.sizes * self._percentile / 100), 1)
        self._open = some.astype(np.int64)
