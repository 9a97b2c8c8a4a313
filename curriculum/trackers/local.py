"""The files of every training, whatever else follows it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.names import EVENTS, METRICS
from curriculum.core.prompts import Event
from curriculum.trackers.base import About, Tracker, Tracking

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Local(Tracking):
    """Nothing beside the files in the run's folder, which `LocalTracker` leaves of every run."""

    def start(self, about: About) -> Tracker:
        """See `Tracking`."""
        return _Nobody()


class _Nobody(Tracker):
    """Who is told of everything and does nothing."""


class LocalTracker(Tracker):
    """A line an event as they come, a row a step at the end; nothing where nothing is trained."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[int, dict[str, float]] = {}
        self._events: TextIO | None = None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        self._rows.setdefault(step, {}).update(values)

    def event(self, step: int, event: Event) -> None:
        """See `Tracker`; the text is logged as it is too."""
        log.log(logging.WARNING if event.loud else logging.INFO, event.text)
        if self._events is None:
            self._events = (self._folder / EVENTS).open("w", encoding="utf-8")
        line = {"step": step, "event": event.kind, **event.values, "text": event.text}
        self._events.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._events.flush()

    def trained(self) -> None:
        """See `Tracker`."""
        if self._events is not None:
            self._events.close()
        if not self._rows:
            return
        names = dict.fromkeys(name for row in self._rows.values() for name in row)
        columns = {"step": pa.array(self._rows, pa.int64())}
        for name in names:
            values = [row.get(name) for row in self._rows.values()]
            columns[name] = pa.array(values, pa.float64())
        with whole(self._folder / METRICS) as path:
            pq.write_table(pa.table(columns), path)
