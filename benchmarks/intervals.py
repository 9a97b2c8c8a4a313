"""How often the interval of a bucket's mean holds the mean of the true pass rates: drawn problems.

    python benchmarks/intervals.py

Pass rates are drawn, then rollouts of each problem, which choose its bucket. Beside the interval of
`curriculum.core.mixing`, the one that these very rollouts give by themselves (Jeffreys' prior).
"""

from collections.abc import Callable

import numpy as np

from curriculum.core.mixing import mean_pass_rates
from curriculum.core.posterior import JEFFREYS, beta_posterior
from curriculum.core.records import Booleans, Floats
from curriculum.core.terminal import console, plain_table

RUNS, LEVEL, FEWEST = 100, 0.9, 5
SPREADS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "mostly never or always": lambda rng, size: rng.beta(0.3, 0.3, size),
    "mostly hard": lambda rng, size: rng.beta(0.7, 2, size),
    "even": lambda rng, size: rng.random(size),
    "two kinds": lambda rng, size: np.where(
        rng.random(size) < 0.5, rng.beta(2, 20, size), rng.beta(20, 3, size)
    ),
}


def held(spread: str, problems: int, n: int) -> tuple[Floats, Floats]:
    """Share of buckets (easy to hard, four) whose mean lies in ours, and in the plain interval."""
    rng = np.random.default_rng(0)
    inside = np.zeros((2, 4))
    seen = np.zeros(4)
    for _ in range(RUNS):
        rate = SPREADS[spread](rng, problems)
        c = rng.binomial(n, rate).astype(float)
        bucket = (c / n < 0.8).astype(int) + (c / n < 0.5) + (c / n < 0.2)
        ours = mean_pass_rates(np.full(problems, float(n)), c, bucket, 4, LEVEL)
        for each in range(4):
            there: Booleans = bucket == each
            if there.sum() < FEWEST:
                continue
            true, total = rate[there].mean(), float(there.sum() * n)
            _, low, high = beta_posterior(
                np.array([total]), np.array([c[there].sum()]), JEFFREYS, LEVEL
            )
            seen[each] += 1
            inside[0, each] += ours[each, 1] <= true <= ours[each, 2]
            inside[1, each] += low[0] <= true <= high[0]
    return inside[0] / seen, inside[1] / seen


def main() -> None:
    """Print the shares."""
    table = plain_table("Intervals of 90 % that hold the true mean", "true pass rates", "problems")
    for name in (
        "rollouts",
        "ours: easy",
        "medium",
        "hard",
        "very hard",
        "plain: easy to very hard",
    ):
        table.add_column(name, justify="right")
    for spread in SPREADS:
        for problems, n in ((300, 4), (300, 8), (2_000, 8), (1_000, 16)):
            ours, plain = held(spread, problems, n)
            told = ", ".join(f"{share:.0%}" for share in plain)
            table.add_row(spread, f"{problems:,}", str(n), *(f"{each:.0%}" for each in ours), told)
    console().print(table)


if __name__ == "__main__":
    main()
