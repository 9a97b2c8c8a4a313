"""What is scored is written down meanwhile: a run goes on from there, shards find each other's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.run.scoring.scores import Scores

EVERY = 30.0  # seconds between parts
PARTS, FAILED = "kept-*.parquet", "failed-*.parquet"


class Kept:
    """Parts in a folder. Failures are kept by a shard that came to its end, and by nothing else:
    what stopped a run may have made some.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[int] = []
        self._rewards: list[float] = []
        self._written = time.monotonic()

    def into(self, scores: Scores) -> None:
        """Fill in the rewards and failures that were kept."""
        for part in self._folder.glob(PARTS):
            table = pq.read_table(part)
            scores.rewards[table["row"].to_numpy()] = table["reward"].to_numpy()
        for part in self._folder.glob(FAILED):
            scores.fail_all(dict(zip(*pq.read_table(part).to_pydict().values(), strict=True)))

    def fail(self, failures: Mapping[int, str]) -> None:
        """Keep failures, {row: cause}, of this very reward."""
        if failures:
            with whole(self._folder / FAILED.replace("*", uuid.uuid4().hex)) as path:
                pq.write_table(pa.table({"row": [*failures], "cause": [*failures.values()]}), path)

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
