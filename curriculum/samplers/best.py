"""The best of some candidates: choosing by score without scoring every prompt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from curriculum.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.deck import Deck


def best_of(
    deck: Deck, count: int, ratio: float, allowed: Allowed, score: Callable[[Integers], Floats]
) -> Integers:
    """The `count` highest scores among the deck's next `ratio` x `count` prompts.

    Every prompt is a candidate once a pass. Of equal scores, the ones that come first in the deck.
    """
    candidates = deck.draw(max(round(ratio * count), count), allowed)
    if len(candidates) <= count:
        return candidates
    return candidates[np.argsort(-score(candidates), kind="stable")[:count]]
