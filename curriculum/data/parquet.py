"""Parquet with rollouts: one row a rollout, or one row a problem with a list of responses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curriculum.data.base import File
from curriculum.data.files import open_file
from curriculum.data.problems import ProblemList, to_json
from curriculum.data.tables import index_table
from curriculum.errors import UserError
from curriculum.records import Integers

RESPONSE_COLUMNS = ("response", "responses")
REWARD_COLUMNS = ("reward", "rewards", "scores", "score")
BATCH = 65_536  # rows read at a time


def open_parquet(file: File) -> pq.ParquetFile:
    """Raises UserError where the file is not parquet."""
    try:
        # Reading ahead holds several row groups of text in memory and gains nothing here.
        return pq.ParquetFile(open_file(file.url), pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise UserError(f"{file.url} is not a parquet file: {error}") from error


def index(file: File, problems: ProblemList) -> pa.Table:
    """Add a file's problems and return its part of the rollout index."""
    parquet = open_parquet(file)
    response = pick(parquet.schema_arrow, RESPONSE_COLUMNS)
    if response is None:
        names = ", ".join(parquet.schema_arrow.names)
        raise UserError(
            f"{file.url} has no column 'response' or 'responses' (its columns: {names}). If it "
            "holds problems only: data=verl data.path=PROBLEMS generator.path=ROLLOUTS"
        )
    if pa.types.is_list(parquet.schema_arrow.field(response).type):
        return _index_lists(file, parquet, response, problems)
    return _index_rows(file, parquet, problems)


def responses(file: File) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    parquet = open_parquet(file)
    column = pick(parquet.schema_arrow, RESPONSE_COLUMNS)
    for batch in parquet.iter_batches(BATCH, columns=[column]):
        values = batch.column(0)
        values = values.flatten() if pa.types.is_list(values.type) else values
        yield values.cast(pa.string())


def rows(file: File) -> Iterator[pa.Table]:
    """All columns, a row a rollout; where a row held a list of them, its own are `original_*`."""
    for batch in open_parquet(file).iter_batches(BATCH):
        table = pa.Table.from_batches([batch])
        column = pick(batch.schema, RESPONSE_COLUMNS)
        is_list = column is not None and pa.types.is_list(table[column].type)
        yield _explode(table, str(column)) if is_list else table


def add_problems(file: File, problems: ProblemList) -> None:
    """Every row of a file as a problem of its own."""
    parquet = open_parquet(file)
    names = [name for name in parquet.schema_arrow.names if name not in RESPONSE_COLUMNS]
    position = 0
    for batch in parquet.iter_batches(BATCH, columns=names):
        for row in batch.to_pylist():
            require_prompt(row, file, position, problems)
            problems.add(row, file=file.url, position=position)
            position += 1


def require_prompt(
    row: dict[str, object], file: File, position: int, problems: ProblemList
) -> None:
    """Raise UserError where a row has no prompt."""
    if problems.columns.prompt(row) is None:
        raise UserError(
            f"{file.url}, row {position}: no prompt under '{problems.columns.prompt_key}' "
            f"(columns: {', '.join(row)}); data.prompt_key names its column"
        )


def pick(schema: pa.Schema, names: Sequence[str]) -> str | None:
    """The first of some column names that a schema has."""
    return next((name for name in names if name in schema.names), None)


def _index_rows(file: File, parquet: pq.ParquetFile, problems: ProblemList) -> pa.Table:
    schema = parquet.schema_arrow
    codes, first = _group(parquet, problems)
    merged = [
        problems.merge(row, file=file.url, position=int(position))
        for position, row in zip(first, _take(file, parquet, first, problems), strict=True)
    ]
    problem = np.array(merged, np.int64)[codes]
    reward = _read(parquet, pick(schema, REWARD_COLUMNS), pa.float64())
    return index_table(problem, _read(parquet, pick(schema, ["sample_idx"]), pa.int64()), reward)


def _index_lists(
    file: File, parquet: pq.ParquetFile, response: str, problems: ProblemList
) -> pa.Table:
    start = len(problems)
    add_problems(file, problems)
    lists = parquet.read(columns=[response])[response].combine_chunks()
    counts = pc.list_value_length(lists).fill_null(0).to_numpy()
    problem = np.repeat(np.arange(start, len(problems)), counts)
    name = pick(parquet.schema_arrow, REWARD_COLUMNS)
    if name is None:
        return index_table(problem, pa.nulls(len(problem)), pa.nulls(len(problem)))
    rewards = parquet.read(columns=[name])[name].combine_chunks()
    if not pc.list_value_length(rewards).equals(pc.list_value_length(lists)):
        raise UserError(f"{file.url}: '{name}' and '{response}' differ in length in some row")
    return index_table(problem, pa.nulls(len(problem)), rewards.flatten().cast(pa.float64()))


def _group(parquet: pq.ParquetFile, problems: ProblemList) -> tuple[Integers, Integers]:
    """Group rows by problem: (R,) codes in order of appearance, (P,) the first row of each."""
    names = parquet.schema_arrow.names
    own = [name for name in (problems.columns.id_key, "data_idx") if name in names]
    content = [problems.columns.prompt_key, "data_source", "original_data_source", "ground_truth"]
    keys = own[:1] or [name for name in content if name in names]
    codes = np.zeros(parquet.metadata.num_rows, np.int64)
    for key in keys:
        codes = pd.factorize(codes * (len(codes) + 1) + _codes(parquet, key))[0].astype(np.int64)
    first = np.zeros(codes.max(initial=-1) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, first


def _codes(parquet: pq.ParquetFile, name: str) -> npt.NDArray[np.int64]:
    column = parquet.read(columns=[name])[name].combine_chunks()
    if pa.types.is_nested(column.type):
        column = pa.array([to_json(value) for value in column.to_pylist()])
    encoded = column.dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(), np.int64)


def _take(
    file: File, parquet: pq.ParquetFile, wanted: Integers, problems: ProblemList
) -> Iterator[dict[str, object]]:
    """The original rows at ascending positions, without text that belongs to the rollout."""
    skip = (*RESPONSE_COLUMNS, *REWARD_COLUMNS, "sample_idx")
    names = [name for name in parquet.schema_arrow.names if name not in skip]
    start = 0
    for batch in parquet.iter_batches(BATCH, columns=names):
        here = wanted[(wanted >= start) & (wanted < start + len(batch))]
        for position, row in zip(here, batch.take(pa.array(here - start)).to_pylist(), strict=True):
            require_prompt(row, file, int(position), problems)
            yield row
        start += len(batch)


def _read(parquet: pq.ParquetFile, name: str | None, kind: pa.DataType) -> pa.Array:
    if name is None:
        return pa.nulls(parquet.metadata.num_rows, kind)
    return parquet.read(columns=[name])[name].combine_chunks().cast(kind)


def _explode(table: pa.Table, column: str) -> pa.Table:
    lists = table[column].combine_chunks()
    parent = pc.list_parent_indices(lists)
    drop = [*RESPONSE_COLUMNS, *REWARD_COLUMNS]
    kept = table.select([name for name in table.column_names if name not in drop]).take(parent)
    names = [name if name == "prompt" else f"original_{name}" for name in kept.column_names]
    return kept.rename_columns(names).append_column("response", lists.flatten())
