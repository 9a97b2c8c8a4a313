"""What a sampler is: it says which prompts come next, and learns from the rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Integers

Allowed = Callable[[Integers], Mask]  # which of some prompts may be drawn now


class Sampler(Protocol):
    """A dataclass whose fields are its knobs; no torch, no I/O, no trainer.

    A `Curriculum` drives it and keeps it within the rails. All randomness comes from the generator
    that `start` gets, whose state the curriculum saves: `state_dict` has the rest.
    """

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """Begin anew, from what was measured.

        Args:
            batch_size: prompts drawn of these a batch, on average where there are quotas.

        Raises:
            UserError: where the knobs don't fit the prompts.
        """
        ...

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """At most `count` different prompts, all of them allowed; fewer only if there are no more.

        Called once for each batch; again for the rest of it where it gave fewer, with more allowed.

        Args:
            batch: its number, from 0.
        """
        ...

    def observe(self, observations: Observations) -> list[Event]:
        """Learn from what came back, whenever and in whatever parts it does."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """JSON values and numpy arrays that `load_state_dict` needs, after `start`."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        ...

    def metrics(self) -> dict[str, float]:
        """Numbers to follow, with names relative to the sampler."""
        ...

    # A sampler may have `starves_none = True`: of the sources it draws from it comes to every
    # prompt by itself, and the floor leaves its batches alone.


def starves_none(sampler: Sampler) -> bool:
    """Whether a sampler needs no floor."""
    return bool(getattr(sampler, "starves_none", False))
