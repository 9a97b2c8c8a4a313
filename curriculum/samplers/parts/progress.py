"""Which sources still change: how far their cells' fresh pass rates are from older ones."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Floats
from curriculum.samplers.parts.cells import Cells
from curriculum.samplers.state import State, Stateful

SLOW = 0.95  # of the older rates, what is kept where a batch has something of the cell
NOISE = 0.7  # standard deviations of a difference that are put down to chance
FEW = 8.0  # rollouts remembered, below which nothing can be told of a cell
UNTOLD = 0.1  # progress that a cell is given until then


class Progress(Stateful):
    """Of each source the mean over its prompts of |fast - slow|, two averages of their cell's pass
    rate, as far as it is beyond noise; the constants are chosen. Forgetting counts as well.

    Source: Matiisen et al. 2017 (arXiv 1707.00183), section 3, which takes the slope of the
    learning curve, in absolute value, for the same reason.
    """

    _fast: State[Floats]  # (2, C) passes and failures, as far as they are remembered
    _slow: State[Floats]  # (2, C)

    def __init__(self, cells: Cells, memory: float) -> None:
        self._cells, self._memory = cells, memory
        self._fast, self._slow = np.zeros((2, len(cells))), np.zeros((2, len(cells)))

    def observe(self, passed: Floats, failed: Floats) -> None:
        """Take in (C,) passes and failures of a batch."""
        came, seen = np.stack([passed, failed]), passed + failed > 0
        self._fast = np.where(seen, self._memory * self._fast + came, self._fast)
        self._slow = np.where(seen, SLOW * self._slow + came, self._slow)

    def of_sources(self) -> Floats:
        """(S,) 0 where nothing changes."""
        cells, sources = self._cells, len(self._cells.shares)
        total = np.bincount(cells.source, cells.sizes * self._of_cells(), sources)
        return np.asarray(total / np.maximum(np.bincount(cells.source, cells.sizes, sources), 1))

    def _of_cells(self) -> Floats:
        """(C,)"""
        (fast, n), (slow, m) = [(each[0], each.sum(0)) for each in (self._fast, self._slow)]
        away = np.abs((fast + 0.5) / (n + 1) - (slow + 0.5) / (m + 1))
        both = (fast + slow + 0.5) / (n + m + 1)
        deviation = np.sqrt(both * (1 - both) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1)))
        beyond = np.maximum(0.0, away - NOISE * deviation)
        return np.where((n > FEW) & (m > FEW), beyond, UNTOLD)
