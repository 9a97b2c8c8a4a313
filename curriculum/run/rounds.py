"""Generation in rounds: the budget asks for some rollouts, and what they show decides the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.text import Text

from curriculum.budgets import Budget, Findings, Setting, Tally
from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.records import Asked, Integers, Problems, Rewards, Rollouts
from curriculum.core.terminal import console
from curriculum.metrics import PassRate

log = logging.getLogger(__name__)

FILE = "budget.parquet"
Generate = Callable[[list[Asked]], Rollouts | None]
Score = Callable[[Rollouts], pa.Table]


class Rounds(NamedTuple):
    """What all rounds together have given."""

    rollouts: Rollouts
    rewards: pa.Table | None  # lines up with the rollouts; None: the budget had no need of them
    tally: Tally


def in_rounds(
    budget: Budget,
    setting: Setting,
    problems: Problems,
    passing: PassRate,
    generate: Generate,
    score: Score,
    hint: tuple[Integers, Integers] | None = None,
) -> Rounds | None:
    """Generate, and score where the budget looks at rewards, until it asks for no more.

    Args:
        generate: gives None where other shards' rollouts are missing; then all of this does.
        hint: (P,) rollouts and (P,) passes of an earlier run.
    """
    tally = Tally.empty(problems.table["data_source"].to_pylist(), hint)
    rollouts: list[Rollouts] = []
    rewards: list[pa.Table] = []
    while asked := budget.asked(tally, setting):
        generated = generate(asked)
        if generated is None:
            return None
        rollouts.append(generated)
        tally = tally.after(asked)
        if not budget.divisible:
            log.info("round %d: more rollouts of %d problems", tally.rounds, len(asked))
            rewards.append(score(generated))
            seen = Rewards.group(generated, rewards[-1])
            tally = tally.seeing(
                seen.problem,
                seen.counts,
                seen.passes(passing.threshold, passing.strict).astype(np.int64),
            )
    if not rollouts:
        raise UserError(f"the budget ({type(budget).__name__}) asks for no rollouts at all")
    scores = pa.concat_tables(rewards).combine_chunks() if rewards else None
    return Rounds(_joined(rollouts), scores, tally)


def write(findings: Findings, problems: Problems, folder: Path) -> None:
    """`budget.parquet`: a row a problem, with what the budget found."""
    table = findings.table.add_column(0, "problem_id", problems.ids)
    with whole(folder / FILE) as path:
        pq.write_table(table, path)


def show(findings: Findings) -> None:
    """Print what was spent and what is still open."""
    lines = "\n".join(f" {title}: {text}" for title, text in findings.facts.items())
    console().print(Text.assemble(("\nBudget", "bold"), f" ({FILE})\n", lines))


def _joined(parts: list[Rollouts]) -> Rollouts:
    def responses() -> Iterator[pa.Array]:
        for part in parts:
            yield from part.responses()

    def rows() -> Iterator[pa.Table]:
        for part in parts:
            yield from part.rows()

    index = pa.concat_tables([part.index for part in parts]).combine_chunks()
    return Rollouts(index, responses, rows)
