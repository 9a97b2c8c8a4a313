"""`bucketer=mean_reward`: cuts of the mean reward, at given rewards or into equal shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from curriculum.bucketers.base import Bucketer, Names, bucket_names
from curriculum.bucketers.parts.cuts import (
    cut_at_ranks,
    cut_descending,
    rank_cuts,
    rank_edges,
    require_descending,
)
from curriculum.core.errors import UserError
from curriculum.core.records import Cuts, Integers, Metrics

METRIC = "mean_reward"


@dataclass
class MeanReward(Bucketer):
    """Cuts at `thresholds` (descending, an edge is easier); without them, equal shares by rank."""

    thresholds: list[float] | None = field(default_factory=lambda: [0.75, 0.5, 0.25])
    names: Names | None = None
    edges_: dict[str, Any] = field(init=False)  # `rewards` or `ranks`
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        if self.thresholds is not None:
            require_descending(self.thresholds)
        elif self.names is None:
            raise UserError("bucketer=mean_reward needs bucketer.thresholds or bucketer.names")
        bucket_names(self.names, self._n)

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        if self.thresholds is None:
            self.edges_ = rank_edges(metrics, METRIC, self._n)
        else:
            self.edges_ = {"rewards": list(self.thresholds)}
        self.names_ = bucket_names(self.names, self._n)
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        if "ranks" in self.edges_:
            return cut_at_ranks(metrics, self.edges_)
        rewards = metrics.complete(METRIC)
        return cut_descending(rewards, self.edges_["rewards"], edge_is_easier=True)

    def describe(self, metrics: Metrics) -> Cuts:
        """See `Bucketer`."""
        if "ranks" in self.edges_:
            return rank_cuts(self.edges_)
        return Cuts(METRIC, self.edges_["rewards"])

    @property
    def splits_ties(self) -> bool:
        """See `Bucketer`."""
        return "ranks" in self.edges_

    @property
    def _n(self) -> int:
        return len(self.names or []) if self.thresholds is None else len(self.thresholds) + 1
