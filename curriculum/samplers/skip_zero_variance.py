"""`sampler=skip_zero_variance`: passes over prompts whose last groups had no gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import Deck
from curriculum.samplers.parts.rejection import thinned


@dataclass
class SkipZeroVariance:
    """The more groups in a row a prompt was solved always, or never, the likelier it is skipped.

    After n such groups it is drawn with the chance max(p ** n, least). p, one for easy and one for
    hard, moves by `step` a batch: down where more groups than the target share were all solved (or
    all failed), up where fewer were. A measured prompt that was always or never solved begins with
    n = 1.

    Source: GRESO (arXiv 2506.02177), presampling_selector.py; its p start over on resume, and its
    first epoch is spent on finding out what is measured here.
    """

    easy_from: float
    hard_to: float
    chance: float
    least: float
    step: float
    lowest: float
    highest: float
    target_zero_variance: float
    target_easy_part: float
    _deck: Deck = field(init=False, repr=False)
    _easy: Integers = field(init=False, repr=False)  # (P,) groups in a row
    _hard: Integers = field(init=False, repr=False)
    _p_easy: float = field(init=False, repr=False)
    _p_hard: float = field(init=False, repr=False)
    _batch_size: float = field(init=False, repr=False)
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shares = (self.easy_from, self.hard_to, self.target_zero_variance, self.target_easy_part)
        if not all(0 <= each <= 1 for each in shares) or self.hard_to >= self.easy_from:
            raise UserError(
                "sampler.easy_from, hard_to, target_zero_variance, target_easy_part: shares, and "
                "hard_to below easy_from"
            )
        if not 0 < self.least <= self.lowest <= self.chance <= self.highest <= 1 or self.step < 0:
            raise UserError(
                "sampler.least, lowest, chance, highest: chances above 0, in this order; "
                "sampler.step: 0 or more"
            )

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._deck, self._rng = Deck(np.arange(len(prompts)), rng), rng
        self._batch_size = batch_size
        rate = prompts.c / np.maximum(prompts.n, 1)
        easy, hard = self._easy_and_hard(rate)
        self._easy = ((prompts.n > 0) & easy).astype(np.int64)
        self._hard = ((prompts.n > 0) & hard).astype(np.int64)
        self._p_easy = self._p_hard = self.chance
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""

        def chance(rows: Integers) -> Floats:
            kept = self._p_easy ** self._easy[rows] * self._p_hard ** self._hard[rows]
            return np.maximum(kept, self.least)

        return thinned(self._deck, count, allowed, chance, self._rng)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        rows, rate = observations.prompt, observations.passed / observations.n
        easy, hard = self._easy_and_hard(rate)
        self._easy[rows] = np.where(easy, self._easy[rows] + 1, 0)
        self._hard[rows] = np.where(hard, self._hard[rows] + 1, 0)
        step = self.step * len(observations) / self._batch_size
        part = self.target_easy_part
        self._p_easy = self._moved(self._p_easy, float(easy.mean()), part, step)
        self._p_hard = self._moved(self._p_hard, float(hard.mean()), 1 - part, step)
        return []

    def _easy_and_hard(self, rate: Floats) -> tuple[Mask, Mask]:
        easy = reaches(rate, self.easy_from, strict=False)
        return easy, ~reaches(rate, self.hard_to, strict=True)

    def _moved(self, chance: float, share: float, part: float, step: float) -> float:
        too_many = share >= self.target_zero_variance * part
        return float(np.clip(chance + (-step if too_many else step), self.lowest, self.highest))

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {
            "deck": self._deck.state_dict(),
            "easy": self._easy.copy(),
            "hard": self._hard.copy(),
            "p_easy": self._p_easy,
            "p_hard": self._p_hard,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._deck.load_state_dict(state["deck"])
        self._easy, self._hard = np.array(state["easy"]), np.array(state["hard"])
        self._p_easy, self._p_hard = state["p_easy"], state["p_hard"]

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return {"p_easy": self._p_easy, "p_hard": self._p_hard}
