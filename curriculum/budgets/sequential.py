"""`budget=sequential`: more rollouts only where they may change the answer."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from curriculum.budgets.base import Budget, Findings, Setting, Tally
from curriculum.budgets.parts.groups import Groups
from curriculum.budgets.parts.question import Question, question_of
from curriculum.budgets.parts.stopping import ROUNDING, Beliefs, error_of_fixed, state
from curriculum.core.errors import UserError
from curriculum.core.records import Asked, Booleans, Floats, Integers

HIGHEST_CAP = 512  # tables grow with its square
MOST = 1024  # rollouts a problem that a fixed budget is compared up to
Between = Annotated[float, Field(gt=0, lt=1)]
Band = Annotated[list[Between], Field(min_length=2, max_length=2)]


@dataclass(frozen=True)
class Verdict:
    """The likeliest answer for each of P problems, and the probability that it is wrong."""

    answer: Integers  # (P,)
    risk: Floats  # (P,)
    going_on: Booleans  # (P,) more rollouts are worth it


@dataclass(frozen=True)
class Sequential(Budget):
    """Rounds of rollouts; which problems get more is decided by what they have shown.

    A problem stops when its likeliest answer is right with probability `confidence`, when it has
    had `cap` rollouts, or when more of them would cost more than they bring: `price` is what a
    rollout must lower the probability of a wrong answer by. The prior behind these probabilities
    is fitted, source by source, to all that has been seen, and again after each round. Problems
    that the run `hint` found about as hard show a prior too, which counts as far as it has told
    counts that it was not fitted to.
    """

    first: Annotated[int, Field(ge=1)] = 4
    step: Annotated[int, Field(ge=1)] = 4
    cap: Annotated[int, Field(ge=1, le=HIGHEST_CAP)] = 128
    confidence: Annotated[float, Field(ge=0.5, le=1)] = 0.99
    price: Annotated[float, Field(ge=0)] = 0.0015
    keep: Band | None = None
    hint: str | None = None
    unknown_hard: bool = False

    def __post_init__(self) -> None:
        if self.first > self.cap:
            raise UserError(f"budget.first={self.first} is more than budget.cap={self.cap}")
        if self.keep is not None and self.keep[0] >= self.keep[1]:
            raise UserError(f"budget.keep={self.keep}: two pass rates, like [0.1,0.9]")

    def check(self, setting: Setting) -> None:
        """See `Budget`."""
        try:
            question = self.question(Tally.empty(["any"]), setting)
        except UserError as error:
            raise UserError(
                f"the budget asks which bucket a pass rate lies in, and {error}. "
                "budget.keep=[0.1,0.9] asks whether it lies in a band instead"
            ) from error
        if not question.cuts:
            raise UserError(
                "the budget has nothing to decide: the buckets have no edge that "
                f"budget.cap={self.cap} rollouts could tell from a pass rate of 0 or 1"
            )

    def asked(self, tally: Tally, setting: Setting) -> list[Asked]:
        """See `Budget`.

        A round that would not fill a batch of the generator's asks for more at once, up to as many
        as a problem has had.
        """
        if not tally.rounds:
            return [Asked(problem, 0, self.first) for problem in range(len(tally))]
        rows = np.flatnonzero(self.judge(tally, self.question(tally, setting)).going_on)
        more = self.step * max(1, setting.batch_size // max(1, len(rows) * self.step))
        have = tally.asked[rows]
        # At most as many as there are: the answer may be near.
        size = np.minimum(np.minimum(more, self.cap - have), np.maximum(have, self.step))
        return [
            Asked(int(row), int(first), int(samples))
            for row, first, samples in zip(rows, have, size, strict=True)
        ]

    def question(self, tally: Tally, setting: Setting) -> Question:
        """What is asked of each problem, as far as is known by now."""
        return question_of(self.keep, setting.pass_rates_between, self.cap, tally.n, tally.c)

    def judge(self, tally: Tally, question: Question) -> Verdict:
        """What the rollouts say of each problem, and which should get more.

        Who stopped in an earlier round may go on, where the prior has changed since.
        """
        problems = len(tally)
        verdict = Verdict(np.zeros(problems, np.int64), np.ones(problems), np.zeros(problems, bool))
        for rows, prior in Groups.of(tally).groups:
            beliefs = Beliefs.under(prior, question, self.cap)
            going_on = beliefs.going_on(self.step, self.price, self.confidence)
            states = state(tally.n[rows], tally.c[rows])
            verdict.answer[rows] = beliefs.answer[states]
            verdict.risk[rows] = beliefs.risk[states]
            # Of a problem none of whose rollouts could be scored nothing is learned by more.
            open_ = (tally.asked[rows] < self.cap) & (tally.n[rows] > 0)
            verdict.going_on[rows] = going_on[states] & open_
        return verdict

    def findings(self, tally: Tally, setting: Setting) -> Findings:
        """See `Budget`.

        The table has the likeliest answer for each problem and how sure it is. Of the results,
        `as_sure_fixed` is None where it would be over a thousand.
        """
        question = self.question(tally, setting)
        verdict, texts = self.judge(tally, question), question.texts()
        undecided = verdict.risk > 1 - self.confidence
        never_solved = undecided & (tally.c == 0)  # hard, but nobody knows how hard
        columns = {
            "n": pa.array(tally.n),
            "c": pa.array(tally.c),
            "pass_rate_is": pa.array([texts[answer] for answer in verdict.answer]),
            "probability": pa.array(1 - verdict.risk),
            "undecided": pa.array(undecided),
        }
        error = float(verdict.risk.mean())
        counts = np.bincount(verdict.answer, minlength=len(texts))
        results = {
            "answers": dict(zip(texts, counts.tolist(), strict=True)),
            "rounds": tally.rounds,
            "rollouts": int(tally.asked.sum()),
            "rollouts_a_problem": float(tally.asked.mean()),
            "expected_error": error,
            "as_sure_fixed": equal_fixed(tally, question, error),
            "undecided": int(undecided.sum()),
            "undecided_never_solved": int(never_solved.sum()),
        }
        facts = self._facts(results, len(tally))
        if self.hint is not None:
            known, weight = int((tally.hint_n > 0).sum()), Groups.of(tally).weight
            results["hint"] = {"run": self.hint, "problems": known, "weight": weight}
            facts["Hint"] = (
                f"{self.hint} knows {known:,} of {len(tally):,} problems; what it tells of them "
                f"has a weight of {weight:.2f} beside what their sources do"
            )
        unknown = never_solved if self.unknown_hard else None
        return Findings(results, facts, pa.table(columns), unknown)

    def _facts(self, results: dict[str, Any], problems: int) -> dict[str, str]:
        answers = (f"{text}: {count:,}" for text, count in results["answers"].items())
        return {
            "Rollouts": f"{results['rollouts']:,} in {results['rounds']} rounds, "
            f"{results['rollouts_a_problem']:.1f} rollouts a problem",
            "A fixed budget as sure": f"{results['as_sure_fixed'] or 'over a thousand'} a problem",
            "Wrong answers expected": f"{results['expected_error']:.2%}".replace("%", " %"),
            "Likeliest pass rates": ", ".join(answers),
            "Undecided": f"{results['undecided']:,} of {problems:,} problems are less sure than "
            f"{self.confidence:g}, {results['undecided_never_solved']:,} of them never solved: "
            f"budget.cap={self.cap} is reached, or more is not worth budget.price={self.price:g}",
        }


def equal_fixed(tally: Tally, question: Question, error: float) -> int | None:
    """The fewest rollouts of each problem whose expected error is as low; None: over `MOST`."""
    groups = Groups.of(tally).groups
    priors = [(len(rows) / len(tally), prior) for rows, prior in groups]

    def is_as_low(n: int) -> bool:
        errors = (share * error_of_fixed(prior, question, n) for share, prior in priors)
        return sum(errors) <= error + ROUNDING

    n = bisect_left(range(1, MOST + 1), True, key=is_as_low) + 1
    return n if n <= MOST else None
