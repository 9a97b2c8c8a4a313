"""Problems and their rollouts: read, replayed or generated, all at once or in rounds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.budgets import Findings
from curriculum.core.errors import UserError
from curriculum.core.records import Asked, Problems, Rollouts
from curriculum.core.run_result import Record
from curriculum.demo.stored import NAME as SMALL
from curriculum.demo.stored import small_model
from curriculum.generators.replay import adopt, match
from curriculum.metrics import PassRate
from curriculum.run import rejects
from curriculum.run.generating import entries
from curriculum.run.generating.entries import Work
from curriculum.run.generating.entries import load as load_rollouts
from curriculum.run.reading import load as load_data
from curriculum.run.rounds import in_rounds
from curriculum.run.scored import Round, choose_reward, score
from curriculum.run.settings import Strategies

log = logging.getLogger(__name__)


class Sampled(NamedTuple):
    """Problems and their rollouts, with what the budget needed and found."""

    problems: Problems
    rollouts: Rollouts
    rewards: pa.Table | None = None  # where the budget looked at them
    findings: Findings | None = None


def sample(chosen: Strategies, record: Record) -> Sampled | None:
    """Problems and the rollouts that belong to them; None where other shards' are missing.

    Raises:
        UserError: where there are no rollouts, or too many rows could not be read.
    """
    store, limit = chosen.store, chosen.limits.max_rejected
    own = load_data(store, "problems", chosen.data, limit)
    record.use("problems", own.stage)
    rejects.rejected_rows("problems", own.rejected, record)
    if chosen.generator is not None:
        return generate(chosen, own.problems, record)
    source: Any = chosen.replay or chosen.data
    index = own.rollouts
    if chosen.replay is not None:
        replayed = load_data(store, "replay", chosen.replay, limit)
        record.use("replay", replayed.stage)
        rejects.rejected_rows("replay", replayed.rejected, record)
        place = match(replayed.problems, own.problems)
        rejects.rollouts_without_problem(replayed.problems, replayed.rollouts, place, record)
        index = adopt(replayed.rollouts, place)
    if index is None:
        raise UserError(
            "the data holds problems only: generator.path=FILES names their rollouts, "
            "generator=transformers makes some"
        )
    return Sampled(own.problems, Rollouts(index, source.responses, source.rows))


def generate(chosen: Strategies, problems: Problems, record: Record) -> Sampled | None:
    """Rollouts of the problems, from the store where they have been generated."""
    if not len(problems):
        raise UserError(f"{chosen.data.label} holds no problem to generate rollouts of")
    if chosen.until is None:  # before rollouts are paid for
        rows = np.arange(len(problems))
        choose_reward(chosen, problems, rows, False, record.choices["reward"])
    generator: Any = chosen.generator
    elsewhere = getattr(generator, "served_elsewhere", False)
    if getattr(generator, "model", None) == SMALL and not elsewhere:
        generator = replace(generator, model=str(small_model(chosen.store)))
    source = record.stages["problems"]["fingerprint"]
    work = partial(Work, generator, chosen.generation, problems, source)
    with closing(generator):
        return generate_in_rounds(chosen, work, problems, record)


def generate_in_rounds(
    chosen: Strategies, work: Callable[[Sequence[Asked]], Work], problems: Problems, record: Record
) -> Sampled | None:
    """Rollouts as the budget asks for them; each round's are an entry of the store."""
    counts: Counter[str] = Counter()
    budget, setting, rounds_done = chosen.budget, chosen.setting(), 0

    def generated(asked: Sequence[Asked]) -> Rollouts | None:
        nonlocal rounds_done
        rounds_done += 1
        this = work(asked)
        if chosen.generation.shards > 1 and not add_shard(chosen, this, record):
            return None
        rollouts, stage = load_rollouts(chosen.store, this)
        record.use("rollouts" if budget.divisible else f"rollouts_{rounds_done}", stage)
        counts.update(stage.counts)
        return rollouts

    def scored(rollouts: Rollouts) -> pa.Table:
        this = Round(rounds_done, counts["failures"])
        table = score(chosen, problems, rollouts, record, this)
        failures = len(table) - table["failure"].null_count
        counts.update(rewards=len(table) - failures, failures=failures)
        return table

    passing = PassRate(chosen.measure.threshold, chosen.measure.strict)
    rounds = in_rounds(budget, setting, problems, passing, generated, scored)
    if rounds is None:
        return None
    record.counts |= counts
    findings = budget.findings(rounds.tally, setting)
    return Sampled(problems, rounds.rollouts, rounds.rewards, findings)


def add_shard(chosen: Strategies, work: Work, record: Record) -> bool:
    """Generate this shard's part; whether all parts are there now."""
    done, total = entries.add_shard(chosen.store, work)
    record.results |= {"batches": done, "total_batches": total}
    if done < total:
        log.info("%d of %d batches are there; whoever adds the last one goes on", done, total)
    return done == total
