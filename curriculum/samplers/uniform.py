"""`sampler=uniform`: all prompts alike, the control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import Deck


@dataclass
class Uniform:
    """Every prompt once in shuffled order, then again in another; learns nothing.

    What trainers do without a curriculum, so what any curriculum is to be compared to.
    """

    starves_none: ClassVar = True
    _deck: Deck = field(init=False, repr=False)

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck = Deck(np.arange(len(prompts)), rng)
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""
        return self._deck.draw(count, allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"deck": self._deck.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._deck.load_state_dict(state["deck"])

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return {}
