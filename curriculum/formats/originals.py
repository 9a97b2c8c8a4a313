"""The rows that problems were made of, read again when they are needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.formats import containers
from curriculum.formats.columns import NO_SOURCE, Columns, unmarked
from curriculum.formats.forms.base import Form
from curriculum.formats.names import (
    COUNTING,
    ERRORS,
    ORIGINAL,
    REASONS,
    RESPONSES,
    REWARDS,
    Row,
    first,
)
from curriculum.formats.samples import are_messages, split_conversation
from curriculum.formats.took import form_of_file

OF_VERL = ("ability", "agent_name")
# What no problem has; columns of other names, like `code`, are as often parts of one.
OF_ROLLOUTS = (
    *("response", "responses", "output", "reward", "rewards", "scores", "score"),
    *("sample_idx", "finish_reason"),
)
MAY_BE = (*RESPONSES, *REWARDS)  # of rollouts, where there are several in one row


def original_rows(problems: pa.Table, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """The original row of each problem, `original_*` columns under their own names.

    Args:
        problems: as in `PROBLEM_SCHEMA`.
        names: the fields to read; None: all but what belongs to the rollouts.
    """
    wanted = None if names is None else {*names, *(f"{ORIGINAL}{name}" for name in names)}

    def keep(row: Row) -> Row:
        return {
            name: value
            for name, value in row.items()
            if (name not in OF_ROLLOUTS if wanted is None else name in wanted)
        }

    return _rows(problems, keep)


def of_rollouts(columns: Columns) -> list[tuple[str, ...]]:
    """Columns that rows have of rollouts, responses first; of each kind the first that is there."""
    named = {role: str(path).partition(".")[0] for role, path in columns.names.items()}
    kinds: dict[str, tuple[str, ...]] = {
        "response": RESPONSES,
        "reward": REWARDS if columns.reward_key is None else (columns.reward_key, *REWARDS),
        "finish_reason": REASONS,
        "error": ERRORS,
        **{role: (role,) for role in ("sample_idx", "step", *COUNTING) if role in named},
    }
    return [(named[role],) if role in named else names for role, names in kinds.items()]


def problem_rows(
    problems: pa.Table, of_rollouts: Sequence[Sequence[str]] | None
) -> tuple[list[dict[str, Any]], set[str]]:
    """The original rows without what is of rollouts, and columns that may be of one alone.

    These are columns without a mark in rows that are one rollout, and lists under usual names.

    Args:
        of_rollouts: see `of_rollouts`; None: the rows have none.
    """
    unsure: set[str] = set()

    def keep(row: Row) -> Row:
        used = [first(row, names) for names in of_rollouts or ()]
        answers = [row[name] for name in used[:2] if name is not None]
        if of_rollouts is not None and ("sample_idx" in row or not all(map(_are_many, answers))):
            unsure.update(name for name in row if not name.startswith(ORIGINAL))
        unsure.update(name for name in MAY_BE if isinstance(row.get(name), list | Mapping))
        return {
            name: value
            for name, value in row.items()
            if name not in OF_ROLLOUTS and name not in used
        }

    return _rows(problems, keep), unsure


def _are_many(answers: Any) -> bool:
    """Whether these are answers, or rewards, of several rollouts."""
    if isinstance(answers, Mapping):
        answers = answers.get("choices")
    return isinstance(answers, list) and len(answers) > 1 and not are_messages(answers)


def _rows(problems: pa.Table, keep: Callable[[Row], Row]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{}] * len(problems)
    for url in pc.unique(problems["file"]).to_pylist():
        here = np.flatnonzero(pc.equal(problems["file"], url).to_numpy())
        if not url:
            for row, made in zip(here, _made(problems.take(pa.array(here))), strict=True):
                rows[row] = made
            continue
        position = problems["position"].to_numpy()[here]
        here = here[np.argsort(position, kind="stable")]
        form = form_of_file(url)
        for row, found in zip(here, containers.read_at(url, np.sort(position)), strict=True):
            named = split_conversation(_in_plain_names(form, found, url), "prompt")
            rows[row] = dict(unmarked(keep(named)))
    return rows


def _in_plain_names(form: Form | None, row: Row, url: str) -> Row:
    """As the form reads it; as it stands, where `data.columns` told what the row is."""
    try:
        return row if form is None else form.read(row, url)
    except ValueError:
        return row


def _made(problems: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows of problems that stand in no file of ours, in verl's schema.

    Columns of that schema that are no part of a problem are in its extra_info.
    """
    for row in problems.select(["data_source", "prompt", "ground_truth", "extra_info"]).to_pylist():
        prompt, truth, info = (
            None if row[name] is None else json.loads(row[name])
            for name in ("prompt", "ground_truth", "extra_info")
        )
        known = info if isinstance(info, Mapping) else {}
        reward_model = known.get("reward_model")
        style = reward_model if isinstance(reward_model, Mapping) else {"style": "rule"}
        yield {
            **{name: known[name] for name in OF_VERL if name in known},
            "data_source": None if row["data_source"] == NO_SOURCE else row["data_source"],
            "prompt": prompt,
            "reward_model": {**style, "ground_truth": truth},
            "extra_info": info,
        }
