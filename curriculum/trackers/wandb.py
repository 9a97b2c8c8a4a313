"""`tracker=wandb`: runs recorded for Weights & Biases, on the disk, and sent from there."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.core.measured import Measured
from curriculum.core.names import OUTSIDE
from curriculum.core.prompts import Event
from curriculum.core.run_result import RunResult
from curriculum.trackers.base import About, Tracker, Tracking, flat
from curriculum.trackers.parts import summary
from curriculum.trackers.parts.recording import Recording
from curriculum.trackers.parts.tables import of_buckets, of_problems

log = logging.getLogger(__name__)

MODES = ("auto", "online", "offline")


@dataclass(frozen=True)
class WandB(Tracking):
    """A run of W&B's for each run, grouped by sweep, and one more for a sweep's comparison."""

    mode: Literal["auto", "online", "offline"] = "auto"
    project: str = "curriculum"
    entity: str | None = None
    group: str | None = None
    tags: list[str] = field(default_factory=list)
    timeout: Annotated[float, Field(ge=0)] = 20
    finish_timeout: Annotated[float, Field(ge=0)] = 15
    rows: Annotated[int, Field(ge=0, le=10_000)] = 10_000  # of a table, as many as W&B shows
    characters: Annotated[int, Field(ge=0)] = 500
    system_metrics: bool = False

    def start(self, about: About) -> WandBTracker:
        """See `Tracking`."""
        return WandBTracker(self, about)

    def compare(self, sweep: Path) -> None:
        """See `Tracking`; a run of its own, of job type comparison."""
        from curriculum.trackers.parts.comparison import log_comparison

        recording = self.begin(sweep, sweep.name, "comparison", f"comparison {sweep.name}", {})
        try:
            log_comparison(recording, sweep)
        except BaseException as error:
            recording.finish(error)
            raise
        recording.finish(None)

    def begin(
        self, folder: Path, sweep: str | None, step: str, name: str, config: Mapping[str, Any]
    ) -> Recording:
        """A run of W&B's, of what happens in a folder.

        Raises:
            UserError: with mode=online, where the server does not take it within the timeout.
        """
        return Recording(
            folder / "wandb",
            self._mode(),
            self.timeout,
            self.finish_timeout,
            {key: value for key, value in config.items() if not key.startswith(OUTSIDE)},
            project=self.project,
            entity=self.entity,
            group=self.group or sweep,
            job_type=step,
            name=name,
            tags=self.tags,
            config=dict(config),
            system_metrics=self.system_metrics,
        )

    def _mode(self) -> str:
        """That of the environment where the configuration leaves it open."""
        said = os.environ.get("WANDB_MODE") if self.mode == "auto" else self.mode
        mode = {None: "auto", "": "auto", "dryrun": "offline"}.get(said, said)
        if mode not in (*MODES, "disabled"):
            raise UserError(f"WANDB_MODE={said}: there is {', '.join((*MODES, 'disabled'))}")
        return mode


class WandBTracker(Tracker):
    """Follows a run; see `Tracker`."""

    def __init__(self, settings: WandB, about: About) -> None:
        self._knobs = settings
        sweep = about.sweep.name if about.sweep else None
        config = about.keys() | summary.provenance()
        self._recording = settings.begin(about.folder, sweep, about.step, about.name, config)
        self._recording.step_of("train")
        self._events: list[dict[str, Any]] = []

    def buckets(self, outcome: Measured) -> None:
        """See `Tracker`: scalars, histograms and tables."""
        buckets, metrics = of_buckets(outcome), outcome.metrics
        self._recording.log(flat({"buckets": buckets}, "/"))
        self._recording.histogram("histograms/pass_rate", metrics["c"] / metrics["n"])
        self._recording.histogram("histograms/mean_reward", metrics["mean_reward"])
        self._recording.histogram("histograms/difficulty", metrics["difficulty_score"])
        table = pd.DataFrame.from_dict(buckets, orient="index").rename_axis("bucket").reset_index()
        self._recording.table("tables/buckets", table)
        if self._knobs.rows:
            problems = of_problems(outcome, self._knobs.rows, self._knobs.characters)
            self._recording.table("tables/problems", problems)
            self._recording.summarize({"problems_in_table": len(problems)})
            if len(problems) < len(metrics):
                log.info(
                    "W&B: %s of %s problems are in the table, spread evenly over their hardness",
                    f"{len(problems):,}",
                    f"{len(metrics):,}",
                )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        self._recording.log(flat({"train": {"step": step, **values}}, "/"))

    def event(self, step: int, event: Event) -> None:
        """See `Tracker`: its numbers at the step, and at the end a table of all of them."""
        values = dict(event.values)
        line = {"step": step, "event": event.kind, "text": event.text, "values": json.dumps(values)}
        self._events.append(line)
        numbers = summary.numbers({event.kind: values})
        if numbers:
            self._recording.log(flat({"train": {"step": step, "events": numbers}}, "/"))

    def finish(self, result: RunResult, error: BaseException | None) -> None:
        """See `Tracker`."""
        if self._events:
            self._recording.table("tables/events", pd.DataFrame(self._events))
        self._recording.summarize(summary.of_run(result))
        self._recording.configure(summary.fingerprints(result))
        self._recording.finish(error)
