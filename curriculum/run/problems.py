"""The first step: the problems of the data, and the rollouts that stand with them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa

from curriculum.core.records import Problems, Rollouts
from curriculum.data import RolloutData
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.run.reading import load, took
from curriculum.run.settings import Settings

log = logging.getLogger(__name__)


class Read(NamedTuple):
    """What the data holds."""

    problems: Problems
    rollouts: Rollouts | None  # None: it has problems only
    fingerprint: str  # of the entry in the store


def read_problems(settings: Settings, context: Context) -> Read:
    """Read the data, or find in the store what was read of it.

    Raises:
        UserError: where too many rows could not be read.
    """
    with context.ledger.timed("problems"):
        found = load(context.store, "problems", settings.data, settings.limits.max_rejected)
    context.ledger.use("problems", found.entry)
    took("problems", found.took, context)
    rejects.rejected_rows("problems", found.rejected, context)
    rejects.left_out(found.entry.counts)
    rollouts = None
    if found.rollouts is not None:
        source = cast(RolloutData, settings.data)
        place = None if found.origins is None else found.origins.place
        rollouts = Rollouts(found.rollouts, source.responses, source.rows, place)
    read = Read(found.problems, rollouts, found.entry.fingerprint)
    limit = settings.limits.limit
    return read if limit is None or limit >= len(read.problems) else _first(read, limit, context)


def _first(read: Read, limit: int, context: Context) -> Read:
    """The first problems; the rollouts of the others are of none."""
    log.warning("data.limit=%d: the first of %d problems are used", limit, len(read.problems))
    rollouts = read.rollouts
    if rollouts is not None:
        within = np.where(rollouts.problem < limit, rollouts.problem, -1)
        index = rollouts.index.set_column(0, rollouts.index.schema.field(0), pa.array(within))
        rollouts = replace(rollouts, index=index)
        context.ledger.count(rollouts=int((within >= 0).sum()))
    context.ledger.count(problems=limit)
    return Read(
        Problems(read.problems.table.slice(0, limit)), rollouts, f"{read.fingerprint} of {limit}"
    )
