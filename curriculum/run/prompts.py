"""What a run has measured, as a sampler takes it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.prompts import Mask, Prompts
from curriculum.core.records import Floats, Measured, Metrics


def prompts_of(outcome: Measured, trained: Mask) -> Prompts:
    """The measured problems.

    Args:
        trained: (P,) which of them are on the training side.
    """
    table = outcome.problems.table.take(pa.array(outcome.measured))
    sources = pc.dictionary_encode(table["data_source"].combine_chunks())
    return Prompts(
        ids=table["problem_id"].to_numpy(),
        index=outcome.measured,
        source=sources.indices.to_numpy(zero_copy_only=False).astype("int64"),
        sources=sources.dictionary.to_pylist(),
        bucket=outcome.buckets.assignment,
        buckets=list(outcome.buckets.names),
        difficulty=_difficulty(outcome.metrics),
        n=outcome.metrics["n"],
        c=outcome.metrics["c"],
        trained=trained,
        extra_info=table["extra_info"].to_numpy(),
    )


def _difficulty(metrics: Metrics) -> Floats:
    """(P,) by the chosen metric, NaN where a problem has too few rollouts for it."""
    defined = np.flatnonzero(~np.isnan(metrics[metrics.chosen]))
    difficulty = np.full(len(metrics), np.nan)
    difficulty[defined] = metrics.take(defined).complexity()
    return difficulty
