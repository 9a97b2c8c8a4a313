"""Moving averages that don't mind how many batches come at once, or how few."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Floats
from curriculum.samplers.state import State, Stateful


class Averages(Stateful):
    """Exponential moving averages, one for each of some things; NaN before the first value.

    `alpha` is the weight of a whole batch: half a batch counts as 1 - sqrt(1 - alpha), so that two
    halves come to the same.
    """

    values: State[Floats]

    def __init__(self, alpha: float, size: int) -> None:
        self._keep = 1 - alpha
        self.values = np.full(size, np.nan)

    def add(self, means: Floats, batches: Floats) -> None:
        """Take in (size,) means of as many batches each; 0 batches leave the average as it is."""
        keep = self._keep**batches
        new = keep * self.values + (1 - keep) * means
        first = np.isnan(self.values)
        self.values = np.where(batches > 0, np.where(first, means, new), self.values)
