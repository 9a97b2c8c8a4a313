"""Demo and training problems, drawn from the reasoning-gym data sets of the tasks.

reasoning-gym makes an item from `seed + index` alone, so the demo problems come from a stretch of
seeds far from the training problems, and their prompts are never trained on. `TINY_LEVELS` are the
exception: of as few as 81 prompts too few would be left to learn from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from random import Random
from typing import Any

from curriculum.data.parts.demo_tasks import TASKS

TRAINING_SEED = 0
DEMO_SEED = 1_000_000_000
ITEMS = 100_000_000  # of each data set, so that the two stretches cannot meet

TINY_LEVELS = {("chain_sum", 1), ("products", 1), ("gcd", 1)}
CELLS = [(name, level) for name, task in TASKS.items() for level in range(1, len(task.levels) + 1)]


@dataclass(frozen=True)
class Problem:
    """One item of the reasoning-gym data set of its task, level and seed."""

    task: str
    level: int  # from 1
    index: int
    prompt: str
    answer: str
    question: str


def demo_problems(per_level: int, seed: int = DEMO_SEED) -> list[Problem]:
    """Problems ordered by task, then level; no prompt twice, and the same on every call."""
    seen: set[str] = set()
    return [
        problem
        for task, level in CELLS
        for problem in islice(_unseen(task, level, seen, seed), per_level)
    ]


def held_out_prompts(problems: Sequence[Problem]) -> set[str]:
    """Prompts that must not be trained on: all but those of the tiny levels."""
    return {p.prompt for p in problems if (p.task, p.level) not in TINY_LEVELS}


def training_problems(rng: Random, held_out: set[str]) -> Iterator[Problem]:
    """Problems without end, levels by weight, none with a held-out prompt."""
    weights = [weight for task in TASKS.values() for weight in task.weights]
    while True:
        task, level = rng.choices(CELLS, weights)[0]
        problem = _problem(task, level, TRAINING_SEED, rng.randrange(ITEMS))
        if problem.prompt not in held_out:
            yield problem


def _unseen(task: str, level: int, seen: set[str], seed: int) -> Iterator[Problem]:
    for index in count():
        problem = _problem(task, level, seed, index)
        if problem.prompt not in seen:
            seen.add(problem.prompt)
            yield problem


def _problem(task: str, level: int, seed: int, index: int) -> Problem:
    item = dataset(task, level, seed)[index]
    prompt = TASKS[task].prompt(item["metadata"])
    # Some words are capitalised; reasoning-gym compares their spelling in lower case.
    return Problem(task, level, index, prompt, item["answer"].lower(), item["question"])


@cache
def dataset(task: str, level: int, seed: int) -> Any:
    """The reasoning-gym data set of a task at a level."""
    import reasoning_gym

    config = TASKS[task].levels[level - 1]
    return reasoning_gym.create_dataset(task, seed=seed, size=ITEMS, **config)
