"""`bucketer=pass_rate`: absolute cuts of the share of rollouts that pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import Field

from curriculum.bucketers.base import Bucketer, Names, bucket_names
from curriculum.bucketers.parts.cuts import cut_descending, require_descending
from curriculum.core.records import Cuts, Integers, Metrics

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass
class PassRate(Bucketer):
    """Cuts the pass rate at `thresholds`, shares in descending order: from easy to hard."""

    thresholds: list[Share] = field(default_factory=lambda: [0.8, 0.5, 0.2])
    names: Names | None = None
    edge_is_easier: bool = True  # a rate of exactly a threshold belongs to the easier bucket
    edges_: dict[str, Any] = field(init=False)
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        require_descending(self.thresholds)
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

    def describe(self, metrics: Metrics) -> Cuts:
        """See `Bucketer`."""
        scale = metrics.basis["scale"]
        return Cuts("pass_rate", [scale * rate for rate in self.edges_["rates"]])

    def pass_rates_between(self, quantile: Callable[[float], float]) -> list[float]:
        """See `Bucketer`."""
        return self.thresholds
