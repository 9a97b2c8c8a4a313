"""`sampler=target_difficulty`: prompts near a difficulty that rises and falls with the reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed, Positive, Sampler, Sampling, Share
from curriculum.samplers.state import State

HARDEST = 100.0


@dataclass(frozen=True)
class TargetDifficulty(Sampler):
    """Prompts whose difficulty is nearest a moving target T; 100 (1 - p), p the mean of the
    measured pass rate under Jeffreys' prior, is a prompt's difficulty.

    After each batch T <- clip(T + step tanh(sensitivity (R - target_reward)), 0, 100), where R is
    the share of rollouts that pass. A prompt that was never measured counts as 50.

    Source: AdaRFT (arXiv 2504.05520), custom_sampler.py. There, T is not saved, R includes
    penalties, and while T stays, each batch is the same prompts again; here a batch is drawn from
    the `nearest` times as many, and T moves by the feedback that came, however late.
    """

    start_at: Annotated[float, Field(ge=0, le=HARDEST)] = 0.0
    step: Positive = 50.0
    sensitivity: Positive = 2.0
    target_reward: Share = 0.5
    nearest: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 4.0

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return TargetDifficultySampling(self, prompts, batch_size, rng)


class TargetDifficultySampling(Sampling):
    """See `TargetDifficulty`."""

    _target: State[float]

    def __init__(
        self,
        settings: TargetDifficulty,
        prompts: Prompts,
        batch_size: float,
        rng: np.random.Generator,
    ) -> None:
        self._settings, self._batch_size, self._rng = settings, batch_size, rng
        difficulty = HARDEST * (1 - prompts.pass_rate)
        self._order = np.argsort(difficulty, kind="stable")  # (P,) rows, easiest first
        self._difficulty = difficulty[self._order]  # (P,) ascending
        self._target = settings.start_at

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        wanted = max(round(self._settings.nearest * count), count)
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

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        settings = self._settings
        reward = observations.passed.sum() / observations.n.sum()
        batches = len(observations) / self._batch_size
        push = np.tanh(settings.sensitivity * (reward - settings.target_reward))
        self._target = float(np.clip(self._target + batches * settings.step * push, 0, HARDEST))
        return []

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        return {"target_difficulty": self._target}

    def _middle(self) -> int:
        """A place of the difficulty that is nearest the target, of equal ones any."""
        place = int(np.searchsorted(self._difficulty, self._target))
        beside = self._difficulty[max(place - 1, 0) : place + 1]
        nearest = beside[np.argmin(np.abs(beside - self._target))]
        first = np.searchsorted(self._difficulty, nearest)
        last = np.searchsorted(self._difficulty, nearest, side="right")
        return int(self._rng.integers(first, last))
