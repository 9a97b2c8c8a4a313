"""Problems, rollouts, rewards, metrics, buckets, files: the stages in their order."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from curriculum import report
from curriculum.core.names import PROMPTS
from curriculum.core.prompts import Prompts
from curriculum.core.records import Outcome, Problems, Rewards, Rollouts
from curriculum.core.run_result import Record
from curriculum.core.terminal import shown
from curriculum.layouts import bucket_statistics, overall_statistics
from curriculum.metrics.metrics import measure
from curriculum.run import rejects
from curriculum.run.bucketing import cut
from curriculum.run.generating.flat import FILE as FLAT
from curriculum.run.generating.flat import write_flat
from curriculum.run.place import kind, place, require_apart, require_own
from curriculum.run.prompts import prompts_of
from curriculum.run.rounds import FILE as ROUNDS
from curriculum.run.rounds import show as show_rounds
from curriculum.run.sampling import sample
from curriculum.run.scored import score
from curriculum.run.scoring.scoring import failures_in
from curriculum.run.settings import Strategies
from curriculum.run.tracked import tracked
from curriculum.trackers import About, Tracker
from curriculum.trainers import Trainer, Training

log = logging.getLogger(__name__)


def run(cfg: Mapping[str, Any], record: Record, show: bool, sweep: Path | None = None) -> None:
    """From the data to the files in the record's folder, and what the terminal shows.

    Args:
        cfg: plain values, interpolations resolved.
        show: whether to print what the layout shows when it is done.
        sweep: folder of the sweep that the run is part of.
    """
    chosen = Strategies.build(cfg)
    for read in filter(None, (chosen.data, chosen.replay)):
        require_apart(read, record.folder.resolve())
    stage = chosen.until or ("training" if chosen.trainer else "buckets")
    with tracked(chosen.tracking, About(record, sweep, stage, show)) as tracker:
        take_stages(chosen, record, tracker, show)


def take_stages(chosen: Strategies, record: Record, tracker: Tracker, show: bool) -> None:
    """One stage after another, as far as the configuration says."""
    with record.timed("rollouts"):
        sampled = sample(chosen, record)
    if sampled is None:
        return
    problems, rollouts, rounds = sampled
    if rounds is not None:
        rounds.write(problems, record.folder)
        record.results["budget"] = rounds.results
        rejects.failed_rollouts(problems, rollouts, failures_in(rounds.rewards), record)
    if chosen.until == "rollouts":
        leave_flat(chosen, problems, rollouts, record)
        return
    with record.timed("rewards"):
        if rounds:
            scores = rounds.rewards
        else:
            scores = score(chosen, problems, rollouts, record)
            rejects.failed_rollouts(problems, rollouts, failures_in(scores), record)
        grouped = Rewards.group(rollouts, scores)
        rejects.problems_without_reward(problems, grouped, record)
    with record.timed("metrics"):
        option = record.choices["metric"]
        metrics = measure(problems, grouped, chosen.measure, chosen.metric, option)
    with record.timed("buckets"):
        unknown = rounds.unknown_hard(grouped.problem) if rounds else None
        buckets = cut(chosen.bucketer, metrics, chosen.edges.edges, record.folder, unknown)
    strategy = record.choices["bucketer"]
    label = chosen.data.label
    outcome = Outcome(problems, rollouts, scores, grouped, metrics, buckets, strategy, label)
    with record.timed("export"):
        inputs = [file.url for file in chosen.files()]
        written = place(chosen.layouts, outcome, record.folder, chosen.export, inputs)
    sides = [layout.trained(outcome, chosen.export) for layout in chosen.layouts]
    prompts = prompts_of(outcome, np.logical_and.reduce(sides))
    names = [path.name for files in written for path, _ in files]
    names += [ROUNDS] if rounds else []
    require_own([*names, PROMPTS], record.folder, inputs)
    prompts.save(record.folder / PROMPTS)
    claimed = [name for each in chosen.layouts for name in each.claims(outcome, chosen.export)]
    claimed += chosen.trainer.files if chosen.trainer else []
    run_kind = kind(chosen.layouts, chosen.export, strategy)
    record.leave(names, run_kind, claimed, inputs)
    record.results |= overall_statistics(outcome) | {"buckets": bucket_statistics(outcome)}
    tracker.buckets(outcome)
    if show:
        for layout, files in zip(chosen.layouts, written, strict=True):
            layout.show(outcome, files)
        if rounds is not None:
            show_rounds(rounds)
    if chosen.trainer is not None:
        with record.timed("training"):
            results = train(chosen, chosen.trainer, prompts.training_side(), record, tracker)
        left = [name for name in chosen.trainer.files if (record.folder / name).exists()]
        record.add(left, run_kind)
        if show:
            chosen.trainer.show(results, [record.folder / name for name in left])
    with record.timed("report"):
        page = report.of_run(outcome, record, chosen.store, chosen.report.examples)
    log.info("to look at it: %s", shown(page))


def train(
    chosen: Strategies, trainer: Trainer, prompts: Prompts, record: Record, tracker: Tracker
) -> dict[str, Any]:
    """Train on the prompts in the sampler's order; what came of it."""
    training = Training(
        chosen.sampler,
        record.choices["sampler"],
        chosen.guards,
        chosen.schedule.fitting(len(prompts)),
        chosen.seed,
    )
    try:
        results = trainer.run(prompts, training, tracker, record.folder)
    finally:
        tracker.trained()
    record.results["training"] = results
    return results


def leave_flat(chosen: Strategies, problems: Problems, rollouts: Rollouts, record: Record) -> None:
    """`until=rollouts`: one file, and the run is done."""
    inputs = [file.url for file in chosen.files()]
    require_own([FLAT], record.folder, inputs)
    path = write_flat(rollouts, record.folder)
    record.leave([FLAT], "until rollouts", [], inputs)
    record.results |= {"total_problems": len(problems), "total_rollouts": len(rollouts)}
    page = report.of_rollouts(problems, rollouts, record, chosen.report.examples)
    log.info("%d rollouts: %s\nto read them: %s", len(rollouts), path, shown(page))
