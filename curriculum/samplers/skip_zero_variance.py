"""`sampler=skip_zero_variance`: passes over prompts whose last groups had no gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.base import Allowed, Sampler, Sampling, Share, Weight
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.parts.rejection import draw_by_rejection
from curriculum.samplers.state import State


@dataclass(frozen=True)
class SkipZeroVariance(Sampler):
    """The more groups in a row a prompt was solved always, or never, the likelier it is skipped.

    After n such groups it is drawn with the chance max(p ** n, least). p, one for easy and one for
    hard, moves by `step` a batch: down where more groups than the target share were all solved (or
    all failed), up where fewer were. A measured prompt that was always or never solved begins with
    n = 1.

    Source: GRESO (arXiv 2506.02177), presampling_selector.py; its p start over on resume, and its
    first epoch is spent on finding out what is measured here.
    """

    easy_from: Share = 0.98
    hard_to: Share = 0.11
    chance: Share = 0.5
    least: Share = 0.01
    step: Weight = 0.01
    lowest: Share = 0.05
    highest: Share = 0.95
    target_zero_variance: Share = 0.25
    target_easy_part: Share = 0.3333

    def __post_init__(self) -> None:
        if self.hard_to >= self.easy_from:
            raise UserError(
                f"sampler.hard_to={self.hard_to}: below sampler.easy_from={self.easy_from}"
            )
        if not 0 < self.least <= self.lowest <= self.chance <= self.highest:
            raise UserError(
                "sampler.least, lowest, chance, highest: chances above 0, in this order"
            )

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return SkipZeroVarianceSampling(self, prompts, batch_size, rng)


class SkipZeroVarianceSampling(Sampling):
    """See `SkipZeroVariance`."""

    _epoch: State[EpochShuffle]
    _easy: State[Integers]  # (P,) groups in a row that were all right
    _hard: State[Integers]  # (P,) or all wrong
    _p_easy: State[float]
    _p_hard: State[float]

    def __init__(
        self,
        settings: SkipZeroVariance,
        prompts: Prompts,
        batch_size: float,
        rng: np.random.Generator,
    ) -> None:
        self._settings, self._batch_size, self._rng = settings, batch_size, rng
        self._epoch = EpochShuffle(np.arange(len(prompts)), rng)
        easy, hard = self._easy_and_hard(prompts.c / np.maximum(prompts.n, 1))
        self._easy = ((prompts.n > 0) & easy).astype(np.int64)
        self._hard = ((prompts.n > 0) & hard).astype(np.int64)
        self._p_easy = self._p_hard = settings.chance

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""

        def chance(rows: Integers) -> Floats:
            kept = self._p_easy ** self._easy[rows] * self._p_hard ** self._hard[rows]
            return np.maximum(kept, self._settings.least)

        return draw_by_rejection(self._epoch, count, allowed, chance, self._rng)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        rows = observations.prompt
        easy, hard = self._easy_and_hard(observations.passed / observations.n)
        self._easy[rows] = np.where(easy, self._easy[rows] + 1, 0)
        self._hard[rows] = np.where(hard, self._hard[rows] + 1, 0)
        step = self._settings.step * len(observations) / self._batch_size
        part = self._settings.target_easy_part
        self._p_easy = self._moved(self._p_easy, float(easy.mean()), part, step)
        self._p_hard = self._moved(self._p_hard, float(hard.mean()), 1 - part, step)
        return []

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        return {"p_easy": self._p_easy, "p_hard": self._p_hard}

    def _easy_and_hard(self, rate: Floats) -> tuple[Mask, Mask]:
        easy = reaches(rate, self._settings.easy_from, strict=False)
        return easy, ~reaches(rate, self._settings.hard_to, strict=True)

    def _moved(self, chance: float, share: float, part: float, step: float) -> float:
        settings = self._settings
        too_many = share >= settings.target_zero_variance * part
        moved = chance + (-step if too_many else step)
        return float(np.clip(moved, settings.lowest, settings.highest))
