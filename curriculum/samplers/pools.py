"""`sampler=pools`: prompts in pools by their last group, each pool drawn from at its own rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import Deck
from curriculum.samplers.parts.rejection import thinned

NAMES = ("hard", "normal", "easy", "unseen")
HARD, NORMAL, EASY, UNSEEN = range(4)


@dataclass
class Pools:
    """Hard, normal, easy and unseen prompts, by the pass rate of each prompt's last group.

    A prompt is drawn as often as its pool's weight says, against the largest weight. It changes
    pools with every group, in both directions. A measured prompt begins in the pool of its measured
    pass rate.

    Source: DifficultyPoolSampler of prime-rl (2026-08), and its numbers. Its buffer before that had
    pools without a way back, which drained (prime-rl#2667).
    """

    hard_to: float
    normal_to: float
    weights: dict[str, float]
    _deck: Deck = field(init=False, repr=False)
    _pool: Integers = field(init=False, repr=False)  # (P,)
    _chance: Floats = field(init=False, repr=False)  # of each pool
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.hard_to <= self.normal_to <= 1:
            raise UserError("sampler.hard_to, normal_to: pass rates, the first the lower")
        if set(self.weights) != set(NAMES) or not min(self.weights.values()) >= 0:
            raise UserError(f"sampler.weights: one of 0 or more for each of {', '.join(NAMES)}")
        if not max(self.weights.values()) > 0:
            raise UserError("sampler.weights: not all of them 0")

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck, self._rng = Deck(np.arange(len(prompts)), rng), rng
        weights = np.array([self.weights[name] for name in NAMES])
        self._chance = weights / weights.max()
        seen = prompts.n > 0
        pool = self._pool_of(prompts.c / np.maximum(prompts.n, 1))
        self._pool = np.where(seen, pool, UNSEEN).astype(np.int8)
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""

        def chance(rows: Integers) -> Floats:
            return self._chance[self._pool[rows]]

        return thinned(self._deck, count, allowed, chance, self._rng)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        self._pool[observations.prompt] = self._pool_of(observations.passed / observations.n)
        return []

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"deck": self._deck.state_dict(), "pool": self._pool.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._deck.load_state_dict(state["deck"])
        self._pool = np.array(state["pool"], np.int8)

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        sizes = np.bincount(self._pool, minlength=len(NAMES))
        return {f"pool/{name}": float(size) for name, size in zip(NAMES, sizes, strict=True)}

    def _pool_of(self, rate: Floats) -> Integers:
        above_hard = reaches(rate, self.hard_to, strict=True)
        above_normal = reaches(rate, self.normal_to, strict=True)
        return np.where(above_normal, EASY, np.where(above_hard, NORMAL, HARD))
