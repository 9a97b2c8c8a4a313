"""`data.truncated`: what an answer counts for that the limit of tokens has ended."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.records import REWARD_SCHEMA, Rollouts
from curriculum.data.base import Truncated

log = logging.getLogger(__name__)
CAUSE = "cut off by the limit of tokens (data.truncated=unknown)"


def without_cut_off(rollouts: Rollouts, rewards: pa.Table, policy: Truncated) -> pa.Table:
    """The rewards, (len(rollouts),) rows of `REWARD_SCHEMA`, with the policy kept.

    Args:
        policy: wrong: an answer that was cut off counts what the reward says of it; excluded: it
            is in no rate; unknown: it is a rollout without a reward, and listed among the rejects.
    """
    reason = rollouts.index["finish_reason"]
    cut_off = np.asarray(pc.equal(reason, "length").fill_null(False)) & (rollouts.problem >= 0)
    if policy == "wrong" or not cut_off.any():
        return rewards
    log.warning("%d answers were cut off: data.truncated=%s", cut_off.sum(), policy)
    mask = pa.array(cut_off)
    cause = pa.scalar(CAUSE if policy == "unknown" else None, pa.string())
    reward = pc.if_else(mask, pa.scalar(None, pa.float64()), rewards["reward"])
    failure = pc.if_else(mask, cause, rewards["failure"])
    return pa.table([reward, failure], schema=REWARD_SCHEMA)
