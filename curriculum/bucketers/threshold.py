"""`bucketer=threshold`: absolute cuts of the chosen metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from curriculum.bucketers.base import Bucketer, Names, bucket_names, require_metric
from curriculum.bucketers.parts.cuts import cut_ascending
from curriculum.core.errors import UserError
from curriculum.core.records import Cuts, Integers, Metrics


@dataclass
class Threshold(Bucketer):
    """x <= t1, t1 < x <= t2, ..., x > tn of the chosen metric.

    `names` are in ascending order of the score, as in `low medium high`; `names_`, like every
    bucketer's, run from easy to hard.
    """

    cuts_on_chosen: ClassVar[bool] = True

    thresholds: list[float]
    names: Names | None = None
    edges_: dict[str, Any] = field(init=False)
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        if not self.thresholds or sorted(set(self.thresholds)) != list(self.thresholds):
            raise UserError(f"bucketer.thresholds={self.thresholds} must be ascending")
        bucket_names(self.names, len(self.thresholds) + 1)

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        self.edges_ = {"metric": metrics.chosen, "scores": list(self.thresholds)}
        names = bucket_names(self.names, len(self.thresholds) + 1)
        ascending_is_easy_to_hard = metrics.easier[metrics.chosen] == "lower" or not self.names
        self.names_ = names if ascending_is_easy_to_hard else names[::-1]
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        require_metric(self.edges_["metric"], metrics)
        above = cut_ascending(metrics.complete(metrics.chosen), self.edges_["scores"])
        easier = metrics.easier[metrics.chosen]
        return above if easier == "lower" else len(self.edges_["scores"]) - above

    def describe(self, metrics: Metrics) -> Cuts:
        """See `Bucketer`."""
        metric, scores = self.edges_["metric"], self.edges_["scores"]
        return Cuts(metric, scores if metrics.easier[metric] == "lower" else scores[::-1])
