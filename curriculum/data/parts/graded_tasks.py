"""Problems of tasks in levels from easy to hard, as many of each level as one asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from curriculum.data.parts.demo_problems import ITEMS, dataset
from curriculum.data.parts.demo_tasks import TASKS as DEMO_TASKS

REVERSE, COIN = "reverse", "coin"
LENGTHS = (2, 3, 4, 6, 8, 10, 12, 14)  # letters of a level's strings
LETTERS = "abcdefghijklmnopqrst"
SEED = 2_000_000_000  # far from those of the small model's training and of the demo
PATIENCE = 2000  # problems in a row that are there already, before a level has no more


class Graded(NamedTuple):
    """A problem at its level, from 1."""

    prompt: str
    answer: str
    level: int


def _string(level: int, rng: Random) -> str:
    return "".join(rng.choices(LETTERS, k=LENGTHS[level - 1]))


def _reverse(level: int, rng: Random) -> Graded:
    string = _string(level, rng)
    return Graded(f"R:{string}=", string[::-1], level)


def _coin(level: int, rng: Random) -> Graded:
    """Nothing to be learned: whatever the answer, `curriculum.demo.coin` tosses one."""
    return Graded(f"G:{_string(level, rng)}=", COIN, level)


def _of_demo(task: str) -> Callable[[int, Random], Graded]:
    def make(level: int, rng: Random) -> Graded:
        item = dataset(task, level, SEED)[rng.randrange(ITEMS)]
        return Graded(DEMO_TASKS[task].prompt(item["metadata"]), item["answer"].lower(), level)

    return make


MAKERS: dict[str, Callable[[int, Random], Graded]] = {
    REVERSE: _reverse,
    COIN: _coin,
    **{task: _of_demo(task) for task in DEMO_TASKS},
}
LEVELS = {
    REVERSE: len(LENGTHS),
    COIN: len(LENGTHS),
    **{name: len(task.levels) for name, task in DEMO_TASKS.items()},
}


def problems(task: str, level: int, seed: str) -> Iterator[Graded]:
    """Problems without end, the same for the same seed; some may be equal."""
    rng, make = Random(f"{task} {level} {seed}"), MAKERS[task]
    while True:
        yield make(level, rng)


def different(task: str, level: int, seed: str, count: int, seen: set[str]) -> list[Graded]:
    """At most `count` problems with prompts not seen before; fewer where a level has no more."""
    found: list[Graded] = []
    in_vain = 0
    for problem in problems(task, level, seed):
        if len(found) == count or in_vain == PATIENCE:
            break
        in_vain = in_vain + 1 if problem.prompt in seen else 0
        if not in_vain:
            seen.add(problem.prompt)
            found.append(problem)
    return found
