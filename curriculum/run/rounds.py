"""Generation in rounds: what some rollouts have shown decides which problems get more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from rich.text import Text

from curriculum.bucketers import Bucketer
from curriculum.budgets import Question, Sequential, Tally, Verdict, equal_fixed
from curriculum.budgets.parts.question import question_of
from curriculum.core.records import Asked, Integers, Problems, Rewards, Rollouts
from curriculum.core.terminal import console
from curriculum.metrics import PassRate

log = logging.getLogger(__name__)

FILE = "budget.parquet"
Generate = Callable[[list[Asked]], Rollouts]
Score = Callable[[Rollouts], pa.Table]


@dataclass(frozen=True)
class Rounds:
    """What all rounds together have given, and what it says of each of P problems."""

    rollouts: Rollouts
    rewards: pa.Table  # lines up with the rollouts, as in `REWARD_SCHEMA`
    count: int
    tally: Tally
    question: Question
    verdict: Verdict
    budget: Sequential

    @property
    def undecided(self) -> npt.NDArray[np.bool_]:
        """(P,) the likeliest answer is less sure than was asked for."""
        return np.asarray(self.verdict.risk > 1 - self.budget.confidence)

    def unknown_hard(self, rows: Integers) -> npt.NDArray[np.bool_] | None:
        """Which of some problems go into a bucket of their own; None where there is none."""
        return self.never_solved[rows] if self.budget.unknown_hard else None

    @property
    def never_solved(self) -> npt.NDArray[np.bool_]:
        """(P,) undecided, and none of its rollouts passed: hard, but nobody knows how hard."""
        return np.asarray(self.undecided & (self.tally.c == 0))

    @cached_property
    def results(self) -> dict[str, Any]:
        """For result.json; `as_sure_fixed` is None where it would be over a thousand."""
        error = float(self.verdict.risk.mean())
        texts = self.question.texts()
        counts = np.bincount(self.verdict.answer, minlength=len(texts))
        return {
            "answers": dict(zip(texts, counts.tolist(), strict=True)),
            "rounds": self.count,
            "rollouts": int(self.tally.asked.sum()),
            "rollouts_a_problem": float(self.tally.asked.mean()),
            "expected_error": error,
            "as_sure_fixed": equal_fixed(self.tally, self.question, error),
            "undecided": int(self.undecided.sum()),
            "undecided_never_solved": int(self.never_solved.sum()),
        }

    def write(self, problems: Problems, folder: Path) -> None:
        """`budget.parquet`: a row a problem, with the likeliest answer and how sure it is."""
        texts = self.question.texts()
        columns = {
            "problem_id": problems.ids,
            "n": pa.array(self.tally.n),
            "c": pa.array(self.tally.c),
            "pass_rate_is": pa.array([texts[answer] for answer in self.verdict.answer]),
            "probability": pa.array(1 - self.verdict.risk),
            "undecided": pa.array(self.undecided),
        }
        pq.write_table(pa.table(columns), folder / FILE)


def in_rounds(
    budget: Sequential,
    bucketer: Bucketer,
    problems: Problems,
    passing: PassRate,
    batch_size: int,
    generate: Generate,
    score: Score,
) -> Rounds:
    """Generate and score until the budget asks for no more."""
    tally, verdict = Tally.empty(problems.table["data_source"].to_pylist()), None
    rollouts: list[Rollouts] = []
    rewards: list[pa.Table] = []
    while asked := budget.asked(tally, verdict, batch_size):
        rollouts.append(generate(asked))
        rewards.append(score(rollouts[-1]))
        seen = Rewards.group(rollouts[-1], rewards[-1])
        tally = tally.plus(asked, seen.problem, seen.counts, passing.passes(seen).astype(np.int64))
        question = question_of(budget.keep, bucketer, budget.cap, tally.n, tally.c)
        verdict = budget.judge(tally, question)
        log.info("round %d: %d left to ask", len(rollouts), verdict.going_on.sum())
    assert verdict is not None  # the first round asks for something
    scores = pa.concat_tables(rewards).combine_chunks()
    return Rounds(_joined(rollouts), scores, len(rollouts), tally, question, verdict, budget)


def show(rounds: Rounds) -> None:
    """Print what was spent and what is still open."""
    results, problems, budget = rounds.results, len(rounds.tally.n), rounds.budget
    fixed = results["as_sure_fixed"]
    spent = (
        f"{results['rollouts_a_problem']:.1f} rollouts a problem in {results['rounds']} rounds; "
        f"a fixed budget as sure of its answers: {fixed or 'over a thousand'}"
    )
    answers = ", ".join(f"{text}: {count:,}" for text, count in results["answers"].items())
    unsure = (
        f"{results['undecided']:,} of {problems:,} problems are less sure than "
        f"{budget.confidence:g}, {results['undecided_never_solved']:,} of them never solved: "
        f"budget.cap={budget.cap} is reached, or more is not worth budget.price={budget.price:g}"
    )
    lines = f" {spent}\n Likeliest pass rates ({FILE}): {answers}\n {unsure}"
    console().print(Text.assemble(("\nBudget\n", "bold"), lines))


def _joined(parts: list[Rollouts]) -> Rollouts:
    def responses() -> Iterator[pa.Array]:
        for part in parts:
            yield from part.responses()

    def rows() -> Iterator[pa.Table]:
        for part in parts:
            yield from part.rows()

    index = pa.concat_tables([part.index for part in parts]).combine_chunks()
    return Rollouts(index, responses, rows)
