"""What a bucketer is, and the names that buckets get."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Protocol, Self

from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.core.file_names import require_file_name
from curriculum.core.records import Cuts, Integers, Metrics

Count = Annotated[int, Field(ge=1, le=1000)]  # of buckets
Names = Annotated[list[str], Field(min_length=1)]  # of buckets, different ones

NAMES = {
    2: ["easy", "hard"],
    3: ["easy", "medium", "hard"],
    4: ["easy", "medium", "hard", "very_hard"],
    5: ["very_easy", "easy", "medium", "hard", "very_hard"],
}


class Bucketer(Protocol):
    """Cuts problems into buckets, in scikit-learn's habits.

    A dataclass whose fields are its settings. `fit` learns `edges_` and `names_` from one set of
    metrics; `assign` uses nothing but them and the settings, so edges fitted on one model's
    rollouts apply to another's. Both are plain JSON values.

    What follows `assign` is for those that have something to say there.
    """

    cuts_on_chosen: ClassVar[bool] = False  # whether it cuts on the metric that the run chose

    edges_: Any
    names_: list[str]  # easy to hard

    def fit(self, metrics: Metrics) -> Self:
        """Learn the edges."""
        ...

    def assign(self, metrics: Metrics) -> Integers:
        """(P,) index into `names_` of each problem's bucket."""
        ...

    def describe(self, metrics: Metrics) -> Cuts | None:
        """Where one bucket ends and the next begins, read from `edges_`, for charts and tables.

        None where no values of one metric lie between the buckets.

        Args:
            metrics: what was cut; it says in which unit (`metrics.basis["scale"]` of pass rates)
                and in which direction (`metrics.easier`) its columns are.
        """
        return None

    def summary(self) -> str:
        """The edges in a few words, for tables, where there is nothing to describe."""
        return ""

    @property
    def splits_ties(self) -> bool:
        """Whether problems of one value may lie in several buckets."""
        return False

    @property
    def wants_recorded_order(self) -> bool:
        """Whether it needs `metrics.recorded_order`."""
        return False

    def pass_rates_between(self, quantile: Callable[[float], float]) -> Sequence[float] | None:
        """Pass rates between its buckets, as shares, before there is anything to fit.

        None where none lie there. An adaptive budget asks for them.

        Args:
            quantile: gives the pass rate that a share of the problems stays below, as far as is
                known.
        """
        return None


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
    for name in names or ():
        require_file_name("bucketer.names", name)
    if names is None:
        return NAMES.get(n, [f"level_{i}" for i in range(n)])
    if len(names) != n or len(set(names)) != n:
        raise UserError(f"{n} buckets need {n} different names; bucketer.names={list(names)}")
    return list(names)
