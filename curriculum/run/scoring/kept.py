"""What is scored is written down meanwhile: a run goes on from there, shards find each other's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.records import Floats, Integers

EVERY = 30.0  # seconds between parts
PARTS, FAILED = "kept-*.parquet", "failed-*.parquet"


class Kept:
    """Parts in a folder; none has failures, for what stopped the run may have made some.

    Which rollouts a shard could not score is kept, without the cause: whoever finishes tries again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[int] = []
        self._rewards: list[float] = []
        self._written = time.monotonic()

    def into(self, rewards: Floats) -> None:
        """Fill in, (R,) in place, the rewards of the rows that were kept."""
        for part in self._folder.glob(PARTS):
            table = pq.read_table(part)
            rewards[table["row"].to_numpy()] = table["reward"].to_numpy()

    def failed(self) -> Integers:
        """Rows that shards could not score."""
        parts = [pq.read_table(part)["row"].to_numpy() for part in self._folder.glob(FAILED)]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def fail(self, rows: Sequence[int]) -> None:
        """Keep which rows this shard could not score."""
        if rows:
            with whole(self._folder / FAILED.replace("*", uuid.uuid4().hex)) as path:
                pq.write_table(pa.table({"row": pa.array(rows, pa.int64())}), path)

    def add(self, rows: Sequence[int], rewards: Sequence[float]) -> None:
        """Rewards of some rows; they are on disk half a minute later, or at the end."""
        self._rows += rows
        self._rewards += np.asarray(rewards, np.float64).tolist()
        if time.monotonic() - self._written > EVERY:
            self._write()

    def clear(self) -> None:
        """Remove the parts: all of it is elsewhere now."""
        for part in (*self._folder.glob(PARTS), *self._folder.glob(FAILED)):
            part.unlink()

    def _write(self) -> None:
        if self._rows:
            with whole(self._folder / PARTS.replace("*", uuid.uuid4().hex)) as path:
                pq.write_table(pa.table({"row": self._rows, "reward": self._rewards}), path)
        self._rows, self._rewards, self._written = [], [], time.monotonic()

    def __enter__(self) -> Kept:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write()
