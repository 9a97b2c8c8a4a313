"""`dry_run.png`: a dry run in six charts, most of them those of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from curriculum.core.charts import easy_to_hard
from curriculum.core.records import Floats
from curriculum.integrations.vega import Panel, save_picture
from curriculum.trainers.parts import charts
from curriculum.trainers.parts.simulated import LABEL, Simulated
from curriculum.trainers.parts.steps import Steps

COLUMNS, WIDTH = 3, 285


def plot(arms: Mapping[str, Simulated], path: Path) -> None:
    """Draw the first arm's mixes, and all arms' curves."""
    option, *_ = names = list(arms)
    steps = steps_of(arms)
    buckets, sources = steps.shares("bucket"), charts.biggest(steps.shares("source"))
    bucket_mix = charts.mix(steps, buckets, easy_to_hard(list(buckets)), "bucket")
    source_mix = charts.mix(steps, sources, charts.source_colors(list(sources)), "source")
    draws = charts.draws([arm.draws for arm in arms.values()])
    spent = charts.spent({name: arm.summary() for name, arm in arms.items()})
    panels = [
        Panel("Buckets in a batch", bucket_mix, list(buckets)),
        Panel("Mean reward of the batches", charts.curves(steps, "reward"), names),
        Panel("Groups with a gradient", charts.curves(steps, "gradient"), names),
        Panel("Sources in a batch", source_mix, list(sources)),
        Panel("How often prompts were drawn", draws, names),
        Panel("Rollouts in groups with", spent, charts.SPENT_ON),
    ]
    dashes = "; dashed: level-ups" if steps.level_ups() else ""
    save_picture(path, f"Dry run of {option}", f"{LABEL}{dashes}", panels, COLUMNS, WIDTH)


def steps_of(arms: Mapping[str, Simulated]) -> Steps:
    """What the run's files will say of the arms: of the sampler, and of the control."""
    rows = {name: list(arm.by_step()) for name, arm in arms.items()}
    option, own = next(iter(arms.items()))
    columns: dict[str, Floats] = {"step": np.arange(len(rows[option]), dtype=np.float64)}
    for name, steps in rows.items():
        prefix = "" if name == option else "control/"
        for key in dict.fromkeys(key for step in steps for key in step):
            columns[prefix + key] = np.array([step.get(key, np.nan) for step in steps])
    events = [{"step": step, "event": event.kind, **event.values} for step, event in own.events]
    return Steps(columns, events)
