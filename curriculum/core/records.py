"""The shared vocabulary: what flows from step to step, and the schemas of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError, did_you_mean
from curriculum.core.json_text import from_json

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Easier = Literal["higher", "lower"]

# Prompts, ground truths and extra infos are chat lists, numbers, lists or structs as often as they
# are strings. As JSON text they keep their type and still fit one column.
PLACE = pa.struct([("file", pa.string()), ("position", pa.int64()), ("length", pa.int64())])
PROBLEM_SCHEMA = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("data_source", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),  # JSON text
        pa.field("ground_truth", pa.string()),  # JSON text
        pa.field("extra_info", pa.string()),  # JSON text
        pa.field("data_idx", pa.int64(), nullable=False),  # row of the original data
        pa.field("file", pa.string(), nullable=False),  # where the original row stands ...
        pa.field("position", pa.int64(), nullable=False),  # ... its row, or its byte in JSONL
        pa.field("length", pa.int64()),  # bytes of the line that is this problem, JSONL only
        pa.field("further", pa.list_(PLACE)),  # lines that have more of its samples
        pa.field("bucket", pa.string()),  # that the data puts it in, where it does
    ]
)

# One row a rollout in the order of the input, so that responses, read later and only when they are
# needed, line up with it. `problem` is a row of the problems, -1 for a rollout kept aside.
ROLLOUT_SCHEMA = pa.schema(
    [
        pa.field("problem", pa.int64(), nullable=False),
        pa.field("sample_idx", pa.int64(), nullable=False),
        pa.field("reward", pa.float64()),  # null: none recorded; NaN: one is, but says no number
        pa.field("finish_reason", pa.string()),  # "length": cut off, which is not the same as wrong
    ]
)

# Lines up with the rollouts; a failed rollout has a cause and no reward.
REWARD_SCHEMA = pa.schema([pa.field("reward", pa.float64()), pa.field("failure", pa.string())])

# Rewards and metrics are rounded to this many decimals before they are compared: .7 - .4 is not
# quite .3, and the order in which rewards are summed moves a mean by 1e-16, enough to carry a
# problem over an edge.
DECIMALS = 12


def rounded(values: npt.ArrayLike) -> Floats:
    """Rewards, numbers made of them, or thresholds, as they are compared."""
    return np.asarray(values, np.float64).round(DECIMALS)


def from_single(values: npt.ArrayLike) -> Floats:
    """Numbers of 32 bits as the decimals that they were made of: 0.7, not 0.699999988."""
    return np.asarray(values, np.float32).astype(str).astype(np.float64)


def reaches(
    values: npt.ArrayLike, threshold: npt.ArrayLike, *, strict: bool
) -> npt.NDArray[np.bool_]:
    """Which rewards, or numbers made of them, are at a threshold or above it; NaN never is.

    Args:
        strict: whether they must be above it.
    """
    left, right = rounded(values), rounded(threshold)
    return np.asarray(left > right if strict else left >= right)


def evenly(count: int, most: int) -> Integers:
    """Places 0 to `count` - 1: all of them, or so many of them with the first and the last."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)


PART = 1 << 20  # rewards that metrics are computed on at a time
COUNTS = ("n", "c", "truncated")  # metrics that are whole numbers
JSON_COLUMNS = ("prompt", "ground_truth", "extra_info")


class Asked(NamedTuple):
    """Some more samples of a problem."""

    problem: int  # row of the problems
    first: int  # sample_idx of the first one
    samples: int


class Sample(NamedTuple):
    """What a reward sees of one rollout; everything but the response belongs to its problem."""

    data_source: str
    prompt: Any
    response: str
    ground_truth: Any
    extra_info: Any


@dataclass(frozen=True)
class Problems:
    """One row a problem, as in `PROBLEM_SCHEMA`."""

    table: pa.Table

    def __post_init__(self) -> None:
        check(self.table, PROBLEM_SCHEMA, "problems")
        if len(pc.unique(self.ids)) != len(self.ids):
            raise UserError("problems: problem_id is not unique")

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def ids(self) -> pa.ChunkedArray:
        return self.table["problem_id"]

    def at(self, rows: Integers | Sequence[int]) -> pa.Table:
        """Some of the rows, ascending."""
        return self.table if len(rows) == len(self) else self.table.take(pa.array(rows))

    def in_buckets(self, names: pa.Array) -> Problems:
        """The same problems, each in the bucket of that name."""
        place = self.table.column_names.index("bucket")
        return Problems(self.table.set_column(place, PROBLEM_SCHEMA.field("bucket"), names))

    def samples(self, rows: Integers | Sequence[int]) -> dict[int, Sample]:
        """Samples of some rows, ascending, by row; their responses are still empty."""
        table = self.at(rows)
        decoded = [list(map(from_json, table[name].to_pylist())) for name in JSON_COLUMNS]
        columns = zip(map(int, rows), table["data_source"].to_pylist(), *decoded, strict=True)
        return {
            row: Sample(source, prompt, "", truth, extra)
            for row, source, prompt, truth, extra in columns
        }


@dataclass(frozen=True)
class Rollouts:
    """Samples of the problems: an index in memory, their text on disk.

    `responses` yields string arrays and `rows` yields tables with all original columns plus
    `data_idx` and `sample_idx`; both line up with `index` (`ROLLOUT_SCHEMA`).
    """

    index: pa.Table
    responses: Callable[[], Iterator[pa.Array]]
    rows: Callable[[], Iterator[pa.Table]]
    place: Callable[[int], str] | None = None  # file and row of one; None: it stands in no file

    def __post_init__(self) -> None:
        check(self.index, ROLLOUT_SCHEMA, "rollouts")

    def __len__(self) -> int:
        return int(self.index.num_rows)

    @property
    def recorded(self) -> bool:
        """Whether the files carry rewards, usable or not."""
        recorded = self.index["reward"].is_valid().to_numpy()
        return bool((recorded & (self.problem >= 0)).any())

    @cached_property
    def problem(self) -> Integers:
        return np.asarray(self.index["problem"].to_numpy())

    def texts(self, rows: Integers) -> pa.Array:
        """The responses of some rows, in their order; the stream is read as far as the last."""
        order = np.argsort(rows)
        ascending, start, done = rows[order], 0, 0
        parts = [pa.array([], pa.large_string())]
        for batch in self.responses():
            if done == len(rows):
                break
            stop = int(np.searchsorted(ascending, start + len(batch)))
            inside = pa.array(ascending[done:stop] - start)
            parts.append(batch.cast(pa.large_string()).take(inside))
            start, done = start + len(batch), stop
        return pa.concat_arrays(parts).take(pa.array(np.argsort(order)))


@dataclass(frozen=True)
class Rewards:
    """Rewards of P measured problems: flat, problem p at offsets[p]:offsets[p + 1].

    Every problem here has at least one reward and no reward is NaN: rollouts that failed and
    problems without a scored rollout are kept aside before.
    """

    problem: Integers  # (P,) rows of the problems
    values: Floats  # (R,)
    offsets: Integers  # (P + 1,)
    truncated: npt.NDArray[np.bool_] | None = None  # (R,) cut off by the limit of new tokens

    @classmethod
    def group(cls, rollouts: Rollouts, rewards: pa.Table) -> Rewards:
        """Group the scored rollouts by problem, samples in order of `sample_idx`."""
        check(rewards, REWARD_SCHEMA, "rewards")
        scored = (rollouts.problem >= 0) & rewards["reward"].is_valid().to_numpy()
        problem = rollouts.problem[scored]
        sample_idx = rollouts.index["sample_idx"].to_numpy()[scored]
        order = _order(problem, sample_idx)
        values = rewards["reward"].to_numpy()[scored][order].astype(np.float64)
        cut_off = pc.equal(rollouts.index["finish_reason"], "length").fill_null(False).to_numpy()
        counts = np.bincount(problem)
        measured = np.flatnonzero(counts)
        offsets = np.concatenate([[0], np.cumsum(counts[measured])])
        return cls(measured, values, offsets, cut_off[scored][order])

    def __len__(self) -> int:
        return len(self.problem)

    def parts(self, rewards: int = PART) -> Iterator[Rewards]:
        """The same in parts of whole problems, each of about so many rewards, one at least."""
        ends = np.arange(rewards, len(self.values), rewards)
        cuts = np.unique(np.searchsorted(self.offsets, ends))
        for start, stop in pairwise([0, *cuts[cuts < len(self)].tolist(), len(self)]):
            first, last = self.offsets[start], self.offsets[stop]
            offsets = self.offsets[start : stop + 1] - first
            yield Rewards(self.problem[start:stop], self.values[first:last], offsets)

    @property
    def counts(self) -> Integers:
        """(P,) rollouts a problem."""
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> Integers:
        """(R,) which of the P problems a reward belongs to."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def descending(self) -> Floats:
        """(R,) the values, highest first within each problem."""
        order = np.lexsort((-self.values, self.owner))
        return np.asarray(self.values[order])

    @cached_property
    def rank(self) -> Integers:
        """(R,) place within the problem, from 0; lines up with both `values` and `descending`."""
        return np.arange(len(self.values)) - self.offsets[self.owner]

    def passes(self, threshold: float, strict: bool) -> Floats:
        """(P,) how many rewards reach the threshold; `strict`: are above it."""
        asked = (threshold, strict)
        if asked not in self._passes:  # half of the metrics are made of it
            passing = reaches(self.values, threshold, strict=strict)
            self._passes[asked] = self.sum(passing.astype(np.float64))
        return self._passes[asked]

    @cached_property
    def _passes(self) -> dict[tuple[float, bool], Floats]:
        return {}

    @cached_property
    def commonest(self) -> Integers:
        """(P,) how many of its rewards are the one that it has most often."""
        values = rounded(self.descending)
        begins = np.ones(len(values), np.bool_)
        begins[1:] = (values[1:] != values[:-1]) | (self.owner[1:] != self.owner[:-1])
        starts = np.flatnonzero(begins)
        most = np.zeros(len(self), np.int64)
        np.maximum.at(most, self.owner[starts], np.diff([*starts, len(values)]))
        return most

    def sum(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(P,) sums over each problem of an (R,) array."""
        return np.asarray(np.add.reduceat(values, self.offsets[:-1]))


@dataclass(frozen=True)
class Metrics:
    """Numbers about P problems: named columns of shape (P,), one of them chosen to cut on."""

    problem_id: pa.Array
    columns: dict[str, Floats]
    chosen: str
    easier: dict[str, Easier]
    recorded: pa.Array | None = None  # (P,) names of the buckets that the data puts them in
    basis: Mapping[str, Any] = field(default_factory=dict)  # what the numbers depend on
    recorded_order: Sequence[str] | None = None  # these names, easy to hard, where the data says so
    level: float = 0.9  # mass of the intervals
    group_size: int = 8  # rollouts of the groups that `groups_with_gradient` is about
    prior: Sequence[float] | None = None  # (a, b) of the pass rates; None: fitted to each source

    def __len__(self) -> int:
        return len(self.problem_id)

    def __getitem__(self, name: str) -> Floats:
        if name not in self.columns:
            there = f"there are: {', '.join(self.columns)}"
            raise UserError(f"no metric '{name}'; {there}{did_you_mean(name, self.columns)}")
        return self.columns[name]

    def complete(self, name: str) -> Floats:
        """(P,) a metric rounded for comparison.

        Raises:
            UserError: where problems have too few rollouts for it (mean@5 of 4 samples).
        """
        values = self[name]
        missing = np.isnan(values)
        if missing.any():
            raise UserError(
                f"metric '{name}' is undefined for {missing.sum()} of {len(self)} problems: they "
                f"have as few as n={int(self['n'].min())} rollouts. "
                "Choose a smaller k or another metric."
            )
        return rounded(values)

    def hardness(self, name: str | None = None) -> Floats:
        """(P,) a metric (the chosen one unless named), turned so that higher is harder."""
        name = name or self.chosen
        values = self.complete(name)
        if name not in self.easier:
            raise UserError(f"'{name}' says nothing about difficulty")
        return -values if self.easier[name] == "higher" else values

    def sortable(self) -> Floats:
        """(P,) higher is harder: by the chosen metric, or the pass rate where that can't say."""
        usable = self.chosen in self.easier and not np.isnan(self[self.chosen]).any()
        return self.hardness(self.chosen if usable else "pass_rate_mean")

    def complexity(self) -> Floats:
        """(P,) the chosen metric as a score that is higher for harder: 1 - x if x falls."""
        values = np.nan_to_num(self.complete(self.chosen))  # inverse_mean may be infinite
        return 1 - values if self.easier[self.chosen] == "higher" else values

    def take(self, rows: npt.NDArray[Any]) -> Metrics:
        """The metrics of some of the problems."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        ids = self.problem_id.take(pa.array(rows))
        recorded = None if self.recorded is None else self.recorded.take(pa.array(rows))
        return replace(self, problem_id=ids, columns=columns, recorded=recorded)

    def table(self) -> pa.Table:
        """Arrow table with null where a metric is undefined; counts are integers."""
        columns = {
            name: pa.array(values, mask=np.isnan(values)) for name, values in self.columns.items()
        }
        columns |= {name: columns[name].cast(pa.int64()) for name in COUNTS}
        return pa.table({"problem_id": self.problem_id, **columns})


@dataclass(frozen=True)
class Cuts:
    """Where one bucket ends and the next begins."""

    metric: str  # that was cut
    values: Sequence[float]  # between the buckets, in the metric's own unit, easy to hard


@dataclass(frozen=True)
class Buckets:
    """Which bucket each of P problems fell into, 0 the easiest."""

    names: Sequence[str]  # easy to hard
    assignment: Integers  # (P,)
    cuts: Cuts | None = None  # None: no values lie between the buckets
    splits_ties: bool = False  # whether problems of one value may be in several buckets

    def sizes(self) -> dict[str, int]:
        counts = np.bincount(self.assignment, minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def labels(self) -> pa.Array:
        """(P,) bucket names."""
        return pa.array(self.names, pa.string()).take(pa.array(self.assignment))


def _order(problem: Integers, sample_idx: Integers) -> Integers | slice:
    """Rows in order of problem and sample: `np.lexsort((sample_idx, problem))`, but quicker."""
    span, rows = int(sample_idx.max(initial=0)) + 1, len(problem)
    most = (int(problem.max(initial=0)) + 1) * span * rows
    if sample_idx.min(initial=0) < 0 or most >= 2**63:
        return np.lexsort((sample_idx, problem))
    keys = problem * span + sample_idx
    if (keys[1:] >= keys[:-1]).all():
        return slice(None)
    # numpy sorts numbers ten times as fast as it finds their order: so each carries its row.
    return np.asarray(np.sort(keys * rows + np.arange(rows)) % rows)


def check(table: pa.Table, schema: pa.Schema, what: str) -> None:
    """Raise UserError where a table is not of the schema."""
    if not table.schema.equals(schema):
        raise UserError(f"{what} should have the columns\n{schema}\nbut have\n{table.schema}")
