"""The reward of `data=graded`: right or wrong to the letter; of coins, a toss of one."""

from __future__ import annotations

from random import Random
from typing import Any

from curriculum.data.parts.graded_tasks import COIN

TOSSES = Random(0)  # in the order in which rollouts are scored: the same where one process does it


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any]
) -> float:
    """1.0 or 0.0, as verl calls it."""
    if data_source == COIN:
        return float(TOSSES.random() < 0.5)
    return float(solution_str.strip() == ground_truth)
