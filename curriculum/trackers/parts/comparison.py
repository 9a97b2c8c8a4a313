"""The comparison of a sweep, as a run of W&B's own."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from curriculum.core.names import COMPARISON
from curriculum.trackers.parts.recording import Recording


def log_comparison(recording: Recording, sweep: Path) -> None:
    """Tables of runs, agreement and curricula, the picture, and the verdicts as the summary."""
    found = json.loads((sweep / f"{COMPARISON}.json").read_text())
    recording.table("tables/runs", pd.read_parquet(sweep / f"{COMPARISON}.parquet"))
    if found["adjusted_rand_index"]:
        recording.table("tables/agreement", pd.DataFrame(found["adjusted_rand_index"]))
    arms = [
        {"setting": each["setting"], "at_rollouts": each["rollouts"], **arm}
        for each in found["curricula"]
        for arm in each["arms"]
    ]
    if arms:
        recording.table("tables/curricula", pd.DataFrame(arms))
        recording.image("comparison", sweep / f"{COMPARISON}.png")
    states = pd.Series([run["status"] for run in found["runs"]]).value_counts()
    recording.summarize({f"runs/{status}": int(count) for status, count in states.items()})
    for number, each in enumerate(found["curricula"], 1):
        name = "verdict" if len(found["curricula"]) == 1 else f"verdict/{number}"
        told = f"{each['setting']}: " if each["setting"] else ""
        recording.summarize({name: f"{told}{each['verdict']}"})
