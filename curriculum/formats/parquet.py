"""Parquet with rollouts: one row a rollout, or one row a problem with a list of responses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curriculum.core.errors import UserError
from curriculum.core.records import Integers
from curriculum.formats.files import File, Rejected, open_file
from curriculum.formats.problems import ORIGINAL, ProblemList, to_json
from curriculum.formats.samples import OF_ROLLOUTS, REWARD_KEYS
from curriculum.formats.tables import index_table, is_list, is_text

RESPONSE_COLUMNS = ("response", "responses")
BATCH = 65_536  # rows read at a time


def index(file: File, problems: ProblemList, rejected: list[Rejected]) -> pa.Table:
    """Add a file's problems and return its part of the rollout index."""
    with _open(file.url) as parquet:
        schema = parquet.schema_arrow
        response = _pick(schema, RESPONSE_COLUMNS)
        if response is None:
            raise UserError(
                f"{file.url} has no column 'response' or 'responses' (its columns: "
                f"{', '.join(schema.names)}). If it holds problems only: "
                "data=verl data.path=PROBLEMS generator.path=ROLLOUTS"
            )
        if is_list(schema.field(response).type):
            return _index_lists(file, parquet, response, problems, rejected)
        return _index_rows(file, parquet, problems, rejected)


def add_problems(file: File, problems: ProblemList, rejected: list[Rejected]) -> None:
    """Every row of a file as a problem of its own."""
    with _open(file.url) as parquet:
        _add_rows(file, parquet, problems, rejected)


def responses(file: File) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    with _open(file.url) as parquet:
        column = _pick(parquet.schema_arrow, RESPONSE_COLUMNS)
        for batch in parquet.iter_batches(BATCH, columns=[column]):
            values = batch.column(0)
            values = pc.list_flatten(values) if is_list(values.type) else values
            yield values.cast(pa.string())


def rows(file: File) -> Iterator[pa.Table]:
    """All columns, a row a rollout; where a row held a list of them, its own are `original_*`."""
    with _open(file.url) as parquet:
        column = str(_pick(parquet.schema_arrow, RESPONSE_COLUMNS))
        for batch in parquet.iter_batches(BATCH):
            table = pa.Table.from_batches([batch])
            yield _explode(table, column) if is_list(table[column].type) else table


def rows_at(
    url: str, positions: Integers, wanted: Collection[str] | None
) -> Iterator[dict[str, object]]:
    """Original rows at ascending positions: the wanted columns, or all but the rollouts' own."""
    with _open(url) as parquet:
        names = [
            name
            for name in parquet.schema_arrow.names
            if (name not in OF_ROLLOUTS if wanted is None else name in wanted)
        ]
        yield from (row for _, row in _take_columns(parquet, positions, names))


@contextmanager
def _open(url: str) -> Iterator[pq.ParquetFile]:
    """The file; what arrow finds wrong with it becomes a UserError with its name."""
    try:
        # Reading ahead holds several row groups of text in memory and gains nothing here.
        with open_file(url) as stream:
            yield pq.ParquetFile(stream, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{url} can't be read as parquet: {error}") from error


def _index_rows(
    file: File, parquet: pq.ParquetFile, problems: ProblemList, rejected: list[Rejected]
) -> pa.Table:
    codes, first = _group(parquet, problems)
    merged = [
        problems.merge(row, file=file.url, position=position)
        if problems.columns.prompt(row) is not None
        else -1
        for position, row in _take(parquet, first)
    ]
    problem = np.array(merged, np.int64)[codes]
    for position, row in _take(parquet, np.flatnonzero(problem < 0)):
        _has_prompt(row, file, position, problems, rejected)
    reward = _read_rewards(file, parquet)
    has_numbers = "sample_idx" in parquet.schema_arrow.names
    sample_idx = _read(parquet, "sample_idx").cast(pa.int64()) if has_numbers else None
    reasons = _finish_reasons(parquet)
    return index_table(problem, _or_nulls(sample_idx, problem), _or_nulls(reward, problem), reasons)


def _index_lists(
    file: File,
    parquet: pq.ParquetFile,
    response: str,
    problems: ProblemList,
    rejected: list[Rejected],
) -> pa.Table:
    row_of = _add_rows(file, parquet, problems, rejected)
    lists = _read(parquet, response)
    problem = np.repeat(row_of, _lengths(lists).to_numpy())
    reward = None
    name = _pick(parquet.schema_arrow, REWARD_KEYS)
    if name is not None:
        rewards = _read(parquet, name)
        if not is_list(rewards.type) or not _lengths(rewards).equals(_lengths(lists)):
            raise UserError(f"{file.url}: '{name}' and '{response}' differ in length in some row")
        reward = _numbers(file, name, pc.list_flatten(rewards))
    return index_table(problem, _or_nulls(None, problem), _or_nulls(reward, problem))


def _add_rows(
    file: File, parquet: pq.ParquetFile, problems: ProblemList, rejected: list[Rejected]
) -> Integers:
    """(rows,) the problem that each row is, -1 where it has no prompt."""
    everything = np.arange(parquet.metadata.num_rows)
    return np.array(
        [
            problems.add(row, file=file.url, position=position)
            if _has_prompt(row, file, position, problems, rejected)
            else -1
            for position, row in _take(parquet, everything)
        ],
        np.int64,
    )


def _has_prompt(
    row: dict[str, object],
    file: File,
    position: int,
    problems: ProblemList,
    rejected: list[Rejected],
) -> bool:
    if problems.columns.prompt(row) is not None:
        return True
    key = problems.columns.prompt_key
    cause = f"no prompt under '{key}' (data.prompt_key names it; columns: {', '.join(row)})"
    rejected.append(Rejected(file.url, position + 1, cause, to_json(row)))
    return False


def _group(parquet: pq.ParquetFile, problems: ProblemList) -> tuple[Integers, Integers]:
    """Group rows by problem: (R,) codes in order of appearance, (P,) the first row of each.

    By the data's own id; else by `data_idx` with everything flat that tells problems apart; else
    by all of that. (To compare a nested column means to read it row by row.)
    """
    schema, columns = parquet.schema_arrow, problems.columns
    keys = [key for key in (columns.id_key, f"{ORIGINAL}{columns.id_key}") if key in schema.names]
    if not keys or any(_read(parquet, key).null_count for key in keys):
        telling = columns.telling(schema.names)
        if "data_idx" in schema.names:
            telling = [name for name in telling if not pa.types.is_nested(schema.field(name).type)]
            keys.append("data_idx")
        keys += telling
    codes = np.zeros(parquet.metadata.num_rows, np.int64)
    for key in keys:
        codes = pd.factorize(codes * (len(codes) + 1) + _codes(parquet, key))[0].astype(np.int64)
    first = np.zeros(codes.max(initial=-1) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, first


def _codes(parquet: pq.ParquetFile, name: str) -> Integers:
    """(R,) equal numbers for equal values of a column."""
    known: dict[object, int] = {}
    parts = [np.empty(0, np.int64)]
    for batch in parquet.iter_batches(BATCH, columns=[name]):
        column = batch.column(0)
        if pa.types.is_nested(column.type):
            column = pa.array([to_json(value) for value in column.to_pylist()])
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        values = [*column.dictionary.to_pylist(), None]
        own = np.array([known.setdefault(value, len(known)) for value in values], np.int64)
        parts.append(own[pc.fill_null(column.indices, len(values) - 1).to_numpy()])
    return np.concatenate(parts)


def _take(parquet: pq.ParquetFile, wanted: Integers) -> Iterator[tuple[int, dict[str, object]]]:
    """(position, original row) at ascending positions, without what belongs to its rollouts."""
    names = [name for name in parquet.schema_arrow.names if name not in OF_ROLLOUTS]
    yield from _take_columns(parquet, wanted, names)


def _take_columns(
    parquet: pq.ParquetFile, wanted: Integers, names: list[str]
) -> Iterator[tuple[int, dict[str, object]]]:
    start = 0
    for batch in parquet.iter_batches(BATCH, columns=names):
        here = wanted[(wanted >= start) & (wanted < start + len(batch))]
        taken = batch.take(pa.array(here - start)).to_pylist()
        yield from zip(here.tolist(), taken, strict=True)
        start += len(batch)


def _read(parquet: pq.ParquetFile, name: str) -> pa.Array:
    return parquet.read(columns=[name])[name].combine_chunks()


def _read_rewards(file: File, parquet: pq.ParquetFile) -> pa.Array | None:
    name = _pick(parquet.schema_arrow, REWARD_KEYS)
    return None if name is None else _numbers(file, name, _read(parquet, name))


def _finish_reasons(parquet: pq.ParquetFile) -> pa.Array | None:
    name = "finish_reason"
    schema = parquet.schema_arrow
    if name not in schema.names or not is_text(schema.field(name).type):
        return None
    return _read(parquet, name).cast(pa.string())


def _numbers(file: File, name: str, column: pa.Array) -> pa.Array:
    """Rewards as floats, from numbers or `{score: number}`. Raises UserError for text."""
    if pa.types.is_struct(column.type) and "score" in column.type.names:
        column = pc.struct_field(column, "score")
    kind = column.type
    types = pa.types
    if not any(
        f(kind) for f in (types.is_floating, types.is_integer, types.is_boolean, types.is_null)
    ):
        raise UserError(f"{file.url}: rewards in '{name}' are {kind}, not numbers")
    return column.cast(pa.float64())


def _lengths(lists: pa.Array) -> pa.Array:
    return pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())


def _or_nulls(column: pa.Array | None, problem: Integers) -> pa.Array:
    return pa.nulls(len(problem)) if column is None else column


def _pick(schema: pa.Schema, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in schema.names), None)


def _explode(table: pa.Table, column: str) -> pa.Table:
    """A row a sample of a table with a row a problem."""
    lists = table[column].combine_chunks()
    reward = _pick(table.schema, REWARD_KEYS)
    used = [column, *([reward] if reward and is_list(table[reward].type) else [])]
    kept = table.drop_columns(used).take(pc.list_parent_indices(lists))
    names = [name if name == "prompt" else f"{ORIGINAL}{name}" for name in kept.column_names]
    return kept.rename_columns(names).append_column("response", pc.list_flatten(lists))
