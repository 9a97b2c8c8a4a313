"""Rewards of a run's rollouts, from the store where they have been computed."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from curriculum import rewards
from curriculum.core.records import Problems, Rollouts
from curriculum.core.run_result import Record
from curriculum.run import rejects
from curriculum.run.scoring.entries import load as load_rewards
from curriculum.run.scoring.scoring import TooManyFailures
from curriculum.run.settings import Strategies


class Round(NamedTuple):
    """One of several, and how many rollouts could not be scored in those before it."""

    number: int  # from 1
    failures: int


def score(
    chosen: Strategies,
    problems: Problems,
    rollouts: Rollouts,
    record: Record,
    round_: Round | None = None,
) -> pa.Table:
    """A reward or a failure for every rollout.

    Args:
        round_: where there are several.

    Raises:
        TooManyFailures: more than `reward.max_failures`.
    """
    reward = chosen.reward
    if isinstance(reward, rewards.Auto):
        sources = pc.unique(problems.table["data_source"]).to_pylist()
        reward = reward.choose(rollouts.recorded, sources)
    record.results["reward"] = type(reward).__name__
    suffix = f"_{round_.number}" if round_ else ""
    names = ("problems", "replay", f"rollouts{suffix}")
    made_of = [record.stages[name]["fingerprint"] for name in names if name in record.stages]
    earlier = round_.failures if round_ and round_.number > 1 else None
    try:
        table, stage = load_rewards(
            chosen.store, reward, problems, rollouts, chosen.scoring, made_of, earlier
        )
    except TooManyFailures as error:
        rejects.failed_rollouts(problems, rollouts, error.failures, record)
        raise
    if stage:
        record.use(f"rewards{suffix}", stage)
    return table
