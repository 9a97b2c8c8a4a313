"""Rollouts that stand in other files than their problems: read, and matched to the problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.records import Integers, Problems, Rollouts
from curriculum.data import RolloutData
from curriculum.formats.identity import prompt_identity
from curriculum.formats.took import form_of_file
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.run.reading import load, took
from curriculum.run.rendered import Asked, rendered

Row = dict[str, Any]


def replay(
    source: RolloutData, problems: Problems, max_rejected: int, context: Context
) -> tuple[Rollouts, str]:
    """Rollouts of the problems from files of their own, and the fingerprint of what was read.

    Raises:
        UserError: where too many rows could not be read, or not one belongs to a problem.
    """
    found = load(context.store, "replay", source, max_rejected)
    context.ledger.use("replay", found.entry)
    took("replay", found.took, context)
    rejects.rejected_rows("replay", found.rejected, context)
    rejects.left_out(found.entry.counts)
    assert found.rollouts is not None  # of data that has some
    place = match(found.problems, problems)
    rejects.rollouts_without_problem(found.problems, found.rollouts, place, context)
    index = adopt(found.rollouts, place)
    where = None if found.origins is None else found.origins.place
    return Rollouts(index, source.responses, source.rows, where), found.entry.fingerprint


def match(replayed: Problems, problems: Problems) -> Integers:
    """Which of `problems` each of the replayed ones is: (len(replayed),), -1 where none.

    The same id; else the same `data_idx` with the same prompt; else the same source, prompt and
    ground truth; else, for rollout files that kept less, a prompt that only one problem has, or
    several that are the same in all but their place; else the prompt without the chat template
    that a dump has put around it.

    Raises:
        UserError: where not one matches.
    """
    theirs, ours = _rows(replayed), _rows(problems)
    found = np.full(len(theirs), -1, np.int64)
    for key, place in (
        (_by_id, _places(ours, _by_id, _shared_ids(ours))),
        (_by_row, _places(ours, _by_row, set())),
        (_by_content, _places(ours, _by_content, set())),
        (_prompt, _places(ours, _prompt, _prompts_of_several(ours))),
    ):
        left = np.flatnonzero(found < 0)
        if key is _by_row:
            left = left[_told_apart(theirs, ours)[left]]
        found[left] = [place.get(key(theirs[i]), -1) for i in left]
        if key is _by_id:
            _require_same(theirs, ours, found)
    left = np.flatnonzero((found < 0) & _are_templated(replayed))
    found[left] = rendered([_asked(theirs[i]) for i in left], [_asked(row) for row in ours])
    if not (found >= 0).any():
        raise UserError(
            "none of the replayed rollouts (generator.path) belongs to a problem of the data "
            "(data.path): neither ids, nor source with prompt and ground truth, nor data_idx "
            "with prompt agree"
        )
    return found


def _require_same(theirs: list[Row], ours: list[Row], found: Integers) -> None:
    """Raise UserError where rollouts have the id of a problem that asks and answers otherwise."""
    for row, place in zip(theirs, found.tolist(), strict=True):
        if place < 0:
            continue
        problem = ours[place]
        truths = (row["ground_truth"], problem["ground_truth"])
        if None in truths or truths[0] == truths[1] or _prompt(row) == _prompt(problem):
            continue
        raise UserError(
            f"rollouts of problem_id={row['problem_id']} ask {row['prompt']:.80} with the ground "
            f"truth {truths[0]}, and the problem of that id in the data {problem['prompt']:.80} "
            f"with {truths[1]}: data.id_key and generator.id_key name the columns of the ids"
        )


def _places(rows: list[Row], key: Callable[[Row], Hashable], vague: set[Any]) -> dict[Any, int]:
    """The first row of each key, without the keys that do not say which row is meant."""
    keys = [key(row) for row in rows]
    return {value: i for i, value in reversed(list(enumerate(keys))) if value not in vague}


def _shared_ids(rows: list[Row]) -> set[str]:
    """Ids that several problems have: `x` where there is an `x#2`, and that one too."""
    ids = {row["problem_id"] for row in rows}
    shared = {name.rpartition("#")[0] for name in ids if "#" in name} & ids
    return {name for name in ids if name in shared or name.rpartition("#")[0] in shared}


def _prompts_of_several(rows: list[Row]) -> set[str]:
    """Prompts of problems that differ in source or ground truth."""
    contents = {_by_content(row) for row in rows}
    times = Counter(prompt for _, prompt, _ in contents)
    return {prompt for prompt, count in times.items() if count > 1}


def _told_apart(theirs: list[Row], ours: list[Row]) -> npt.NDArray[np.bool_]:
    """Whether rollouts know as many problems of a prompt as there are.

    Files without `data_idx` count one where the data has two; their row numbers mean nothing.
    """
    ask, have = (Counter(_prompt(row) for row in rows) for rows in (theirs, ours))
    return np.array([ask[_prompt(row)] == have[_prompt(row)] for row in theirs], bool)


def _rows(problems: Problems) -> list[Row]:
    rows: list[Row] = problems.table.drop(["extra_info", "file"]).to_pylist()
    return rows


def _are_templated(problems: Problems) -> npt.NDArray[np.bool_]:
    """(P,) whether they are of files that have a chat template around their prompts."""
    files = problems.table["file"].to_pylist()
    forms = {url: form_of_file(url) if url else None for url in set(files)}
    templated = {url for url, form in forms.items() if form is not None and form.templated}
    return np.array([url in templated for url in files], np.bool_)


def _asked(row: Row) -> Asked:
    return Asked(row["prompt"], row["ground_truth"])


def _by_id(row: Row) -> str:
    return str(row["problem_id"])


def _by_content(row: Row) -> tuple[str, str, str | None]:
    return row["data_source"], _prompt(row), row["ground_truth"]


def _by_row(row: Row) -> tuple[int, str]:
    return row["data_idx"], _prompt(row)


def _prompt(row: Row) -> str:
    return prompt_identity(row["prompt"])


def adopt(index: pa.Table, place: Integers) -> pa.Table:
    """A rollout index whose problems are those of `place`."""
    problem = place[index["problem"].to_numpy()]
    return index.set_column(0, index.schema.field(0), pa.array(problem, pa.int64()))
