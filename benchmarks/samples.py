"""How many problems n samples put into the wrong bucket: drawn problems, so the truth is known.

    python benchmarks/samples.py

Pass rates are drawn, then n rollouts of each problem; a problem is in the wrong bucket where its
measured rate is not in the bucket of its true one.
"""

from collections.abc import Callable

import numpy as np

from curriculum.core.records import Floats
from curriculum.core.terminal import console, plain_table

PROBLEMS = 200_000
SAMPLES = (4, 8, 16, 32, 64, 128)
FIVE = [0.2, 0.4, 0.6, 0.8]
KINDS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "even": lambda rng: rng.random(PROBLEMS),
    "mostly never or always": lambda rng: rng.beta(0.3, 0.3, PROBLEMS),
}


def wrong_at_rates(true: Floats, measured: Floats) -> tuple[float, float]:
    """Share of problems in the wrong of five buckets of fixed rates; of these, one bucket off."""
    off = np.abs(np.digitize(true, FIVE) - np.digitize(measured, FIVE))
    return float((off > 0).mean()), float((off == 1).sum() / (off > 0).sum())


def wrong_fifth(true: Floats, measured: Floats, rng: np.random.Generator) -> float:
    """Share of problems in the wrong fifth by rank, ties broken by lot."""
    fifth = [_rank(rates, rng) * 5 // len(true) for rates in (true, measured)]
    return float((fifth[0] != fifth[1]).mean())


def _rank(rates: Floats, rng: np.random.Generator) -> np.ndarray:
    rank = np.empty(len(rates), np.int64)
    rank[np.lexsort((rng.random(len(rates)), rates))] = np.arange(len(rates))
    return rank


def main() -> None:
    """Print the shares."""
    rng = np.random.default_rng(0)
    table = plain_table("Problems in the wrong bucket", "true pass rates", "samples")
    for name in ("five at .2 .4 .6 .8", "of these one off", "five of equal size"):
        table.add_column(name, justify="right")
    for kind, draw in KINDS.items():
        true = draw(rng)
        for n in SAMPLES:
            measured = rng.binomial(n, true) / n
            shares = (*wrong_at_rates(true, measured), wrong_fifth(true, measured, rng))
            table.add_row(kind, str(n), *(f"{share:.0%}" for share in shares))
    console().print(table)


if __name__ == "__main__":
    main()
