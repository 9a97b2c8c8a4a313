"""`until=rollouts`: the flat file that generation scripts leave, a row a rollout."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow.parquet as pq

from curriculum import report
from curriculum.core.atomic import whole
from curriculum.core.records import Rollouts
from curriculum.run.context import Context
from curriculum.run.layouts import require_own
from curriculum.run.sampling import Sampled
from curriculum.run.settings import Settings

log = logging.getLogger(__name__)

FILE = "rollouts.parquet"


def leave_flat(settings: Settings, sampled: Sampled, context: Context) -> Path:
    """Leave the rollouts in one file; the page of them."""
    problems, rollouts = sampled.problems, sampled.rollouts
    inputs = [file.url for file in settings.files()]
    require_own([FILE], context.folder, inputs)
    path = write_flat(rollouts, context.folder)
    context.ledger.leave([FILE], "until rollouts", [], inputs)
    context.ledger.note(total_problems=len(problems), total_rollouts=len(rollouts))
    log.info("%d rollouts: %s", len(rollouts), path)
    room = settings.report.room(shared=context.sweep is not None)
    return report.of_rollouts(problems, rollouts, context.ledger.result(), context.folder, room)


def write_flat(rollouts: Rollouts, folder: Path) -> Path:
    """`prompt, response, data_idx, sample_idx, original_*`, as the rollouts' own rows have it."""
    path = folder / FILE
    with whole(path) as partial:
        writer = None
        for table in rollouts.rows():
            writer = writer or pq.ParquetWriter(partial, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()
    return path
