"""`sampler=target_difficulty`: prompts near a difficulty that rises and falls with the reward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed

HARDEST = 100.0


@dataclass
class TargetDifficulty:
    """Prompts whose difficulty is nearest a moving target T; 100 (1 - p), p the mean of the
    measured pass rate under Jeffreys' prior, is a prompt's difficulty.

    After each batch T <- clip(T + step tanh(sensitivity (R - target_reward)), 0, 100), where R is
    the share of rollouts that pass. A prompt that was never measured counts as 50.

    Source: AdaRFT (arXiv 2504.05520), custom_sampler.py. There, T is not saved, R includes
    penalties, and while T stays, each batch is the same prompts again; here a batch is drawn from
    the `nearest` times as many, and T moves by the feedback that came, however late.
    """

    start_at: float
    step: float
    sensitivity: float
    target_reward: float
    nearest: float
    _difficulty: Floats = field(init=False, repr=False)  # (P,) ascending
    _order: Integers = field(init=False, repr=False)  # (P,) rows in that order
    _target: float = field(init=False, repr=False)
    _batch_size: float = field(init=False, repr=False)
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.start_at <= HARDEST:
            raise UserError(f"sampler.start_at={self.start_at}: 0 to {HARDEST:g}")
        if not self.step > 0 or not self.sensitivity > 0 or not self.nearest >= 1:
            raise UserError("sampler.step, sensitivity: above 0; sampler.nearest: 1 or more")

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        difficulty = HARDEST * (1 - prompts.pass_rate)
        self._order = np.argsort(difficulty, kind="stable")
        self._difficulty = difficulty[self._order]
        self._target, self._batch_size, self._rng = self.start_at, batch_size, rng
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""
        wanted = max(round(self.nearest * count), count)
        middle, reach = self._middle(), wanted
        while True:
            first, last = max(middle - reach, 0), min(middle + reach, len(self._order))
            places = np.arange(first, last)[allowed(self._order[first:last])]
            if len(places) >= wanted or last - first == len(self._order):
                break
            reach *= 2
        places = self._rng.permutation(places)
        distance = np.abs(self._difficulty[places] - self._target)
        near = places[np.argsort(distance, kind="stable")[:wanted]]
        return np.asarray(self._order[self._rng.permutation(near)[:count]])

    def _middle(self) -> int:
        """A place of the difficulty that is nearest the target, of equal ones any."""
        place = int(np.searchsorted(self._difficulty, self._target))
        beside = self._difficulty[max(place - 1, 0) : place + 1]
        nearest = beside[np.argmin(np.abs(beside - self._target))]
        first = np.searchsorted(self._difficulty, nearest)
        last = np.searchsorted(self._difficulty, nearest, side="right")
        return int(self._rng.integers(first, last))

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        reward = observations.passed.sum() / observations.n.sum()
        batches = len(observations) / self._batch_size
        push = np.tanh(self.sensitivity * (reward - self.target_reward))
        self._target = float(np.clip(self._target + batches * self.step * push, 0, HARDEST))
        return []

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"target": self._target}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._target = state["target"]

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return {"target_difficulty": self._target}
