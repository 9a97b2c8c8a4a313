"""`sampler=bandit`: more of the buckets or sources whose groups have larger advantages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, AtLeastOne, Positive, Rate, Sampler, Sampling
from curriculum.samplers.parts.averages import Averages
from curriculum.samplers.parts.stratified import Stratified
from curriculum.samplers.state import State, Stateful


@dataclass(frozen=True)
class Bandit(Sampler):
    """Arms are buckets or sources; an arm's reward is its rollouts' mean absolute advantage.

    softmax: Q <- alpha r + (1 - alpha) Q, shares softmax(Q / temperature). Source: SEC (arXiv
    2505.14970). ucb: shares softmax((L + sqrt(2 ln(N + 1) / (n + 1))) / temperature), L the mean
    over an arm's last `window` rollouts, n of all N rollouts its own. Source: DUMP (arXiv
    2504.09710), curriculum_learning.py, there with every constant in the code and validation
    scores taken for advantages.

    Advantages are divided by their group's standard deviation, so arms with larger rewards are not
    better for that; for rewards of 0 and 1 they come to 2 sqrt(p (1 - p)). Before anything has come
    back, that is what the measured pass rates give.
    """

    rule: Literal["softmax", "ucb"] = "softmax"
    arms: Literal["buckets", "sources"] = "buckets"
    alpha: Rate = 0.5
    temperature: Positive = 0.1
    window: AtLeastOne = 300
    mixes_sources: ClassVar = True

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return BanditSampling(self, prompts, batch_size, rng)


class BanditSampling(Sampling):
    """See `Bandit`."""

    _groups: State[Stratified]
    _value: State[Averages]  # of each arm
    _recent: State[list[Recent]]  # of each arm, for ucb
    _counts: State[Integers]  # of rollouts

    def __init__(
        self, settings: Bandit, prompts: Prompts, batch_size: float, rng: np.random.Generator
    ) -> None:
        self._settings, self._batch_size = settings, batch_size
        by_bucket = settings.arms == "buckets"
        self._arm = prompts.bucket if by_bucket else prompts.source  # (P,)
        self._names = prompts.buckets if by_bucket else prompts.sources
        arms = len(self._names)
        self._groups = Stratified([np.flatnonzero(self._arm == arm) for arm in range(arms)], rng)
        rate = prompts.pass_rate
        expected = 2 * np.sqrt(rate * (1 - rate))
        total = np.bincount(self._arm, expected, arms)
        self._value = Averages(settings.alpha, arms)
        self._value.add(total / np.maximum(self._groups.sizes, 1), np.ones(arms))
        self._recent = [Recent() for _ in range(arms)]
        self._counts = np.zeros(arms, np.int64)

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampling`."""
        return self._groups.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        arm, arms = self._arm[observations.prompt], len(self._names)
        expected = self._batch_size * self._shares()
        rollouts = np.bincount(arm, observations.n, arms)
        total = np.bincount(arm, observations.n * observations.advantage, arms)
        groups = np.bincount(arm, minlength=arms)
        if self._settings.rule == "softmax":
            batches = np.minimum(groups / np.maximum(expected, 1e-9), 1.0)
            self._value.add(total / np.maximum(rollouts, 1), batches)
        self._counts += rollouts.astype(np.int64)
        if self._settings.rule == "ucb":
            for seen in np.unique(arm).tolist():
                self._recent[seen].add(observations.take(arm == seen), self._settings.window)
                self._value.values[seen] = self._recent[seen].mean()
        return []

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        numbers = zip(self._names, self._shares().tolist(), self._value.values, strict=True)
        return {
            f"arm/{name}/{what}": float(value)
            for name, share, advantage in numbers
            for what, value in (("weight", share), ("advantage", advantage))
        }

    def _shares(self) -> Floats:
        score = self._value.values
        if self._settings.rule == "ucb":
            score = score + np.sqrt(2 * np.log(self._counts.sum() + 1) / (self._counts + 1))
        present = self._groups.sizes > 0
        weights = np.exp((score - score[present].max()) / self._settings.temperature) * present
        return np.asarray(weights / weights.sum())


class Recent(Stateful):
    """The last groups of an arm, oldest first."""

    _advantage: State[list[float]]
    _rollouts: State[list[int]]

    def __init__(self) -> None:
        self._advantage, self._rollouts = [], []

    def add(self, groups: Observations, window: int) -> None:
        """Take in new groups; forget those after which a window of rollouts has come."""
        advantage = np.concatenate([self._advantage, groups.advantage])
        rollouts = np.concatenate([np.array(self._rollouts, np.int64), groups.n])
        kept = rollouts[::-1].cumsum()[::-1] - rollouts < window
        self._advantage, self._rollouts = advantage[kept].tolist(), rollouts[kept].tolist()

    def mean(self) -> float:
        """Advantage of a rollout."""
        return float(np.average(self._advantage, weights=self._rollouts))
