"""`bucketer=recorded`: the buckets that the data puts its problems in."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.bucketers.base import Bucketer, Names, bucket_names
from curriculum.core.errors import UserError
from curriculum.core.records import Integers, Metrics

log = logging.getLogger(__name__)

USUAL_ORDER = ["very_easy", "easy", "medium-easy", "medium", "medium-hard", "hard", "very_hard"]


@dataclass
class Recorded(Bucketer):
    """Buckets as they are.

    Without `names`, they run in the order that the data gives them. Where it gives none, usual ones
    (easy, medium, hard) run in their usual order, any others in that of their mean hardness by the
    chosen metric.
    """

    names: Names | None = None
    edges_: dict[str, Any] = field(init=False)  # empty: nothing is cut
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        if self.names is not None:
            bucket_names(self.names, len(self.names))

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        found = pc.unique(_recorded(metrics)).to_pylist()
        self.edges_ = {}
        self.names_ = list(self.names or metrics.recorded_order or _ordered(found, metrics))
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`. Raises UserError where `names` lack a bucket of the data."""
        recorded = _recorded(metrics)
        place = pc.index_in(recorded, pa.array(self.names_, pa.string()))
        if place.null_count:
            strange = pc.unique(recorded.filter(place.is_null())).to_pylist()
            raise UserError(
                f"the data has the buckets {', '.join(strange)} too; bucketer.names={self.names_} "
                "must name all of them, easy to hard"
            )
        return np.asarray(place.to_numpy(), np.int64)

    @property
    def wants_recorded_order(self) -> bool:
        """See `Bucketer`."""
        return self.names is None


def _recorded(metrics: Metrics) -> pa.Array:
    if metrics.recorded is None:
        raise UserError(
            "bucketer=recorded takes the buckets of the data, and this data has none: "
            "data=buckets reads a folder with one file a bucket"
        )
    return metrics.recorded


def _ordered(names: list[str], metrics: Metrics) -> list[str]:
    if set(names) <= set(USUAL_ORDER):
        return sorted(names, key=USUAL_ORDER.index)
    hardness = metrics.hardness()
    labels = _recorded(metrics)
    mean = {
        name: float(hardness[pc.equal(labels, name).to_numpy(zero_copy_only=False)].mean())
        for name in names
    }
    ordered = sorted(names, key=lambda name: (mean[name], name))
    log.info(
        "buckets in the order of their mean %s, easy to hard: %s (bucketer.names gives another)",
        metrics.chosen,
        ", ".join(ordered),
    )
    return ordered
