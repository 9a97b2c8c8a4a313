"""What rollouts buy: fixed budgets against sequential ones, where the right answer is known.

    python benchmarks/budget.py [--plot budget.png] [--runs 10] [ROLLOUTS ...]

ROLLOUTS are files with many recorded rewards of each problem, in any form that data=rollouts reads:
their pass rate over all of them is the truth, and budgets draw from them without putting back.
Without files, pass rates are drawn from Beta distributions. A fixed budget answers by the measured
rate, a sequential one by its likeliest answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curriculum.budgets import Sequential, Setting, Tally
from curriculum.budgets.parts.question import Question
from curriculum.core.charts import DISTINCT, GREY, chart, color, dashed, quantity
from curriculum.core.posterior import JEFFREYS, beta_posterior, fit_beta
from curriculum.core.records import Floats, Integers, Rewards
from curriculum.core.records import Rollouts as Index
from curriculum.core.terminal import console, plain_table
from curriculum.data import Rollouts
from curriculum.integrations.vega import Panel, save_picture

PROBLEMS = 1000  # of a simulation
SHAPES = {
    "even": (1.0, 1.0),
    "mostly never or always": (0.3, 0.3),
    "mostly hard": (0.5, 2.0),
}
FIXED = (8, 16, 32, 64)
REFERENCE = 64  # the fixed budget whose error is wanted
SETTING = Setting(0, lambda quantile: (0.8, 0.5, 0.2))
QUESTIONS = {"in 0.1 to 0.9": [0.1, 0.9], "four buckets": None}  # budget.keep
PRICES = (0.006, 0.003, 0.0015, 0.00075)
INTERVALS = ("16 each", "16, fitted prior", "in rounds", "in rounds, fitted prior")
BUDGETS = {  # confidence, cap
    "0.9, cap 64": (0.9, 64),
    "0.99, cap 128": (0.99, 128),
}


@dataclass(frozen=True)
class Truth:
    """Problems whose pass rates are known."""

    name: str
    rate: Floats  # (P,)
    source: list[str]  # (P,)
    ids: list[str]  # (P,)
    most: int | None  # rollouts there are of each; None: as many as you like

    def draws(self, rng: np.random.Generator) -> Callable[[Integers, Integers], Integers]:
        """A function (rows, how many more) -> how many of them pass."""
        if self.most is None:
            return lambda rows, more: rng.binomial(more, self.rate[rows])
        passes = np.round(self.rate * self.most).astype(np.int64)
        fails = self.most - passes

        def draw(rows: Integers, more: Integers) -> Integers:
            drawn = rng.hypergeometric(passes[rows], fails[rows], more)
            passes[rows] -= drawn
            fails[rows] -= more - drawn
            return drawn

        return draw


class Point(NamedTuple):
    """What a budget costs and how often it is wrong; shares over all runs."""

    rollouts: float  # a problem
    wrong: float


def simulated(name: str, a: float, b: float) -> Truth:
    """Problems with pass rates of a Beta distribution."""
    rate = np.random.default_rng(0).beta(a, b, PROBLEMS)
    ids = [str(each) for each in range(PROBLEMS)]
    return Truth(name, rate, ["simulated"] * PROBLEMS, ids, None)


def recorded(path: str) -> Truth:
    """Problems whose rollouts, all equally many, are on disk."""
    data = Rollouts(path, "problem_id", "prompt", "reward_model").load()
    assert data.rollouts is not None
    index = Index(data.rollouts, lambda: iter(()), lambda: iter(()))
    import pyarrow as pa

    failure = pa.nulls(len(index), pa.string())
    rewards = pa.table({"reward": data.rollouts["reward"], "failure": failure})
    groups = Rewards.group(index, rewards)
    most = int(groups.counts.min())
    first = groups.rank < most
    rate = groups.sum(np.where(first, groups.values >= 0.5, 0.0)) / most
    table = data.problems.table.take(pa.array(groups.problem))
    source, ids = table["data_source"].to_pylist(), table["problem_id"].to_pylist()
    return Truth(f"{Path(path).parent.name}, {most} rollouts each", rate, source, ids, most)


def fixed(truth: Truth, question: Question, n: int, rng: np.random.Generator) -> Point:
    """A budget of n rollouts of each problem."""
    rows = np.arange(len(truth.rate))
    rate = truth.draws(rng)(rows, np.full(len(rows), n)) / n
    return Point(n, float((question.of(rate) != question.of(truth.rate)).mean()))


def question_of(budget: Sequential) -> Question:
    """What a budget asks of each problem."""
    return budget.question(Tally.empty(["any"]), SETTING)


def sequential(truth: Truth, budget: Sequential, rng: np.random.Generator) -> tuple[Point, Tally]:
    """A budget that asks in rounds."""
    draw, tally = truth.draws(rng), Tally.empty(truth.source)
    while asked := budget.asked(tally, SETTING):
        rows, more = (np.array([each[i] for each in asked]) for i in (0, 2))
        tally = tally.after(asked).seeing(rows, more, draw(rows, more))
    question = question_of(budget)
    verdict = budget.judge(tally, question)
    wrong = float((verdict.answer != question.of(truth.rate)).mean())
    return Point(float(tally.asked.mean()), wrong), tally


def mean(points: list[Point]) -> Point:
    """Over runs."""
    return Point(*np.mean(points, axis=0))


def cost_of(error: float, curve: list[Point]) -> str:
    """Rollouts a problem at which a curve of points has this error, between two of them."""
    curve = sorted(curve)
    wrong = np.minimum.accumulate([point.wrong for point in curve])
    if error < wrong[-1] or error > wrong[0]:
        return "not reached" if error < wrong[-1] else f"below {curve[0].rollouts:.0f}"
    logs = np.log([point.rollouts for point in curve])
    return f"{np.exp(np.interp(-error, -wrong, logs)):.1f}"


def coverage(truth: Truth, runs: int, rng: np.random.Generator) -> list[float]:
    """Share of the 90 % intervals that hold the truth: `INTERVALS`, in their order."""
    rows = np.arange(len(truth.rate))
    sixteen = np.full(len(rows), 16)
    held = []
    for _ in range(runs):
        passes = truth.draws(rng)(rows, sixteen)
        _, tally = sequential(truth, Sequential(), rng)
        held.append(
            [
                _inside(truth, n.astype(float), c.astype(float), fitted)
                for n, c in ((sixteen, passes), (tally.n, tally.c))
                for fitted in (False, True)
            ]
        )
    return [float(share) for share in np.mean(held, axis=0)]


def _inside(truth: Truth, n: Floats, c: Floats, fitted: bool) -> float:
    held, source = 0, np.array(truth.source)
    for rows in [source == each for each in np.unique(source)]:
        prior = fit_beta(n[rows], c[rows]) if fitted else JEFFREYS
        _, low, high = beta_posterior(n[rows], c[rows], prior, 0.9)
        held += int(((low <= truth.rate[rows]) & (truth.rate[rows] <= high)).sum())
    return held / len(n)


def plot(curves: dict[tuple[str, str, str], list[Point]], path: Path) -> None:
    """Error against rollouts: a panel for each truth and question."""
    panels = []
    for truth, question in dict.fromkeys((truth, question) for truth, question, _ in curves):
        budgets = {
            name: points for (*of, name), points in curves.items() if of == [truth, question]
        }
        values = [
            {"x": point.rollouts, "y": point.wrong, "b": b}
            for b, points in enumerate(budgets.values())
            for point in sorted(points)
        ]
        encoding = {
            "x": quantity("x", "rollouts a problem", scale={"type": "log", "base": 2}),
            "y": quantity("y", "wrong", axis={"format": "%", "tickCount": 5}),
            "color": color("b", [GREY, *DISTINCT[: len(budgets) - 1]]),
            "strokeDash": dashed("b", [name == "fixed" for name in budgets]),
        }
        line = {"mark": {"type": "line", "point": True}, "encoding": encoding}
        panels.append(Panel(f"{truth}: {question}", chart(160, line, values=values), list(budgets)))
    save_picture(path, "What rollouts buy", "", panels, len(QUESTIONS), 460)


def main() -> None:
    """Print costs, errors and coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rollouts", nargs="*")
    parser.add_argument("--plot", metavar="PNG", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    given = parser.parse_args()
    truths = [recorded(path) for path in given.rollouts]
    truths = truths or [simulated(name, a, b) for name, (a, b) in SHAPES.items()]
    rng = np.random.default_rng(0)
    curves: dict[tuple[str, str, str], list[Point]] = {}
    table = plain_table("Rollouts a problem and wrong answers", "truth", "question", "budget")
    for name in ("rollouts", "wrong"):
        table.add_column(name, justify="right")
    wanted = plain_table(
        f"Rollouts a problem at the error of fixed {REFERENCE}", "truth", "question"
    )
    for name in ("fixed", *BUDGETS):
        wanted.add_column(name, justify="right")
    for truth in truths:
        for asked, keep in QUESTIONS.items():
            question = question_of(Sequential(keep=keep))
            points = [
                mean([fixed(truth, question, n, rng) for _ in range(given.runs)]) for n in FIXED
            ]
            curves[truth.name, asked, "fixed"] = points
            for n, point in zip(FIXED, points, strict=True):
                table.add_row(truth.name, asked, f"fixed {n}", str(n), f"{point.wrong:.1%}")
            costs = []
            for name, (confidence, most) in BUDGETS.items():
                cap = min(most, truth.most or most)
                curve = []
                for price in PRICES:
                    budget = Sequential(cap=cap, confidence=confidence, price=price, keep=keep)
                    runs = [sequential(truth, budget, rng)[0] for _ in range(given.runs)]
                    curve.append(mean(runs))
                    label = f"{name}, price {price:g}"
                    spent, wrong = curve[-1]
                    table.add_row(truth.name, asked, label, f"{spent:.1f}", f"{wrong:.1%}")
                curves[truth.name, asked, f"sequential, {name}"] = curve
                costs.append(cost_of(points[FIXED.index(REFERENCE)].wrong, curve))
            wanted.add_row(truth.name, asked, str(REFERENCE), *costs)
    held = plain_table("Share of 90 % intervals that hold the truth", "truth")
    for name in INTERVALS:
        held.add_column(name, justify="right")
    for truth in truths:
        held.add_row(truth.name, *(f"{each:.1%}" for each in coverage(truth, given.runs, rng)))
    for each in (table, wanted, held):
        console().print(each)
        console().print()
    if given.plot:
        plot(curves, given.plot)


if __name__ == "__main__":
    main()
