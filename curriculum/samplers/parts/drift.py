"""By how much the model gets better at everything: one shift of all logits, followed by batches."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Floats, Integers
from curriculum.samplers.state import State, Stateful


class Drift(Stateful):
    """A random walk of the shift, filtered (Kalman 1960) by the groups that come back.

    A group of n rollouts of a prompt whose rate is believed to be Beta(a, b), mean m, has n m
    passes by expectation, a variance of n m (1 - m) (a + b + n) / (a + b + 1), and a shift of s
    changes them by s n m (1 - m). Only as much as a belief is the prompt's own evidence does it
    tell of a change: what the prior gets wrong of a prompt never seen is none.
    """

    value: State[float]
    _variance: State[float]

    def __init__(self, step: float) -> None:
        """`step`: logits that a batch may move it by, one standard deviation."""
        self._step = step
        self.value = self._variance = 0.0

    def observe(
        self,
        beliefs: tuple[Floats, Floats],
        own: Floats,
        n: Integers,
        passed: Integers,
        batches: float,
    ) -> None:
        """Follow what came back.

        Args:
            beliefs: (G,) a and b of each group's prompt, before it.
            own: (G,) share of its own evidence in them.
            n, passed: (G,) rollouts and passes.
            batches: how many these groups are.
        """
        a, b = beliefs
        total = a + b
        mean = a / total
        spread = n * mean * (1 - mean)
        slope = own * spread
        variance = np.maximum(spread * (total + n) / (total + 1), 1e-12)
        self._variance += batches * self._step**2
        known = float((slope**2 / variance).sum())
        if known > 0:
            seen = float((slope * (passed - n * mean) / variance).sum()) / known
            gain = self._variance / (self._variance + 1 / known)
            self.value += gain * seen
            self._variance *= 1 - gain


def logit(rate: Floats) -> Floats:
    """Of rates that are not quite 0 or 1."""
    return np.asarray(np.log(rate) - np.log1p(-rate))


def rate_of(logits: Floats) -> Floats:
    """The rates with these logits."""
    return np.asarray(1 / (1 + np.exp(-logits)))
