"""`reward=reasoning_gym`: each of reasoning-gym's tasks by its own scorer."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, ClassVar

from curriculum.core.errors import require_extra
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward

SOURCE = "reasoning_gym/"  # what data sources begin with; the task's name follows
# What scorers raise where they can't read an answer.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)


@dataclass(frozen=True)
class ReasoningGym(Reward):
    """1.0 where the task's `score_answer` gives 1.0, white space around the response aside.

    Everything else is 0.0, an answer that the scorer can't read too; with `partial` it is the
    scorer's number from 0 to 1. For problems of `data=reasoning_gym data.tasks=...`, whose
    `extra_info` keeps what a scorer needs. Source: https://github.com/open-thought/reasoning-gym

    Four scorers of reasoning-gym 0.1.25 give 1.0 to wrong answers too: game_of_life_halting to
    any, puzzle24 to other numbers that make 24, coin_flip to leading digits of the answer,
    complex_arithmetic to "nan".
    """

    partial: bool = False
    needs: ClassVar = ("response", "extra_info")  # some tasks name no answer

    def __post_init__(self) -> None:
        require_extra("reward=reasoning_gym", "reasoning-gym", "reasoning_gym")

    def made_of(self) -> list[str]:
        """Another reasoning-gym scores anew."""
        return [version("reasoning-gym")]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`. Raises ValueError for a sample of another data set."""
        return [self._score(each) for each in samples]

    def _score(self, sample: Sample) -> float:
        info = sample.extra_info if isinstance(sample.extra_info, Mapping) else {}
        if not sample.data_source.startswith(SOURCE) or not {"settings", "metadata"} <= set(info):
            raise ValueError(
                f"a problem of {sample.data_source} without what reasoning-gym's scorers need: "
                "reward=reasoning_gym is for problems of data=reasoning_gym data.tasks=..."
            )
        task = sample.data_source.removeprefix(SOURCE)
        entry = _entry(task, info["settings"], sample.ground_truth, info["metadata"])
        try:
            score = float(
                _dataset(task, info["settings"]).score_answer(sample.response.strip(), entry)
            )
        except UNREADABLE:
            return 0.0
        return score if self.partial else float(score == 1)


@cache
def _dataset(task: str, settings: str) -> Any:
    """The data set that scores a task's items; which ones it would make itself is no matter."""
    from reasoning_gym import create_dataset

    return create_dataset(task, size=1, seed=0, **json.loads(settings))


@lru_cache(maxsize=1024)
def _entry(task: str, settings: str, answer: str | None, metadata: str) -> dict[str, Any]:
    """An item as reasoning-gym made it. Raises ValueError where its own answer isn't right."""
    entry = {"answer": answer, "metadata": ast.literal_eval(metadata)}
    if answer is not None:  # some tasks have many right answers and name none
        score = _dataset(task, settings).score_answer(answer, entry)
        if score != 1:
            raise ValueError(
                f"reasoning-gym {version('reasoning-gym')} gives {score} to its own answer: was "
                "the item made by another version?"
            )
    return entry
