"""Drawing without replacement: every prompt once, before any comes again."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.state import State, Stateful

MOST = 1 << 16  # prompts looked at in one go


def but_for(allowed: Allowed, drawn: Integers) -> Allowed:
    """What is allowed without some prompts."""
    return lambda rows: np.asarray(allowed(rows) & ~np.isin(rows, drawn))


class EpochShuffle(Stateful):
    """Prompts in shuffled order, shuffled anew for every pass.

    Orders follow from a key, so that the state is two numbers however many prompts there are.
    """

    _pass: State[int]
    _next: State[int]  # place in the order of this pass

    def __init__(self, members: Integers, rng: np.random.Generator) -> None:
        self.members = members
        self._key = int(rng.integers(1 << 62))
        self._pass, self._next = 0, 0
        self._order, self._order_of = members[:0], -1  # of which pass

    def __len__(self) -> int:
        return len(self.members)

    def draw(self, count: int, allowed: Allowed) -> Integers:
        """The next `count` allowed prompts, fewer where there are no more; others are passed over.

        One call looks at what is left of the pass and at the whole of the next, and no further.
        """
        drawn: list[Integers] = []
        missing, left, look = count, 2 * len(self) - self._next, count + count // 8 + 8
        wrapped = False
        while missing > 0 and left > 0:
            look = min(look, left, MOST, len(self) - self._next)
            rows = self._shuffled[self._next : self._next + look]
            good = allowed(rows)
            if wrapped and drawn:  # a new pass may begin with what ended the last one
                good = good & ~np.isin(rows, np.concatenate(drawn))
            places = np.flatnonzero(good)[:missing]
            drawn.append(rows[places])
            looked = int(places[-1]) + 1 if len(places) == missing else look
            missing, left = missing - len(places), left - looked
            look = max(2 * look, 64)
            self._next += looked
            if self._next == len(self):
                self._pass, self._next, wrapped = self._pass + 1, 0, True
        return np.concatenate(drawn) if drawn else self.members[:0]

    @property
    def _shuffled(self) -> Integers:
        """The order of this pass."""
        if self._order_of != self._pass:
            shuffle = np.random.default_rng([self._key, self._pass])
            self._order, self._order_of = shuffle.permutation(self.members), self._pass
        return self._order
