"""How often each prompt is solved now, as far as is known: a Beta distribution of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.posterior import fit_beta
from curriculum.core.prompts import Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.parts.drift import Drift, logit, rate_of
from curriculum.samplers.state import State, Stateful

UNMEASURED = (1.0, 1.0)  # the prior where nothing was measured to fit it to, MoPPS' own


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is believed at first, and for how long.

    Args:
        prior: (a0, b0), both above 0; None: fitted to what was measured.
        trust: how much a measured rollout counts of one of this training's, 0 to 1.
        discount: what is kept of a prompt's evidence when a group of it comes back.
        half_life: batches of feedback after which what is known of a prompt counts half, whether it
            is drawn or not; None: it never fades.
        drift: logits that a batch may move all pass rates by, one standard deviation; 0: none.
    """

    prior: tuple[float, float] | None = None
    trust: float = 1.0
    discount: float = 1.0
    half_life: float | None = None
    drift: float = 0.05


class BetaPosterior(Stateful):
    """Beta(a, b) of each prompt's pass rate, from what was measured and what comes back.

    After c passes in k rollouts: a <- d a + (1 - d) a0 + c, b <- d b + (1 - d) b0 + k - c, where
    Beta(a0, b0) is the prior and the discount d forgets; 1 forgets nothing. A prompt that was never
    seen has the prior. Source: MoPPS, recipe/ours/mopps.py, which starts from the prior alone and,
    with one rollout a prompt, replaces the whole posterior by 8 (an operator's precedence).

    With a half-life h, t batches take (a - a0, b - b0) to 2 ** (-t / h) of themselves: the model
    that was measured is not the one that is trained by now. And as it gets better, the logits of
    all that was seen before move by as much (`Drift`). A prompt is brought up to date when it is
    looked at.
    """

    _a: State[Floats]  # (P,)
    _b: State[Floats]  # (P,)
    _batches: State[float]  # of feedback
    _updated: State[Floats]  # (P,) batches that each prompt's parameters know of
    _drift: State[Drift]
    _moved: State[Floats]  # (P,) the drift that they know of

    def __init__(self, prompts: Prompts, evidence: Evidence, batch_size: float) -> None:
        self._evidence, self._batch_size = evidence, batch_size
        measured = evidence.trust > 0 and bool(prompts.n.any())
        fitted = fit_beta(prompts.n, prompts.c) if measured else UNMEASURED
        self.prior = a0, b0 = evidence.prior or fitted
        self._a = a0 + evidence.trust * prompts.c
        self._b = b0 + evidence.trust * (prompts.n - prompts.c)
        self._batches, self._updated = 0.0, np.zeros(len(prompts))
        self._drift, self._moved = Drift(evidence.drift), np.zeros(len(prompts))

    def parameters(self, rows: Integers) -> tuple[Floats, Floats]:
        """(a, b) of some prompts, brought up to date."""
        a, b, half_life = self._a[rows], self._b[rows], self._evidence.half_life
        a0, b0 = self.prior
        if half_life is not None:
            kept = 0.5 ** ((self._batches - self._updated[rows]) / half_life)
            a, b = a0 + kept * (a - a0), b0 + kept * (b - b0)
        total = a + b
        if not self._drift.value:
            return a, b
        moved = (self._drift.value - self._moved[rows]) * self._own(total)
        rate = rate_of(logit(a / total) + moved)
        return rate * total, (1 - rate) * total

    def observe(self, observations: Observations) -> None:
        """Take in what came back."""
        rows, n, passed = observations.prompt, observations.n, observations.passed
        batches = len(observations) / self._batch_size
        self._batches += batches
        a, b = self.parameters(rows)
        self._drift.observe((a, b), self._own(a + b), n, passed, batches)
        a, b = self.parameters(rows)
        (a0, b0), d = self.prior, self._evidence.discount
        self._a[rows] = d * a + (1 - d) * a0 + passed
        self._b[rows] = d * b + (1 - d) * b0 + n - passed
        self._updated[rows], self._moved[rows] = self._batches, self._drift.value

    def metrics(self) -> dict[str, float]:
        """Numbers to follow."""
        return {"drift": self._drift.value}

    def _own(self, total: Floats) -> Floats:
        """How much of what is believed is evidence of the prompt's own, not the prior."""
        return np.maximum(0.0, 1 - sum(self.prior) / total)
