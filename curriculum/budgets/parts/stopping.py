"""When more rollouts of a problem are worth what they cost: optimal stopping under a prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import comb

from curriculum.budgets.parts.prior import likelihood
from curriculum.budgets.parts.question import Question
from curriculum.core.records import Floats, Integers

ROUNDING = 1e-9


@dataclass(frozen=True)
class Beliefs:
    """What a prior says after c passes among n rollouts, for all of them up to a cap.

    Tables are flat: `state(n, c)` is the place of (n, c).
    """

    cap: int
    chance: Floats  # probability of one given order of the passes
    answer: Integers  # the likeliest answer
    risk: Floats  # probability that it is wrong

    @classmethod
    def under(cls, prior: Floats, question: Question, cap: int) -> Self:
        """Bayes' rule for every state."""
        joint = _likelihoods(cap) @ (prior[:, None] * question.shares)
        chance = joint.sum(axis=1)
        return cls(cap, chance, joint.argmax(axis=1), 1 - joint.max(axis=1) / chance)

    def going_on(self, step: int, price: float, confidence: float) -> npt.NDArray[np.bool_]:
        """For each state, whether `step` more rollouts are worth it.

        Backward induction from the cap: going on costs `price` a rollout, stopping costs the
        probability of a wrong answer, and is a must from `confidence` on. Both sides are times
        `chance`, which makes the expectation over the next passes a convolution. Source: the
        Bayesian sequential test of Wald and Wolfowitz (1950), here for more than two answers.
        """
        cost = self.chance * self.risk
        going = np.zeros(len(cost), bool)
        for n in reversed(range(self.cap)):
            more = min(step, self.cap - n)
            here, there = _of(n), _of(n + more)
            ways = comb(more, np.arange(more + 1))
            ahead = price * more * self.chance[here] + np.convolve(cost[there], ways, "valid")
            pays = ahead <= cost[here] * (1 + ROUNDING)  # at no price, as long as it is unsure
            going[here] = pays & (self.risk[here] > 1 - confidence)
            cost[here] = np.where(going[here], ahead, cost[here])
        return going


def state(n: Integers, c: Integers) -> Integers:
    """The place of c passes among n rollouts in the tables."""
    return np.asarray(n * (n + 1) // 2 + c)


def error_of_fixed(prior: Floats, question: Question, n: int) -> float:
    """The share of problems with a wrong answer after n rollouts of each."""
    c = np.arange(n + 1)
    joint = likelihood(np.full(n + 1, n), c) @ (prior[:, None] * question.shares)
    return float(1 - (comb(n, c) * joint.max(axis=1)).sum())


@cache
def _likelihoods(cap: int) -> Floats:
    """(S, G) of all states up to the cap; it takes longer than all else."""
    n = np.repeat(np.arange(cap + 1), np.arange(1, cap + 2))
    return likelihood(n, np.arange(len(n)) - state(n, np.zeros_like(n)))


def _of(n: int) -> slice:
    """The states with n rollouts."""
    start = n * (n + 1) // 2
    return slice(start, start + n + 1)
