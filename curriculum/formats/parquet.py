"""Columns of a parquet file, under the names of `data.columns`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.formats.columns import Columns
from curriculum.formats.containers.tables import require_different
from curriculum.formats.files import open_file, reading
from curriculum.formats.names import hidden

BATCH = 65_536  # rows read at a time


class Parquet:
    """A file whose columns may be called otherwise than they stand there."""

    def __init__(self, file: pq.ParquetFile, names: Mapping[str, str]) -> None:
        """
        Args:
            names: {role: column}; what else a file may call these roles is not there then.
        """
        self._file = file
        self.chosen = list(names)
        self._types = {field.name: field.type for field in file.schema_arrow}
        self._named = {name: name for name in self._types if not hidden(name, names)} | dict(names)

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self._named)

    def type(self, name: str) -> pa.DataType:
        """What a column holds."""
        return self._types[self._named[name]]

    def batches(self, names: Sequence[str], size: int = BATCH) -> Iterator[pa.RecordBatch]:
        """Some columns, in this order."""
        stand = [self._named[name] for name in names]
        for batch in self._file.iter_batches(size, columns=list(dict.fromkeys(stand))):
            yield pa.RecordBatch.from_arrays([batch[name] for name in stand], names=list(names))

    def whole(self) -> Iterator[pa.Table]:
        """All columns as they stand."""
        for batch in self._file.iter_batches(BATCH):
            yield pa.Table.from_batches([batch])

    def standing(self, name: str) -> str:
        """What the file calls a column."""
        return str(self._named[name])

    def read(self, name: str) -> pa.Array:
        """A whole column."""
        stands = self._named[name]
        return self._file.read(columns=[stands])[stands].combine_chunks()

    def nulls(self, name: str) -> int:
        """How many rows say nothing there; of flat columns the file's own statistics know."""
        if not pa.types.is_nested(self.type(name)):
            data = self._file.metadata
            paths = [data.schema.column(i).path for i in range(data.num_columns)]
            place = paths.index(self._named[name])
            groups = (data.row_group(i).column(place) for i in range(data.num_row_groups))
            known = [int(each.statistics.null_count) for each in groups if each.statistics]
            if len(known) == data.num_row_groups:
                return sum(known)
        return int(self.read(name).null_count)

    def pick(self, names: Sequence[str]) -> str | None:
        """The first of these columns that says anything; the first, where none does."""
        there = [name for name in names if name in self._named]
        said = (name for name in there if self.nulls(name) < len(self))
        return (
            next(said, there[0] if there else None) if len(there) > 1 else next(iter(there), None)
        )


@contextmanager
def opened(url: str, columns: Columns) -> Iterator[Parquet | None]:
    """A file with its columns named; None where one that is named is inside of another."""
    # Reading ahead holds several row groups of text in memory and gains nothing here.
    with reading(url), open_file(url) as stream:
        file = pq.ParquetFile(stream, pre_buffer=False)
        require_different(file.schema_arrow.names, url)
        names = _top_level(columns, file.schema_arrow.names)
        yield None if names is None else Parquet(file, names)


def _top_level(columns: Columns, there: Sequence[str]) -> dict[str, str] | None:
    names: dict[str, str | int] = dict(columns.names)
    for role, key in (("prompt", columns.prompt_key), ("problem_id", columns.id_key)):
        if role in names:
            names[key] = names[role]
    if columns.reward_key is not None and "reward" in names:
        return None
    if columns.reward_key is not None and columns.reward_key in there:
        names["reward"] = columns.reward_key
    named = {role: path for role, path in names.items() if isinstance(path, str) and path in there}
    return named if len(named) == len(names) else None
