"""The fourth step: numbers about each problem."""

from __future__ import annotations

from curriculum.core.records import Metrics
from curriculum.metrics import measure
from curriculum.run.context import Context
from curriculum.run.rewards import Rewarded
from curriculum.run.settings import Settings


def measure_problems(settings: Settings, rewarded: Rewarded, context: Context) -> Metrics:
    """All standard metrics, and the one that was chosen."""
    problems, groups = rewarded.problems, rewarded.groups
    with context.ledger.timed("metrics"):
        option, order = context.choices["metric"], settings.recorded_order
        return measure(problems, groups, settings.measure, settings.metric, option, order)
