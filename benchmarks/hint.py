"""What an earlier run's counts save, and how few rollouts any allocation could do with.

    python -m benchmarks.hint [--runs 2] [FIRST SECOND]

Pass rates are spread as Beta distributions say; an earlier checkpoint has had 16 rollouts of each
problem, at a rate that scatters around one that follows from this one's, or has nothing to do with
it. FIRST and SECOND are files with many recorded rewards of the same problems instead: budgets draw
from SECOND without putting back, and FIRST's rewards are the hint.

The limit is for whoever knows how pass rates are distributed, and how the hint comes of them. For
as many wrong answers, any way to hand out rollouts, one by one and 128 a problem at most, costs at
least that many on average: for a price of a rollout, in wrong answers, backward
induction over (rollouts, passes) finds the way that costs least in all, and the price is the one at
which that has as many wrong answers. Pass rates are 400 cells, which cuts do not go through.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, betaincinv, betaln, comb

from benchmarks.budget import PROBLEMS, QUESTIONS, SETTING, SHAPES, Point, question_of, recorded
from curriculum.budgets import Sequential, Tally
from curriculum.budgets.parts.groups import Groups
from curriculum.budgets.parts.question import Question
from curriculum.budgets.parts.stopping import Beliefs, state
from curriculum.core.records import Floats, Integers
from curriculum.core.terminal import console, plain_table

CELLS = 400
HINTED = ("mostly hard", "four buckets")  # the shape and the question that hints are tried on
ROLLOUTS, SCATTER = 16, 8.0  # of the earlier checkpoint; so many rollouts tell as much as its rate
PRICES = (0.00003, 0.03)
HINTS: dict[str, Callable[[Floats], Floats] | None] = {  # the earlier rate of a problem
    "the same rate": lambda rate: rate,
    "solves more": lambda rate: rate**0.4,
    "the opposite": lambda rate: 1 - rate,
    "unrelated": None,
}
Draw = Callable[[Integers, Integers], Integers]  # of rows and how many more: how many pass
Wrong = Callable[[Tally, Question, Integers], Floats]  # (P,) the probability that answers are wrong


class Spent(NamedTuple):
    """What a run has spent and answered; shares of the problems."""

    rollouts: float  # a problem
    wrong: float
    claimed: float  # wrong answers that the run expects
    sure: float  # answers of at least the confidence ...
    sure_wrong: float  # ... and such that are wrong
    weight: float  # of the hint


def spend(draw: Draw, wrong: Wrong, tally: Tally, budget: Sequential) -> Spent:
    """A sequential budget, from its first round to its last."""
    while asked := budget.asked(tally, SETTING):
        rows, more = (np.array([each[i] for each in asked]) for i in (0, 2))
        tally = tally.after(asked).seeing(rows, more, draw(rows, more))
    question = question_of(budget)
    verdict = budget.judge(tally, question)
    missed, sure = wrong(tally, question, verdict.answer), verdict.risk <= 1 - budget.confidence
    return Spent(
        rollouts=float(tally.asked.mean()),
        wrong=float(missed.mean()),
        claimed=float(verdict.risk.mean()),
        sure=float(sure.mean()),
        sure_wrong=float((sure * missed).mean()),
        weight=Groups.of(tally).weight,
    )


@dataclass(frozen=True)
class World:
    """Pass rates of a Beta distribution on cells, and passes of an earlier checkpoint."""

    shape: tuple[float, float]
    earlier: Callable[[Floats], Floats] | None = None  # its rate; None: has nothing to do with this

    @property
    def prior(self) -> Floats:
        """(CELLS,) of the pass rate."""
        return np.diff(betainc(*self.shape, np.linspace(0, 1, CELLS + 1)))

    def passes(self, rate: Floats) -> tuple[Floats, Floats]:
        """(a, b) of the Beta distribution that the earlier rate is drawn from."""
        if self.earlier is None:
            return self.shape[0] + 0 * rate, self.shape[1] + 0 * rate
        mean = self.earlier(rate)
        return SCATTER * mean + 0.02, SCATTER * (1 - mean) + 0.02

    def given_hints(self) -> Floats:
        """(ROLLOUTS + 1, CELLS) probability of so many earlier passes and a pass rate."""
        c = np.arange(ROLLOUTS + 1)[:, None]
        a, b = self.passes(_cells())
        return (
            np.exp(betaln(a + c, b + ROLLOUTS - c) - betaln(a, b)) * comb(ROLLOUTS, c) * self.prior
        )

    def wrong(self, tally: Tally, question: Question, answer: Integers) -> Floats:
        """(P,) probability that answers are wrong, given all that a tally has."""
        told = self.given_hints()[tally.hint_c] if tally.hint_n.any() else self.prior
        states = state(tally.n, tally.c)
        joint = (_likelihoods(int(tally.n.max()))[states] * told) @ _answers(question)
        return np.asarray(1 - joint[np.arange(len(tally)), answer] / joint.sum(axis=1))

    def run(self, hinted: bool, budget: Sequential, seed: int) -> Spent:
        """A budget spent on pass rates that are spread as the distribution says."""
        rng = np.random.default_rng(seed)
        rate = betaincinv(*self.shape, (np.arange(PROBLEMS) + 0.5) / PROBLEMS)
        tally = Tally.empty(["simulated"] * PROBLEMS)
        if hinted:
            c = rng.binomial(ROLLOUTS, rng.beta(*self.passes(rate)))
            tally = replace(tally, hint_n=np.full(PROBLEMS, ROLLOUTS), hint_c=c)
        return spend(lambda rows, more: rng.binomial(more, rate[rows]), self.wrong, tally, budget)

    def limit(self, question: Question, cap: int, hinted: bool, wrong: float) -> float:
        """The least rollouts a problem for this share of wrong answers."""
        starts = self.given_hints() if hinted else self.prior[None]
        beliefs = [(each.sum(), _beliefs(each / each.sum(), question, cap)) for each in starts]

        def at(price: float) -> Point:
            """Of the way that costs least."""
            parts = [share * np.array(_outcome(each, price)) for share, each in beliefs]
            return Point(*np.sum(parts, axis=0))

        low, high = PRICES
        few, many = at(high), at(low)
        for _ in range(8):
            price = float(np.sqrt(low * high))
            found = at(price)
            if found.wrong > wrong:
                few, high = found, price
            else:
                many, low = found, price
        return float(np.interp(wrong, [many.wrong, few.wrong], [many.rollouts, few.rollouts]))


@cache
def _cells() -> Floats:
    return (np.arange(CELLS) + 0.5) / CELLS


@cache
def _likelihoods(cap: int) -> Floats:
    n = np.repeat(np.arange(cap + 1), np.arange(1, cap + 2))
    c = np.arange(len(n)) - state(n, np.zeros_like(n))
    return np.asarray(_cells() ** c[:, None] * (1 - _cells()) ** (n - c)[:, None])


def _answers(question: Question) -> Floats:
    """(CELLS, K) 1 where a cell lies in an answer."""
    return np.asarray(np.eye(max(question.answer) + 1)[question.of(_cells())])


def _beliefs(prior: Floats, question: Question, cap: int) -> Beliefs:
    joint = _likelihoods(cap) @ (prior[:, None] * _answers(question))
    chance = joint.sum(axis=1)
    return Beliefs(cap, chance, joint.argmax(axis=1), 1 - joint.max(axis=1) / chance)


def _outcome(beliefs: Beliefs, price: float) -> tuple[float, float]:
    """Rollouts and wrong answers, both expected, of the way that costs least."""
    going = beliefs.going_on(1, price, 1.0)
    rollouts, wrong = np.zeros(len(going)), beliefs.chance * beliefs.risk
    for n in reversed(range(beliefs.cap)):
        here = state(np.full(n + 1, n), np.arange(n + 1))
        there = state(np.full(n + 2, n + 1), np.arange(n + 2))
        go = going[here]
        more = beliefs.chance[here] + np.convolve(rollouts[there], [1, 1], "valid")
        rollouts[here] = np.where(go, more, 0)
        wrong[here] = np.where(go, np.convolve(wrong[there], [1, 1], "valid"), wrong[here])
    return float(rollouts[0]), float(wrong[0])


def tried(name: str, hint: str | None, budget: Sequential, runs: int) -> list[str]:
    """A row of the table: a shape, with a hint or without one."""
    world = World(SHAPES[name], HINTS[hint] if hint else None)
    spent = [world.run(hint is not None, budget, seed) for seed in range(runs)]
    mean, question = Spent(*np.mean(spent, axis=0)), question_of(budget)
    limits = [world.limit(question, budget.cap, each, mean.wrong) for each in (False, True)]
    return [*told(mean), f"{limits[0]:.1f}", f"{limits[1]:.1f}" if hint else ""]


def told(spent: Spent) -> list[str]:
    """Of a run, in words."""
    right = 1 - spent.sure_wrong / spent.sure if spent.sure else 1.0
    return [
        f"{spent.rollouts:.1f}",
        f"{spent.wrong:.1%}",
        f"{spent.claimed:.1%}",
        f"{right:.1%} of {spent.sure:.0%}",
        f"{spent.weight:.2f}",
    ]


def of_files(first: str, second: str, budget: Sequential, runs: int) -> dict[str, list[str]]:
    """Rows without and with a hint, for the problems that both files have."""
    earlier, truth = recorded(first), recorded(second)
    assert earlier.most is not None and truth.most is not None
    passes = dict(zip(earlier.ids, np.round(earlier.rate * earlier.most), strict=True))
    both = np.array([each in passes for each in truth.ids])
    hint_n = np.where(both, earlier.most, 0)
    hint_c = np.array([int(passes.get(each, 0)) for each in truth.ids])
    own = replace(budget, cap=min(budget.cap, truth.most))
    plain = Tally.empty(truth.source)

    def wrong(tally: Tally, question: Question, answer: Integers) -> Floats:
        return np.asarray(answer != question.of(truth.rate), np.float64)

    rows = {}
    for name, tally in (
        ("", plain),
        (Path(first).parent.name, replace(plain, hint_n=hint_n, hint_c=hint_c)),
    ):
        spent = [
            spend(truth.draws(np.random.default_rng(run)), wrong, tally, own) for run in range(runs)
        ]
        rows[name] = [*told(Spent(*np.mean(spent, axis=0))), "", ""]
    return rows


def main() -> None:
    """Print what is spent, how right it is, and the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    table = plain_table("Rollouts a problem and the limit", "truth", "question", "hint")
    for name in ("rollouts", "wrong", "claimed", "sure are right", "weight", "limit", "with hint"):
        table.add_column(name, justify="right")
    for asked, keep in QUESTIONS.items():
        budget = Sequential(keep=keep)
        if given.files:
            first, second = given.files
            for hint, row in of_files(first, second, budget, given.runs).items():
                table.add_row(Path(second).parent.name, asked, hint, *row)
            continue
        for shape in SHAPES:
            for hint in (None, *(HINTS if (shape, asked) == HINTED else ())):
                table.add_row(shape, asked, hint or "", *tried(shape, hint, budget, given.runs))
    console().print(table)


if __name__ == "__main__":
    main()
