"""How a training goes: numbers at every step, and the events that a person wants to know of."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.samplers import Event

log = logging.getLogger(__name__)

EVENTS, METRICS = "events.jsonl", "metrics.parquet"


class Tracker(Protocol):
    """Follows one training; steps are counted from 1, 0 is before the first."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        ...

    def event(self, step: int, event: Event) -> None:
        """Something that a sampler did."""
        ...

    def close(self) -> None:
        """The training is over, or has failed."""
        ...


class LocalTracker:
    """Files in a run's folder: a line an event as they come, a row a step at the end."""

    def __init__(self, folder: Path, show: bool) -> None:
        self._folder, self._show = folder, show
        self._rows: dict[int, dict[str, float]] = {}
        self._events = (folder / EVENTS).open("w", encoding="utf-8")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        self._rows.setdefault(step, {}).update(values)

    def event(self, step: int, event: Event) -> None:
        """See `Tracker`; the text is shown as it is too, but not in a sweep of many runs."""
        if self._show:
            log.info(event.text)
        line = {"step": step, "event": event.kind, **event.values, "text": event.text}
        self._events.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._events.flush()

    def close(self) -> None:
        """See `Tracker`."""
        self._events.close()
        names = dict.fromkeys(name for row in self._rows.values() for name in row)
        columns = {"step": pa.array(self._rows, pa.int64())}
        for name in names:
            values = [row.get(name) for row in self._rows.values()]
            columns[name] = pa.array(values, pa.float64())
        pq.write_table(pa.table(columns), self._folder / METRICS)
