"""Choosing by a score of each prompt's posterior, without looking at every prompt."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, Positive, Sampler, Sampling, Share, Weight
from curriculum.samplers.parts.beta_posterior import BetaPosterior, Evidence
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.state import State


@dataclass(frozen=True, kw_only=True)
class PosteriorTopK(Sampler):
    """The highest scores among the next prompts of an epoch, `candidates` for each one drawn.

    Every prompt is a candidate once a pass. A subclass says what the score is.
    """

    candidates: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 4.0
    prior: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    trust: Share = 1.0
    discount: Share = 1.0
    half_life: Positive | None = 100.0
    drift: Weight = 0.05

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        epoch = EpochShuffle(np.arange(len(prompts)), rng)
        return PosteriorTopKSampling(self, rng, epoch, self.posterior(prompts, batch_size))

    def posterior(self, prompts: Prompts, batch_size: float) -> BetaPosterior:
        """Of each prompt's pass rate, to begin with."""
        return BetaPosterior(prompts, self.evidence, batch_size)

    @property
    def evidence(self) -> Evidence:
        """What is believed at first, and for how long."""
        prior = None if self.prior is None else (self.prior[0], self.prior[1])
        return Evidence(
            prior=prior,
            trust=self.trust,
            discount=self.discount,
            half_life=self.half_life,
            drift=self.drift,
        )

    @abstractmethod
    def score(self, a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        """(C,) of candidates whose pass rates are Beta(a, b)."""
        ...


@dataclass
class PosteriorTopKSampling(Sampling):
    """See `PosteriorTopK`."""

    settings: PosteriorTopK
    rng: np.random.Generator
    epoch: State[EpochShuffle]
    posterior: State[BetaPosterior]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        wanted = max(round(self.settings.candidates * count), count)
        candidates = self.epoch.draw(wanted, allowed)
        if len(candidates) <= count:
            return candidates
        score = self.settings.score(*self.posterior.parameters(candidates), self.rng)
        return np.asarray(candidates[np.argsort(-score, kind="stable")[:count]])

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        self.posterior.observe(observations)
        return []

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        return self.posterior.metrics()
