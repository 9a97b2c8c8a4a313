"""Rewards of a run's rollouts, from the store where they have been computed."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from curriculum import aside, rewards
from curriculum.provenance import Record
from curriculum.records import Problems, Rollouts
from curriculum.rewards.scoring import TooManyFailures
from curriculum.strategies import Strategies


def score(chosen: Strategies, problems: Problems, rollouts: Rollouts, record: Record) -> pa.Table:
    """A reward or a failure for every rollout.

    Raises:
        TooManyFailures: more than `reward.max_failures`.
    """
    reward = chosen.reward
    if isinstance(reward, rewards.Auto):
        sources = pc.unique(problems.table["data_source"]).to_pylist()
        reward = reward.choose(rollouts.recorded, sources)
    record.results["reward"] = type(reward).__name__
    made_of = [stage["fingerprint"] for name, stage in record.stages.items() if name != "rewards"]
    try:
        table, stage = rewards.load_stored(
            chosen.store, reward, problems, rollouts, chosen.scoring, made_of
        )
    except TooManyFailures as error:
        aside.failed_rollouts(problems, rollouts, error.failures, record)
        raise
    if stage:
        record.use("rewards", stage)
    return table
