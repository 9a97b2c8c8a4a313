"""`bucketer=percentile`: equal shares of the problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from curriculum.bucketers.base import Bucketer, Count, Names, bucket_names, require_metric
from curriculum.bucketers.parts.cuts import cut_at_ranks, rank_cuts, rank_edges
from curriculum.core.records import Cuts, Integers, Metrics


@dataclass
class Percentile(Bucketer):
    """Splits by rank of the chosen metric; sizes differ by one at most, also where values tie."""

    cuts_on_chosen: ClassVar[bool] = True

    n: Count = 4
    names: Names | None = None
    edges_: dict[str, Any] = field(init=False)
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        bucket_names(self.names, self.n)

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        self.edges_ = rank_edges(metrics, metrics.chosen, self.n)
        self.names_ = bucket_names(self.names, self.n)
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        require_metric(self.edges_["metric"], metrics)
        return cut_at_ranks(metrics, self.edges_)

    def describe(self, metrics: Metrics) -> Cuts:
        """See `Bucketer`."""
        return rank_cuts(self.edges_)

    @property
    def splits_ties(self) -> bool:
        """See `Bucketer`."""
        return True

    def pass_rates_between(self, quantile: Callable[[float], float]) -> list[float]:
        """See `Bucketer`."""
        return [quantile(i / self.n) for i in range(1, self.n)]
