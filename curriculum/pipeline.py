"""Problems, rollouts, rewards, metrics, buckets, files: the stages in their order."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curriculum import aside, data, generators, rewards
from curriculum.bucketers.edges import cut
from curriculum.demo.stored import NAME as SMALL
from curriculum.demo.stored import small_model
from curriculum.errors import UserError
from curriculum.export import bucket_statistics, overall_statistics
from curriculum.export.place import kind, place, require_apart, require_own
from curriculum.generators.flat import FILE as FLAT
from curriculum.generators.flat import write_flat
from curriculum.generators.replay import adopt, match
from curriculum.metrics import measure
from curriculum.provenance import Record
from curriculum.records import Outcome, Problems, Rewards, Rollouts
from curriculum.rewards.scoring import TooManyFailures, failures_in
from curriculum.strategies import Strategies

log = logging.getLogger(__name__)


def run(cfg: Mapping[str, Any], record: Record, show: bool) -> None:
    """From the data to the files in the record's folder, and what the terminal shows.

    Args:
        cfg: plain values, interpolations resolved.
        show: whether to print what the layout shows when it is done.
    """
    chosen = Strategies.build(cfg)
    for read in filter(None, (chosen.data, chosen.replay)):
        require_apart(read, record.folder.resolve())
    with record.timed("rollouts"):
        problems, rollouts = load_rollouts(chosen, record)
    if rollouts is None:
        return
    if chosen.until == "rollouts":
        inputs = [file.url for file in chosen.files()]
        require_own([FLAT], record.folder, inputs)
        path = write_flat(rollouts, record.folder)
        record.leave([FLAT], "until rollouts", [], inputs)
        record.results |= {"total_problems": len(problems), "total_rollouts": len(rollouts)}
        log.info("%d rollouts: %s", len(rollouts), path)
        return
    with record.timed("rewards"):
        scores = score_rollouts(chosen, problems, rollouts, record)
        grouped = Rewards.group(rollouts, scores)
        aside.problems_without_reward(problems, grouped, record)
    with record.timed("metrics"):
        option = record.choices["metric"]
        metrics = measure(problems, grouped, chosen.measure, chosen.metric, option)
    with record.timed("buckets"):
        buckets = cut(chosen.bucketer, metrics, chosen.edges.edges, record.folder)
    strategy = record.choices["bucketer"]
    label = chosen.data.label
    outcome = Outcome(problems, rollouts, scores, grouped, metrics, buckets, strategy, label)
    with record.timed("export"):
        inputs = [file.url for file in chosen.files()]
        written = place(chosen.layouts, outcome, record.folder, chosen.export, inputs)
    names = [path.name for files in written for path, _ in files]
    claimed = [name for each in chosen.layouts for name in each.claims(outcome, chosen.export)]
    record.leave(names, kind(chosen.layouts, chosen.export, strategy), claimed, inputs)
    record.results |= overall_statistics(outcome) | {"buckets": bucket_statistics(outcome)}
    if show:
        for layout, files in zip(chosen.layouts, written, strict=True):
            layout.show(outcome, files)


def load_rollouts(chosen: Strategies, record: Record) -> tuple[Problems, Rollouts | None]:
    """Problems and the rollouts that belong to them; None where other shards' are missing.

    Raises:
        UserError: where there are no rollouts, or too many rows could not be read.
    """
    store, limit = chosen.store, chosen.limits.max_rejected
    own = data.load_stored(store, "problems", chosen.data, limit)
    record.use("problems", own.stage)
    aside.rejected_rows("problems", own.rejected, record)
    source: Any = chosen.replay or chosen.data
    index = own.rollouts
    if chosen.replay is not None:
        replayed = data.load_stored(store, "replay", chosen.replay, limit)
        record.use("replay", replayed.stage)
        aside.rejected_rows("replay", replayed.rejected, record)
        place = match(replayed.problems, own.problems)
        aside.rollouts_without_problem(replayed.problems, replayed.rollouts, place, record)
        index = adopt(replayed.rollouts, place)
    elif chosen.generator is not None:
        return own.problems, generate(chosen, own.problems, record)
    if index is None:
        raise UserError(
            "the data holds problems only: generator.path=FILES names their rollouts, "
            "generator=transformers makes some"
        )
    return own.problems, Rollouts(index, source.responses, source.rows)


def generate(chosen: Strategies, problems: Problems, record: Record) -> Rollouts | None:
    """Rollouts of every problem, from the store where they have been generated."""
    if not len(problems):
        raise UserError(f"{chosen.data.label} holds no problem to generate rollouts of")
    generator: Any = chosen.generator
    serves_it = getattr(generator, "serves_model", False)
    if getattr(generator, "model", None) == SMALL and not serves_it:
        generator = replace(generator, model=str(small_model(chosen.store)))
    source = record.stages["problems"]["fingerprint"]
    asked = chosen.budget.asked(len(problems))
    work = generators.Work(generator, chosen.generation, problems, source, asked)
    with closing(generator):
        if chosen.generation.shards > 1:
            done, total = generators.add_shard(chosen.store, work)
            record.results |= {"batches": done, "total_batches": total}
            if done < total:
                log.info(
                    "%d of %d batches are there; the run that adds the last one goes on from there",
                    *(done, total),
                )
                return None
        rollouts, stage = generators.load_stored(chosen.store, work)
    record.use("rollouts", stage)
    return rollouts


def score_rollouts(
    chosen: Strategies, problems: Problems, rollouts: Rollouts, record: Record
) -> pa.Table:
    """A reward or a failure for every rollout; failures are written to the run's folder.

    Raises:
        TooManyFailures: more than `reward.max_failures`.
    """
    reward = chosen.reward
    if isinstance(reward, rewards.Auto):
        sources = pc.unique(problems.table["data_source"]).to_pylist()
        reward = reward.choose(rollouts.recorded, sources)
    record.results["reward"] = type(reward).__name__
    made_of = [stage["fingerprint"] for stage in record.stages.values()]
    try:
        table, stage = rewards.load_stored(
            chosen.store, reward, problems, rollouts, chosen.scoring, made_of
        )
    except TooManyFailures as error:
        aside.failed_rollouts(problems, rollouts, error.failures, record)
        raise
    if stage:
        record.use("rewards", stage)
    aside.failed_rollouts(problems, rollouts, failures_in(table), record)
    return table
