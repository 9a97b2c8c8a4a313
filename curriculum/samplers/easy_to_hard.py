"""`sampler=easy_to_hard`: shares of the buckets that move from easy to hard by a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.stratified import Strata

SCHEDULES = ("cosine", "gaussian", "balanced", "classic")


@dataclass
class EasyToHard:
    """Buckets in shares of a schedule over `steps` batches; it learns nothing.

    Source: E2H (arXiv 2506.06632), src/trainer.py. There, a bucket's prompts are not shuffled anew
    after a pass.
    """

    schedule: str
    steps: int
    mean_exponent: float
    sigma: float
    smallest: bool
    _strata: Strata = field(init=False, repr=False)
    _buckets: Integers = field(init=False, repr=False)  # those with prompts, easy to hard
    _names: list[str] = field(init=False, repr=False)
    _batch: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise UserError(f"sampler.schedule={self.schedule}: there are {', '.join(SCHEDULES)}")
        if self.steps < 1 or not self.mean_exponent > 0 or not self.sigma > 0:
            raise UserError("sampler.steps: 1 or more; sampler.mean_exponent, sigma: above 0")

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._buckets = np.unique(prompts.bucket)
        self._names = [prompts.buckets[each] for each in self._buckets]
        groups = [np.flatnonzero(prompts.bucket == each) for each in self._buckets]
        self._strata = Strata(groups, rng)
        self._batch = 0
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""
        self._batch = batch
        return self._strata.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"strata": self._strata.state_dict(), "batch": self._batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._strata.load_state_dict(state["strata"])
        self._batch = state["batch"]

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        shares = zip(self._names, self._shares().tolist(), strict=True)
        return {f"bucket/{name}/weight": share for name, share in shares}

    def _shares(self) -> Floats:
        done = min(self._batch / self.steps, 1.0)
        levels = len(self._buckets)
        smallest = self.smallest and self.schedule == "gaussian"
        return shares_at(self.schedule, done, levels, self.mean_exponent, self.sigma, smallest)


def shares_at(
    schedule: str, done: float, levels: int, mean_exponent: float, sigma: float, smallest: bool
) -> Floats:
    """(K,) shares of K levels, easy to hard, when `done` (0 to 1) of the training is over.

    classic: one level after another. balanced: all alike. cosine: from shares falling with
    difficulty to shares rising with it, none below 2 / (K (K + 1)). gaussian: around a level that
    moves with done ** mean_exponent, none below 2 / (K (K + 1)) if `smallest`.
    """
    level = np.arange(levels)
    triangle = levels * (levels + 1) / 2
    if schedule == "balanced":
        return np.full(levels, 1 / levels)
    if schedule == "classic":
        return np.asarray(level == min(int(done * levels), levels - 1), np.float64)
    if schedule == "cosine":
        early = 0.5 * (1 + np.cos(np.pi * done))
        shares = early * (levels - level) / triangle + (1 - early) * (level + 1) / triangle
        shares = np.maximum(shares, 1 / triangle)
        return np.asarray(shares / shares.sum())
    middle = done**mean_exponent * (levels - 1)
    bell = np.exp(-((level - middle) ** 2) / (2 * sigma**2))
    least = 1 / triangle if smallest else 0.0
    return np.asarray(least + (1 - levels * least) * bell / bell.sum())
