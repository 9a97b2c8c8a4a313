"""How often the range of what luck moves holds: `python benchmarks/moves.py`.

A model that has not changed is measured twice, with as many or other numbers of rollouts, and its
problems are cut at .8, .5 and .2 both times. `python -m curriculum.compare` says how many of them
luck moves, in a range of 90 %.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from curriculum.compare.change.luck import Counts, moves, total
from curriculum.compare.paired import LEVEL
from curriculum.core.records import Floats, Integers
from curriculum.core.terminal import console, plain_table

DRAWS = 60
EDGES = (0.8, 0.5, 0.2)
ROLLOUTS = ((16, 16), (16, 4), (4, 16), (4, 4), (8, 8))
KINDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "mostly never or always": lambda rng, count: rng.beta(0.4, 0.4, count),
    "half never or always": lambda rng, count: np.where(
        rng.random(count) < 0.5, rng.integers(0, 2, count), rng.beta(2, 2, count)
    ),
    "mostly hard": lambda rng, count: rng.beta(0.2, 2, count),
}


def place(n: int) -> Integers:
    """(n + 1,) the bucket of 0 to n passes."""
    return np.asarray((np.arange(n + 1)[:, None] / n < EDGES).sum(axis=1))


def holds(rng: np.random.Generator, rates: Floats, n: int, m: int) -> bool:
    """Whether as many move as the range says."""
    first, then = rng.binomial(n, rates), rng.binomial(m, rates)
    alike = np.ones(len(rates), np.int64)
    easier, harder = moves(Counts(n * alike, first, m * alike, then), {n: place(n)}, {m: place(m)})
    moved = int((place(n)[first] != place(m)[then]).sum())
    luck = total(easier + harder, LEVEL)
    return luck.low <= moved <= luck.high


def main() -> None:
    """Print the share of draws in which the range holds, for each kind of problems."""
    rng = np.random.default_rng(1)
    title = f"Ranges of {LEVEL:.0%} that hold the number of those that move"
    table = plain_table(title, "problems", "rollouts", *KINDS)
    shares = []
    for count in (100, 1000):
        for n, m in ROLLOUTS:
            row = [
                np.mean([holds(rng, draw(rng, count), n, m) for _ in range(DRAWS)])
                for draw in KINDS.values()
            ]
            shares += row
            table.add_row(f"{count:,}", f"{n} and {m}", *(f"{share:.0%}" for share in row))
    out = console()
    out.print(table)
    out.print(f"on average {np.mean(shares):.0%}, from {min(shares):.0%} to {max(shares):.0%}")


if __name__ == "__main__":
    main()
