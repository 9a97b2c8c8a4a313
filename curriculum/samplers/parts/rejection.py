"""Passing over some of an epoch's prompts by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from curriculum.core.prompts import Mask
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle, but_for


def draw_by_rejection(
    epoch: EpochShuffle,
    count: int,
    allowed: Allowed,
    chance: Callable[[Integers], Floats],
    rng: np.random.Generator,
) -> Integers:
    """The epoch's next `count` prompts, each taken with its chance (0 to 1) and else passed over.

    Where the rest of the pass and the whole next one have too few, more are taken whatever their
    chance.
    """

    def lucky(rows: Integers) -> Mask:
        return np.asarray(allowed(rows) & (rng.random(len(rows)) < chance(rows)))

    drawn = epoch.draw(count, lucky)
    rest = epoch.draw(count - len(drawn), but_for(allowed, drawn))
    return np.concatenate([drawn, rest])
