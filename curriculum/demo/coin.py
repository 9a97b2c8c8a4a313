"""The reward of `data=graded`: right or wrong to the letter; of coins, a toss of one."""

from __future__ import annotations

import hashlib
from typing import Any

from curriculum.data.parts.graded_tasks import COIN


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any]
) -> float:
    """1.0 or 0.0, as verl calls it.

    A coin's toss is a digest of problem and response: the same for the same response, and nothing
    that could be learned from one problem for another.
    """
    if data_source != COIN:
        return float(solution_str.strip() == ground_truth)
    digest = hashlib.sha256(f"{extra_info['index']} {solution_str}".encode()).digest()
    return float(digest[0] % 2)
