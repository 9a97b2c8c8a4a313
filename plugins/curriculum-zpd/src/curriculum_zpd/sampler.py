"""Draw a prompt as often as its groups carry a gradient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import Deck
from curriculum.samplers.parts.rejection import thinned
from curriculum_zpd.metric import gradient_share


@dataclass
class Zone:
    """Passes over a prompt as often as a group of it would carry no gradient.

    The pass rates are those measured, then moving averages of what comes back.
    """

    group_size: int = 8
    alpha: float = 0.5  # weight of a new group
    _deck: Deck = field(init=False, repr=False)
    _rate: Floats = field(init=False, repr=False)
    _rng: np.random.Generator = field(init=False, repr=False)

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck, self._rate, self._rng = (
            Deck(np.arange(len(prompts)), rng),
            prompts.pass_rate,
            rng,
        )
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""

        def chance(rows: Integers) -> Floats:
            return gradient_share(self._rate[rows], self.group_size)

        return thinned(self._deck, count, allowed, chance, self._rng)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        rows, rate = observations.prompt, observations.passed / observations.n
        self._rate[rows] += self.alpha * (rate - self._rate[rows])
        return []

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"deck": self._deck.state_dict(), "rate": self._rate.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._deck.load_state_dict(state["deck"])
        self._rate = np.array(state["rate"])

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return {"gradient_share": float(gradient_share(self._rate, self.group_size).mean())}
