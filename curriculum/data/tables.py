"""Arrow helpers that the readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from curriculum.data.problems import to_json
from curriculum.records import ROLLOUT_SCHEMA, Integers


def index_table(problem: Integers, sample_idx: Any, reward: Any) -> pa.Table:
    """A rollout index; samples without a number are numbered within their problem."""
    given = pa.array(sample_idx, pa.int64())
    order = pa.array(pd.Series(problem).groupby(problem).cumcount().to_numpy(np.int64))
    filled = given.fill_null(0) if given.null_count == 0 else order
    reward = pa.array(reward, pa.float64(), from_pandas=True)  # a NaN is no reward
    return pa.table([pa.array(problem, pa.int64()), filled, reward], schema=ROLLOUT_SCHEMA)


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of JSON as a table; a column whose values have no common type becomes JSON text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in a wider schema, nulls where it has no such column."""
    wide = pa.concat_tables([schema.empty_table(), table], promote_options="permissive")
    return wide.cast(schema)


def _column(values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        array = None
    # An empty struct can't be written to parquet.
    if array is not None and "struct<>" not in str(array.type):
        return array
    return pa.array([None if value is None else to_json(value) for value in values], pa.string())
