"""`data=rollouts`: problems and the rollouts sampled from them, in the same files."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.records import Booleans, Integers, Problems
from curriculum.data.base import Files, Loaded
from curriculum.formats import reading
from curriculum.formats.columns import Columns
from curriculum.formats.files import File
from curriculum.formats.names import POLICIES, REWARDS, FailedCalls, Steps
from curriculum.formats.originals import of_rollouts
from curriculum.formats.problems import ProblemList
from curriculum.formats.repeats import NO_STEP, of_other_steps, repeats
from curriculum.formats.rows import Origins, Part, Rejected, Rows, UnreadableReward
from curriculum.formats.tables import conform, number_samples
from curriculum.formats.took import took

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollouts(Files):
    """Rollouts on disk, in whichever of these forms each file has.

    Long parquet or JSONL (`prompt, response, data_idx, sample_idx, original_*`), JSONL with a line
    a problem (`reward` a list of `{"score": ...}`), a `responses` list column (verl's generation
    server), or the dumps that verl writes while training (`{input, output, gts, score, step}`).
    """

    step: Steps = None
    failed_calls: FailedCalls = "excluded"
    reward_key: str | None = None
    rows_apart: ClassVar = False  # whether rows with all samples of a problem are never pooled

    @property
    def fields(self) -> Columns:
        """See `Files`."""
        key, calls = self.reward_key, self.failed_calls
        return replace(super().fields, reward_key=key, failed_calls=calls)

    def counting(self, key: str) -> Self:
        """See `Data`."""
        return replace(self, reward_key=key)

    @property
    def rollout_columns(self) -> list[tuple[str, ...]] | None:
        """See `Data`."""
        return of_rollouts(self.fields)

    def load(self) -> Loaded:
        """See `Data`. Raises UserError where a file holds no rollouts."""
        problems = ProblemList(self.fields, rows_apart=self.rows_apart)
        rejected: list[Rejected] = []
        files = self.files()
        by_place: dict[int, Part] = {}
        rows: list[Rows] = []
        for place in reading.read_order(files, self.fields):
            before = len(rejected)
            part = reading.index(files[place], problems, rejected)
            left_out = {"rejected": len(rejected) - before, "failed_calls": part.failed_calls}
            left_out["failed_rollouts"] = part.failed_rollouts
            rows.append(Rows(part.read, part.used, **left_out))
            rows[-1].check(files[place].url)
            by_place[place] = part
        found = problems.finish()
        del problems  # a million take as much memory as sixteen million rollouts
        parts = [by_place.pop(place) for place in range(len(files))]
        self._require_one_policy(parts)
        index, total = self._once(parts, Rows.total(rows))
        used = index.filter(pc.greater_equal(index["problem"], 0))
        unreadable = [row for row in rejected if isinstance(row, UnreadableReward)]
        if unreadable and used["reward"].null_count == len(used):
            raise UserError(
                f"{self.path} has rewards, but not one can be read{_first_of(unreadable)}\n"
                'A reward is a number, true or false, or {"score": ...} of these; to score anew, '
                f"rename or remove what is there ({', '.join(REWARDS)})"
            )
        if not len(used):
            raise UserError(f"{self.path} holds no rollouts{_first_of(rejected)}")
        if total.of_other_steps:
            found, index = _with_rollouts(found, parts, index)
        said = took(self.files(), self.fields, rollouts=True)
        origins = Origins.of([file.url for file in files], parts)
        return Loaded(found, index, rejected, total, said, origins)

    def _require_one_policy(self, parts: list[Part]) -> None:
        """Raise UserError for rollouts of several models, or temperatures."""
        for name in POLICIES:
            said = set().union(*(part.policies.get(name, ()) for part in parts))
            if len(said) > 1:
                first = ", ".join(sorted(map(str, said))[:3])
                raise UserError(
                    f"{self.path} has rollouts of several policies: its column {name} says "
                    f"{first}{', ...' if len(said) > 3 else ''}, and no rate is of all of them. "
                    f"Give each a file of its own; if {name} is about something else, rename it"
                )

    def _once(self, parts: list[Part], rows: Rows) -> tuple[pa.Table, Rows]:
        """The index of one policy's rollouts, each once; what is left out has no problem."""
        index = pa.concat_tables([part.index for part in parts])
        others = of_other_steps(index["problem"].to_numpy(), _steps(parts), self.step)
        index = _without(index, others)
        if isinstance(self.step, tuple):
            log.warning(
                "rollouts of steps %d to %d are pooled: rates are means of those", *self.step
            )
            index = _unnumbered(index)
        again = repeats(index, self.responses())
        index = number_samples(_without(index, again))
        left = {"repeated": _rows_of(again, parts), "of_other_steps": _rows_of(others, parts)}
        rows = rows._replace(used=rows.used - sum(left.values()), **left)
        rows.check(str(self.path))
        return index, rows

    def responses(self) -> Iterator[pa.Array]:
        """See `Data`."""
        for file in self.files():
            yield from reading.responses(file, self.fields)

    def rows(self) -> Iterator[pa.Table]:
        """See `Data`; files with other columns share one schema, nulls where one has no such."""
        files = self.files()
        if len(files) == 1:
            yield from self._rows(files[0])
            return
        schema = _common_schema(table for file in files for table in islice(self._rows(file), 1))
        for file in files:
            yield from (conform(table, schema) for table in self._rows(file))

    def _rows(self, file: File) -> Iterator[pa.Table]:
        return reading.rows(file, self.fields)


def _steps(parts: list[Part]) -> Integers | None:
    """(R,) the training step of each rollout; None where not one file says any."""
    if all(part.steps is None for part in parts):
        return None
    return np.concatenate(
        [np.full(len(part.index), NO_STEP) if part.steps is None else part.steps for part in parts]
    )


def _without(index: pa.Table, rollouts: Booleans) -> pa.Table:
    """The index with some rollouts of no problem."""
    if not rollouts.any():
        return index
    problem = np.where(rollouts, -1, index["problem"].to_numpy())
    return index.set_column(0, index.schema.field("problem"), pa.array(problem))


def _unnumbered(index: pa.Table) -> pa.Table:
    """The index of rollouts of several steps, each of which has a sample 0."""
    place = index.column_names.index("sample_idx")
    nothing = pa.nulls(len(index), pa.int64())
    return index.set_column(place, index.schema.field(place).with_nullable(True), nothing)


def _rows_of(rollouts: Booleans, parts: list[Part]) -> int:
    """In how many rows some rollouts stand."""
    count, start = 0, 0
    for part in parts:
        here = np.flatnonzero(rollouts[start : start + len(part.index)])
        count += len(here) if part.rows is None else len(np.unique(part.rows[here]))
        start += len(part.index)
    return count


def _with_rollouts(
    problems: Problems, parts: list[Part], index: pa.Table
) -> tuple[Problems, pa.Table]:
    """Without the problems all of whose rollouts are of other steps."""
    after = index["problem"].to_numpy()
    had, has = (np.zeros(len(problems) + 1, bool) for _ in range(2))
    for part in parts:
        had[part.index["problem"].to_numpy()] = True
    has[after] = True
    kept = np.flatnonzero(~(had & ~has)[:-1])
    number = np.full(len(problems) + 1, -1)  # the last is that of rows without a problem
    number[kept] = np.arange(len(kept))
    index = index.set_column(0, index.schema.field("problem"), pa.array(number[after]))
    return Problems(problems.table.take(pa.array(kept))), index


def _first_of(rejected: Sequence[Rejected]) -> str:
    return "".join(f"\n  {row.file}:{row.row}: {row.cause}" for row in rejected[:3])


def _common_schema(tables: Iterable[pa.Table]) -> pa.Schema:
    try:
        return pa.unify_schemas([table.schema for table in tables], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(f"the rollout files have a column of several types: {error}") from error
