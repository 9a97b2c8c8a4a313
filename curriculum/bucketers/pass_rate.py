"""`bucketer=pass_rate`: absolute cuts of the share of rollouts that pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from curriculum.bucketers.base import bucket_names
from curriculum.bucketers.parts.cuts import cut_descending, require_descending
from curriculum.core.errors import UserError
from curriculum.core.records import Integers, Metrics


@dataclass
class PassRate:
    """Cuts the pass rate at `thresholds`, shares in descending order: from easy to hard."""

    thresholds: list[float]
    names: list[str] | None
    edge_is_easier: bool  # a rate of exactly a threshold belongs to the easier bucket
    edges_: dict[str, Any] = field(init=False)
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        require_descending(self.thresholds)
        if not all(0 <= each <= 1 for each in self.thresholds):
            raise UserError(f"bucketer.thresholds={self.thresholds} are shares, from 0 to 1")
        bucket_names(self.names, len(self.thresholds) + 1)

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        self.edges_ = {"rates": list(self.thresholds), "edge_is_easier": self.edge_is_easier}
        self.names_ = bucket_names(self.names, len(self.thresholds) + 1)
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        rate = metrics["c"] / metrics["n"]
        return cut_descending(rate, self.edges_["rates"], self.edges_["edge_is_easier"])

    def cuts(self, quantile: Callable[[float], float]) -> list[float]:
        """See `Bucketer`."""
        return self.thresholds
