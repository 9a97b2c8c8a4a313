"""All the numbers that every run computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.posterior import JEFFREYS, Priors, beta_posterior, mixed_groups, priors
from curriculum.core.records import (
    Easier,
    Floats,
    Metrics,
    Problems,
    Rewards,
    reaches,
    rounded,
)
from curriculum.metrics.base import Metric, Samples
from curriculum.metrics.difficulty_score import DifficultyScore
from curriculum.metrics.extremes import MaxReward, MinReward
from curriculum.metrics.inverse_mean import InverseMean
from curriculum.metrics.mean_at_k import MeanAtK
from curriculum.metrics.mean_reward import MeanReward
from curriculum.metrics.pass_at_k import PassAtK
from curriculum.metrics.pass_rate import PassRate
from curriculum.metrics.spread import StdReward, Variance
from curriculum.metrics.unbiased_pass_at_k import UnbiasedPassAtK

Prior = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2, max_length=2)]


@dataclass(frozen=True)
class Measure:
    """The standard metrics and what they depend on (`measure` in conf/config.yaml)."""

    threshold: float = 0.5
    strict: bool = False
    scale: Annotated[float, Field(gt=0)] = 1
    std_weight: float = 0.3
    mean_at_k: list[Samples] = field(default_factory=lambda: [1, 3, 5, 10, 20])
    pass_at_k: list[Samples] = field(default_factory=lambda: [1, 2, 4, 8, 16, 32, 64])
    prior: Prior | None = field(default_factory=lambda: list(JEFFREYS))
    level: Annotated[float, Field(gt=0, lt=1)] = 0.9
    group_size: Annotated[int, Field(ge=1)] = 8  # rollouts of a group in training

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
    problems: Problems,
    rewards: Rewards,
    config: Measure,
    metric: Metric,
    option: str,
    recorded_order: Sequence[str] | None = None,
) -> Metrics:
    """All standard metrics of the measured problems, and the chosen one of `conf/metric/`.

    Beside them `n`, `c`, `truncated` (rollouts, passes, rollouts cut off by the limit of new
    tokens, which count like any other) and the pass rate's posterior: `pass_rate_mean`,
    `pass_rate_low`, `pass_rate_high`, as shares; and `groups_with_gradient`, see `_gradient`.

    Args:
        recorded_order: the buckets that the data puts its problems in, easy to hard, where it
            says so.
    """
    standard = config.standard()
    chosen = _column_name(standard, metric, option)
    metrics = {**standard, chosen: metric}
    n = rewards.counts.astype(np.float64)
    c = rewards.passes(config.threshold, config.strict)
    measured = problems.at(rewards.problem)
    known = priors(n, c, measured["data_source"].to_numpy(), config.prior)
    posterior = _posterior(n, c, known, config.level)
    cut_off = np.zeros(len(rewards.values)) if rewards.truncated is None else rewards.truncated
    truncated = rewards.sum(cut_off.astype(np.float64))
    columns = {"n": n, "c": c, "truncated": truncated, **posterior}
    columns["groups_with_gradient"] = _gradient(rewards, n, c, known, config)
    parts = [{name: each(part) for name, each in metrics.items()} for part in rewards.parts()]
    columns |= {name: np.concatenate([part[name] for part in parts]) for name in metrics}
    easier: dict[str, Easier] = {name: each.easier for name, each in metrics.items()}
    easier |= dict.fromkeys(posterior, "higher")
    ids, buckets = (measured[name].combine_chunks() for name in ("problem_id", "bucket"))
    recorded = None if buckets.null_count else buckets
    return Metrics(
        *(ids, columns, chosen, easier, recorded, config.basis, recorded_order),
        level=config.level,
        group_size=config.group_size,
        prior=config.prior,
    )


def _posterior(n: Floats, c: Floats, known: Priors, level: float) -> dict[str, Floats]:
    """Mean and interval of the pass rates."""
    columns = np.empty((3, len(n)))
    for rows, prior in known:
        columns[:, rows] = beta_posterior(n[rows], c[rows], prior, level)
    names = ("pass_rate_mean", "pass_rate_low", "pass_rate_high")
    return dict(zip(names, columns, strict=True))


def _gradient(rewards: Rewards, n: Floats, c: Floats, known: Priors, config: Measure) -> Floats:
    """(P,) share of groups of `group_size` rollouts whose rewards are not all alike.

    Of rewards that do no more than pass or fail; of others, by how often a problem's commonest
    reward comes: then it is that share at least, for those that are another may differ too.
    """
    low, high = rounded(rewards.values.min()), rounded(rewards.values.max())
    values = rounded(rewards.values)
    two = bool(((values == low) | (values == high)).all())
    ends = reaches(np.array([low, high]), config.threshold, strict=config.strict)
    if not two or (low < high and (ends[0] or not ends[1])):
        return mixed_groups(n, rewards.commonest.astype(np.float64), JEFFREYS, config.group_size)
    share = np.empty(len(n))
    for rows, prior in known:
        share[rows] = mixed_groups(n[rows], c[rows], prior, config.group_size)
    return share


def _column_name(standard: Mapping[str, Metric], metric: Metric, option: str) -> str:
    """The standard column's name where it is the same metric, else one of its own."""
    name = metric.name or option
    return name if standard.get(name, metric) == metric else f"{name}_as_chosen"
