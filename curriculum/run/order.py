"""`export.order=true`: rows in the sampler's order, for trainers that take only an order."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.measured import Measured
from curriculum.core.prompts import Observations
from curriculum.core.records import Integers
from curriculum.core.summary import Written, show_files
from curriculum.layouts.parts.training import training_rows
from curriculum.run.context import Context
from curriculum.run.layouts import Left, require_own
from curriculum.run.settings import Settings
from curriculum.samplers import Curriculum, Sampler
from curriculum.trainers import Schedule
from curriculum.trainers.parts.learning import Pace, SimulatedModel

FILE = "ordered_train.parquet"
LABEL = "drawn with simulated rollouts at the measured pass rates; no model was trained"


def write_order(
    settings: Settings, sampler: Sampler, measured: Measured, left: Left, context: Context
) -> None:
    """Write a row a draw of `trainer.steps` batches; its schema says that it was simulated."""
    prompts = left.prompts.training_side()
    schedule = settings.schedule.fitting(len(prompts))
    rng = np.random.default_rng([settings.seed, 0])
    size, group_size = schedule.batch_size, schedule.group_size
    curriculum = Curriculum(sampler, prompts, size, settings.guards, rng, group_size)
    model = SimulatedModel(prompts, Pace(0, 0, 0), np.random.default_rng([settings.seed, 1]))
    drawn = _drawn(curriculum, model, schedule)
    about = {
        "sampler": context.choices["sampler"],
        "label": LABEL,
        "batches": schedule.steps,
        "batch_size": size,
    }
    place = np.flatnonzero(left.prompts.trained)[drawn]
    rows = training_rows(measured).table.take(pa.array(place))
    path = context.folder / f"{settings.export.prefix}{FILE}"
    require_own([path.name], context.folder, [file.url for file in settings.files()])
    with whole(path) as partial:
        metadata = {"curriculum": json.dumps(about)}
        pq.write_table(rows.replace_schema_metadata(metadata), partial)
    context.ledger.add([path.name], left.kind)
    context.ledger.note(order=about)
    what = f"{len(rows):,} draws of {len(np.unique(drawn)):,} problems, {LABEL}"
    with context.printing():
        show_files(measured, [Written(path, what)])


def _drawn(curriculum: Curriculum, model: SimulatedModel, schedule: Schedule) -> Integers:
    """(steps * batch_size,) rows of the prompts."""
    batches = []
    for _ in range(schedule.steps):
        batch = curriculum.next_batch()
        passes = model.roll_out(batch, schedule.group_size)
        curriculum.observe(Observations.of_passes(batch, passes, schedule.group_size))
        batches.append(batch)
    return np.concatenate(batches)
