"""Disjoint groups of prompts, drawn in shares that are exact over any number of batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle, but_for
from curriculum.samplers.state import State, Stateful


class Rounding(Stateful):
    """Shares as whole numbers: largest remainders, what was rounded off carried over.

    So the sums over all times too are within about one of the shares.
    """

    _carry: State[Floats]  # (parts,)

    def __init__(self, parts: int) -> None:
        self._carry = np.zeros(parts)

    def split(self, count: int, shares: Floats) -> Integers:
        """(parts,) whole numbers that add up to `count`; none for a share of 0.

        Args:
            shares: (parts,) they add up to 1.
        """
        some = shares > 0
        carry = np.where(some, self._carry, 0)
        carry[some] -= carry.sum() / some.sum()  # what a part without a share leaves behind
        wanted = shares * count + carry
        given = np.floor(np.maximum(wanted, 0) + 1e-9).astype(np.int64)
        missing = count - int(given.sum())
        order = np.argsort(given - wanted, kind="stable")
        if missing > 0:
            given[order[some[order]][:missing]] += 1
        elif missing < 0:
            given[order[given[order] > 0][missing:]] -= 1
        self._carry = wanted - given
        return given


class Stratified(Stateful):
    """Groups of prompts, each in shuffled order."""

    _epochs: State[list[EpochShuffle]]  # of each group
    _rounding: State[Rounding]

    def __init__(self, groups: Sequence[Integers], rng: np.random.Generator) -> None:
        self._epochs = [EpochShuffle(group, rng) for group in groups]
        self.sizes = np.array([len(group) for group in groups])
        self._rounding = Rounding(len(groups))

    def draw(self, count: int, shares: Floats, allowed: Allowed) -> Integers:
        """`count` prompts, groups in their shares; groups without prompts leave theirs to others.

        Args:
            shares: (groups,) not negative; their scale doesn't matter.
        """
        present = np.where(self.sizes > 0, shares, 0)
        if not present.any():
            return np.zeros(0, np.int64)
        counts = self._rounding.split(count, present / present.sum())
        drawn = [
            epoch.draw(k, allowed) for epoch, k in zip(self._epochs, counts.tolist(), strict=True)
        ]
        for i in np.flatnonzero(present):  # others take the place of groups that have too few
            missing = count - sum(map(len, drawn))
            if not missing:
                break
            drawn.append(self._epochs[i].draw(missing, but_for(allowed, np.concatenate(drawn))))
        return np.concatenate(drawn)
