"""The fourth step: numbers about each problem."""

from __future__ import annotations

import logging

from curriculum.core.left_out import left_out, told
from curriculum.core.records import Metrics
from curriculum.metrics import measure
from curriculum.run.context import Context
from curriculum.run.rewards import Rewarded
from curriculum.run.settings import Settings

log = logging.getLogger(__name__)


def measure_problems(settings: Settings, rewarded: Rewarded, context: Context) -> Metrics:
    """All standard metrics, and the one that was chosen; says which problems lack which."""
    problems, groups = rewarded.problems, rewarded.groups
    with context.ledger.timed("metrics"):
        option, order = context.choices["metric"], settings.recorded_order
        metrics = measure(problems, groups, settings.measure, settings.metric, option, order)
    if found := left_out(metrics):
        context.ledger.note(left_out_metrics=found)
    for text, expected in told(found, metrics.chosen):
        log.log(logging.INFO if expected else logging.WARNING, text)
    return metrics
