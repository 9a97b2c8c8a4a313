"""What a trainer is given, and what it is."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from curriculum.core.prompts import Event, Prompts
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
class Training:
    """In what order prompts are seen, and for how long."""

    sampler: Sampler
    option: str  # the sampler's, in the configuration
    guards: Guards
    schedule: Schedule
    seed: int

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

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """Train on the prompts and leave files; what result.json says of it."""
        ...

    def show(self, results: dict[str, Any], written: Sequence[Path]) -> None:
        """Print what came of it, and the files that are there now."""
        ...
