"""The two runs, and the problems that both have measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pandas as pd
import pyarrow.parquet as pq

from curriculum.config.build import build
from curriculum.core.errors import UserError
from curriculum.core.names import ASSIGNMENT, BEYOND, EDGES, PROBLEMS
from curriculum.core.prompts import Prompts
from curriculum.core.run_result import RunResult

COUNTS = ["n", "c"]
SAME_PASSES = ("threshold", "strict")  # of `measure`: whether c counts the same


@dataclass(frozen=True)
class Run:
    """One of them, as its folder has it."""

    folder: Path
    result: RunResult
    cut: Mapping[str, Any]  # buckets.json
    table: pd.DataFrame  # problem_id: bucket, n, c

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises UserError where the folder is no completed run's, or has no buckets."""
        result = RunResult.load(folder)
        if result is None or result.status != "completed":
            raise UserError(f"{folder} should be the folder of a run that has completed")
        if not (folder / ASSIGNMENT).exists():
            raise UserError(f"{folder} has no buckets: its run stopped before")
        table = pd.read_parquet(folder / ASSIGNMENT).set_index("problem_id")
        cut = json.loads((folder / EDGES).read_text())
        return cls(folder, result, cut, table[["bucket", *COUNTS]])

    @property
    def names(self) -> list[str]:
        """Its buckets, easy to hard."""
        return [*self.cut["names"], *self.cut.get(BEYOND, [])]

    @cached_property
    def prompts(self) -> dict[str, str]:
        """By problem_id; none where the run's store is gone."""
        entry = self.result.stages.get("problems")
        stored = Path(entry["folder"]) / PROBLEMS if entry else None
        if stored is None or not stored.exists():
            return {}
        table = pq.read_table(stored, columns=["problem_id", "prompt"])
        texts = (json.loads(text) for text in table["prompt"].to_pylist())
        readable = [text if isinstance(text, str) else _last_message(text) for text in texts]
        return dict(zip(table["problem_id"].to_pylist(), readable, strict=True))

    @cached_property
    def sources(self) -> dict[str, str]:
        """By problem_id."""
        prompts = Prompts.load(self.folder)
        of_prompt = (prompts.sources[place] for place in prompts.source.tolist())
        return dict(zip(prompts.ids.tolist(), of_prompt, strict=True))


@dataclass(frozen=True)
class Joined:
    """The problems that two runs share.

    `table` has a row for each: problem_id, prompt, data_source, `before`, `after` (buckets),
    `steps` (buckets towards hard, null where the runs' names differ), `n_before`, `c_before`,
    `n_after`, `c_after` (rollouts and passes), `rate_before`, `rate_after`.
    """

    before: Run
    after: Run
    table: pd.DataFrame

    @property
    def alone(self) -> tuple[int, int]:
        """Problems of one run only."""
        return len(self.before.table) - len(self.table), len(self.after.table) - len(self.table)

    @property
    def same_edges(self) -> bool:
        return bool(self.before.cut["edges"] == self.after.cut["edges"])

    @property
    def same_names(self) -> bool:
        return self.before.names == self.after.names

    @property
    def same_passes(self) -> bool:
        """Whether both runs count the same as a pass."""
        counted = [[run.cut["measure"].get(key) for key in SAME_PASSES] for run in self._runs]
        return counted[0] == counted[1]

    @property
    def stopped_early(self) -> bool:
        """Whether a budget ended rollouts by what they said: c/n then leans to the extremes."""
        return not all(build(run.result.config, "budget").divisible for run in self._runs)

    @property
    def _runs(self) -> tuple[Run, Run]:
        return self.before, self.after


def join(before: Path, after: Path) -> Joined:
    """The two runs, by problem_id.

    Raises:
        UserError: where one left no buckets, or they share no problem.
    """
    first, second = Run.load(before), Run.load(after)
    tables = first.table.add_suffix("_before"), second.table.add_suffix("_after")
    both = tables[0].join(tables[1], how="inner")
    if both.empty:
        raise UserError(f"{before} and {after} share no problem: their problem_ids differ")
    prompts = {**first.prompts, **second.prompts}
    sides = ("before", "after")
    counts = {name: both[name].astype(int) for side in sides for name in (f"n_{side}", f"c_{side}")}
    table = pd.DataFrame(
        {
            "prompt": [prompts.get(problem) for problem in both.index],
            "data_source": [first.sources[problem] for problem in both.index],
            "before": both["bucket_before"],
            "after": both["bucket_after"],
            "steps": _count_steps(both, first.names, second.names),
            **counts,
            "rate_before": both["c_before"] / both["n_before"],
            "rate_after": both["c_after"] / both["n_after"],
        },
        index=both.index,
    )
    return Joined(first, second, table.reset_index())


def _count_steps(both: pd.DataFrame, before: list[str], after: list[str]) -> pd.Series:
    if before != after:
        return pd.Series(pd.NA, both.index, dtype="Int64")
    place = {name: i for i, name in enumerate(before)}
    steps = both["bucket_after"].map(place) - both["bucket_before"].map(place)
    return steps.astype("Int64")


def _last_message(prompt: object) -> str:
    last = prompt[-1] if isinstance(prompt, list) and prompt else prompt
    content = last.get("content") if isinstance(last, dict) else last
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
