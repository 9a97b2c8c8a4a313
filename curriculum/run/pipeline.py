"""Prompts go in; what comes out is how hard each one is for the model, and a curriculum of that."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curriculum import report
from curriculum.core.summary import overall_statistics
from curriculum.core.terminal import shown
from curriculum.run.buckets import bucket
from curriculum.run.checks import require_sources
from curriculum.run.context import Context
from curriculum.run.flat import leave_flat
from curriculum.run.layouts import lay_out, require_apart, show
from curriculum.run.metrics import measure_problems
from curriculum.run.next_step import Next, after_shards, next_step
from curriculum.run.order import write_order
from curriculum.run.problems import read_problems
from curriculum.run.rewards import reward
from curriculum.run.sampling import sample
from curriculum.run.settings import Settings
from curriculum.run.tracked import tracked
from curriculum.run.training import given, train, unmeasured
from curriculum.trackers import Tracker

log = logging.getLogger(__name__)


def run(cfg: Mapping[str, Any], context: Context) -> None:
    """From the data to the files in the run's folder, and what the terminal shows.

    Args:
        cfg: plain values, interpolations resolved.
    """
    settings = Settings.build(cfg, context.overrides)
    for data in filter(None, (settings.data, settings.replay)):
        require_apart(data, context.folder)
    with tracked(settings, cfg, context) as tracker:
        if page := take_steps(settings, context, tracker):
            log.info("to look at it: %s", shown(page))
    if following := context.ledger.result().results.get("next"):
        log.info("Next: %s  # to %s", following["command"], following["to"])


def take_steps(settings: Settings, context: Context, tracker: Tracker) -> Path | None:
    """One step after another, as far as `until` says; the page of what came of them."""
    read = read_problems(settings, context)
    require_sources(settings.sources_named(), read.problems)
    if settings.until == "problems":
        context.ledger.note(total_problems=len(read.problems))
        return None
    sampler, trainer = settings.sampler, settings.trainer
    if settings.budget is None and sampler and trainer:
        everything = unmeasured(settings, read.problems, context)
        train(settings, sampler, trainer, everything, context, tracker)
        return None
    sampled = sample(settings, read, context)
    if sampled is None:  # other shards make the rest
        _note_next(after_shards(context), context)
        return None
    if settings.until == "rollouts":
        return leave_flat(settings, sampled, context)
    rewarded = reward(settings, sampled, context)
    if rewarded is None:
        _note_next(after_shards(context), context)
        return None
    if settings.until == "rewards":
        groups = rewarded.groups
        context.ledger.note(total_problems=len(groups), total_rollouts=len(groups.values))
        return None
    metrics = measure_problems(settings, rewarded, context)
    if settings.until == "metrics":
        context.ledger.note(**overall_statistics(metrics))
        return None
    measured = bucket(settings, rewarded, metrics, context)
    tracker.buckets(measured)
    if settings.reaches("layouts"):
        left = lay_out(settings, measured, rewarded.findings, context)
        with context.printing():
            show(settings, measured, left, rewarded.findings)
        if settings.export.order and sampler:
            write_order(settings, sampler, measured, left, context)
        if settings.until is None and sampler and trainer:
            train(settings, sampler, trainer, given(settings, measured, left), context, tracker)
    _note_next(next_step(settings, measured, context), context)
    with context.ledger.timed("report"):
        library = report.Library(context.store, context.sweep)
        room = settings.report.room(shared=context.sweep is not None)
        return report.of_run(measured, context.ledger.result(), context.folder, library, room)


def _note_next(following: Next | None, context: Context) -> None:
    if following is not None:
        context.ledger.note(next={"to": following.why, "command": following.command})
