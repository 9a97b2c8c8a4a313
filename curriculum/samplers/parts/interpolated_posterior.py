"""A posterior that learns of prompts it has not tried, from two other models' pass rates."""

from __future__ import annotations

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.parts.beta_posterior import BetaPosterior, Evidence
from curriculum.samplers.state import State

SMALL = 1e-6


class InterpolatedPosterior(BetaPosterior):
    """Where this model stands between a weak and a strong one says how often it solves the rest.

    With f0, f1 the reference pass rates of each prompt, k = (mean observed - mean f0) / (mean f1 -
    mean f0) over what came back, averaged over batches. A prompt not tried in a batch gets
    pseudo-evidence of m rollouts at the rate f0 + k (f1 - f0), a tried one its own:
    a <- (1 - l) a + l a0 + (1 - r) passes + r rate m, and b likewise with failures; m is the size
    of the batch's groups. 1 - l is the discount: it makes all evidence fade, so there is no
    half-life beside it.

    Source: BOTS (arXiv 2510.26374), Trinity-RFT's diff_estimator.py, which saves none of it. There,
    every batch changes every prompt; here a prompt is brought up to date when it is looked at, with
    the k of then for all batches since.
    """

    _between: State[float | None]  # k; None: nothing came back yet
    _group: State[float]  # rollouts in a group

    def __init__(
        self,
        prompts: Prompts,
        evidence: Evidence,
        batch_size: float,
        weak_and_strong: tuple[Floats, Floats],
        pseudo_weight: float,
        momentum: float,
    ) -> None:
        super().__init__(prompts, evidence, batch_size)
        self._weak, self._strong = weak_and_strong
        outside = [each for each in weak_and_strong if not ((each >= 0) & (each <= 1)).all()]
        if outside:
            raise UserError("sampler.references: their pass rates must be shares, 0 to 1")
        self._pseudo, self._momentum = pseudo_weight, momentum
        self._between, self._group = None, 0.0

    def parameters(self, rows: Integers) -> tuple[Floats, Floats]:
        """(a, b) of some prompts, brought up to date."""
        past = self._batches - self._updated[rows]
        if self._between is None or not past.any():
            return self._a[rows], self._b[rows]
        discount = self._evidence.discount
        kept = discount**past
        gained = (1 - kept) / (1 - discount) if discount < 1 else past
        weak = self._weak[rows]
        rate = np.clip(weak + self._between * (self._strong[rows] - weak), 0, 1)
        pseudo = self._pseudo * self._group * gained
        a0, b0 = self.prior
        a = kept * self._a[rows] + (1 - kept) * a0 + pseudo * rate
        return a, kept * self._b[rows] + (1 - kept) * b0 + pseudo * (1 - rate)

    def observe(self, observations: Observations) -> None:
        """Take in what came back."""
        rows, n, passed = observations.prompt, observations.n, observations.passed
        self._a[rows], self._b[rows] = self.parameters(rows)
        batches = len(observations) / self._batch_size
        self._place(rows, passed / n, float(n.mean()), batches)
        (a0, b0), d = self.prior, self._evidence.discount
        rate, own = passed / n, 1 - self._pseudo
        self._a[rows] = d * self._a[rows] + (1 - d) * a0 + own * passed + self._pseudo * rate * n
        self._b[rows] = (
            d * self._b[rows] + (1 - d) * b0 + own * (n - passed) + self._pseudo * (1 - rate) * n
        )
        self._batches += batches
        self._updated[rows] = self._batches

    def _place(self, rows: Integers, rate: Floats, group: float, batches: float) -> None:
        weak, strong = self._weak[rows].mean(), self._strong[rows].mean()
        now = float((rate.mean() - weak) / (strong - weak + SMALL))
        keep = 0.0 if self._between is None else self._momentum**batches
        self._between = keep * (self._between or 0.0) + (1 - keep) * now
        self._group = keep * self._group + (1 - keep) * group

    def metrics(self) -> dict[str, float]:
        """k: 0 as weak, 1 as strong as the references; none before anything came back."""
        return {} if self._between is None else {"between_references": self._between}
