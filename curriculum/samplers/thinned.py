"""Passing over some of a deck's prompts by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from curriculum.records import Floats, Integers
from curriculum.samplers.base import Allowed, Mask
from curriculum.samplers.deck import Deck

PASSES = 2  # of the deck, before the rest of a batch is taken as it comes


def thinned(
    deck: Deck,
    count: int,
    allowed: Allowed,
    chance: Callable[[Integers], Floats],
    rng: np.random.Generator,
) -> Integers:
    """The deck's next `count` prompts, each taken with its chance (0 to 1) and else passed over.

    Where the deck has been gone through and there are still too few, the next ones are taken
    whatever their chance.
    """
    drawn = [np.zeros(0, np.int64)]

    def new(rows: Integers) -> Mask:
        return np.asarray(allowed(rows) & ~np.isin(rows, drawn[0]))

    def taken(rows: Integers) -> Mask:
        lucky = rng.random(len(rows)) < chance(rows)
        return np.asarray((allowed if not len(drawn[0]) else new)(rows) & lucky)

    for _ in range(PASSES):
        more = deck.draw(count - len(drawn[0]), taken)
        drawn[0] = np.concatenate([drawn[0], more])
        if len(drawn[0]) == count:
            return drawn[0]
    return np.concatenate([drawn[0], deck.draw(count - len(drawn[0]), new)])
