"""The prompts of a trainer's own rows, in the order of these rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import UNKNOWN_LENGTH, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.integrations.chats import plain_text

INDEX, ID, STAGE, HARD = "index", "problem_id", "curriculum_stage", "complexity_score"
MEASURED = "difficulty_metrics"
NO_STAGE = "all"  # the bucket of rows that say none


def prompts_of(
    infos: Sequence[Mapping[str, Any]],
    sources: Sequence[str],
    run: str | None = None,
    texts: Sequence[Any] | None = None,
) -> Prompts:
    """(R,) prompts of R rows: what a run measured of them, or what the rows say themselves.

    Args:
        infos: extra_info of each row. Without a run, what stage files carry there counts:
            `curriculum_stage`, `difficulty_metrics` with n and c, `complexity_score`. A row without
            them was never measured.
        sources: data_source of each row.
        run: folder of the run; its prompts are found by extra_info.index.
        texts: prompt of each row, a text or a chat; None: not known.

    Raises:
        UserError: where there is no row, or extra_info.index is no number of its own in each, or is
            not that of the run's prompts.
    """
    if not infos:
        raise UserError("there is no row to train on")
    index = indices(infos)
    if run is not None:
        return _of_run(run, infos, index)
    known = texts is not None and all(isinstance(text, str | list) for text in texts)
    lengths = [len(plain_text(text)) if known else UNKNOWN_LENGTH for text in texts or infos]
    return _said(infos, sources, index, np.array(lengths, np.int64))


def indices(infos: Sequence[Mapping[str, Any] | None]) -> Integers:
    """(R,) extra_info.index. Raises UserError where a row has none, or not one of its own."""
    found = [(info or {}).get(INDEX) for info in infos]
    wrong = [value for value in found if not isinstance(value, int | np.integer)]
    if wrong:
        raise UserError(
            f"extra_info.{INDEX} is no whole number in {len(wrong)} of {len(found)} rows: feedback "
            "is told by it. Stage files of preset=curriculum have it"
        )
    often, times = Counter(found).most_common(1)[0] if found else (0, 0)
    if times > 1:
        raise UserError(
            f"extra_info.{INDEX}={often} is in {times} rows: feedback is told by it, so each row "
            "needs its own over all files. Stage files of preset=curriculum have it"
        )
    return np.array(found, np.int64)


def _of_run(run: str, infos: Sequence[Mapping[str, Any]], index: Integers) -> Prompts:
    measured = Prompts.load(run)
    prompts = measured.take(measured.rows_of_index(index.tolist()))
    told = [info.get(ID) for info in infos]
    other = [
        f"{mine} here, {theirs} there"
        for mine, theirs in zip(told, prompts.ids, strict=True)
        if mine is not None and mine != theirs
    ]
    if other:
        raise UserError(
            f"the rows are not those that {run} measured: {len(other)} of {len(infos)} have "
            f"another {ID} at the same extra_info.{INDEX} ({other[0]})"
        )
    return prompts


def _said(
    infos: Sequence[Mapping[str, Any]], sources: Sequence[str], index: Integers, length: Integers
) -> Prompts:
    names = sorted(set(sources))
    number = {name: place for place, name in enumerate(names)}
    measured = [info.get(MEASURED) or {} for info in infos]
    counts = np.array([[_number(each.get(key)) for key in ("n", "c")] for each in measured])
    n, c = np.where(np.isnan(counts).any(1), 0, counts.T)  # a half of it says nothing
    difficulty = np.array([_number(info.get(HARD)) for info in infos])
    stages = [str(info.get(STAGE) or NO_STAGE) for info in infos]
    buckets = _easy_to_hard(
        stages, np.where(np.isnan(difficulty), -c / np.maximum(n, 1), difficulty)
    )
    place = {name: i for i, name in enumerate(buckets)}
    return Prompts(
        ids=np.array(
            [str(info.get(ID) or i) for info, i in zip(infos, index, strict=True)], object
        ),
        index=index,
        source=np.array([number[each] for each in sources], np.int64),
        sources=names,
        bucket=np.array([place[each] for each in stages], np.int64),
        buckets=buckets,
        difficulty=difficulty,
        n=n,
        c=c,
        trained=np.ones(len(infos), np.bool_),
        extra_info=np.array([json.dumps(dict(info), default=str) for info in infos], object),
        length=length,
    )


def _easy_to_hard(stages: Sequence[str], hardness: Floats) -> list[str]:
    names = np.array(stages, object)
    return sorted(set(stages), key=lambda name: (float(hardness[names == name].mean()), name))


def _number(value: object) -> float:
    """NaN where it is none: undefined."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float("nan")
