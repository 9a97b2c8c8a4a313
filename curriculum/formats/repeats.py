"""Rollouts that must not be pooled: one that stands twice, and those of several policies."""

from __future__ import annotations

import hashlib
import reprlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.records import Booleans, Integers
from curriculum.formats.names import Steps

NO_STEP = -1


def step_of(value: Any) -> int:
    """A row's training step, NO_STEP where it says none.

    Raises:
        ValueError: for what is there and no whole number from 0.
    """
    if value is None or value != value:
        return NO_STEP
    number = None if isinstance(value, bool) else value
    if isinstance(number, str) and number.isdecimal():
        number = int(number)
    if isinstance(number, int | float) and 0 <= number < 2**63 and number == int(number):
        return int(number)
    raise ValueError(f"step is no whole number: {reprlib.repr(value)}")


def of_other_steps(problem: Integers, steps: Integers | None, step: Steps) -> Booleans:
    """(R,) the rollouts of another training step than the one that is asked for.

    Args:
        problem: (R,) -1: not used anyway.
        steps: (R,) at which each was made, NO_STEP where it doesn't say; None: none does.
        step: the one to take, or the first and the last; None: there must not be several.

    Raises:
        UserError: where there are several and none was chosen, or none of those chosen.
    """
    if steps is None and step is None:
        return np.zeros(len(problem), bool)
    steps = np.full(len(problem), NO_STEP) if steps is None else steps
    used = problem >= 0
    known = np.unique(steps[used & (steps != NO_STEP)])
    if step is None:
        if len(known) > 1 or (len(known) and (steps[used] == NO_STEP).any()):
            others = " and of none" if (steps[used] == NO_STEP).any() else ""
            raise UserError(
                f"rollouts of several policies: of the training steps {_few(known)}{others}, and "
                f"no rate is of all of them. data.step={known[-1]} takes those of one, "
                f"data.step=[{known[0]},{known[-1]}] those from one to another "
                "(generator.step where generator.path names them)"
            )
        return np.zeros(len(problem), bool)
    first, last = (step, step) if isinstance(step, int) else step
    if not ((known >= first) & (known <= last)).any():
        there = f"there are {_few(known)}" if len(known) else "no row has a whole number in `step`"
        asked = step if isinstance(step, int) else list(step)
        raise UserError(f"data.step={asked}: no rollout is of it; {there}")
    return np.asarray(used & ((steps < first) | (steps > last)))


def repeats(index: pa.Table, responses: Iterator[pa.Array]) -> Booleans:
    """(R,) the rollouts that stand before already: same problem, sample, response and reward.

    Args:
        index: `sample_idx` as the data has it, null where it has none: then nothing can be told.
        responses: of all of them, in batches.

    Raises:
        UserError: where a problem has the same sample twice with another response or reward.
    """
    used = pc.greater_equal(index["problem"], 0)
    there = np.asarray(pc.and_(used, index["sample_idx"].is_valid()))
    if _all_differ(index.select(["problem", "sample_idx"]).filter(pa.array(there))):
        return np.zeros(len(index), bool)
    keys = index.select(["problem", "sample_idx", "reward"]).filter(pa.array(there)).to_pandas()
    keys.index = np.flatnonzero(there)
    several = keys[keys.duplicated(["problem", "sample_idx"], keep=False)]
    found = np.zeros(len(index), bool)
    if len(several):
        several = several.assign(response=_digests(responses, several.index.to_numpy()))
        again = several.duplicated(["problem", "sample_idx", "reward", "response"])
        clash = several[~again].duplicated(["problem", "sample_idx"])
        if clash.any():
            second = clash.index[clash][0]
            problem, sample = several.loc[second, ["problem", "sample_idx"]]
            same = (several["problem"] == problem) & (several["sample_idx"] == sample)
            raise UserError(
                f"rollouts {several.index[same][0] + 1} and {second + 1} of the data are both "
                f"sample {int(sample)} of a problem, and differ: number the samples of a problem "
                "apart, or leave `sample_idx` out"
            )
        found[several.index[again]] = True
    return found


def _all_differ(index: pa.Table) -> bool:
    """Whether no two rollouts are the same sample of a problem."""
    problem, sample = (index[name].to_numpy() for name in ("problem", "sample_idx"))
    low, high = int(sample.min(initial=0)), int(sample.max(initial=0))
    if (high - low + 1) * (int(problem.max(initial=0)) + 1) >= 2**63:
        return False  # not known
    keys = np.sort(problem * (high - low + 1) + (sample - low))
    return bool((keys[1:] != keys[:-1]).all())


def _digests(responses: Iterator[pa.Array], wanted: Integers) -> list[bytes | None]:
    """Of the responses at these ascending places: texts may be long, and many."""
    digests: list[bytes | None] = []
    start = 0
    for batch in responses:
        here = wanted[(wanted >= start) & (wanted < start + len(batch))] - start
        for text in batch.take(pa.array(here, pa.int64())).to_pylist():
            digests.append(None if text is None else hashlib.blake2b(text.encode()).digest())
        start += len(batch)
    return digests


def _few(steps: Integers) -> str:
    shown = [str(step) for step in steps.tolist()]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:3], "...", shown[-1]])
