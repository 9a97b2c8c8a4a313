"""The first step: the problems of the data, and the rollouts that stand with them."""

from __future__ import annotations

from typing import NamedTuple, cast

from curriculum.core.records import Problems, Rollouts
from curriculum.data import RolloutData
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.run.reading import load
from curriculum.run.settings import Settings


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
    rejects.rejected_rows("problems", found.rejected, context)
    rejects.left_out(found.entry.counts)
    rollouts = None
    if found.rollouts is not None:
        source = cast(RolloutData, settings.data)
        rollouts = Rollouts(found.rollouts, source.responses, source.rows)
    return Read(found.problems, rollouts, found.entry.fingerprint)
