"""What a run has measured, as a sampler takes it."""

from __future__ import annotations

import json
import sys

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers, Measured


def prompts_of(outcome: Measured, trained: npt.NDArray[np.bool_]) -> Prompts:
    """The measured problems that are trained on.

    Args:
        trained: (P,) which of the measured problems.
    """
    table = outcome.problems.table.take(pa.array(outcome.measured))
    sources = pc.dictionary_encode(table["data_source"].combine_chunks())
    infos = table["extra_info"]

    def extra(name: str, rows: Integers) -> Floats:
        texts = infos.take(pa.array(rows)).to_pylist()
        decoded = [json.loads(text) if text else None for text in texts]
        return _numbers([each if isinstance(each, dict) else {} for each in decoded], name)

    everything = Prompts(
        source=sources.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        sources=sources.dictionary.to_pylist(),
        bucket=outcome.buckets.assignment,
        buckets=list(outcome.buckets.names),
        difficulty=outcome.metrics.complexity(),
        n=outcome.metrics["n"],
        c=outcome.metrics["c"],
        extra=extra,
    )
    return everything if trained.all() else everything.take(np.flatnonzero(trained))


def _numbers(infos: list[dict[str, object]], name: str) -> Floats:
    values = [info.get(name) for info in infos]
    missing = sum(not _is_number(each) for each in values)
    if missing:
        numeric = {k for info in infos for k, v in info.items() if _is_number(v)}
        raise UserError(
            f"extra_info.{name} is no number for {missing} of {len(infos)} problems; fields with "
            f"numbers: {', '.join(sorted(numeric)) or 'none'}"
        )
    return np.array(values, np.float64)


def _is_number(value: object) -> bool:
    """Whether it is one that a float can hold."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < sys.float_info.max
