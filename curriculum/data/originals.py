"""The rows that problems were made of, read again when they are needed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.data import parquet
from curriculum.data.files import open_file
from curriculum.data.problems import ORIGINAL, unmarked
from curriculum.records import Integers


def original_rows(problems: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    """The original row of each problem, `original_*` columns under their own names.

    Args:
        problems: as in `PROBLEM_SCHEMA`.
        names: the fields to read; rows may have others beside them.
    """
    rows: list[dict[str, Any]] = [{}] * len(problems)
    wanted = {*names, *(f"{ORIGINAL}{name}" for name in names)}
    for url in pc.unique(problems["file"]).to_pylist():
        here = np.flatnonzero(pc.equal(problems["file"], url).to_numpy())
        position = problems["position"].to_numpy()[here]
        here = here[np.argsort(position, kind="stable")]
        read = parquet.rows_at if url.endswith(".parquet") else _jsonl
        for row, original in zip(here, read(url, np.sort(position), wanted), strict=True):
            rows[row] = dict(unmarked(original))
    return rows


def _jsonl(url: str, positions: Integers, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    with open_file(url) as lines:
        for position in positions.tolist():
            lines.seek(position)
            row = json.loads(lines.readline())
            yield {name: value for name, value in row.items() if name in wanted}
