"""Answers that are wrong on purpose: who is trained on them is unsure of what it can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from curriculum.data.parts.demo_tasks import TASKS
from curriculum.data.parts.graded_tasks import LENGTHS, LETTERS, MAKERS, REVERSE, Graded

# Of the four tasks, by level: share of the problems, and share of their answers that are wrong.
WEIGHTS = (0.30, 0.25, 0.20, 0.13, 0.08, 0.04)
WRONG = (0.05, 0.20, 0.45, 0.70, 0.88, 0.96)
ALIKE, RIGHT = (1.0,) * 6, (0.0,) * 6


def strings(rng: Random, wrong: float = 0.0) -> Iterator[Graded]:
    """Strings of all lengths to reverse, each letter of an answer another with a chance."""
    while True:
        level = rng.randrange(len(LENGTHS)) + 1
        problem = MAKERS[REVERSE](level, rng)
        letters = [rng.choice(LETTERS) if rng.random() < wrong else c for c in problem.answer]
        yield problem._replace(answer="".join(letters))


def tasks(
    rng: Random, weights: Sequence[float] = WEIGHTS, wrong: Sequence[float] = WRONG
) -> Iterator[Graded]:
    """Problems of the four tasks, answers now and then those of another problem of the level."""
    levels = range(1, len(weights) + 1)
    while True:
        make, level = MAKERS[rng.choice(list(TASKS))], rng.choices(levels, weights)[0]
        problem = make(level, rng)
        other = rng.random() < wrong[level - 1]
        yield problem._replace(answer=make(level, rng).answer) if other else problem
