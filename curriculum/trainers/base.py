"""What a trainer is given, and what it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from curriculum.core.prompts import Event, Mask, Prompts
from curriculum.core.records import Floats, Sample
from curriculum.samplers import Curriculum, Guards, Sampler
from curriculum.samplers.base import AtLeastOne

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long a training is, the same for every trainer."""

    steps: AtLeastOne = 200  # batches
    batch_size: AtLeastOne = 64  # prompts
    group_size: AtLeastOne = 8  # rollouts of each

    def fitting(self, prompts: int) -> Schedule:
        """The same, where there are fewer prompts than a batch with batches of all of them."""
        if prompts < self.batch_size:
            log.warning(
                "trainer.batch_size=%d, but there are only %d prompts: each batch is all of them, "
                "so samplers can't differ",
                self.batch_size,
                prompts,
            )
        return replace(self, batch_size=min(self.batch_size, prompts))


@dataclass(frozen=True)
class Tasks:
    """What prompts ask, and how answers are scored."""

    asked: Callable[[Prompts], list[Sample]]  # each prompt with an empty response
    score: Callable[[Sequence[Sample]], list[float]]  # NaN: no reward could be had
    passes: Callable[[Floats], Mask]  # which rewards pass
    held_out: Prompts  # not to train on


@dataclass(frozen=True)
class Training:
    """In what order prompts are seen, for how long, and what they ask."""

    sampler: Sampler
    option: str  # the sampler's, in the configuration
    guards: Guards
    schedule: Schedule
    seed: int
    threshold: float  # reward from which a rollout passes
    strict: bool  # whether it must be above the threshold, not at it
    files: Sequence[Path]  # that the layouts wrote
    tasks: Callable[[], AbstractContextManager[Tasks]]  # for those that train something

    def curriculum(self, prompts: Prompts) -> Curriculum:
        """The sampler within its guards, begun anew."""
        rng = np.random.default_rng([self.seed, 0])
        size, group_size = self.schedule.batch_size, self.schedule.group_size
        return Curriculum(self.sampler, prompts, size, self.guards, rng, group_size)


class Log(Protocol):
    """Where a trainer tells how it goes; steps are counted from 1, 0 is before the first."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        ...

    def event(self, step: int, event: Event) -> None:
        """Something that a sampler did."""
        ...


class Trainer(Protocol):
    """A frozen dataclass whose fields are its settings."""

    files: ClassVar[tuple[str, ...]]  # that it and its log may leave in a run's folder
    layouts: ClassVar[tuple[str, ...]] = ()  # whose files it reads, beside those of the convention
    holds_out: ClassVar[bool] = False  # whether it measures on problems that it is not to train on
    needs_measured: ClassVar[bool] = True  # whether prompts must have been measured beforehand

    def sources_named(self) -> dict[str, list[str]]:
        """Data sources that settings name, by setting: one that is not there is an early error."""
        return {}

    def with_model(self, find: Callable[[str], str]) -> Self:
        """The same, with a model's name replaced by what `find` says it is; where it trains one."""
        return self

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """Train on the prompts and leave files; what result.json says of it."""
        ...

    def show(self, results: dict[str, Any], written: Sequence[Path]) -> None:
        """Print what came of it, and the files that are there now."""
        ...
