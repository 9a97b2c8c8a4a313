"""What a trainer is given, and what it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.samplers import Curriculum, Rails, Sampler
from curriculum.trackers import Tracker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long a training is, the same for every trainer."""

    steps: int  # batches
    batch_size: int  # prompts
    group_size: int  # rollouts of each

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise UserError(f"trainer.{name}={value}: 1 or more")

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
    """Prompts, and in what order they are seen."""

    prompts: Prompts
    sampler: Sampler
    option: str  # the sampler's, in the configuration
    rails: Rails
    schedule: Schedule
    seed: int

    def curriculum(self) -> Curriculum:
        """The sampler within its rails, begun anew."""
        rng = np.random.default_rng([self.seed, 0])
        size = self.schedule.batch_size
        return Curriculum(self.sampler, self.prompts, size, self.rails, rng)


class Trainer(Protocol):
    """A dataclass whose fields are its knobs."""

    files: ClassVar[tuple[str, ...]]  # that it and its tracker may leave in a run's folder

    def run(self, training: Training, tracker: Tracker, folder: Path) -> dict[str, Any]:
        """Train, tell the tracker how it goes, leave files; what result.json says of it."""
        ...

    def show(self, results: dict[str, Any], written: Sequence[Path]) -> None:
        """Print what came of it, and the files that are there now."""
        ...
