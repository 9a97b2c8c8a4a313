"""What a sampler is: it says which prompts come next, and learns from the rewards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar, Protocol

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.state import Stateful

Allowed = Callable[[Integers], Mask]  # which of some prompts may be drawn now

# Ranges of settings.
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=1)]  # how fast an average moves: the weight of a batch
AtLeastOne = Annotated[int, Field(ge=1)]


class Sampler(Protocol):
    """The settings of a sampler: a frozen dataclass. What changes while it runs is a `Sampling`."""

    # Whether, of the sources it draws from, it comes to every prompt by itself: then the floor
    # leaves its batches alone.
    starves_none: ClassVar[bool] = False
    # Whether it says itself how much of a batch each source gets: else each keeps its share.
    mixes_sources: ClassVar[bool] = False

    def sources_named(self) -> dict[str, list[str]]:
        """Data sources that settings name, by setting: one that is not there is an early error."""
        return {}

    @abstractmethod
    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """Begin, from what was measured.

        Args:
            batch_size: prompts drawn of these a batch, on average where there are quotas.
            group_size: rollouts of each. At a pass rate p, a group has a gradient with probability
                1 - p ** group_size - (1 - p) ** group_size.
            rng: where all randomness comes from. The curriculum saves its state.

        Raises:
            UserError: where the settings don't fit the prompts.
        """
        ...


class Sampling(Stateful, ABC):
    """A sampler at work; no torch, no I/O, no trainer.

    A `Curriculum` drives it and keeps it within the guards. What it learns stands in attributes
    annotated as `State[...]` (see `Stateful`), so that a run can be resumed exactly.
    """

    @abstractmethod
    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """At most `count` different prompts, all of them allowed; fewer only if there are no more.

        Called once for each batch; again for the rest of it where it gave fewer, with more allowed.

        Args:
            batch: its number, from 0.
        """

    def observe(self, observations: Observations) -> list[Event]:
        """Learn from what came back, whenever and in whatever parts it does."""
        return []

    def started(self) -> list[Event]:
        """What to say of the beginning."""
        return []

    def metrics(self) -> dict[str, float]:
        """Numbers to follow, with names relative to the sampler."""
        return {}
