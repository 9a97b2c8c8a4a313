"""Arrow helpers that the readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.records import ROLLOUT_SCHEMA, Integers
from curriculum.formats.identity import to_json


def index_table(
    problem: Integers, sample_idx: Any, reward: Any, finish_reason: Any = None
) -> pa.Table:
    """A file's part of the rollout index; `number_samples` fills what is null of `sample_idx`."""
    numbers = pa.array(sample_idx, pa.int64())
    rewards = pa.array(reward, pa.float64())
    reasons = [None] * len(problem) if finish_reason is None else finish_reason
    columns = [pa.array(problem, pa.int64()), numbers, rewards, pa.array(reasons, pa.string())]
    return pa.table(columns, names=ROLLOUT_SCHEMA.names)


def number_samples(index: pa.Table) -> pa.Table:
    """The index of all files, samples without a number numbered within their problem."""
    numbers = index["sample_idx"].combine_chunks()
    if numbers.null_count:
        problem = index["problem"].to_numpy()
        without = numbers.is_null().to_numpy(zero_copy_only=False)
        free = np.zeros(problem.max(initial=0) + 2, np.int64)  # the first that no sample has
        np.maximum.at(free, problem[~without], np.asarray(numbers.drop_null()) + 1)
        unnumbered = pd.Series(problem[without])
        own = np.zeros(len(problem), np.int64)
        own[without] = unnumbered.groupby(unnumbered).cumcount() + free[problem[without]]
        numbers = pc.coalesce(numbers, pa.array(own))
    columns = [index["problem"], numbers, index["reward"], index["finish_reason"]]
    return pa.table(columns, schema=ROLLOUT_SCHEMA).combine_chunks()


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of JSON as a table; a column whose values have no common type becomes JSON text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in a wider schema, nulls where it has no such column."""
    wide = pa.concat_tables([schema.empty_table(), table], promote_options="permissive")
    return wide.cast(schema)


def struct_of(columns: Mapping[str, pa.Array]) -> pa.StructArray:
    """An array of objects with these fields."""
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds a list a row, of whatever kind."""
    types = pa.types
    return any(
        is_kind(kind) for is_kind in (types.is_list, types.is_large_list, types.is_fixed_size_list)
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds strings, of whatever kind."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def exact_column(values: list[Any]) -> tuple[pa.Array, bool]:
    """A column that gives back the very values, and whether it could keep their type.

    Where they have no common one (whole numbers beside fractions, objects with different keys),
    strings stay as they are and everything else becomes JSON text.
    """
    array = of_one_type(values)
    if array is not None and _same(array.to_pylist(), values):
        return (array.cast(pa.string()) if pa.types.is_null(array.type) else array), True
    text = [each if isinstance(each, str | None) else to_json(each) for each in values]
    return pa.array(text, pa.string()), False


def _column(values: list[Any]) -> pa.Array:
    array = of_one_type(values)
    if array is not None:
        return array
    return pa.array([None if value is None else to_json(value) for value in values], pa.string())


def of_one_type(values: list[Any]) -> pa.Array | None:
    """The values as a column of one type, None where they have none that parquet can hold."""
    try:
        array = pa.array(values)
        return None if _has_empty_struct(array.type) else array
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, RecursionError):
        return None


def _has_empty_struct(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind) and not kind.num_fields:
        return True
    return any(_has_empty_struct(kind.field(i).type) for i in range(kind.num_fields))


def _same(one: Any, other: Any) -> bool:
    """Equal and of equal types, all the way down: 1 is neither 1.0 nor True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other or one != one)  # NaN is not equal to itself
