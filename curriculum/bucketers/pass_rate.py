"""`bucketer=pass_rate`: absolute cuts of the share of rollouts that pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from curriculum.bucketers.base import bucket_names
from curriculum.bucketers.cuts import cut_descending, require_descending
from curriculum.records import Integers, Metrics


@dataclass
class PassRate:
    """Cuts the pass rate at `thresholds`, shares in descending order: from easy to hard."""

    thresholds: list[float]
    names: list[str] | None
    edge_is_easier: bool  # a rate of exactly a threshold belongs to the easier bucket
    edges_: list[float] = field(init=False)
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        require_descending(self.thresholds)
        bucket_names(self.names, len(self.thresholds) + 1)

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        self.edges_ = list(self.thresholds)
        self.names_ = bucket_names(self.names, len(self.thresholds) + 1)
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        # The double nearest to 4/5 is the one that 0.8 reads as: no rounding is needed.
        return cut_descending(metrics["c"] / metrics["n"], self.edges_, self.edge_is_easier)
