"""What two runs come to: the change of the mean, who moved, and whether to measure again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from curriculum.compare.change.luck import (
    Counts,
    Range,
    moves,
    p_values,
    rank_correlation,
    ranks_by_luck,
    total,
)
from curriculum.compare.change.places import places
from curriculum.compare.change.runs import Joined
from curriculum.compare.paired import LEVEL
from curriculum.core.mixing import mean_pass_rates
from curriculum.core.names import UNKNOWN
from curriculum.core.posterior import JEFFREYS
from curriculum.core.records import Booleans, Floats

FALSE = 0.1  # share of those that are said to have changed for sure, and have not
AGAIN = 0.1  # share that has left its bucket, beyond luck, from which to measure again
ALL = "all"  # the row of all sources


class Estimate(NamedTuple):
    """A mean and its interval."""

    mean: float
    low: float
    high: float


class Part(NamedTuple):
    """All problems, or those of a source."""

    source: str
    problems: int
    before: float  # mean pass rate
    after: float
    change: Estimate
    easier: int | None  # problems that moved; None: the buckets have other names
    harder: int | None
    easier_by_luck: Range | None  # None: passes alone don't say the bucket
    harder_by_luck: Range | None
    moved_by_luck: Range | None


class Calibration(NamedTuple):
    """A bucket of the first run: what it promised, and what the second finds."""

    bucket: str
    problems: int
    expected: Estimate  # mean pass rate, by the first run's rollouts
    found: Estimate  # by the second's
    stayed: float | None  # share that is still in it


@dataclass(frozen=True)
class Change:
    """Of two runs; `table` is `Joined.table` with `p_value` and `changed` (for sure)."""

    joined: Joined
    table: pd.DataFrame
    parts: list[Part]  # all problems, then each source where there are several
    calibration: list[Calibration]
    rank_correlation: float | None
    ranks_by_luck: Range | None

    @property
    def whole(self) -> Part:
        return self.parts[0]

    @property
    def changed(self) -> int:
        """Problems whose own rollouts say that their rate is another one."""
        return int(self.table["changed"].sum())

    @property
    def left(self) -> Range | None:
        """Share that has left its bucket beyond what luck moves; None where that is not known.

        It is rather too low: among the rollouts of a problem that has changed, luck would move more
        than among those of one that has not.
        """
        part = self.whole
        if part.easier is None or part.harder is None or part.moved_by_luck is None:
            return None
        moved, luck = part.easier + part.harder, part.moved_by_luck
        beyond = [max(0, moved - each) for each in (luck.expected, luck.high, luck.low)]
        return Range(*(each / part.problems for each in beyond))

    @property
    def again(self) -> bool | None:
        """Whether the first run's numbers are too old to rely on."""
        return None if self.left is None else self.left.expected > AGAIN


def change(joined: Joined) -> Change:
    """All that two runs come to."""
    table = joined.table
    columns = [table[name].to_numpy() for name in ("n_before", "c_before", "n_after", "c_after")]
    counts = Counts(*columns)
    p_value = p_values(counts)
    table = table.assign(p_value=p_value, changed=_sure(p_value))
    luck = _by_luck(joined, counts)
    parts = [_part(ALL, table, luck, np.ones(len(table), np.bool_))]
    sources = sorted(table["data_source"].unique())
    if len(sources) > 1:
        each = table["data_source"].to_numpy()
        parts += [_part(source, table, luck, each == source) for source in sources]
    own, itself = rank_correlation(counts), ranks_by_luck(counts, LEVEL)
    return Change(joined, table, parts, _calibrate(joined), own, itself)


def _sure(p_value: Floats) -> Booleans:
    """(P,) which have changed, at most `FALSE` of them wrongly so (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p_value) <= FALSE)


def _by_luck(joined: Joined, counts: Counts) -> tuple[Floats, Floats] | None:
    """(P,) each problem's probability to move to an easier, or a harder bucket, by luck."""
    if not joined.same_names:
        return None
    before = places(joined.before, counts.n_before)
    after = places(joined.after, counts.n_after)
    if before is None or after is None or UNKNOWN in joined.before.names:
        return None
    return moves(counts, before, after)


def _part(
    source: str, table: pd.DataFrame, luck: tuple[Floats, Floats] | None, rows: Booleans
) -> Part:
    part = table[rows]
    moved = None if part["steps"].isna().any() else part["steps"]
    by_luck: list[Range | None] = [None] * 3
    if luck is not None:
        easier, harder = luck[0][rows], luck[1][rows]
        by_luck = [total(each, LEVEL) for each in (easier, harder, easier + harder)]
    return Part(
        source,
        len(part),
        float(part["rate_before"].mean()),
        float(part["rate_after"].mean()),
        _mean(part["rate_after"] - part["rate_before"], _noise(part, "before", "after")),
        None if moved is None else int((moved < 0).sum()),
        None if moved is None else int((moved > 0).sum()),
        *by_luck,
    )


def _noise(table: pd.DataFrame, *runs: str) -> float:
    """Variance of the mean of the problems' rates that their few rollouts make."""
    variance = 0.0
    for run in runs:
        n, c = table[f"n_{run}"], table[f"c_{run}"]
        a, b = JEFFREYS[0] + c, JEFFREYS[1] + n - c
        variance += float((a * b / ((a + b) ** 2 * (a + b + 1))).sum())
    return variance / len(table) ** 2


def _mean(values: pd.Series, noise: float) -> Estimate:
    """A mean over problems like these and Student's interval; paired where they are differences.

    It is never narrower than what few rollouts allow: problems that all gave the same prove little.
    Source: Miller 2024, "Adding Error Bars to Evals", section 4.2 (paired differences).
    """
    from scipy.stats import t

    count, mean = len(values), float(values.mean())
    spread = float(values.var(ddof=1)) / count if count > 1 else 0.0
    half = float(t.ppf((1 + LEVEL) / 2, max(count - 1, 1))) * max(spread, noise) ** 0.5
    return Estimate(mean, mean - half, mean + half)


def _calibrate(joined: Joined) -> list[Calibration]:
    """Each bucket of the first run that has problems of both."""
    run, table = joined.before, joined.table
    place = {name: i for i, name in enumerate(run.names)}
    shared = run.table.index.isin(table["problem_id"])
    # All of its problems say how rates are spread; the mean is of those that both have.
    bucket = np.where(shared, run.table["bucket"].map(place), len(place))
    n, c = (run.table[name].to_numpy(np.float64) for name in ("n", "c"))
    promised = mean_pass_rates(n, c, bucket, len(place) + 1, LEVEL)
    rows = []
    for name, part in table.groupby("before"):
        stayed = float((part["after"] == name).mean()) if joined.same_names else None
        expected = Estimate(*promised[place[str(name)]].tolist())
        found = _mean(part["rate_after"], _noise(part, "after"))
        rows.append(Calibration(str(name), len(part), expected, found, stayed))
    return sorted(rows, key=lambda row: place[row.bucket])
