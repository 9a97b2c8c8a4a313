"""The flat file that generation scripts leave: a row a rollout, the problem's columns with it."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from curriculum.core.records import Rollouts

FILE = "rollouts.parquet"


def write_flat(rollouts: Rollouts, folder: Path) -> Path:
    """`prompt, response, data_idx, sample_idx, original_*`, as the rollouts' own rows have it."""
    path, aside = folder / FILE, folder / f".{FILE}.partial"
    writer = None
    for table in rollouts.rows():
        writer = writer or pq.ParquetWriter(aside, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    aside.replace(path)
    return path
