"""The best of each problem's responses, picked out of the stream of all of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from curriculum.records import Integers, Outcome


def best_responses(outcome: Outcome) -> pa.StructArray:
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
    return pa.StructArray.from_arrays(
        [
            pa.array(["assistant"] * count, pa.string()),
            _texts(outcome.rollouts.responses(), scored[best]),
            pa.array(reward[best], pa.float64()),
            pa.array(sample_idx[best], pa.int64()),
        ],
        ["role", "content", "score", "sample_idx"],
    )


def _texts(responses: Iterable[pa.Array], wanted: Integers) -> pa.Array:
    """The responses at the wanted places of the stream, in the order they are wanted."""
    order = np.argsort(wanted)
    ascending, start = wanted[order], 0
    parts: list[pa.Array] = []
    for batch in responses:
        inside = (ascending >= start) & (ascending < start + len(batch))
        parts.append(batch.take(pa.array(ascending[inside] - start)))
        start += len(batch)
    return pa.concat_arrays(parts).take(pa.array(np.argsort(order)))
