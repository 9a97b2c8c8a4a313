"""Rollouts that a run has in the store: those of entries that are whole, and those under way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.store.entries import SHARED, Store
from curriculum.store.lease import holder
from curriculum.store.manifest import MANIFEST
from curriculum.sweep.jobs import LOCK

GENERATING, SCORING = "generating", "scoring"
STAGES = {"rollouts": (GENERATING, "part-*.parquet"), "rewards": (SCORING, "kept-*.parquet")}


class UnderWay(NamedTuple):
    """What is there of an entry that is being made."""

    work: str
    rollouts: int
    shared: bool  # by several runs, each of which makes some


def under_way(run: Path, store: Path) -> Iterator[UnderWay]:
    """Entries that a run's process is making, or was making until it died."""
    process = holder(run / LOCK)
    if process is None:
        return
    for stage, (work, pattern) in STAGES.items():
        for folders in Store(str(store)).under_way(stage, process):
            # One that goes on begins with links to the parts of the one before.
            parts = {path.name: path for folder in folders for path in folder.glob(pattern)}
            try:
                rows = sum(map(_rows, parts.values()))
            except (OSError, pa.ArrowInvalid):
                continue  # it was just put in place, and the next look finds it there
            yield UnderWay(work, rows, any(each.suffix == SHARED for each in folders))


def generated(store: Path, entry: str) -> int | None:
    """Rollouts of an entry that is whole; None where it is gone."""
    try:
        manifest = json.loads((store / entry / MANIFEST).read_text())
    except OSError:
        return None
    return int(manifest["counts"]["generated_rollouts"])


@lru_cache(maxsize=65_536)
def _rows(part: Path) -> int:
    """A part never changes."""
    return int(pq.read_metadata(part).num_rows)
