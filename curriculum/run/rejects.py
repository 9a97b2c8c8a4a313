"""What could not be used: never dropped, but counted, reported and written to the run's folder."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.names import REJECTS
from curriculum.core.records import Integers, Problems, Rewards, Rollouts
from curriculum.formats.identity import without_number
from curriculum.formats.rows import Rejected
from curriculum.run.context import Context

log = logging.getLogger(__name__)


def clear(folder: Path) -> None:
    """Remove what an earlier run in the same folder could not use."""
    shutil.rmtree(folder / REJECTS, ignore_errors=True)


def rejected_rows(step: str, rejected: Path | None, context: Context) -> None:
    """Rows that could not be read: a JSONL with file, row, cause and text."""
    if rejected is not None:
        path = _path(context, f"{step}_rows.jsonl")
        with whole(path) as partial:
            shutil.copyfile(rejected, partial)
        rows = path.read_bytes().splitlines()
        first = Rejected(**json.loads(rows[0]))
        told = f"{first.file}:{first.row}: {first.cause}"
        _report(context, f"rejected_{step}_rows", len(rows), path, told)


def left_out(counts: Mapping[str, int]) -> None:
    """Say which rows were read and are in no number."""
    for name, told in (
        ("repeated_rows", "rows are rollouts that stand before already: each is counted once"),
        ("rows_of_other_steps", "rows are of other training steps than data.step: left out"),
        ("failed_calls", "rollouts are calls that failed (data.failed_calls): in no rate"),
    ):
        if counts.get(name):
            log.warning("%d %s", counts[name], told)


def failed_rollouts(
    problems: Problems, rollouts: Rollouts, failures: Mapping[int, str], context: Context
) -> None:
    """Rollouts without a reward: {row of the rollouts: cause}."""
    if failures:
        rows = pa.array(list(failures), pa.int64())
        found = rollouts.index.take(rows)
        stand = {} if rollouts.place is None else {"row": list(map(rollouts.place, failures))}
        _write(
            context,
            "failed_rollouts",
            **stand,
            problem_id=problems.ids.take(found["problem"]),
            sample_idx=found["sample_idx"],
            cause=pa.array(list(failures.values()), pa.string()),
        )


def failed_calls(problems: Problems, failed: pa.Table, context: Context) -> None:
    """Rollouts that a generator could not make: problem, sample_idx and error."""
    if len(failed):
        _write(
            context,
            "failed_calls",
            problem_id=problems.ids.take(failed["problem"]),
            sample_idx=failed["sample_idx"],
            cause=failed["error"],
        )


def rollouts_without_problem(
    replayed: Problems, index: pa.Table, place: Integers, context: Context
) -> None:
    """Replayed rollouts of problems that the data doesn't have (`place` -1)."""
    lost = index.filter(pa.array(place[index["problem"].to_numpy()] < 0))
    if len(lost):
        _write(
            context,
            "rollouts_without_problem",
            problem_id=replayed.ids.take(lost["problem"]),
            sample_idx=lost["sample_idx"],
            cause=pa.array(["no problem has its id or prompt, or several have"] * len(lost)),
        )


def problems_without_reward(problems: Problems, rewards: Rewards, context: Context) -> None:
    """Problems that can't be measured. Raises UserError where that is all of them."""
    has_none = np.ones(len(problems), np.bool_)
    has_none[rewards.problem] = False
    without = np.flatnonzero(has_none)
    names = problems.ids.take(pa.array(without)).to_pylist()
    first = [name for name in names if without_number(name) == name]
    again = [name for name in names if without_number(name) != name]
    for name, ids, cause in (
        ("problems_without_reward", first, "no rollout"),
        ("repeated_problems", again, "an earlier row is the same problem and has the rollouts"),
    ):
        if ids:
            causes = pa.array([cause] * len(ids))
            _write(context, name, problem_id=pa.array(ids, pa.string()), cause=causes)
    if not len(rewards):
        raise UserError("not a single rollout has a reward: there is nothing to measure")


def _write(context: Context, name: str, **columns: Any) -> None:
    table = pa.table(columns)
    path = _path(context, f"{name}.parquet")
    with whole(path) as partial:
        pq.write_table(table, partial)
    first = table.slice(0, 1).to_pylist()[0]
    place = first.get("row", first["problem_id"])
    _report(context, name, len(table), path, f"{place}: {first['cause']}")


def _path(context: Context, name: str) -> Path:
    folder = context.folder / REJECTS
    folder.mkdir(exist_ok=True)
    return folder / name


def _report(context: Context, name: str, count: int, path: Path, first: str) -> None:
    """Count them and say so, the first with its cause."""
    context.ledger.count(**{name: count})
    told = name.replace("_", " ")
    log.warning("%s: %d, listed in %s; the first: %s", told, count, path, first)
