"""Drawing without replacement: every prompt of a deck once, before any comes again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed

MOST = 1 << 16  # cards looked at in one go


def but_for(allowed: Allowed, drawn: Integers) -> Allowed:
    """What is allowed without some prompts."""
    return lambda rows: np.asarray(allowed(rows) & ~np.isin(rows, drawn))


class Deck:
    """Prompts in shuffled order, shuffled anew for every pass.

    Orders follow from a key, so that the state is two numbers however many prompts there are.
    """

    def __init__(self, members: Integers, rng: np.random.Generator) -> None:
        self.members = members
        self._key = int(rng.integers(1 << 62))
        self._pass, self._next = 0, 0
        self._order: Integers | None = None

    def __len__(self) -> int:
        return len(self.members)

    def draw(self, count: int, allowed: Allowed) -> Integers:
        """The next `count` allowed cards, fewer where there are no more; what isn't is passed over.

        One call looks at what is left of the pass and at the whole of the next, and no further.
        """
        drawn: list[Integers] = []
        missing, left, look = count, 2 * len(self) - self._next, count + count // 8 + 8
        wrapped = False
        while missing > 0 and left > 0:
            look = min(look, left, MOST, len(self) - self._next)
            cards = self._cards[self._next : self._next + look]
            good = allowed(cards)
            if wrapped and drawn:  # a new pass may begin with what ended the last one
                good = good & ~np.isin(cards, np.concatenate(drawn))
            places = np.flatnonzero(good)[:missing]
            drawn.append(cards[places])
            looked = int(places[-1]) + 1 if len(places) == missing else look
            missing, left = missing - len(places), left - looked
            look = max(2 * look, 64)
            self._next += looked
            if self._next == len(self):
                self._pass, self._next, self._order, wrapped = self._pass + 1, 0, None, True
        return np.concatenate(drawn) if drawn else self.members[:0]

    def state_dict(self) -> dict[str, Any]:
        """How far it is."""
        return {"pass": self._pass, "next": self._next}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._pass, self._next, self._order = state["pass"], state["next"], None

    @property
    def _cards(self) -> Integers:
        if self._order is None:
            shuffle = np.random.default_rng([self._key, self._pass])
            self._order = shuffle.permutation(self.members)
        return self._order


class Decks(list[Deck]):
    """A deck for each of some groups."""

    def __init__(self, groups: Iterable[Integers], rng: np.random.Generator) -> None:
        super().__init__(Deck(group, rng) for group in groups)

    def state_dict(self) -> list[dict[str, Any]]:
        """How far each is."""
        return [deck.state_dict() for deck in self]

    def load_state_dict(self, state: Sequence[dict[str, Any]]) -> None:
        """Go on from there."""
        for deck, each in zip(self, state, strict=True):
            deck.load_state_dict(each)
