"""Rollouts row by row: every form, in every kind of file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.formats import containers
from curriculum.formats.columns import Columns, columns_of
from curriculum.formats.containers.base import Line
from curriculum.formats.files import File
from curriculum.formats.forms import form_of
from curriculum.formats.forms.base import Form
from curriculum.formats.names import COUNTING, ORIGINAL, POLICIES, PROMPTS, Row, mapped, require
from curriculum.formats.problems import Places, ProblemList
from curriculum.formats.repeats import step_of
from curriculum.formats.rows import Part, Rejected, UnreadableReward
from curriculum.formats.samples import (
    NoNumber,
    Samples,
    keys_of,
    samples_of,
    split_conversation,
    whole,
)
from curriculum.formats.tables import index_table, table_of

BATCH = 4096
# What a form may stumble over in a row that is not as its tool writes them.
NOT_AS_WRITTEN = (LookupError, TypeError, AttributeError, ArithmeticError)
LOOKED_AT = 100  # rows in which the columns that data.columns names are looked for


class Read(NamedTuple):
    """A row, as it stands and in our names."""

    line: Line
    row: Row
    samples: Samples


def index(file: File, problems: ProblemList, rejected: list[Rejected]) -> Part:
    """Add a file's problems and return its part of the rollout index."""
    read = used = failed = lost = 0
    columns: dict[str, list[Any]] = {name: [] for name in ("problem", "number", "reward", "reason")}
    steps: list[int] = []
    rows: list[int] = []
    policies: dict[str, set[Any]] = {name: set() for name in POLICIES}
    for line, found, problem in _placed(file, problems, rejected):
        read += 1
        if isinstance(found, Exception):
            rejected.append(_reject(file, line, found))
            continue
        row, samples = found.row, found.samples
        count = len(samples.rewards)
        there = [problem >= 0 and error is None for error in samples.errors]
        columns["problem"] += [problem if each else -1 for each in there]
        columns["number"] += samples.numbers
        columns["reward"] += samples.rewards
        columns["reason"] += samples.reasons
        steps += [step_of(row.get("step"))] * count
        rows += [line.number] * count
        lost += there.count(False) if problem >= 0 else 0
        is_used = any(there) or (problem >= 0 and not there)
        used, failed = used + is_used, failed + (problem >= 0 and not is_used)
        for name in POLICIES if is_used else ():
            said = (line.row or {}).get(name)
            if isinstance(said, str | int | float):
                policies[name].add(said)
    table = index_table(np.array(columns["problem"], np.int64), *list(columns.values())[1:])
    return Part(
        *(table, np.array(rows, np.int64), np.array(steps, np.int64), read, used, failed, lost),
        policies=policies,
    )


def add_problems(file: File, problems: ProblemList, rejected: list[Rejected]) -> int:
    """Every row of a file as a problem of its own, whether or not it has samples.

    Returns how many rows were read.
    """
    read = 0
    for line, row in named_rows(file, problems.columns):
        read += 1
        if isinstance(row, Exception):
            rejected.append(_reject(file, line, row))
        else:
            problems.add(row, file.url, line.position, line.length)
    return read


def responses(file: File, columns: Columns) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    batch: list[str | None] = []
    for read in _usable(file, columns):
        batch += read.samples.responses
        if len(batch) >= BATCH:
            yield pa.array(batch, pa.string())
            batch = []
    yield pa.array(batch, pa.string())


def rows(file: File, columns: Columns) -> Iterator[pa.Table]:
    """One table, a row a rollout; what a row of several says of its problem is in `original_*`."""
    flat: list[Mapping[str, Any]] = []
    for line, row, samples in _usable(file, columns):
        plain = split_conversation(line.row or {}, columns.prompt_key)
        if not samples.whole_problem:
            flat.append(plain)
            continue
        of_samples = samples.keys if all(key in plain for key in samples.keys if key) else ()
        own = {
            key if key == "prompt" else f"{ORIGINAL}{key}": value
            for key, value in plain.items()
            if key not in of_samples
        }
        if "prompt" not in own and columns.prompt(row) is not None:
            own = {"prompt": columns.prompt(row), **own}
        flat += [{**own, "response": response} for response in samples.responses]
    yield table_of(flat)


def chosen_form(row: Row, columns: Columns, rollouts: bool) -> Form | None:
    """The form of a file with this row; plain where `data.prompt_key` names a column of it."""
    if columns.prompt_key != PROMPTS[0] and columns.prompt_key in row:
        return None
    return form_of(mapped(row, columns.names, row), rollouts)


def is_joined(file: File, columns: Columns) -> bool:
    """Whether rows have an id and no prompt, so that another file has to tell what they ask."""
    rows = (
        row for _, row in named_rows(file, columns, joined=True) if not isinstance(row, Exception)
    )
    found = next(rows, None)
    return found is not None and columns.prompt(found) is None


Placed = tuple[Line, Read | Exception, int]  # a row, or what is wrong, and its problem


def _placed(file: File, problems: ProblemList, rejected: list[Rejected]) -> Iterator[Placed]:
    """Every row with its problem; -1, and one more in `rejected`, where there is none."""

    def how(found: tuple[Line, Read | Exception]) -> str:
        row = found[1]
        if isinstance(row, Exception):
            return "rejected"
        if row.samples.whole_problem and problems.rows_apart:
            return "apart"
        return "merged" if problems.columns.prompt(row.row) is not None else "of_id"

    found = read_rows(file, problems.columns)
    while batch := list(islice(found, BATCH)):
        for kind, several in groupby(batch, how):
            yield from _place(kind, list(several), file, problems, rejected)


def _place(
    kind: str,
    several: list[tuple[Line, Any]],
    file: File,
    problems: ProblemList,
    rejected: list[Rejected],
) -> Iterator[Placed]:
    if kind == "rejected":
        yield from ((line, error, -1) for line, error in several)
        return
    if kind == "of_id":
        for line, read in several:
            try:
                yield line, read, problems.of_id(read.row)
            except ValueError as error:
                rejected.append(_reject(file, line, error))
                yield line, read, -1
        return
    lines = [line for line, _ in several]
    lengths = [line.length if read.samples.whole_problem else None for line, read in several]
    numbers, positions = [each.number for each in lines], [each.position for each in lines]
    places = Places(file.url, numbers, positions, lengths)
    values = columns_of([read.row for _, read in several])
    placed = (problems.append if kind == "apart" else problems.merge)(values, places)
    yield from ((*each, problem) for each, problem in zip(several, placed, strict=True))


def _usable(file: File, columns: Columns) -> Iterator[Read]:
    """The rows that are in the index."""
    for _, found in read_rows(file, columns):
        if not isinstance(found, Exception):
            yield found


def read_rows(file: File, columns: Columns) -> Iterator[tuple[Line, Read | Exception]]:
    """Every row with its samples, or with what is wrong.

    Which column has the responses, and which the rewards, is a matter of the file: a null in one
    row must not make another column's text the answer there.
    """
    named = named_rows(file, columns, joined=True)
    begin = list(islice(named, LOOKED_AT))
    keys = keys_of([row for _, row in begin if not isinstance(row, Exception)], columns.reward_key)
    for line, row in chain(begin, named):
        if isinstance(row, Exception):
            yield line, row
            continue
        try:
            step_of(row.get("step"))
            yield line, Read(line, row, samples_of(row, keys, columns))
        except ValueError as error:
            yield line, error


def named_rows(
    file: File, columns: Columns, joined: bool = False
) -> Iterator[tuple[Line, Row | Exception]]:
    """Every row in our names, or what is wrong.

    Args:
        joined: whether these are rollouts, and a row without a prompt may be of a problem that
            others tell of.
    """
    form, known = None, False
    first_rows: list[Row] = []
    for line in containers.read(file.url):
        if line.row is None:
            yield line, ValueError(line.cause)
            continue
        if not known:
            form, known = chosen_form(line.row, columns, joined), True
        if columns.names and len(first_rows) < LOOKED_AT:
            first_rows.append(line.row)
        try:
            yield line, _checked(_in_our_names(line.row, form, columns, file.url), columns, joined)
        except ValueError as error:
            yield line, error
        except NOT_AS_WRITTEN as error:
            yield line, ValueError(f"not a row of {form.name if form else 'rollouts'}: {error!r}")
    require(columns.names, first_rows, file.url)


def _in_our_names(raw: Row, form: Form | None, columns: Columns, url: str) -> Row:
    row = mapped(raw, columns.names, raw)
    if form is not None:
        left = {role: path for role, path in columns.names.items() if role not in COUNTING}
        row = mapped(form.read(row, url), left, raw)
    own = set(columns.names) if form is None else {*columns.names, *row}
    for role, key in (("prompt", columns.prompt_key), ("problem_id", columns.id_key)):
        if role in own and key != role:
            row = {**row, key: row.get(role)}
    return split_conversation(row, columns.prompt_key)


def _checked(row: Row, columns: Columns, joined: bool) -> Row:
    elsewhere = joined and columns.id_key in row and not columns.prompts(list(row))
    if columns.prompt(row) is None and not elsewhere:
        raise ValueError(
            f"no prompt under '{columns.prompt_key}' (data.columns.prompt names it; columns: "
            f"{', '.join(row)})"
        )
    for name in ("data_idx", f"{ORIGINAL}data_idx"):
        if row.get(name) is not None:
            row = {**row, name: whole(name, row[name])}
    return row


def _reject(file: File, line: Line, error: Exception) -> Rejected:
    kind = UnreadableReward if isinstance(error, NoNumber) else Rejected
    return kind(file.url, line.number, str(error), line.text)
