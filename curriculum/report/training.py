"""What a page says of a training, from the files that the tracker has left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from curriculum.core.names import EVENTS, METRICS
from curriculum.core.records import Floats
from curriculum.trainers.parts.steps import Steps

TOLD = 200  # events


def read_steps(folder: Path) -> Steps:
    """The numbers of each step of a run, and its events."""
    table = pq.read_table(folder / METRICS)
    path = folder / EVENTS  # there is none where nothing has happened
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    columns = {name: _floats(table, name) for name in table.column_names}
    return Steps(columns, [json.loads(line) for line in lines])


def first_events(steps: Steps) -> list[Mapping[str, Any]]:
    """As text, each with its step."""
    return [{"step": event["step"], "text": event["text"]} for event in steps.events[:TOLD]]


def _floats(table: Any, name: str) -> Floats:
    return np.asarray(table[name].to_pandas().to_numpy(np.float64, na_value=np.nan))
