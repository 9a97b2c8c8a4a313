"""What is scored is written down meanwhile: a run goes on from there, shards find each other's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.records import Floats, Integers

EVERY = 5.0  # seconds between parts: of finished work, what a kill may cost
PARTS, FAILED = "kept-*.parquet", "failed-*.parquet"


class Kept:
    """Parts in a folder; none has failures, for what stopped the run may have made some.

    Which rollouts a shard could not score is kept, without the cause: whoever finishes tries again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[int] = []
        self._rewards: list[float] = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._writing = threading.Thread(target=self._write_again, daemon=True)

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
        """Rewards of some rows; they are on disk `EVERY` seconds later, or at the end."""
        with self._lock:
            self._rows += rows
            self._rewards += np.asarray(rewards, np.float64).tolist()

    def clear(self) -> None:
        """Remove the parts: all of it is elsewhere now."""
        for part in (*self._folder.glob(PARTS), *self._folder.glob(FAILED)):
            part.unlink()

    def _write(self) -> None:
        with self._lock:
            if self._rows:
                with whole(self._folder / PARTS.replace("*", uuid.uuid4().hex)) as path:
                    pq.write_table(pa.table({"row": self._rows, "reward": self._rewards}), path)
            self._rows, self._rewards = [], []

    def _write_again(self) -> None:
        """By the clock: the next chunk may take minutes."""
        while not self._stop.wait(EVERY):
            with suppress(OSError):  # a full disk: the run hears of it at the end, or has room then
                self._write()

    def __enter__(self) -> Kept:
        self._writing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._writing.join()
        self._write()
