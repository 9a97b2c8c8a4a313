"""The learning model of a dry run: a guess at what training does to pass rates, stated in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.posterior import JEFFREYS, fit_beta
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers

HARDEST = 6  # logits from even that a cell of difficulty lies at most


@dataclass(frozen=True)
class Pace:
    """How fast, and how far beyond what it trains on, the simulated model learns."""

    learning_rate: float
    transfer: float
    source_transfer: float
    stuck: Sequence[str] = ()  # sources that never get better


class SimulatedModel:
    """P prompts whose pass rates rise as groups with a gradient are trained on.

    In the beginning, a prompt's rate is a draw from Beta(a + c, b + n - c), what its n measured
    rollouts with c passes leave open under the prior Beta(a, b) that is fitted to its source. Its
    logit rises by the skill of its source at its difficulty, the whole logit that it is expected
    at. A batch of B groups, m of which have both passes and failures, adds learning_rate m / B to
    the skills of these m groups' own difficulties and sources, transfer ** d of that at d logits
    from there, and source_transfer of either to the other sources. Sources that are stuck gain
    nothing. Groups without a gradient teach nothing. Nothing is forgotten, and there is no noise
    but the rollouts' own.
    """

    def __init__(self, prompts: Prompts, pace: Pace, rng: np.random.Generator) -> None:
        """Raises UserError where a source that is to be stuck is not there."""
        a, b = _believed(prompts)
        rate = np.clip(rng.beta(a, b), 1e-6, 1 - 1e-6)
        self._logit = np.log(rate / (1 - rate))
        difficulty = np.clip(np.rint(np.log(a / b)), -HARDEST, HARDEST).astype(np.int64) + HARDEST
        shape = (2 * HARDEST + 1, len(prompts.sources))
        self._cell = difficulty * shape[1] + prompts.source
        self._rate = pace.learning_rate
        away = np.abs(np.subtract.outer(np.arange(shape[0]), np.arange(shape[0])))
        self._over_difficulty = pace.transfer ** away.astype(np.float64)
        own = np.eye(shape[1])
        learns = np.array([name not in pace.stuck for name in prompts.sources], np.float64)
        self._over_sources = (own + pace.source_transfer * (1 - own)) * learns
        if unknown := [name for name in pace.stuck if name not in prompts.sources]:
            raise UserError(
                f"trainer.stuck: no source {unknown[0]}; there are {', '.join(prompts.sources)}"
            )
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
        self._skill += self._rate * self._over_difficulty @ share @ self._over_sources

    def pass_rates(self, prompts: Integers | slice = slice(None)) -> Floats:
        """Of some prompts, or all."""
        skill = self._skill.ravel()[self._cell[prompts]]
        return np.asarray(1 / (1 + np.exp(-self._logit[prompts] - skill)))


def _believed(prompts: Prompts) -> tuple[Floats, Floats]:
    """(P,) a and b of each prompt's rate; Jeffreys' prior where a source was never measured."""
    a, b = prompts.c.astype(np.float64), prompts.n - prompts.c
    for source in np.unique(prompts.source).tolist():
        own = prompts.source == source
        n, c = prompts.n[own], prompts.c[own]
        prior = fit_beta(n, c) if n.any() else JEFFREYS
        a[own] += prior[0]
        b[own] += prior[1]
    return a, b
