"""The third step: a reward, or why there is none, for every rollout."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from curriculum.budgets import Findings
from curriculum.core.records import Problems, Rewards, Rollouts
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.run.sampling import Sampled
from curriculum.run.scored import score
from curriculum.run.scoring.scoring import failures_in
from curriculum.run.settings import Settings


class Rewarded(NamedTuple):
    """Problems, their rollouts, and what these earned."""

    problems: Problems
    rollouts: Rollouts
    rewards: pa.Table  # lines up with the rollouts, as in `REWARD_SCHEMA`
    groups: Rewards  # of the problems with at least one
    findings: Findings | None  # of the budget


def reward(settings: Settings, sampled: Sampled, context: Context) -> Rewarded | None:
    """Score the rollouts, or find how they were scored; None where other shards' are missing.

    Raises:
        UserError: where too many can't be, or not a single one has a reward.
    """
    problems, rollouts, made_of, rewards, findings = sampled
    with context.ledger.timed("rewards"):
        if rewards is None:
            rewards = score(settings, problems, rollouts, made_of, context)
            if rewards is None:
                return None
            rejects.failed_rollouts(problems, rollouts, failures_in(rewards), context)
        groups = Rewards.group(rollouts, rewards)
        rejects.problems_without_reward(problems, groups, context)
    return Rewarded(problems, rollouts, rewards, groups, findings)
