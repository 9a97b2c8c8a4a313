"""`sampler=learnability`: prompts that are sometimes solved and sometimes not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.records import Floats, Integers
from curriculum.samplers.base import Allowed, Event, Observations, Prompts
from curriculum.samplers.best import best_of
from curriculum.samplers.deck import Deck
from curriculum.samplers.posterior import Posterior, require_belief


@dataclass
class Learnability:
    """Of some candidates, those with the highest expected p (1 - p), p being the pass rate.

    Under Beta(a, b) that is a b / ((a + b) (a + b + 1)). To first order, the expected improvement
    of a policy gradient step is proportional to it.

    Source: LILO (arXiv 2502.12272), which estimates p anew from a few rollouts of each candidate;
    here it is the posterior that begins with what was measured, so no rollout is spent on it.
    """

    candidates: float
    prior: list[float]
    trust: float
    discount: float
    _deck: Deck = field(init=False, repr=False)
    _posterior: Posterior = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_belief(self.prior, self.trust, self.discount, self.candidates)

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck = Deck(np.arange(len(prompts)), rng)
        a0, b0 = self.prior
        self._posterior = Posterior(prompts, (a0, b0), self.trust, self.discount)
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""

        def learnability(rows: Integers) -> Floats:
            a, b = self._posterior.parameters(rows)
            return np.asarray(a * b / ((a + b) * (a + b + 1)))

        return best_of(self._deck, count, self.candidates, allowed, learnability)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        self._posterior.observe(observations)
        return []

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"deck": self._deck.state_dict(), "posterior": self._posterior.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._deck.load_state_dict(state["deck"])
        self._posterior.load_state_dict(state["posterior"])

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return {}
