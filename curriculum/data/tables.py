"""Arrow helpers that the readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.data.problems import to_json
from curriculum.records import ROLLOUT_SCHEMA, Integers


def index_table(problem: Integers, sample_idx: Any, reward: Any) -> pa.Table:
    """A file's part of the rollout index; `number_samples` fills what is null of `sample_idx`."""
    numbers = pa.array(sample_idx, pa.int64())
    rewards = pa.array(reward, pa.float64())
    rewards = pc.if_else(pc.is_nan(rewards), None, rewards)  # NaN is no reward
    names = ROLLOUT_SCHEMA.names
    return pa.table([pa.array(problem, pa.int64()), numbers, rewards], names=names)


def number_samples(index: pa.Table) -> pa.Table:
    """The index of all files, samples without a number numbered within their problem."""
    problem = pd.Series(index["problem"].to_numpy())
    order = pa.array(problem.groupby(problem).cumcount().to_numpy(np.int64))
    numbers = pc.coalesce(index["sample_idx"].combine_chunks(), order)
    columns = [index["problem"], numbers, index["reward"]]
    return pa.table(columns, schema=ROLLOUT_SCHEMA).combine_chunks()


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of JSON as a table; a column whose values have no common type becomes JSON text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in a wider schema, nulls where it has no such column."""
    wide = pa.concat_tables([schema.empty_table(), table], promote_options="permissive")
    return wide.cast(schema)


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds a list a row, of whatever kind."""
    types = pa.types
    return any(
        is_kind(kind) for is_kind in (types.is_list, types.is_large_list, types.is_fixed_size_list)
    )


def exact_column(values: list[Any]) -> tuple[pa.Array, bool]:
    """A column that gives back the very values, and whether it could keep their type.

    Where they have no common one (whole numbers beside fractions, objects with different keys),
    strings stay as they are and everything else becomes JSON text.
    """
    try:
        array = pa.array(values)
        if "struct<>" not in str(array.type) and to_json(array.to_pylist()) == to_json(values):
            return (array.cast(pa.string()) if pa.types.is_null(array.type) else array), True
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass  # no common type
    text = [each if isinstance(each, str | None) else to_json(each) for each in values]
    return pa.array(text, pa.string()), False


def _column(values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = None
    # An empty struct can't be written to parquet.
    if array is not None and "struct<>" not in str(array.type):
        return array
    return pa.array([None if value is None else to_json(value) for value in values], pa.string())
