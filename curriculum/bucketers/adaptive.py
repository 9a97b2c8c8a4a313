"""`bucketer=adaptive`: the clusters that the metrics form by themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field

from curriculum.bucketers.base import Bucketer, Count, Names, bucket_names
from curriculum.core.errors import UserError
from curriculum.core.records import DECIMALS, Floats, Integers, Metrics

log = logging.getLogger(__name__)


@dataclass
class Adaptive(Bucketer):
    """k-means on standardised metrics, clusters ordered by their mean `order_by`.

    Where the problems have fewer different feature rows than n, there are fewer buckets; they take
    names spread over the usual ones, the ends included.
    """

    n: Count = 4
    names: Names | None = None
    features: Annotated[list[str], Field(min_length=1)] = field(
        default_factory=lambda: ["mean_reward", "std_reward", "pass_rate", "difficulty_score"]
    )
    order_by: str = "difficulty_score"
    seed: Annotated[int, Field(ge=0)] = 0
    edges_: dict[str, Any] = field(init=False)  # mean, scale and, easy to hard, centers
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        bucket_names(self.names, self.n)

    def fit(self, metrics: Metrics) -> Self:
        """See `Bucketer`."""
        from sklearn.cluster import KMeans
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        points = np.round(scaler.fit_transform(_points(metrics, self.features)), DECIMALS)
        distinct, back, weights = np.unique(points, axis=0, return_inverse=True, return_counts=True)
        k = min(self.n, len(distinct))
        # Equal problems weigh as one point: the same clusters, whatever the order of rows.
        means = KMeans(k, n_init=10, random_state=self.seed).fit(distinct, sample_weight=weights)
        hardness = np.bincount(back.ravel(), metrics.hardness(self.order_by))
        of_cluster = np.bincount(means.labels_, hardness) / np.bincount(means.labels_, weights)
        centers = means.cluster_centers_[np.argsort(of_cluster, kind="stable")]
        self.edges_ = {
            "features": list(self.features),
            "mean": scaler.mean_.tolist(),
            "scale": scaler.scale_.tolist(),
            "centers": centers.tolist(),
        }
        self.names_ = self._names(k)
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        points = _points(metrics, self.edges_["features"]) - np.array(self.edges_["mean"])
        points = np.round(points / np.array(self.edges_["scale"]), DECIMALS)
        centers = np.array(self.edges_["centers"])
        distance = ((points[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)
        return np.asarray(distance.argmin(axis=1), np.int64)

    def summary(self) -> str:
        """See `Bucketer`."""
        mean, scale = self.edges_["mean"][0], self.edges_["scale"][0]
        values = (round(mean + scale * each[0], 6) for each in self.edges_["centers"])
        centers = (f"{value + 0.0:.3g}" for value in values)  # no -0
        return f"{self.edges_['features'][0]} near {', '.join(centers)}"

    def _names(self, k: int) -> list[str]:
        names = bucket_names(self.names, self.n)
        if k < self.n:
            log.warning("only %d different problems to cluster: %d buckets, not %d", k, k, self.n)
            names = [names[i] for i in np.linspace(0, self.n - 1, k).round().astype(int)]
        return names


def _points(metrics: Metrics, features: Sequence[str]) -> Floats:
    """(P, features) metrics to cluster on. Raises UserError where one is infinite."""
    points = np.stack([metrics.complete(name) for name in features], axis=1)
    for name, values in zip(features, points.T, strict=True):
        if np.isinf(values).any():
            raise UserError(f"bucketer.features: '{name}' is infinite for some problems")
    return points
