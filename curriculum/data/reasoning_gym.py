"""`data=reasoning_gym`: problems made on the spot, of any of reasoning-gym's tasks and levels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from curriculum.core.errors import UserError, require_extra
from curriculum.data.base import Data, Loaded
from curriculum.data.parts import demo_problems, demo_tasks
from curriculum.formats.columns import Columns
from curriculum.formats.files import File
from curriculum.formats.problems import ProblemList
from curriculum.formats.rows import Rows
from curriculum.store.entries import digest_of_source

DEMO_SIZE = 81  # products of two digits, of which there are no more


@dataclass(frozen=True)
class ReasoningGym(Data):
    """`size` problems of each task, the same for the same seed.

    Without `tasks`, they are the demo's four in six levels each, in the short form that the small
    model was trained on. With them, `extra_info` keeps what `reward=reasoning_gym` needs: the
    `settings` of the task, as JSON, and the item's `metadata`, as a Python literal.

    Items of isomorphic_strings, knight_swap, polynomial_multiplication, ransom_note and word_ladder
    depend on PYTHONHASHSEED too, those of acre on `size`.
    Source: https://github.com/open-thought/reasoning-gym
    """

    tasks: dict[str, Any] | None = None
    size: Annotated[int, Field(ge=1)] = 42
    seed: Annotated[int, Field(ge=0)] = 1_000_000_000
    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"

    def __post_init__(self) -> None:
        require_extra("data=reasoning_gym", "reasoning-gym", "reasoning_gym")
        if self.tasks is None and self.size > DEMO_SIZE:
            raise UserError(
                f"data.size={self.size}: the demo's easiest level has {DEMO_SIZE} different "
                "problems; data.tasks={gcd: null} and the like have as many as you want"
            )

    @property
    def label(self) -> str:
        """See `Data`."""
        return f"reasoning-gym {version('reasoning-gym')}"

    def files(self) -> list[File]:
        """See `Data`; what takes a file's place is what makes the problems."""
        own = digest_of_source(demo_problems, demo_tasks) if self.tasks is None else ""
        return [File("reasoning-gym", 0, f"{version('reasoning-gym')} {own}".strip())]

    def load(self) -> Loaded:
        """See `Data`. Raises UserError for a task or a setting that there is not."""
        problems = ProblemList(Columns(self.id_key, self.prompt_key, self.reward_fn_key))
        rows = self._demo() if self.tasks is None else self._tasks(self.tasks)
        for position, row in enumerate(rows):
            problems.add({self.prompt_key: row.pop("prompt"), **row}, file="", position=position)
        return Loaded(problems.finish(), None, [], Rows(len(problems), len(problems), 0))

    def _demo(self) -> Iterator[dict[str, Any]]:
        for problem in demo_problems.demo_problems(self.size, self.seed):
            info = {"level": problem.level, "question": problem.question}
            yield _row(problem.task, problem.prompt, problem.answer, problem.index, info)

    def _tasks(self, tasks: dict[str, Any]) -> Iterator[dict[str, Any]]:
        from reasoning_gym import create_dataset

        for name, settings in tasks.items():
            try:
                items = create_dataset(name, size=self.size, seed=self.seed, **(settings or {}))
            except (ValueError, TypeError, AssertionError) as error:
                raise UserError(f"data.tasks.{name}: {error}") from error
            own = json.dumps(settings or {}, sort_keys=True)
            for index, item in enumerate(items):
                info = {"settings": own, "metadata": repr(_plain(item["metadata"]))}
                yield _row(name, item["question"], item["answer"], index, info)


def _row(task: str, prompt: str, answer: str, index: int, info: dict[str, Any]) -> dict[str, Any]:
    return {
        "data_source": f"reasoning_gym/{task}",
        "prompt": prompt,
        "reward_model": {"style": "rule", "ground_truth": answer},
        "extra_info": {"index": index, **info},
    }


def _plain(value: Any) -> Any:
    """Metadata without numpy's types, whose names are no literals; tuples stay tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value
