"""`generator=replay`: rollouts that are on disk already."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curriculum.data.problems import prompt_identity
from curriculum.data.rollouts import Rollouts
from curriculum.errors import UserError
from curriculum.records import Integers, Problems


@dataclass(frozen=True)
class Replay(Rollouts):
    """Rollouts at `path`, in any form that `data=rollouts` reads."""


def match(replayed: Problems, problems: Problems) -> Integers:
    """Which of `problems` each of the replayed ones is: (len(replayed),), -1 where none.

    The same id; else the same source, prompt and ground truth; else, for rollout files that kept
    less, the same `data_idx` with the same prompt, or a prompt that only one problem has.

    Raises:
        UserError: where not one matches.
    """
    found = np.full(len(replayed), -1, np.int64)
    for key in (_by_id, _by_content, _by_row, _prompt):
        values = [key(row) for row in _rows(problems)]
        place = {value: i for i, value in reversed(list(enumerate(values)))}
        if key is _prompt:
            times = Counter(values)
            place = {value: i for value, i in place.items() if times[value] == 1}
        wanted = [place.get(key(row), -1) for row in _rows(replayed)]
        found = np.where(found < 0, np.array(wanted, np.int64), found)
        if (found >= 0).all():
            break
    if not (found >= 0).any():
        raise UserError(
            "none of the replayed rollouts (generator.path) belongs to a problem of the data "
            "(data.path): neither ids, nor source with prompt and ground truth, nor data_idx "
            "with prompt agree"
        )
    return found


def _rows(problems: Problems) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = problems.table.drop(["extra_info", "file"]).to_pylist()
    return rows


def _by_id(row: dict[str, Any]) -> str:
    return str(row["problem_id"])


def _by_content(row: dict[str, Any]) -> tuple[str, str, str | None]:
    return row["data_source"], _prompt(row), row["ground_truth"]


def _by_row(row: dict[str, Any]) -> tuple[int, str]:
    return row["data_idx"], _prompt(row)


def _prompt(row: dict[str, Any]) -> str:
    return prompt_identity(row["prompt"])


def adopt(index: pa.Table, place: Integers) -> pa.Table:
    """A rollout index whose problems are those of `place`."""
    problem = place[index["problem"].to_numpy()]
    return index.set_column(0, index.schema.field(0), pa.array(problem, pa.int64()))
