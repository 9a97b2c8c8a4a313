"""`data=graded`: problems of tasks in levels, a set number of each, some held out from training."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from curriculum.core.errors import UserError, require_extra
from curriculum.data.base import Data, Loaded
from curriculum.data.parts import demo_problems, demo_tasks, graded_tasks
from curriculum.data.parts.graded_tasks import LEVELS, Graded
from curriculum.formats.columns import Columns
from curriculum.formats.files import File
from curriculum.formats.problems import ProblemList
from curriculum.formats.rows import Rows
from curriculum.store.entries import digest_of_source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GradedTasks(Data):
    """`pool[i]` problems of level i + 1 of each task to train on, and `held_out` of each level.

    `extra_info` has the level, and as `split` which of them a problem is: train or test. No prompt
    is there twice; a level that has too few gives what it has, the held-out ones first. Of coins,
    whose answers nothing tells, none are held out.
    """

    tasks: list[str]
    pool: list[Annotated[int, Field(ge=0)]]
    held_out: Annotated[int, Field(ge=0)] = 60
    seed: Annotated[int, Field(ge=0)] = 0
    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"

    def __post_init__(self) -> None:
        for task in self.tasks:
            if task not in LEVELS:
                raise UserError(f"data.tasks: no {task}; there are {', '.join(LEVELS)}")
            if len(self.pool) > LEVELS[task]:
                raise UserError(
                    f"data.pool={self.pool}: {len(self.pool)} levels, and {task} has {LEVELS[task]}"
                )
            if task in demo_tasks.TASKS:
                require_extra("data=graded", "reasoning-gym", "reasoning_gym")

    @property
    def label(self) -> str:
        """See `Data`."""
        return ", ".join(self.tasks)

    def files(self) -> list[File]:
        """See `Data`; what takes a file's place is what makes the problems."""
        return [File("graded", 0, digest_of_source(graded_tasks, demo_problems, demo_tasks))]

    def load(self) -> Loaded:
        """See `Data`."""
        problems = ProblemList(Columns(self.id_key, self.prompt_key, self.reward_fn_key))
        for position, row in enumerate(self._rows()):
            row["extra_info"]["index"] = position
            problems.add(row, file="", position=position)
        return Loaded(problems.finish(), None, [], Rows(len(problems), len(problems), 0))

    def _rows(self) -> Iterator[dict[str, Any]]:
        for task in self.tasks:
            for level, wanted in enumerate(self.pool, 1):
                seen: set[str] = set()
                counts = {
                    "test": 0 if task == graded_tasks.COIN else self.held_out,
                    "train": wanted,
                }
                for split, count in counts.items():
                    seed = f"{split} {self.seed}"
                    found = graded_tasks.different(task, level, seed, count, seen)
                    if len(found) < count:
                        log.warning(
                            "%s has %d of %d problems of level %d to %s",
                            *(task, len(found), count, level, split),
                        )
                    for problem in found:
                        yield self._row(task, problem, split)

    def _row(self, task: str, problem: Graded, split: str) -> dict[str, Any]:
        return {
            "data_source": task,
            self.prompt_key: problem.prompt,
            "reward_model": {"style": "rule", "ground_truth": problem.answer},
            "extra_info": {"level": problem.level, "split": split},
        }
