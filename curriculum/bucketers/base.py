"""What a bucketer is, and the names that buckets get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

from curriculum.core.errors import UserError
from curriculum.core.records import Integers, Metrics

NAMES = {
    2: ["easy", "hard"],
    3: ["easy", "medium", "hard"],
    4: ["easy", "medium", "hard", "very_hard"],
    5: ["very_easy", "easy", "medium", "hard", "very_hard"],
}


class Bucketer(Protocol):
    """Cuts problems into buckets, in scikit-learn's habits.

    A dataclass whose fields are its knobs. `fit` learns `edges_` and `names_` from one set of
    metrics; `assign` uses nothing but them and the knobs, so edges fitted on one model's rollouts
    apply to another's. Both are plain JSON values.
    """

    edges_: Any
    names_: list[str]  # easy to hard

    def fit(self, metrics: Metrics) -> Self:
        """Learn the edges."""
        ...

    def assign(self, metrics: Metrics) -> Integers:
        """(P,) index into `names_` of each problem's bucket."""
        ...

    # A bucketer may have `cuts(quantile) -> Sequence[float]`, the pass rates between its buckets,
    # as budget=sequential needs them before there is anything to fit; `quantile(share)` gives the
    # pass rate that a share of the problems stays below, as far as is known.


def require_metric(metric: str, metrics: Metrics) -> None:
    """Raise UserError where edges are of another metric than the chosen one."""
    if metrics.chosen != metric:
        raise UserError(
            f"these edges are of metric {metric}, this run has {metrics.chosen}: edges only mean "
            "something to the same metric"
        )


def bucket_names(names: Sequence[str] | None, n: int) -> list[str]:
    """The names given, else the usual ones for n buckets, from easy to hard.

    Raises:
        UserError: where the names are not n, or not different.
    """
    if n < 1:
        raise UserError(
            f"bucketer.n={n}, bucketer.names={names}: there must be at least one bucket"
        )
    if any("/" in name for name in names or []):
        raise UserError(f"bucketer.names={names}: buckets name files, so they can't have a '/'")
    if names is None:
        return NAMES.get(n, [f"level_{i}" for i in range(n)])
    if len(names) != n or len(set(names)) != n:
        raise UserError(f"{n} buckets need {n} different names; bucketer.names={list(names)}")
    return list(names)
