"""`sampler=bandit`: more of the buckets or sources whose groups have larger advantages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.averages import Averages
from curriculum.samplers.parts.stratified import Strata

RULES = ("softmax", "ucb")
ARMS = ("buckets", "sources")


@dataclass
class Bandit:
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

    rule: str
    arms: str
    alpha: float
    temperature: float
    window: int
    _strata: Strata = field(init=False, repr=False)
    _arm: Integers = field(init=False, repr=False)  # (P,)
    _names: list[str] = field(init=False, repr=False)
    _value: Averages = field(init=False, repr=False)
    _recent: list[tuple[Floats, Integers]] = field(init=False, repr=False)  # advantages, rollouts
    _counts: Integers = field(init=False, repr=False)
    _batch_size: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rule not in RULES or self.arms not in ARMS:
            raise UserError(
                f"sampler.rule={self.rule}, arms={self.arms}: there are {', '.join(RULES)}, and "
                f"{', '.join(ARMS)}"
            )
        if not 0 < self.alpha <= 1 or not self.temperature > 0 or self.window < 1:
            raise UserError(
                "sampler.alpha: above 0, at most 1; sampler.temperature: above 0; "
                "sampler.window: 1 rollout or more"
            )

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        by_bucket = self.arms == "buckets"
        self._arm = prompts.bucket if by_bucket else prompts.source
        self._names = prompts.buckets if by_bucket else prompts.sources
        arms = len(self._names)
        groups = [np.flatnonzero(self._arm == each) for each in range(arms)]
        self._strata = Strata(groups, rng)
        rate = prompts.pass_rate
        expected = 2 * np.sqrt(rate * (1 - rate))
        total = np.bincount(self._arm, expected, arms)
        self._value = Averages(self.alpha, arms)
        self._value.add(total / np.maximum(self._strata.sizes, 1), np.ones(arms))
        self._recent = [(np.zeros(0), np.zeros(0, np.int64))] * arms
        self._counts, self._batch_size = np.zeros(arms, np.int64), batch_size
        return []

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""
        return self._strata.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        arm, arms = self._arm[observations.prompt], len(self._names)
        expected = self._batch_size * self._shares()
        rollouts = np.bincount(arm, observations.n, arms)
        total = np.bincount(arm, observations.n * observations.advantage, arms)
        groups = np.bincount(arm, minlength=arms)
        if self.rule == "softmax":
            batches = np.minimum(groups / np.maximum(expected, 1e-9), 1.0)
            self._value.add(total / np.maximum(rollouts, 1), batches)
        self._counts += rollouts.astype(np.int64)
        if self.rule == "ucb":
            self._remember(arm, observations)
        return []

    def _remember(self, arm: Integers, observations: Observations) -> None:
        for each in np.unique(arm).tolist():
            own = observations.take(arm == each)
            advantage = np.concatenate([self._recent[each][0], own.advantage])
            n = np.concatenate([self._recent[each][1], own.n])
            kept = n[::-1].cumsum()[::-1] - n < self.window  # fewer than these came after
            self._recent[each] = advantage[kept], n[kept]
            self._value.values[each] = np.average(advantage[kept], weights=n[kept])

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {
            "strata": self._strata.state_dict(),
            "value": self._value.state_dict(),
            "recent": list(self._recent),
            "counts": self._counts.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._strata.load_state_dict(state["strata"])
        self._value.load_state_dict(state["value"])
        self._recent = [(np.array(a), np.array(n)) for a, n in state["recent"]]
        self._counts = np.array(state["counts"])

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        numbers = zip(self._names, self._shares().tolist(), self._value.values, strict=True)
        return {
            f"arm/{name}/{what}": float(value)
            for name, share, advantage in numbers
            for what, value in (("weight", share), ("advantage", advantage))
        }

    def _shares(self) -> Floats:
        score = self._value.values
        if self.rule == "ucb":
            score = score + np.sqrt(2 * np.log(self._counts.sum() + 1) / (self._counts + 1))
        present = self._strata.sizes > 0
        weights = np.exp((score - score[present].max()) / self.temperature) * present
        return np.asarray(weights / weights.sum())
