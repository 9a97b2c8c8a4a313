"""Which sources still get better: how far their cells' fresh pass rates are from older ones."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Floats
from curriculum.samplers.parts.cells import Cells
from curriculum.samplers.state import State, Stateful

FEW = 8.0  # rollouts remembered, below which nothing can be told of a cell
UNTOLD = 0.1  # progress of a cell of which nothing can be told


class Progress(Stateful):
    """TODO."""

    _fast: State[Floats]  # (2, C) passes and failures remembered
    _slow: State[Floats]

    def __init__(self, cells: Cells, fast: float, slow: float, noise: float) -> None:
        self._cells, self._keep, self._noise = cells, (fast, slow), noise
        self._fast, self._slow = np.zeros((2, len(cells.sizes))), np.zeros((2, len(cells.sizes)))

    def observe(self, passed: Floats, failed: Floats) -> None:
        seen = passed + failed > 0
        came = np.stack([passed, failed])
        fast, slow = self._keep
        self._fast = np.where(seen, fast * self._fast + came, self._fast)
        self._slow = np.where(seen, slow * self._slow + came, self._slow)

    def of_sources(self) -> Floats:
        n, m = self._fast.sum(0), self._slow.sum(0)
        new, old = (self._fast[0] + 0.5) / (n + 1), (self._slow[0] + 0.5) / (m + 1)
        both = (self._fast[0] + self._slow[0] + 0.5) / (n + m + 1)
        deviation = np.sqrt(both * (1 - both) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1)))
        moved = np.maximum(0, np.abs(new - old) - self._noise * deviation)
        moved = np.where((n > FEW) & (m > FEW), moved, UNTOLD)
        cells, sources = self._cells, len(self._cells.shares)
        total = np.bincount(cells.source, cells.sizes * moved, sources)
        return np.asarray(total / np.maximum(np.bincount(cells.source, cells.sizes, sources), 1))
