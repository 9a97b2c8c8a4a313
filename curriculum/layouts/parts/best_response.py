"""The best of each problem's responses, picked out of the stream of all of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curriculum.core.measured import Measured
from curriculum.formats.tables import struct_of


def best_responses(outcome: Measured) -> pa.StructArray:
    """(P,) of each problem's rollouts the one with the highest reward, the first where some tie."""
    index, rewards = outcome.rollouts.index, outcome.rewards
    scored = np.flatnonzero(
        (outcome.rollouts.problem >= 0) & rewards["failure"].is_null().to_numpy()
    )
    reward = rewards["reward"].to_numpy()[scored]
    sample_idx = index["sample_idx"].to_numpy()[scored]
    problem = outcome.rollouts.problem[scored]
    order = np.lexsort((sample_idx, -reward, problem))
    best = order[np.unique(problem[order], return_index=True)[1]]
    count = len(best)
    return struct_of(
        {
            "role": pa.array(["assistant"] * count, pa.string()),
            "content": outcome.rollouts.texts(scored[best]),
            "score": pa.array(reward[best], pa.float64()),
            "sample_idx": pa.array(sample_idx[best], pa.int64()),
        }
    )
