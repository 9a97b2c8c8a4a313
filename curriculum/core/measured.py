"""What flows on when a run's problems are in buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.mixing import mean_pass_rates
from curriculum.core.records import Buckets, Floats, Integers, Metrics, Problems, Rewards, Rollouts


@dataclass(frozen=True)
class Measured:
    """All that a run knows when its problems are in buckets."""

    problems: Problems
    rollouts: Rollouts
    rewards: pa.Table  # lines up with the rollouts, as in `REWARD_SCHEMA`
    groups: Rewards  # of the P problems that metrics and buckets are about
    metrics: Metrics
    buckets: Buckets
    bucketing: str  # option of the bucketer
    label: str  # of the data
    # Columns that rows have of rollouts, of each kind the first that is there; None: none at all.
    rollout_columns: Sequence[Sequence[str]] | None = None

    @cached_property
    def pass_rates(self) -> Floats:
        """(buckets, 3) mean of the true pass rates of each bucket's problems, low and high."""
        n, c, level = self.metrics["n"], self.metrics["c"], self.metrics.level
        bucket, buckets = self.buckets.assignment, len(self.buckets.names)
        if not self._are_recorded:
            return mean_pass_rates(n, c, bucket, buckets, level)
        # The data's own buckets are no choice by the rollouts, and each has pass rates of its own.
        alone = np.full((buckets, 3), np.nan)
        for each in np.unique(bucket):
            rows = bucket == each
            alone[each] = mean_pass_rates(n[rows], c[rows], bucket[rows] * 0, 1, level)[0]
        return alone

    @property
    def _are_recorded(self) -> bool:
        recorded = self.metrics.recorded
        return recorded is not None and bool(pc.all(pc.equal(recorded, self.buckets.labels())))

    @property
    def measured(self) -> Integers:
        """(P,) rows of the problems that metrics and buckets are about."""
        return self.groups.problem
