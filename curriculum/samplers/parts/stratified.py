"""Disjoint groups of prompts, drawn in shares that are exact over any number of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import Decks, but_for


class Rounding:
    """Shares as whole numbers: largest remainders, what was rounded off carried over.

    So the sums over all times too are within about one of the shares.
    """

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

    def state_dict(self) -> dict[str, Any]:
        """What was rounded off."""
        return {"carry": self._carry.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._carry = np.asarray(state["carry"], np.float64)


class Strata:
    """A deck for each group."""

    def __init__(self, groups: Sequence[Integers], rng: np.random.Generator) -> None:
        self._decks = Decks(groups, rng)
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
            deck.draw(k, allowed) for deck, k in zip(self._decks, counts.tolist(), strict=True)
        ]
        for i in np.flatnonzero(present):  # others take the place of groups that have too few
            missing = count - sum(map(len, drawn))
            if not missing:
                break
            drawn.append(self._decks[i].draw(missing, but_for(allowed, np.concatenate(drawn))))
        return np.concatenate(drawn)

    def state_dict(self) -> dict[str, Any]:
        """How far each deck is."""
        return {"decks": self._decks.state_dict(), "rounding": self._rounding.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._decks.load_state_dict(state["decks"])
        self._rounding.load_state_dict(state["rounding"])
