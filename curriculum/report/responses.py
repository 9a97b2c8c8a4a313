"""Which responses of a problem are on a page, and how each of them did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curriculum.core.records import Integers, Rollouts, reaches

RESPONSES = 8  # of a problem


@dataclass(frozen=True)
class Rewarded:
    """Rewards that line up with the rollouts, and what passes."""

    table: pa.Table  # as in `REWARD_SCHEMA`
    threshold: float
    strict: bool

    def kind(self, rows: Integers) -> npt.NDArray[np.int64]:
        """0 a failure, 1 a pass, 2 no reward."""
        reward = self.table["reward"].take(pa.array(rows)).to_numpy().astype(np.float64)
        passes = reaches(reward, self.threshold, strict=self.strict)
        return np.where(np.isnan(reward), 2, passes)

    def told(self, rows: Integers) -> list[dict[str, Any]]:
        """Reward, whether it passes, and the cause where there is none."""
        reward, failure = (
            self.table[name].take(pa.array(rows)).to_pylist() for name in ("reward", "failure")
        )
        return [
            {"reward": value, "passed": bool(kind == 1), "failure": cause}
            for value, cause, kind in zip(reward, failure, self.kind(rows), strict=True)
        ]


def choose_responses(
    rollouts: Rollouts, rows: Integers, problems: int, rewards: Rewarded | None
) -> Integers:
    """Ascending rows of the rollouts to show: the first of each kind, as many as there may be.

    Args:
        rows: of the problems, of which there are so many.
    """
    wanted = np.zeros(problems + 1, np.bool_)  # the last is where -1 looks
    wanted[rows] = True
    found = np.flatnonzero(wanted[rollouts.problem])
    problem = rollouts.problem[found]
    sample = rollouts.index["sample_idx"].to_numpy()[found]
    kind = np.zeros(len(found), np.int64) if rewards is None else rewards.kind(found)
    order = np.lexsort((sample, kind, problem))
    turn = np.empty(len(found), np.int64)
    turn[order] = place_within(problem[order] * 3 + kind[order])
    order = np.lexsort((kind, turn, problem))
    shown = order[place_within(problem[order]) < RESPONSES]
    return np.sort(found[shown])


def place_within(groups: Integers) -> Integers:
    """Place within its group, from 0, of each element of a sorted array."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    lengths = np.diff(np.append(first, len(groups)))
    return np.arange(len(groups)) - np.repeat(first, lengths)
