"""Rows of tables: parquet, Arrow (also what `datasets` saves), CSV."""

from __future__ import annotations

import csv as csv_file
import io
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.errors import UserError
from curriculum.formats.containers.base import Line
from curriculum.formats.files import open_file
from curriculum.formats.names import ERRORS, RESPONSES, REWARDS

BATCH = 4096  # rows
LARGEST = 1 << 30  # characters of a cell
DIGITS = 20  # of a number that may fit 64 bits
TRUE = {"True": True, "False": False}  # as pandas writes them
NUMBERS = ("data_idx", "sample_idx", "step", "n", "passes")  # whole ones, where CSV has them


def arrow(url: str) -> Iterator[Line]:
    """Rows of parquet, or of Arrow's own files and streams."""
    position = 0
    for batch in _parquet(url) if url.endswith(".parquet") else _ipc(url):
        batch.validate(full=True)  # a damaged one ends the process where it is looked into
        for row in batch.to_pylist():
            yield Line(position + 1, position, row)
            position += 1


def csv(url: str) -> Iterator[Line]:
    """Rows of CSV under its header, in text; an empty cell says nothing, but an empty answer."""
    with open_file(url) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        csv_file.field_size_limit(LARGEST)
        table = csv_file.DictReader(text, strict=True)
        require_different(table.fieldnames or [], url)
        for position, row in enumerate(table):
            cells = {
                name: _value(name, cell)
                for name, cell in row.items()
                if name is not None and (cell or (cell == "" and name in RESPONSES))
            }
            cause = "" if None not in row else "more cells than columns"
            told = str(row).encode() if cause else b""
            yield Line(table.line_num, position, None if cause else cells, cause, told)


def require_different(names: Sequence[str], url: str) -> None:
    """Raise UserError where two columns have one name: nobody knows which is meant."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{url}: two columns have one name, {twice} ({', '.join(names)})")


def _value(name: str, cell: str) -> str | int | bool:
    if name in NUMBERS and cell.isdecimal() and len(cell) <= DIGITS:
        return int(cell)
    return TRUE.get(cell, cell) if name in (*REWARDS, *ERRORS) else cell


def _parquet(url: str) -> Iterator[pa.RecordBatch]:
    # Reading ahead holds several row groups of text in memory and gains nothing here.
    with open_file(url) as stream:
        file = pq.ParquetFile(stream, pre_buffer=False)
        require_different(file.schema_arrow.names, url)
        yield from file.iter_batches(BATCH)


def _ipc(url: str) -> Iterator[pa.RecordBatch]:
    with open_file(url) as stream:
        begin = stream.read(6)
        stream.seek(0)
        if begin == b"ARROW1":
            table = pa.ipc.open_file(stream)
            require_different(table.schema.names, url)
            yield from (table.get_batch(i) for i in range(table.num_record_batches))
        else:
            table = pa.ipc.open_stream(stream)
            require_different(table.schema.names, url)
            yield from table
