"""The second step: rollouts of the problems, read or generated, all at once or in rounds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.budgets import Findings
from curriculum.core.errors import UserError
from curriculum.core.records import Asked, Integers, Problems, Rollouts
from curriculum.demo.stored import RECIPES, stored
from curriculum.metrics import PassRate
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.run.generating import entries, parts
from curriculum.run.generating.entries import Work
from curriculum.run.generating.entries import load as load_rollouts
from curriculum.run.hint import SAMPLING, counts_of, require_other
from curriculum.run.problems import Read
from curriculum.run.replaying import replay
from curriculum.run.rounds import in_rounds
from curriculum.run.rounds import write as write_findings
from curriculum.run.scored import Round, choose_reward, score
from curriculum.run.scoring.scoring import failures_in
from curriculum.run.scoring.workers import require_loads
from curriculum.run.settings import Settings
from curriculum.store.entries import Store

log = logging.getLogger(__name__)
# Of the demo's problems, whose answers are short, .54 have two equal samples, and .44 four.
MOSTLY = 0.75


class Sampled(NamedTuple):
    """Problems and their rollouts, with what the budget needed and found."""

    problems: Problems
    rollouts: Rollouts
    made_of: Sequence[str]  # fingerprints of the entries in the store
    rewards: pa.Table | None = None  # where the budget looked at them
    findings: Findings | None = None


def sample(settings: Settings, read: Read, context: Context) -> Sampled | None:
    """The rollouts that belong to the problems; None where other shards' are missing.

    Raises:
        UserError: where there are none, or too many rows could not be read.
    """
    with context.ledger.timed("rollouts"):
        if not settings.generator.replays:
            return generate(settings, read, context)
        return replayed(settings, read, context)


def replayed(settings: Settings, read: Read, context: Context) -> Sampled:
    """The rollouts in the data, or those of `generator.path`."""
    problems, made_of = read.problems, [read.fingerprint]
    if settings.replay is not None:
        limit = settings.limits.max_rejected
        rollouts, fingerprint = replay(settings.replay, problems, limit, context)
        return Sampled(problems, rollouts, [*made_of, fingerprint])
    if read.rollouts is None:
        raise UserError(
            "the data holds problems only: generator.path=FILES names their rollouts, "
            "generator=transformers makes some"
        )
    return Sampled(problems, read.rollouts, made_of)


def generate(settings: Settings, read: Read, context: Context) -> Sampled | None:
    """Rollouts of the problems, from the store where they have been generated."""
    problems = read.problems
    if not len(problems):
        raise UserError(f"{settings.data.label} holds no problem to generate rollouts of")
    if settings.reaches("rewards"):  # before rollouts are paid for
        rows = np.arange(len(problems))
        reward = choose_reward(settings, problems, rows, False, context.choices["reward"])
        if reward.own_code:
            require_loads(reward, settings.scoring.memory_gb)
    hint = settings.budget.hint if settings.budget else None
    counts = None if hint is None else counts_of(Path(hint), problems, context.folder)
    generator = settings.generator.with_model(partial(model_of, store=context.store))
    work = partial(Work, generator, settings.generation, problems, read.fingerprint)
    with closing(generator):
        sampling = work(()).drawn_with
        context.ledger.note(**{SAMPLING: sampling})
        if hint is not None:
            require_other(Path(hint), sampling)
        return generate_in_rounds(settings, work, read, context, counts)


def model_of(name: str, store: Store) -> str:
    """The folder of a model that is made here, or the name of any other."""
    return str(stored(name, store)) if name in RECIPES else name


def add_shard(work: Work, context: Context) -> bool:
    """Generate this shard's part; whether all parts are there now."""
    done, total = entries.add_shard(context.store, work)
    context.ledger.note(batches=done, total_batches=total)
    if done < total:
        log.info("%d of %d batches are there; whoever adds the last one goes on", done, total)
    return done == total


def say_equal(counts: Mapping[str, int], context: Context) -> None:
    """Say it where samples that should differ are the same, for most problems."""
    equal, several = (counts[f"problems_of_{which}_samples"] for which in ("equal", "several"))
    if equal > MOSTLY * several:
        told = (
            f"all samples are the same to the letter for {equal} of {several} problems: either the "
            "model is that sure, or what makes them ignores seed and temperature, and then a pass "
            "rate is of one sample"
        )
        context.ledger.note(equal_samples=told)
        log.warning("%s", told)


def generate_in_rounds(
    settings: Settings,
    work: Callable[[Sequence[Asked]], Work],
    read: Read,
    context: Context,
    hint: tuple[Integers, Integers] | None = None,
) -> Sampled | None:
    """Rollouts as the budget asks for them; each round's are an entry of the store.

    Args:
        hint: (P,) rollouts and (P,) passes of an earlier run.
    """
    problems, budget, setting = read.problems, settings.budget, settings.setting()
    assert budget is not None, "a run that measures nothing makes no rollouts"
    counts: Counter[str] = Counter()
    made_of = [read.fingerprint]
    failed: list[pa.Table] = []
    rounds_done = 0

    def generated(asked: Sequence[Asked]) -> Rollouts | None:
        nonlocal rounds_done
        rounds_done += 1
        this = work(asked)
        if settings.generation.shards > 1 and not add_shard(this, context):
            return None
        rollouts, entry = load_rollouts(context.store, this)
        name = "rollouts" if budget.divisible else f"rollouts_{rounds_done}"
        context.ledger.use(name, entry)
        counts.update(entry.counts)
        made_of.append(entry.fingerprint)
        failed.append(parts.failed(entry.folder))
        limit = settings.generation.max_failures
        if counts["failed_calls"] > limit:  # of all rounds, or of a run that allowed more
            raise UserError(
                f"{counts['failed_calls']} rollouts could not be had, more than "
                f"generator.max_failures={limit}: allow more"
            )
        return rollouts

    def scored(rollouts: Rollouts) -> pa.Table:
        this = Round(rounds_done, counts["failures"])
        own = [read.fingerprint, made_of[-1]]
        table = score(settings, problems, rollouts, own, context, this)
        assert table is not None, "rounds are not scored in shards"
        failures = len(table) - table["failure"].null_count
        counts.update(rewards=len(table) - failures, failures=failures)
        return table

    passing = PassRate(settings.measure.threshold, settings.measure.strict)
    rounds = in_rounds(budget, setting, problems, passing, generated, scored, hint)
    if rounds is None:
        return None
    context.ledger.count(**counts)
    rejects.failed_calls(problems, pa.concat_tables(failed), context)
    if settings.generator.responses_differ:
        say_equal(counts, context)
    findings = budget.findings(rounds.tally, setting)
    if findings is not None:
        context.ledger.note(budget={**findings.results, "facts": findings.facts})
        write_findings(findings, problems, context.folder)
    if rounds.rewards is not None:
        rejects.failed_rollouts(problems, rounds.rollouts, failures_in(rounds.rewards), context)
    return Sampled(problems, rounds.rollouts, made_of, rounds.rewards, findings)
