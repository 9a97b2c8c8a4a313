"""A part of every batch in turn from all prompts, so that nothing starves."""

from __future__ import annotations

import numpy as np

from curriculum.core.prompts import Prompts
from curriculum.core.records import Integers
from curriculum.samplers.guards.repeats import Repeats
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.parts.stratified import Rounding
from curriculum.samplers.state import State, Stateful


class Floor(Stateful):
    """Replaces a share of each batch by the next prompts of the same sources.

    So the mix of sources stays the sampler's. A source of P prompts with s slots in each batch is
    gone through once in P / (share s) batches; shuffled anew each time, so up to twice that may
    lie between two draws of the same prompt.
    """

    _rounding: State[Rounding]
    _epochs: State[list[EpochShuffle]]  # of each source

    def __init__(self, prompts: Prompts, share: float, rng: np.random.Generator) -> None:
        self._source = prompts.source
        self._shares, self._rounding = np.array([share, 1 - share]), Rounding(2)
        rows = np.argsort(prompts.source, kind="stable") if share else np.zeros(0, np.int64)
        cuts = np.searchsorted(prompts.source[rows], np.arange(1, len(prompts.sources)))
        self._epochs = [EpochShuffle(group, rng) for group in np.split(rows, cuts)]

    def put_into(self, batch: Integers, repeats: Repeats) -> None:
        """Change the beginning of a shuffled batch, in place."""
        if not self._shares[0]:
            return
        places = np.arange(self._rounding.split(len(batch), self._shares)[0])
        sources = self._source[batch[places]]
        for source in np.unique(sources).tolist():
            own = places[sources == source]
            old = batch[own]
            repeats.take_back(old)
            new = self._epochs[source].draw(len(own), repeats.allowed)
            kept = old[~np.isin(old, new)][: len(own) - len(new)]  # where there are too few
            batch[own] = np.concatenate([new, kept])
            repeats.note(batch[own])
