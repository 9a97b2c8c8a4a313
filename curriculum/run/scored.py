"""Rewards of a run's rollouts, from the store where they have been computed."""

from __future__ import annotations

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
from curriculum.run.scoring.entries import load as load_rewards
from curriculum.run.scoring.needs import require_needs
from curriculum.run.scoring.scoring import ScoringError
from curriculum.run.settings import Settings


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
) -> pa.Table:
    """A reward or a failure for every rollout.

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
    try:
        table, entry = load_rewards(
            context.store, reward, problems, rollouts, settings.scoring, made_of, earlier
        )
    except ScoringError as error:
        rejects.failed_rollouts(problems, rollouts, error.failures, context)
        raise
    if entry:
        context.ledger.use(f"rewards{suffix}", entry)
    return without_cut_off(rollouts, table, settings.limits.truncated)
