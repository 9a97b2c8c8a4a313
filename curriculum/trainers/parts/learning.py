"""The learning model of a dry run: a guess at what training does to pass rates, stated in full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.posterior import JEFFREYS
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers


@dataclass(frozen=True)
class Pace:
    """How fast, and how far beyond what it trains on, the simulated model learns."""

    learning_rate: float
    bucket_transfer: float
    source_transfer: float


class SimulatedModel:
    """P prompts whose pass rates rise as groups with a gradient are trained on.

    In the beginning, a prompt's rate is a draw from Beta(c + 1/2, n - c + 1/2), what its n measured
    rollouts with c passes leave open. Its logit rises by the skill of its bucket and source. A
    batch of B groups, m of which have both passes and failures, adds learning_rate m / B to the
    skills of these m groups' own buckets and sources, bucket_transfer ** d of that to buckets d
    away, and source_transfer of either to the other sources. Groups without a gradient teach
    nothing. Nothing is forgotten, and there is no noise but the rollouts' own.
    """

    def __init__(self, prompts: Prompts, pace: Pace, rng: np.random.Generator) -> None:
        shape = (len(prompts.buckets), len(prompts.sources))
        rate = rng.beta(prompts.c + JEFFREYS[0], prompts.n - prompts.c + JEFFREYS[1])
        rate = np.clip(rate, 1e-6, 1 - 1e-6)
        self._logit = np.log(rate / (1 - rate))
        self._cell = prompts.bucket * shape[1] + prompts.source
        self._rate = pace.learning_rate
        away = np.abs(np.subtract.outer(np.arange(shape[0]), np.arange(shape[0])))
        self._over_buckets = pace.bucket_transfer ** away.astype(np.float64)
        own = np.eye(shape[1])
        self._over_sources = own + pace.source_transfer * (1 - own)
        self._skill = np.zeros(shape)
        self._rng = rng

    def roll_out(self, prompts: Integers, group_size: int) -> Integers:
        """(B,) passes in a group of each prompt."""
        return self._rng.binomial(group_size, self.pass_rates(prompts))

    def learn(self, prompts: Integers, passes: Integers, group_size: int) -> None:
        """Train on a batch's groups."""
        mixed = (passes > 0) & (passes < group_size)
        groups = np.bincount(self._cell[prompts[mixed]], minlength=self._skill.size)
        share = groups.reshape(self._skill.shape) / len(prompts)
        self._skill += self._rate * self._over_buckets @ share @ self._over_sources

    def pass_rates(self, prompts: Integers | slice = slice(None)) -> Floats:
        """Of some prompts, or all."""
        skill = self._skill.ravel()[self._cell[prompts]]
        return np.asarray(1 / (1 + np.exp(-self._logit[prompts] - skill)))
