"""Rewards of a run's rollouts, from the store where they have been computed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.records import Integers, Problems, Rollouts
from curriculum.rewards import Reward
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.run.cut_off import without_cut_off
from curriculum.run.scoring import entries
from curriculum.run.scoring.entries import Work
from curriculum.run.scoring.needs import require_needs
from curriculum.run.scoring.scores import ScoringError
from curriculum.run.settings import Settings

log = logging.getLogger(__name__)


class Round(NamedTuple):
    """One of several, and how many rollouts could not be scored in those before it."""

    number: int  # from 1
    failures: int


def choose_reward(
    settings: Settings, problems: Problems, asked: Integers, recorded: bool, option: str
) -> Reward:
    """The reward of a run.

    Args:
        asked: rows of the problems whose rollouts it is to score.
        recorded: whether the rollouts carry rewards.
        option: what the configuration calls it.

    Raises:
        UserError: where there is none to choose, or no problem has what it needs.
    """
    sources = pc.unique(problems.table["data_source"]).to_pylist()
    reward = settings.reward.choose(recorded, sources)
    require_needs(reward, option, problems, asked)
    return reward


def score(
    settings: Settings,
    problems: Problems,
    rollouts: Rollouts,
    made_of: Sequence[str],
    context: Context,
    round_: Round | None = None,
) -> pa.Table | None:
    """A reward or a failure for every rollout; None where other shards' are missing.

    Args:
        made_of: fingerprints of the entries that problems and rollouts come from.
        round_: where there are several.

    Raises:
        ScoringError: more failures than `reward.max_failures`, or nothing but failures of a source.
        UserError: where no problem has what the reward needs.
    """
    if round_:  # rollouts made here, of problems that were looked at before
        asked = np.arange(len(problems))
    else:
        asked = np.flatnonzero(np.bincount(rollouts.problem[rollouts.problem >= 0]))
    option = context.choices["reward"]
    reward = choose_reward(settings, problems, asked, rollouts.recorded, option)
    context.ledger.note(reward=type(reward).__name__)
    suffix = f"_{round_.number}" if round_ else ""
    earlier = round_.failures if round_ and round_.number > 1 else None
    work = Work(reward, problems, rollouts, settings.scoring, made_of)
    try:
        if reward.in_rollouts:
            table = entries.recorded(work)
        elif settings.scoring.shards > 1 and not add_shard(work, context):
            return None
        else:
            table, entry = entries.load(context.store, work, earlier)
            context.ledger.use(f"rewards{suffix}", entry)
    except ScoringError as error:
        rejects.failed_rollouts(problems, rollouts, error.failures, context)
        raise
    return without_cut_off(rollouts, table, settings.limits.truncated)


def add_shard(work: Work, context: Context) -> bool:
    """Score this shard's part; whether all rollouts are scored now."""
    done, total = entries.add_shard(context.store, work)
    if done < total:
        context.ledger.note(scored_rollouts=done, rollouts_in_all=total)
        log.info("%d of %d rollouts are scored; whoever adds the last goes on", done, total)
    return done == total
