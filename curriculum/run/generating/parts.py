"""Generated rollouts on disk: a part a batch, there as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.secrets import redacted
from curriculum.generators.base import Batch, Response

PART_SCHEMA = pa.schema(
    [
        pa.field("problem", pa.int64(), nullable=False),
        pa.field("sample_idx", pa.int64(), nullable=False),
        pa.field("response", pa.string()),  # null: there is none
        pa.field("finish_reason", pa.string(), nullable=False),
        pa.field("error", pa.string()),  # why there is none
    ]
)


def path_of(folder: Path, batch: Batch) -> Path:
    """Where a batch's part is."""
    return folder / f"part-{batch.number:06d}.parquet"


def is_there(folder: Path, batch: Batch) -> bool:
    """Whether a batch's part is there, and a table."""
    try:
        return bool(pq.read_schema(path_of(folder, batch)).equals(PART_SCHEMA))
    except (OSError, pa.ArrowInvalid):
        return False


def write(folder: Path, batch: Batch, responses: Sequence[Response]) -> None:
    """Write a batch's part."""
    asked = [
        (request.problem, request.first + i)
        for request in batch.requests
        for i in range(request.samples)
    ]
    rows = [
        {"problem": problem, "sample_idx": sample_idx}
        | {"response": None if response.error else response.text}
        | {"finish_reason": response.finish_reason, "error": redacted(response.error)}
        for (problem, sample_idx), response in zip(asked, responses, strict=True)
    ]
    with whole(path_of(folder, batch)) as path:
        pq.write_table(pa.Table.from_pylist(rows, PART_SCHEMA), path, compression="zstd")


def read(folder: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The parts in their order, all columns or some."""
    for path in _paths(folder):
        yield pq.read_table(path, columns=columns)


def failed(folder: Path) -> pa.Table:
    """Problem, sample_idx and error of the responses that there are not."""
    columns = ["problem", "sample_idx", "error"]
    empty = pa.schema([PART_SCHEMA.field(name) for name in columns]).empty_table()
    every = [part.filter(part["error"].is_valid()) for part in read(folder, columns)]
    return pa.concat_tables([empty, *every])


def forget_failed(folder: Path) -> None:
    """Remove the parts with such responses, so that they are asked for again."""
    for path in _paths(folder):
        errors = pq.read_table(path, columns=["error"])["error"]
        if errors.null_count < len(errors):
            path.unlink()


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))
