"""Cutting an ordered set: at values, or into equal parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from curriculum.core.errors import UserError
from curriculum.core.records import Cuts, Floats, Integers, Metrics, rounded


def cut_ascending(values: Floats, thresholds: Sequence[float]) -> Integers:
    """(P,) 0 for values up to the first threshold, 1 for those up to the second, ..."""
    above = np.searchsorted(rounded(thresholds), rounded(values), side="left")
    return above.astype(np.int64)


def cut_descending(values: Floats, thresholds: Sequence[float], edge_is_easier: bool) -> Integers:
    """(P,) 0 for values above the first threshold, ..., for scores where higher is easier.

    A value of exactly a threshold belongs above it where `edge_is_easier`, else below it.
    """
    side: Literal["left", "right"] = "right" if edge_is_easier else "left"
    above = np.searchsorted(rounded(thresholds[::-1]), rounded(values), side=side)
    return len(thresholds) - above.astype(np.int64)


def require_descending(thresholds: list[float]) -> None:
    """Raise UserError where cuts don't run from easy to hard."""
    if not thresholds or sorted(set(thresholds), reverse=True) != list(thresholds):
        raise UserError(f"bucketer.thresholds={thresholds} must be descending, easy to hard")


def rank_edges(metrics: Metrics, name: str, n: int) -> dict[str, Any]:
    """Edges of n buckets by a metric, sizes differing by one at most, the larger ones first.

    `ranks` are (hardness, tie-break) of the last problem of each bucket but the hardest.

    Equal values are told apart by a hash of their problem_id, so buckets stay equal where values
    tie, and neither the order of rows nor the company a problem is in moves it.
    """
    hardness, ties = _finite(metrics.hardness(name)), tie_breaks(metrics)
    order = np.lexsort((ties, hardness))
    # Fewer problems than buckets: the first ones get one each, the rest none.
    parts = [part for part in np.array_split(order, n) if len(part)]
    last = np.cumsum([len(part) for part in parts])[:-1] - 1
    ranks = [[float(hardness[order[i]]), int(ties[order[i]])] for i in last]
    return {"metric": name, "easier": metrics.easier[name], "ranks": ranks}


def cut_at_ranks(metrics: Metrics, edges: dict[str, Any]) -> Integers:
    """(P,) how many edges a problem is beyond."""
    hardness, ties = _finite(metrics.hardness(edges["metric"])), tie_breaks(metrics)
    bucket = np.zeros(len(metrics), np.int64)
    for value, tie in edges["ranks"]:
        bucket += (hardness > value) | ((hardness == value) & (ties > np.uint64(tie)))
    return bucket


def rank_cuts(edges: dict[str, Any]) -> Cuts:
    """The metric's value of the last problem of each bucket but the hardest."""
    sign = -1 if edges["easier"] == "higher" else 1
    return Cuts(edges["metric"], [sign * hardness + 0.0 for hardness, _ in edges["ranks"]])  # no -0


def tie_breaks(metrics: Metrics) -> npt.NDArray[np.uint64]:
    """(P,) a number for each problem_id that looks random and never changes."""
    import pandas as pd

    ids = metrics.problem_id.to_numpy(zero_copy_only=False)
    return np.asarray(pd.util.hash_array(ids, categorize=False))


def _finite(hardness: Floats) -> Floats:
    """Infinite hardness as the largest number there is: JSON has no infinity."""
    return np.asarray(np.nan_to_num(hardness))
