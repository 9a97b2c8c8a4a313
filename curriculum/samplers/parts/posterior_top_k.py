"""Choosing by a score of each prompt's posterior, without looking at every prompt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.beta_posterior import Posterior
from curriculum.samplers.parts.epoch_shuffle import Deck


@dataclass(kw_only=True)
class BestByPosterior(ABC):
    """The highest scores among the next prompts of a deck, `candidates` for each one drawn.

    Every prompt is a candidate once a pass. A subclass says what the score is.
    """

    candidates: float
    prior: list[float]
    trust: float
    discount: float
    _deck: Deck = field(init=False, repr=False)
    _posterior: Posterior = field(init=False, repr=False)
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.prior) != 2 or not min(self.prior) > 0:
            raise UserError(f"sampler.prior={self.prior}: two numbers above 0, like [1,1]")
        if not 0 <= self.trust <= 1:
            raise UserError(f"sampler.trust={self.trust}: 0 to 1")
        if not 0 <= self.discount <= 1:
            raise UserError(f"sampler.discount={self.discount}: 0 to 1")
        if not 1 <= self.candidates < np.inf:
            raise UserError(f"sampler.candidates={self.candidates}: 1 or more for each one drawn")

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck, self._rng = Deck(np.arange(len(prompts)), rng), rng
        self._posterior = self._begun(prompts, batch_size)
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""
        candidates = self._deck.draw(max(round(self.candidates * count), count), allowed)
        if len(candidates) <= count:
            return candidates
        score = self._score(*self._posterior.parameters(candidates))
        return np.asarray(candidates[np.argsort(-score, kind="stable")[:count]])

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

    def _begun(self, prompts: Prompts, batch_size: float) -> Posterior:
        a0, b0 = self.prior
        return Posterior(prompts, (a0, b0), self.trust, self.discount)

    @abstractmethod
    def _score(self, a: Floats, b: Floats) -> Floats:
        """(C,) of candidates whose pass rates are Beta(a, b)."""
