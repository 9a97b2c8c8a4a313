"""How far a training is: its steps as they were last written down, and what its sampler did."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.names import EDGES, EVENTS, METRICS
from curriculum.integrations.verl.log import FOLDER as OF_VERL
from curriculum.integrations.verl.log import METRICS as BATCHES
from curriculum.trainers.parts.checkpoints import JOURNAL, step_of
from curriculum.trainers.parts.journal import RATE, columns_of
from curriculum.trainers.parts.steps import Steps
from curriculum.trainers.verl import FOLDER as VERL
from curriculum.watch.log import Log
from curriculum.watch.setup import Setup, modified

Rows = dict[int, dict[str, float]]  # numbers of each step


class Course(NamedTuple):
    """Of a training so far."""

    steps: Steps | None  # None: nothing is known of any
    events: Sequence[Mapping[str, Any]]  # as `events.jsonl` has them

    @property
    def last(self) -> int | None:
        """The last step that is known to be done."""
        told = [int(self.steps["step"][-1])] if self.steps else []
        return max([*told, *(event["step"] for event in self.events)], default=None)

    @property
    def rate(self) -> tuple[int, float] | None:
        """The last step at which the model was measured, and its held-out pass rate."""
        if self.steps is None or RATE not in self.steps:
            return None
        known = np.flatnonzero(np.isfinite(self.steps[RATE]))
        if not len(known):
            return None
        return int(self.steps["step"][known[-1]]), float(self.steps[RATE][known[-1]])


def read_course(folder: Path, setup: Setup, log: Log) -> Course:
    """What is known of a run's training, from whatever has been written by now.

    That is `metrics.parquet` at the end; until then the journal of the last checkpoint, or what the
    curriculum writes in verl's process, and what the log says of the model since then.
    """
    events = list(_events(folder / EVENTS, setup.began))
    rows = _finished(folder / METRICS, setup.began)
    if not rows:
        rows = _journal(folder / setup.choices.get("trainer", "")) or _of_verl(folder, setup)
        _add_rates(rows, log.rates)
    if not rows:
        return Course(None, events)
    names = dict.fromkeys(name for row in rows.values() for name in row)
    order = sorted(rows)
    columns = {name: np.array([rows[step].get(name, np.nan) for step in order]) for name in names}
    drawn = [event for event in events if event["step"] <= order[-1] and _is_drawable(event)]
    return Course(Steps({"step": np.array(order, np.float64), **columns}, drawn), events)


def bucket_names(folder: Path) -> list[str]:
    """A run's buckets, easy to hard; none where it has not come to them."""
    try:
        return list(json.loads((folder / EDGES).read_text())["names"])
    except (OSError, ValueError, KeyError):
        return []


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a file of JSON lines, without the last one where it is being written."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.split("\n")[:-1]:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # of a kill, between two runs that wrote on
        if isinstance(said, dict):
            yield said


def _events(path: Path, began: float) -> Iterator[dict[str, Any]]:
    written = modified(path)
    if written is not None and written >= began:  # else it is an earlier run's
        for event in whole_lines(path):
            if isinstance(event.get("step"), int) and {"event", "text"} <= event.keys():
                yield event


def _is_drawable(event: Mapping[str, Any]) -> bool:
    """Whether a level-up has the number that its line on a chart says."""
    reward = event.get("reward")
    return isinstance(reward, int | float) and math.isfinite(reward)


def _finished(path: Path, began: float) -> Rows:
    written = modified(path)
    if written is None or written < began:
        return {}
    try:
        table = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowInvalid):
        return {}  # it is being written
    return {row.pop("step"): {k: v for k, v in row.items() if v is not None} for row in table}


def _journal(checkpoints: Path) -> Rows:
    """Of the last checkpoint that is there; old ones go as new ones come."""
    found = [path.parent for path in checkpoints.glob(f"checkpoint-*/{JOURNAL}")]
    for checkpoint in sorted(found, key=step_of, reverse=True):
        try:
            steps = json.loads((checkpoint / JOURNAL).read_text(encoding="utf-8"))["steps"]
        except (OSError, ValueError):
            continue
        return {int(step): values for step, values in steps.items()}
    return {}


def _of_verl(folder: Path, setup: Setup) -> Rows:
    rows: Rows = {}
    rollouts = 0
    for line in whole_lines(folder / VERL / OF_VERL / BATCHES):
        if setup.group_size is None or not {"batch", "sampler/groups"} <= line.keys():
            continue
        step = line.pop("batch")
        rollouts += int(line["sampler/groups"]) * setup.group_size
        rows[step] = columns_of(line, rollouts)
    return rows


def _add_rates(rows: Rows, rates: Mapping[int, float]) -> None:
    """What the log says of steps that are in no checkpoint yet."""
    told = ((step, row["rollouts"]) for step, row in rows.items() if "rollouts" in row)
    a_step = next((rollouts / step for step, rollouts in told if step), None)
    for step, rate in rates.items():
        if RATE not in rows.get(step, {}):
            rows.setdefault(step, {})[RATE] = rate
            if a_step is not None:
                rows[step]["rollouts"] = a_step * step
