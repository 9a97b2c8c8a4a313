"""Which rows of a table have equal values, however many and in whichever order they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from curriculum.core.cores import count_cores
from curriculum.core.errors import UserError
from curriculum.core.records import Integers


def codes_of(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, groups: Sequence[Sequence[str]]
) -> list[Integers]:
    """(R,) equal numbers, in order of appearance, where all columns of a group are equal.

    Two hashes of 64 bits stand for a row: among a billion different ones the chance that any two
    agree in both is 1e-21.

    Args:
        batches: of the rows, with the columns of the schema.
        groups: of column names; one array of numbers each.

    Raises:
        UserError: where columns have a type that can't be compared.
    """
    import duckdb

    terms = {field.name: _term(field) for field in schema}
    chosen = [[terms[name] for name in group] for group in groups]
    salted = [[f"concat('salt', {term})" for term in own] for own in chosen]
    pairs = [
        f"hash({', '.join(one)}), hash({', '.join(other)})"
        for one, other in zip(chosen, salted, strict=True)
    ]
    with duckdb.connect(config={"threads": count_cores()}) as connection:
        try:
            connection.register("read", pa.RecordBatchReader.from_batches(schema, batches))
            found = connection.execute(f"SELECT {', '.join(pairs)} FROM read").fetchnumpy()
        except duckdb.Error as error:
            raise UserError(f"columns {', '.join(schema.names)}: {error}") from error
    columns = [np.asarray(column, np.uint64) for column in found.values()]
    return [_codes(*pair) for pair in zip(columns[::2], columns[1::2], strict=True)]


def first_rows(codes: Integers) -> Integers:
    """(groups,) the first row of each."""
    first = np.zeros(codes.max(initial=-1) + 1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _term(field: pa.Field) -> str:
    """What is hashed of a column: a nested one's own hash doesn't tell an empty list from null."""
    name = '"' + field.name.replace('"', '""') + '"'
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return f"to_json({name})" if pa.types.is_nested(kind) else name


def _codes(one: np.ndarray, other: np.ndarray) -> Integers:
    codes, _ = pd.factorize(one)
    if (other[first_rows(codes)][codes] == other).all():
        return np.asarray(codes, np.int64)
    both, _ = pd.factorize(pd.MultiIndex.from_arrays([one, other]))
    return np.asarray(both, np.int64)
