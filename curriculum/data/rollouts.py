"""`data=rollouts`: problems and the rollouts sampled from them, in the same files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.records import Integers
from curriculum.data.base import Files, Loaded
from curriculum.formats import jsonl, parquet
from curriculum.formats.files import File
from curriculum.formats.problems import ProblemList
from curriculum.formats.repeats import of_other_steps, repeats
from curriculum.formats.rows import Rejected, Rows, UnreadableReward
from curriculum.formats.samples import REWARD_KEYS
from curriculum.formats.tables import conform, number_samples


@dataclass(frozen=True)
class Rollouts(Files):
    """Rollouts on disk, in whichever of these forms each file has.

    Long parquet or JSONL (`prompt, response, data_idx, sample_idx, original_*`), JSONL with a line
    a problem (`reward` a list of `{"score": ...}`), a `responses` list column (verl's generation
    server), or the dumps that verl writes while training (`{input, output, gts, score, step}`).
    """

    step: int | None = None

    def load(self) -> Loaded:
        """See `Data`. Raises UserError where a file holds no rollouts."""
        problems = ProblemList(self.columns)
        rejected: list[Rejected] = []
        parts, steps, rows = [], [], []
        for file in self.files():
            before = len(rejected)
            reader = parquet if _is_parquet(file) else jsonl
            part = reader.index(file, problems, rejected)
            rows.append(Rows(part.read, part.used, len(rejected) - before))
            rows[-1].check(file.url)
            parts.append(part.index)
            steps.append(part.steps)
        index, total = self._once(pa.concat_tables(parts), np.concatenate(steps), Rows.total(rows))
        used = index.filter(pc.greater_equal(index["problem"], 0))
        unreadable = [row for row in rejected if isinstance(row, UnreadableReward)]
        if unreadable and used["reward"].null_count == len(used):
            raise UserError(
                f"{self.path} has rewards, but not one can be read{_first_of(unreadable)}\n"
                'A reward is a number, true or false, or {"score": ...} of these; to score anew, '
                f"rename or remove what is there ({', '.join(REWARD_KEYS)})"
            )
        if not len(used):
            raise UserError(f"{self.path} holds no rollouts{_first_of(rejected)}")
        return Loaded(problems.finish(), index, rejected, total)

    def _once(self, index: pa.Table, steps: Integers, rows: Rows) -> tuple[pa.Table, Rows]:
        """The index of one policy's rollouts, each once; what is left out has no problem."""
        problem = index["problem"].to_numpy().copy()
        others = of_other_steps(problem, steps, self.step)
        problem[others] = -1
        index = index.set_column(0, "problem", pa.array(problem))
        again = repeats(index, self.responses())
        problem[again] = -1
        index = number_samples(index.set_column(0, "problem", pa.array(problem)))
        counts = {"repeated": int(again.sum()), "of_other_steps": int(others.sum())}
        return index, rows._replace(used=rows.used - sum(counts.values()), **counts)

    def responses(self) -> Iterator[pa.Array]:
        """See `Data`."""
        for file in self.files():
            yield from (
                parquet.responses(file)
                if _is_parquet(file)
                else jsonl.responses(file, self.columns)
            )

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
        return parquet.rows(file) if _is_parquet(file) else jsonl.rows(file, self.columns)


def _first_of(rejected: Sequence[Rejected]) -> str:
    return "".join(f"\n  {row.file}:{row.row}: {row.cause}" for row in rejected[:3])


def _is_parquet(file: File) -> bool:
    return file.url.endswith(".parquet")


def _common_schema(tables: Iterable[pa.Table]) -> pa.Schema:
    try:
        return pa.unify_schemas([table.schema for table in tables], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(f"the rollout files have a column of several types: {error}") from error
