"""`sampler=thompson`: prompts whose pass rate, drawn from what is known of it, is near a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.errors import UserError
from curriculum.records import Floats, Integers
from curriculum.samplers.base import Allowed, Event, Observations, Prompts
from curriculum.samplers.best import best_of
from curriculum.samplers.deck import Deck
from curriculum.samplers.posterior import Posterior, require_belief
from curriculum.samplers.references import InterpolatedPosterior


@dataclass
class Thompson:
    """Thompson sampling: what is uncertain is tried now and then, so that it gets known.

    Of some candidates, those whose pass rate, drawn from its Beta posterior, is nearest the target.
    The posteriors begin with the rollouts that were measured; a prompt without any has the prior.

    Source: MoPPS (arXiv 2507.04632), "topk". With the references, two fields of extra_info that
    hold the pass rates of a weak and a strong model, the evidence is that of BOTS.
    """

    target: float
    candidates: float
    prior: list[float]
    trust: float
    discount: float
    references: list[str] | None
    pseudo_weight: float
    momentum: float
    _deck: Deck = field(init=False, repr=False)
    _posterior: Posterior = field(init=False, repr=False)
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_belief(self.prior, self.trust, self.discount, self.candidates)
        if not 0 <= self.target <= 1 or not 0 <= self.pseudo_weight <= 1:
            raise UserError("sampler.target, pseudo_weight: 0 to 1")
        if not 0 <= self.momentum < 1:
            raise UserError("sampler.momentum: 0 or more, below 1")
        if self.references is not None and self.discount == 1:
            raise UserError(
                "sampler.references add evidence with every batch: forget some, like "
                "sampler.discount=0.8, BOTS' own"
            )
        if self.references is not None and len(self.references) != 2:
            raise UserError(
                f"sampler.references={self.references}: two fields of extra_info, the pass rates "
                "of a weak and of a strong model, [weak,strong]"
            )

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck, self._rng = Deck(np.arange(len(prompts)), rng), rng
        a0, b0 = self.prior
        self._posterior = Posterior(prompts, (a0, b0), self.trust, self.discount)
        if self.references is not None:
            every = np.arange(len(prompts))
            weak, strong = (prompts.extra(name, every) for name in self.references)
            self._posterior = InterpolatedPosterior(
                prompts,
                (a0, b0),
                self.trust,
                (weak, strong),
                1 - self.discount,
                self.pseudo_weight,
                self.momentum,
                batch_size,
            )
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""

        def nearness(rows: Integers) -> Floats:
            a, b = self._posterior.parameters(rows)
            return -np.abs(self._rng.beta(a, b) - self.target)

        return best_of(self._deck, count, self.candidates, allowed, nearness)

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
        between = getattr(self._posterior, "between", np.nan)
        return {} if np.isnan(between) else {"between_references": float(between)}
