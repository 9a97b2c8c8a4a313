"""The rows that problems were made of, read again when they are needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.data import parquet
from curriculum.data.files import open_file
from curriculum.data.problems import unmarked
from curriculum.records import Integers


def original_rows(problems: pa.Table) -> list[dict[str, Any]]:
    """The original row of each problem, `original_*` columns under their own names.

    Args:
        problems: as in `PROBLEM_SCHEMA`.
    """
    rows: list[dict[str, Any]] = [{}] * len(problems)
    for url in pc.unique(problems["file"]).to_pylist():
        here = np.flatnonzero(pc.equal(problems["file"], url).to_numpy())
        position = problems["position"].to_numpy()[here]
        here = here[np.argsort(position, kind="stable")]
        read = parquet.rows_at if url.endswith(".parquet") else _jsonl
        for row, original in zip(here, read(url, np.sort(position)), strict=True):
            rows[row] = dict(unmarked(original))
    return rows


def _jsonl(url: str, positions: Integers) -> Iterator[dict[str, Any]]:
    with open_file(url) as lines:
        for position in positions.tolist():
            lines.seek(position)
            yield json.loads(lines.readline())
