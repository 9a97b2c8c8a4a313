"""`sampler=pools`: prompts in pools by their last group, each pool drawn from at its own rate."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.base import Allowed, Sampler, Sampling, Share, Weight
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.parts.rejection import draw_by_rejection
from curriculum.samplers.state import State

NAMES = ("hard", "normal", "easy", "unseen")
HARD, NORMAL, EASY, UNSEEN = range(4)


@dataclass(frozen=True)
class Pools(Sampler):
    """Hard, normal, easy and unseen prompts, by the pass rate of each prompt's last group.

    A prompt is drawn as often as its pool's weight says, against the largest weight. It changes
    pools with every group, in both directions. A measured prompt begins in the pool of its measured
    pass rate.

    Source: DifficultyPoolSampler of prime-rl (2026-08), and its numbers. Its buffer before that had
    pools without a way back, which drained (prime-rl#2667).
    """

    hard_to: Share = 0.25
    normal_to: Share = 0.75
    weights: dict[str, Weight] = field(
        default_factory=lambda: {"hard": 0.2, "normal": 1.0, "easy": 0.2, "unseen": 1.0}
    )

    def __post_init__(self) -> None:
        if self.hard_to > self.normal_to:
            raise UserError(
                f"sampler.hard_to={self.hard_to}: not above sampler.normal_to={self.normal_to}"
            )
        if set(self.weights) != set(NAMES) or not max(self.weights.values()) > 0:
            raise UserError(
                f"sampler.weights={self.weights}: one for each of {', '.join(NAMES)}, not all 0"
            )

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        pool = self.pool_of(prompts.c / np.maximum(prompts.n, 1))
        pool = np.where(prompts.n > 0, pool, UNSEEN)
        epoch = EpochShuffle(np.arange(len(prompts)), rng)
        return PoolsSampling(self, rng, epoch, pool.astype(np.int8))

    def pool_of(self, rate: Floats) -> Integers:
        """Of a group with that pass rate."""
        above_hard = reaches(rate, self.hard_to, strict=True)
        above_normal = reaches(rate, self.normal_to, strict=True)
        return np.where(above_normal, EASY, np.where(above_hard, NORMAL, HARD))


@dataclass
class PoolsSampling(Sampling):
    """See `Pools`."""

    settings: Pools
    rng: np.random.Generator
    epoch: State[EpochShuffle]
    pool: State[npt.NDArray[np.int8]]  # (P,)

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        weights = np.array([self.settings.weights[name] for name in NAMES])
        chances = weights / weights.max()

        def chance(rows: Integers) -> Floats:
            return np.asarray(chances[self.pool[rows]])

        return draw_by_rejection(self.epoch, count, allowed, chance, self.rng)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        rate = observations.passed / observations.n
        self.pool[observations.prompt] = self.settings.pool_of(rate)
        return []

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        sizes = np.bincount(self.pool, minlength=len(NAMES))
        return {f"pool/{name}": float(size) for name, size in zip(NAMES, sizes, strict=True)}
