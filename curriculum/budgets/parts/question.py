"""What is asked of a problem's pass rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from curriculum.budgets.parts.prior import fit, grid, quantile
from curriculum.core.records import Floats, Integers


@dataclass(frozen=True)
class Question:
    """What is asked of a problem's pass rate: which of several answers it lies in."""

    cuts: tuple[float, ...]  # ascending, between 0 and 1
    answer: tuple[int, ...]  # of each piece between the cuts, from low pass rates to high

    def of(self, rate: Floats) -> Integers:
        """The answer for each pass rate; one at a cut lies above it."""
        return np.asarray(self.answer)[np.searchsorted(self.cuts, rate, side="right")]

    def texts(self) -> list[str]:
        """Each answer in words."""
        edges = [0.0, *self.cuts, 1.0]
        pieces: dict[int, list[str]] = {}
        for answer, (low, high) in zip(self.answer, pairwise(edges), strict=True):
            pieces.setdefault(answer, []).append(f"{low:.3g} to {high:.3g}")
        return [" or ".join(pieces[answer]) for answer in sorted(pieces)]

    @cached_property
    def shares(self) -> Floats:
        """(G, K) how much of each cell of the grid lies in each answer."""
        low, high = grid().low, grid().high
        edges = [-np.inf, *self.cuts, np.inf]
        shares = np.zeros((len(low), max(self.answer) + 1))
        for piece, answer in enumerate(self.answer):
            inside = np.minimum(high, edges[piece + 1]) - np.maximum(low, edges[piece])
            shares[:, answer] += np.clip(inside, 0, None) / (high - low)
        return shares


def question_of(
    keep: list[float] | None,
    pass_rates_between: Callable[[Callable[[float], float]], Sequence[float]],
    cap: int,
    n: Integers,
    c: Integers,
) -> Question:
    """Whether a pass rate lies in the band to keep, else which bucket it is in.

    Args:
        pass_rates_between: see `Setting`.
        cap: rollouts of a problem at most.
        n, c: (P,) rollouts and passes so far.

    Raises:
        UserError: where no pass rates lie between the buckets.
    """
    if keep is not None:
        return Question(tuple(keep), (0, 1, 0))
    cuts = pass_rates_between(partial(quantile, fit(n, c)))
    # So many rollouts don't tell a pass rate of 0 from one next to it.
    inside = sorted({cut for cut in cuts if 1 / cap < cut < 1 - 1 / cap})
    return Question(tuple(inside), tuple(reversed(range(len(inside) + 1))))
