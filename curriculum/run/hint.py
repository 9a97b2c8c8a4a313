"""What a budget may know beforehand: the counts that an earlier run has of the same problems."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curriculum.core.errors import UserError
from curriculum.core.names import ASSIGNMENT
from curriculum.core.records import Integers, Problems
from curriculum.core.run_result import RunResult

log = logging.getLogger(__name__)

SAMPLING = "sampling"  # key of a run's result: what its rollouts were sampled with


def counts_of(run: Path, problems: Problems, own: Path) -> tuple[Integers, Integers]:
    """(P,) rollouts and (P,) passes that an earlier run has of the problems, found by their id.

    Args:
        own: folder of the run that asks.

    Raises:
        UserError: where it is that run itself, has left no counts, or none of these problems.
    """
    if run.resolve() == own.resolve():
        raise UserError(
            f"budget.hint={run} is this run's own output_dir: its rollouts would count twice. Name "
            "another run's folder"
        )
    table = _read(run)
    place = pc.index_in(problems.ids.combine_chunks(), table["problem_id"].combine_chunks())
    known = place.is_valid().to_numpy(zero_copy_only=False)
    if not known.any():
        raise UserError(
            f"budget.hint={run} has none of the {len(problems)} problems here: its ids are like "
            f"{table['problem_id'][0]}, these like {problems.ids[0]}. An id is the data's own "
            "(data.id_key), or made of source, prompt and ground truth: measure the same data there"
        )
    log.info("hint: %s knows %d of %d problems", run, known.sum(), len(problems))
    rows = place.drop_null()
    counts = np.zeros((2, len(problems)), np.int64)
    counts[:, known] = [table[name].take(rows).to_numpy() for name in ("n", "c")]
    return counts[0], counts[1]


def require_other(run: Path, sampling: str) -> None:
    """Raise UserError where an earlier run's rollouts are those that this one will make."""
    result = RunResult.load(run)
    if result is not None and result.results.get(SAMPLING) == sampling:
        raise UserError(
            f"budget.hint={run} has rollouts of the same model, settings and seed as this run, "
            "which would count twice: generator.seed=1 makes others"
        )


def _read(run: Path) -> pa.Table:
    path = run / ASSIGNMENT
    try:
        with pq.ParquetFile(path) as file:
            table = file.read(["problem_id", "n", "c"])
    except (OSError, pa.ArrowException) as error:
        why = (
            "there is no such folder" if not run.is_dir() else f"no counts are read there: {error}"
        )
        raise UserError(
            f"budget.hint={run}: {why}. It is the folder of a run that came to its buckets, which "
            f"has {ASSIGNMENT}"
        ) from error
    if set(table.column_names) != {"problem_id", "n", "c"} or not len(table):
        raise UserError(f"budget.hint={run}: {path} has no problem_id, n and c of any problem")
    return table
