"""What a run says of each data source, in numbers."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from curriculum.core.measured import Measured
from curriculum.core.records import Integers


def source_statistics(outcome: Measured) -> dict[str, dict[str, float]]:
    """Per data source, in the order of the data: count and means over its measured problems."""
    names, source = encoded(outcome)
    metrics, counts = outcome.metrics, np.bincount(source, minlength=len(names))
    of_problems = {
        "mean_reward": metrics["mean_reward"],
        "mean_pass_rate": metrics["c"] / metrics["n"],
        "groups_with_gradient": metrics["groups_with_gradient"],
    }
    means = {key: np.bincount(source, each) / counts for key, each in of_problems.items()}
    return {
        name: {"count": int(counts[i]), **{key: float(each[i]) for key, each in means.items()}}
        for i, name in enumerate(names)
    }


def encoded(outcome: Measured) -> tuple[list[str], Integers]:
    """Names of the sources, in the order of the data, and (P,) which each measured problem has."""
    column = outcome.problems.at(outcome.measured)["data_source"]
    found = pc.dictionary_encode(column.combine_chunks())
    return found.dictionary.to_pylist(), found.indices.to_numpy().astype(np.int64)
