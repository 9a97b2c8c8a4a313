"""`sampler=easy_to_hard`: shares of the buckets that move from easy to hard by a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, AtLeastOne, Positive, Sampler, Sampling
from curriculum.samplers.parts.stratified import Stratified
from curriculum.samplers.state import State


@dataclass(frozen=True)
class EasyToHard(Sampler):
    """Buckets in shares of a schedule over `steps` batches; it learns nothing.

    classic: one bucket after another. balanced: all alike. cosine: from shares falling with
    difficulty to shares rising with it, none below 2 / (K (K + 1)) of K buckets. gaussian: around
    a bucket that moves with (share of the steps done) ** mean_exponent, none below
    2 / (K (K + 1)) if `smallest`.

    Source: E2H (arXiv 2506.06632), src/trainer.py. There, a bucket's prompts are not shuffled anew
    after a pass.
    """

    schedule: Literal["cosine", "gaussian", "balanced", "classic"] = "cosine"
    steps: AtLeastOne = 200
    mean_exponent: Positive = 0.5
    sigma: Positive = 0.5
    smallest: bool = True

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        buckets = np.unique(prompts.bucket)  # those with prompts, easy to hard
        names = [prompts.buckets[bucket] for bucket in buckets]
        groups = [np.flatnonzero(prompts.bucket == bucket) for bucket in buckets]
        return EasyToHardSampling(self, names, Stratified(groups, rng))

    def shares(self, batch: int, levels: int) -> Floats:
        """(K,) of K levels, easy to hard, in a batch (from 0)."""
        done = min(batch / self.steps, 1.0)
        level = np.arange(levels)
        triangle = levels * (levels + 1) / 2
        if self.schedule == "balanced":
            return np.full(levels, 1 / levels)
        if self.schedule == "classic":
            return np.asarray(level == min(int(done * levels), levels - 1), np.float64)
        if self.schedule == "cosine":
            early = 0.5 * (1 + np.cos(np.pi * done))
            shares = early * (levels - level) / triangle + (1 - early) * (level + 1) / triangle
            shares = np.maximum(shares, 1 / triangle)
            return np.asarray(shares / shares.sum())
        middle = done**self.mean_exponent * (levels - 1)
        bell = np.exp(-((level - middle) ** 2) / (2 * self.sigma**2))
        least = 1 / triangle if self.smallest else 0.0
        return np.asarray(least + (1 - levels * least) * bell / bell.sum())


@dataclass
class EasyToHardSampling(Sampling):
    """See `EasyToHard`."""

    settings: EasyToHard
    names: list[str]
    groups: State[Stratified]
    batch: State[int] = 0

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        self.batch = batch
        return self.groups.draw(count, self._shares(), allowed)

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        shares = zip(self.names, self._shares().tolist(), strict=True)
        return {f"bucket/{name}/weight": share for name, share in shares}

    def _shares(self) -> Floats:
        return self.settings.shares(self.batch, len(self.names))
