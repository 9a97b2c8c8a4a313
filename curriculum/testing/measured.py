"""Files of recorded rollouts, measured and in buckets: what layouts and pages are given."""

from __future__ import annotations

from curriculum.bucketers import Bucketer
from curriculum.core.measured import Measured
from curriculum.core.records import Buckets, Integers, Rewards, Rollouts
from curriculum.data import RolloutData
from curriculum.metrics import MeanReward, Measure, Metric, measure
from curriculum.run.replaying import adopt, match
from curriculum.run.scoring.scoring import read_recorded
from curriculum.testing.make import STANDARD

FAILURES = 1000  # rollouts without a reward that are put up with


def make_measured(
    source: RolloutData,
    bucketer: Bucketer,
    bucketing: str = "percentile",
    *,
    metric: Metric | None = None,
    option: str = "mean_reward",
    standard: Measure = STANDARD,
    replay: RolloutData | None = None,
    place: Integers | None = None,
) -> Measured:
    """What a run knows of some rollouts when their problems are in buckets.

    Args:
        bucketing: the bucketer's option.
        metric: to cut on, MeanReward unless given.
        option: the metric's.
        standard: how the standard metrics are computed.
        replay: where the rollouts stand, if not with their problems.
        place: problems that the rollouts are of instead, -1 for one of none.
    """
    problems, index, *_ = source.load()
    if replay is not None:
        replayed, index, *_ = replay.load()
        place = match(replayed, problems)
    assert index is not None  # of data with rollouts
    index = index if place is None else adopt(index, place)
    stream = replay or source
    rollouts = Rollouts(index, stream.responses, stream.rows)
    rewards = read_recorded(rollouts, FAILURES)
    groups = Rewards.group(rollouts, rewards)
    metrics = measure(problems, groups, standard, metric or MeanReward(), option)
    bucketer.fit(metrics)
    buckets = Buckets(bucketer.names_, bucketer.assign(metrics))
    return Measured(
        *(problems, rollouts, rewards, groups, metrics, buckets, bucketing, source.label),
        rollout_columns=source.rollout_columns,
    )
