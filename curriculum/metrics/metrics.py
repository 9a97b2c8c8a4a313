"""Numbers about problems, each from the rewards of its rollouts.

A metric is a dataclass whose fields are its knobs, with `easier` saying which way is easier.
`conf/metric/` chooses the one that bucketers cut on; the standard ones are always computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curriculum.core import posterior
from curriculum.core.errors import UserError
from curriculum.core.records import Easier, Floats, Metrics, Problems, Rewards, reaches


class Metric(Protocol):
    """One number a problem, without a Python loop over problems."""

    @property
    def easier(self) -> Easier:
        """Whether a higher or a lower value means an easier problem."""
        ...

    def __call__(self, rewards: Rewards) -> Floats:
        """(P,) one number a problem; NaN where it has too few rollouts."""
        ...


@dataclass(frozen=True)
class MeanReward:
    """Mean reward."""

    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        return rewards.sum(rewards.values) / rewards.counts


@dataclass(frozen=True)
class MaxReward:
    """Best reward."""

    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        return rewards.descending[rewards.offsets[:-1]]


@dataclass(frozen=True)
class MinReward:
    """Worst reward."""

    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        return rewards.descending[rewards.offsets[1:] - 1]


@dataclass(frozen=True)
class Variance:
    """Population variance of the rewards: how inconsistent the model is."""

    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        mean = MeanReward()(rewards)
        return rewards.sum((rewards.values - mean[rewards.owner]) ** 2) / rewards.counts


@dataclass(frozen=True)
class StdReward:
    """Population standard deviation of the rewards."""

    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        return np.sqrt(Variance()(rewards))


@dataclass(frozen=True)
class DifficultyScore:
    """(1 - mean reward) + `std_weight` x population standard deviation."""

    std_weight: float
    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        return (1 - MeanReward()(rewards)) + self.std_weight * StdReward()(rewards)


@dataclass(frozen=True)
class InverseMean:
    """1 / mean reward; infinite, the hardest, where the mean is not above 0."""

    easier: ClassVar[Easier] = "lower"

    def __call__(self, rewards: Rewards) -> Floats:
        mean = MeanReward()(rewards)
        above_zero = reaches(mean, 0, strict=True)  # rewards that cancel may leave 1e-17
        infinite = np.full(len(mean), np.inf)
        return np.asarray(np.divide(1.0, mean, out=infinite, where=above_zero))


@dataclass(frozen=True)
class PassRate:
    """Share of rewards that pass, times `scale` (100 for percent)."""

    threshold: float  # the reward from which a rollout passes
    strict: bool  # whether it must be above the threshold, not at it
    scale: float
    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        return self.scale * self.passes(rewards) / rewards.counts

    def passes(self, rewards: Rewards) -> Floats:
        """(P,) how many rollouts pass."""
        passing = reaches(rewards.values, self.threshold, strict=self.strict)
        return rewards.sum(passing.astype(np.float64))


@dataclass(frozen=True)
class MeanAtK:
    """mean@k: mean of the k highest rewards; NaN with fewer than k rollouts."""

    k: int
    easier: ClassVar[Easier] = "higher"

    def __post_init__(self) -> None:
        _require_samples(self.k)

    @property
    def name(self) -> str:
        return f"mean@{self.k}"

    def __call__(self, rewards: Rewards) -> Floats:
        best = rewards.sum(np.where(rewards.rank < self.k, rewards.descending, 0.0))
        return np.where(rewards.counts < self.k, np.nan, best / self.k)


@dataclass(frozen=True)
class PassAtK:
    """Share of the k highest rewards that reach the threshold; all of them where k is None.

    This is what rollout-bucketing scripts call pass_at_k. `UnbiasedPassAtK` is the estimator.
    """

    k: int | None
    threshold: float
    easier: ClassVar[Easier] = "higher"

    def __post_init__(self) -> None:
        _require_samples(self.k)

    @property
    def name(self) -> str:
        return "pass_at_k" if self.k is None else f"pass_at_{self.k}"

    def __call__(self, rewards: Rewards) -> Floats:
        k = rewards.counts if self.k is None else np.full(len(rewards), self.k)
        passing = reaches(rewards.descending, self.threshold, strict=False)
        best = rewards.rank < k[rewards.owner]
        share = rewards.sum((passing & best).astype(np.float64)) / k
        return np.where(rewards.counts < k, np.nan, share)


@dataclass(frozen=True)
class UnbiasedPassAtK:
    """Probability that one of k samples passes (Chen et al. 2021); NaN with fewer rollouts."""

    k: int
    threshold: float
    strict: bool
    easier: ClassVar[Easier] = "higher"

    def __post_init__(self) -> None:
        _require_samples(self.k)

    @property
    def name(self) -> str:
        return f"pass@{self.k}"

    def __call__(self, rewards: Rewards) -> Floats:
        passes = PassRate(self.threshold, self.strict, scale=1).passes(rewards)
        return posterior.pass_at_k(rewards.counts.astype(np.float64), passes, self.k)


@dataclass(frozen=True)
class Measure:
    """The standard metrics and what they depend on (`measure` in conf/config.yaml)."""

    threshold: float
    strict: bool
    scale: float
    std_weight: float
    mean_at_k: list[int]
    pass_at_k: list[int]
    prior: list[float] | None
    level: float

    def __post_init__(self) -> None:
        if min([*self.mean_at_k, *self.pass_at_k], default=1) < 1:
            raise UserError("measure.mean_at_k and measure.pass_at_k are numbers of samples")
        if self.prior is not None and (len(self.prior) != 2 or min(self.prior) <= 0):
            raise UserError(f"measure.prior={self.prior} must be two numbers above 0, or null")
        if not 0 < self.level < 1:
            raise UserError(f"measure.level={self.level} must lie between 0 and 1")

    @property
    def basis(self) -> dict[str, float | bool]:
        """What the numbers of two runs have to agree on to mean the same."""
        names = ("threshold", "strict", "scale", "std_weight")
        return {name: getattr(self, name) for name in names}

    def standard(self) -> dict[str, Metric]:
        """The metrics that every run computes."""
        unbiased = {k: UnbiasedPassAtK(k, self.threshold, self.strict) for k in self.pass_at_k}
        return {
            "mean_reward": MeanReward(),
            "std_reward": StdReward(),
            "variance": Variance(),
            "min_reward": MinReward(),
            "max_reward": MaxReward(),
            "pass_rate": PassRate(self.threshold, self.strict, self.scale),
            "success_rate": PassRate(0.5, strict=True, scale=100),
            "pass_at_k": PassAtK(None, 0.5),
            "inverse_mean": InverseMean(),
            "difficulty_score": DifficultyScore(self.std_weight),
            **{f"mean@{k}": MeanAtK(k) for k in self.mean_at_k},
            **{f"pass@{k}": metric for k, metric in unbiased.items()},
        }


def measure(
    problems: Problems, rewards: Rewards, config: Measure, metric: Metric, option: str
) -> Metrics:
    """All standard metrics of the measured problems, and the chosen one of `conf/metric/`.

    Beside them `n`, `c`, `truncated` (rollouts, passes, rollouts cut off by the limit of new
    tokens, which count like any other) and the pass rate's posterior: `pass_rate_mean`,
    `pass_rate_low`, `pass_rate_high`, as shares.
    """
    standard = config.standard()
    chosen = _column_name(standard, metric, option)
    metrics = {**standard, chosen: metric}
    n = rewards.counts.astype(np.float64)
    c = PassRate(config.threshold, config.strict, scale=1).passes(rewards)
    own = problems.table.take(pa.array(rewards.problem)).combine_chunks()
    posterior = _posterior(n, c, own["data_source"].to_numpy(), config)
    cut_off = np.zeros(len(rewards.values)) if rewards.truncated is None else rewards.truncated
    truncated = rewards.sum(cut_off.astype(np.float64))
    columns = {"n": n, "c": c, "truncated": truncated, **posterior}
    columns |= {name: each(rewards) for name, each in metrics.items()}
    easier: dict[str, Easier] = {name: each.easier for name, each in metrics.items()}
    easier |= dict.fromkeys(posterior, "higher")
    ids, buckets = (own[name].combine_chunks() for name in ("problem_id", "bucket"))
    recorded = None if buckets.null_count else buckets
    return Metrics(ids, columns, chosen, easier, recorded, config.basis)


def _posterior(
    n: Floats, c: Floats, source: npt.NDArray[Any], config: Measure
) -> dict[str, Floats]:
    """Mean and interval of the pass rates, under the prior that was given or each source's own."""
    columns = np.empty((3, len(n)))
    if config.prior is not None:
        a, b = config.prior
        columns[:] = posterior.beta_posterior(n, c, (a, b), config.level)
    else:
        import pandas as pd

        for rows in pd.Series(source).groupby(source).indices.values():
            prior = posterior.fit_beta(n[rows], c[rows])
            columns[:, rows] = posterior.beta_posterior(n[rows], c[rows], prior, config.level)
    names = ("pass_rate_mean", "pass_rate_low", "pass_rate_high")
    return dict(zip(names, columns, strict=True))


def _require_samples(k: int | None) -> None:
    if k is not None and k < 1:
        raise UserError(f"metric.k={k}: it is a number of samples, 1 or more")


def _column_name(standard: Mapping[str, Metric], metric: Metric, option: str) -> str:
    """The standard column's name where it is the same metric, else one of its own."""
    name = str(getattr(metric, "name", option))
    return name if standard.get(name, metric) == metric else f"{name}_as_chosen"
