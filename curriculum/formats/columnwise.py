"""The quick way through parquet in plain names: whole columns at a time, not row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.records import Booleans, Integers
from curriculum.formats.columns import STAGE, Columns
from curriculum.formats.files import File
from curriculum.formats.forms import form_of
from curriculum.formats.grouping import codes_of, first_rows
from curriculum.formats.identity import to_json
from curriculum.formats.names import (
    COUNTING,
    ERRORS,
    ORIGINAL,
    POLICIES,
    REASONS,
    RESPONSES,
    REWARDS,
)
from curriculum.formats.parquet import Parquet, opened
from curriculum.formats.problems import Places, ProblemList
from curriculum.formats.repeats import NO_STEP, step_of
from curriculum.formats.rows import Part, Rejected, UnreadableReward
from curriculum.formats.samples import CUT_OFF, NoNumber, meaning, number
from curriculum.formats.tables import index_table, is_list, is_text

INFOS = ("extra_info", f"{ORIGINAL}extra_info")
Causes = dict[int, str]  # {row or sample: why its reward is no number}


def is_quick(file: File, columns: Columns) -> bool:
    """Whether a file's responses are texts, or lists of texts, with plain rewards beside them.

    Raises:
        UserError: where a parquet file holds no rollouts at all.
    """
    if not file.url.endswith(".parquet") or {*columns.names} & {*COUNTING}:
        return False
    with opened(file.url, columns) as parquet:
        if parquet is None or any(parquet.nulls(role) == len(parquet) for role in parquet.chosen):
            return False
        response, reward = parquet.pick(RESPONSES), parquet.pick(REWARDS)
        first = next(parquet.batches(parquet.names, 1), None)
        if first is not None and len(first) and form_of(first.to_pylist()[0]) is not None:
            return False
        if response is None and reward is None and len(parquet):
            raise UserError(
                f"{file.url} has no rollouts: no column {', '.join(RESPONSES)} (its columns: "
                f"{', '.join(parquet.names)}); data.columns.response names another. If it holds "
                "problems only: data=verl data.path=PROBLEMS generator.path=ROLLOUTS"
            )
        if response is None or parquet.pick(ERRORS) is not None or _needs_rows(parquet, columns):
            return False
        kind = parquet.type(response)
        lists = is_list(kind)
        return (
            is_text(kind.value_type if lists else kind)
            and _are_numbered(parquet, lists)
            and _reasons_are_plain(parquet, lists)
            and (reward is None or _is_chosen(parquet, reward, lists, columns.reward_key))
        )


def _are_numbered(parquet: Parquet, lists: bool) -> bool:
    """Whether what should be whole numbers can be nothing else."""
    whole = ("data_idx", f"{ORIGINAL}data_idx", "sample_idx", "step")
    kinds = {name: parquet.type(name) for name in whole if name in parquet.names}
    if lists and "sample_idx" in kinds:
        return False
    return all(
        (pa.types.is_integer(kind) and kind != pa.uint64()) or pa.types.is_null(kind)
        for kind in kinds.values()
    )


def _reasons_are_plain(parquet: Parquet, lists: bool) -> bool:
    """Whether one column of texts at most says why responses ended."""
    there = [name for name in REASONS if name in parquet.names]
    return not there or (not lists and len(there) == 1 and is_text(parquet.type(there[0])))


def _is_chosen(parquet: Parquet, reward: str, lists: bool, key: str | None) -> bool:
    """Whether a column's numbers are those that count, all of them under one name."""
    kind = parquet.type(reward)
    if is_list(kind) != lists:
        return False
    kind = kind.value_type if lists else kind
    if not pa.types.is_struct(kind):
        return key is None or parquet.standing(reward) == key
    return (key or "score") in kind.names


def index(file: File, problems: ProblemList, rejected: list[Rejected]) -> Part:
    """Add a file's problems and return its part of the rollout index."""
    with _named(file, problems.columns) as parquet:
        response = str(parquet.pick(RESPONSES))
        if is_list(parquet.type(response)):
            return _index_lists(file, parquet, response, problems, rejected)
        return _index_rows(file, parquet, problems, rejected)


def responses(file: File, columns: Columns) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    with _named(file, columns) as parquet:
        column, reason = str(parquet.pick(RESPONSES)), parquet.pick(REASONS)
        read = [column] if reason is None else [column, reason]
        for batch in parquet.batches(read):
            values = batch.column(column)
            values = pc.list_flatten(values) if is_list(values.type) else values
            texts = values.cast(pa.string())
            yield texts if reason is None else _cut_off_is_empty(texts, batch.column(reason))


def _cut_off_is_empty(texts: pa.Array, reasons: pa.Array) -> pa.Array:
    cut_off = pc.equal(_meanings(reasons), CUT_OFF).fill_null(False)
    return pc.if_else(pc.and_(cut_off, texts.is_null()), "", texts)


def rows(file: File, columns: Columns) -> Iterator[pa.Table]:
    """All columns, a row a rollout; where a row held a list of them, its own are `original_*`."""
    with _named(file, columns) as parquet:
        picked = (parquet.pick(names) for names in (RESPONSES, REWARDS))
        response, reward = (name and parquet.standing(name) for name in picked)
        for table in parquet.whole():
            lists = is_list(table[response].type)
            yield _explode(table, str(response), reward) if lists else table


@contextmanager
def _named(file: File, columns: Columns) -> Iterator[Parquet]:
    with opened(file.url, columns) as parquet:
        assert parquet is not None, "is_quick was not asked"
        yield parquet


def _needs_rows(parquet: Parquet, columns: Columns) -> bool:
    """Whether a row must be looked at to tell its prompt, its id or which of its texts is which."""
    prompts = columns.prompts(parquet.names)
    plain = {name.removeprefix(ORIGINAL) for name in prompts}
    infos = [parquet.type(name) for name in parquet.names if name in INFOS]
    staged = any(pa.types.is_struct(kind) and STAGE in kind.names for kind in infos)
    if not prompts or "messages" in plain or staged:
        return True
    # Which of several has the answers is told by the rows that can be used alone.
    several = any(len({*names} & {*parquet.names}) > 1 for names in (RESPONSES, REWARDS))
    return several and parquet.nulls(prompts[0]) > 0


def _index_rows(
    file: File, parquet: Parquet, problems: ProblemList, rejected: list[Rejected]
) -> Part:
    reward, unreadable = _read_rewards(file, parquet, problems.columns.reward_key)
    codes, first, others, usable = _group(parquet, problems.columns, list(unreadable))
    merged = np.full(len(first), -1, np.int64)
    merged[usable[first]] = _merge(file, parquet, problems, first[usable[first]])
    _merge(file, parquet, problems, others[usable[others]])  # raises where they differ
    problem = merged[codes]
    rejected += _rejects(file, parquet, np.flatnonzero(problem < 0), problems.columns, unreadable)
    has_numbers = "sample_idx" in parquet.names
    sample_idx = parquet.read("sample_idx").cast(pa.int64()) if has_numbers else None
    reasons = _finish_reasons(parquet)
    table = index_table(
        problem, _or_nulls(sample_idx, problem), _or_nulls(reward, problem), reasons
    )
    used = problem >= 0
    said = _policies(parquet, used)
    return Part(table, None, _steps(file, parquet), len(problem), int(np.sum(used)), policies=said)


def _index_lists(
    file: File,
    parquet: Parquet,
    response: str,
    problems: ProblemList,
    rejected: list[Rejected],
) -> Part:
    lists = (batch.column(0) for batch in parquet.batches([response]))
    lengths = pa.concat_arrays([pa.array([], pa.int64()), *map(_lengths, lists)])
    row = np.repeat(np.arange(len(lengths)), lengths.to_numpy())
    reward, unreadable = None, {}
    name = parquet.pick(REWARDS)
    if name is not None:
        rewards, key = parquet.read(name), problems.columns.reward_key
        count = _lengths(rewards).to_numpy()
        as_many = count == lengths.to_numpy()
        flat, of_samples = _numbers(file, name, pc.list_flatten(rewards.filter(as_many)), key)
        have = np.flatnonzero(as_many[row])
        reward = pa.nulls(len(row), pa.float64())
        reward = pc.replace_with_mask(reward, pa.array(as_many[row]), flat)
        unreadable = {int(row[have[sample]]): cause for sample, cause in of_samples.items()}
        for place in np.flatnonzero(~as_many & rewards.is_valid().to_numpy(zero_copy_only=False)):
            unreadable[int(place)] = f"{lengths[place]} responses but {count[place]} rewards"
    row_of = _merge_rows(file, parquet, problems, rejected, unreadable)
    problem = row_of[row]
    table = index_table(problem, _or_nulls(None, problem), _or_nulls(reward, problem))
    steps = _steps(file, parquet)
    return Part(
        *(table, row + 1, None if steps is None else steps[row]),
        *(len(row_of), int(np.sum(row_of >= 0))),
        policies=_policies(parquet, row_of >= 0),
    )


def _merge_rows(
    file: File,
    parquet: Parquet,
    problems: ProblemList,
    rejected: list[Rejected],
    unreadable: Causes,
) -> Integers:
    """(rows,) the problem that each row is, -1 where it can't be used."""
    usable = _have_prompt(parquet, problems.columns)
    usable[list(unreadable)] = False
    problem = np.full(len(usable), -1, np.int64)
    problem[usable] = _merge(file, parquet, problems, np.flatnonzero(usable), problems.rows_apart)
    rejected += _rejects(file, parquet, np.flatnonzero(~usable), problems.columns, unreadable)
    return problem


def _merge(
    file: File,
    parquet: Parquet,
    problems: ProblemList,
    positions: Integers,
    rows_apart: bool = False,
) -> list[int]:
    """The problems that the rows at ascending positions are."""
    found: list[int] = []
    names = problems.columns.describing(parquet.names)
    for here, batch in _take(parquet, positions, names):
        values = {name: batch[name].to_pylist() for name in batch.schema.names}
        places = Places.of_table(file.url, here.tolist())
        found += (problems.append if rows_apart else problems.merge)(values, places)
    return found


def _rejects(
    file: File, parquet: Parquet, positions: Integers, columns: Columns, unreadable: Causes
) -> Iterator[Rejected]:
    """The rows at ascending positions, without what belongs to their rollouts, and why."""
    of_rollouts = (parquet.pick(RESPONSES), parquet.pick(REWARDS), *REASONS, "sample_idx")
    names = [name for name in parquet.names if name not in of_rollouts]
    for here, batch in _take(parquet, positions, names):
        for position, row in zip(here.tolist(), batch.to_pylist(), strict=True):
            number, text = position + 1, to_json(row)
            if columns.prompt(row) is not None:
                yield UnreadableReward(file.url, number, unreadable[position], text)
                continue
            key, found = columns.prompt_key, ", ".join(row)
            cause = f"no prompt under '{key}' (data.columns.prompt names it; columns: {found})"
            yield Rejected(file.url, number, cause, text)


def _have_prompt(parquet: Parquet, columns: Columns) -> Booleans:
    """(R,) whether a row has a prompt, as `Columns.prompt` finds it."""
    names = columns.prompts(parquet.names)
    batches = parquet.batches(names)
    return np.concatenate([np.zeros(0, bool), *(_ask(batch, names) for batch in batches)])


def _ask(batch: pa.RecordBatch, names: list[str]) -> Booleans:
    found, unseen = np.zeros(len(batch), bool), np.ones(len(batch), bool)
    for name in names:
        column = batch.column(name)
        found |= unseen & _is_said(column)
        unseen &= column.is_null().to_numpy(zero_copy_only=False)
    return found


def _is_said(column: pa.Array) -> Booleans:
    """(R,) whether a value is true in Python: neither null nor an empty text or list."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_text(column.type) or is_list(column.type):
        measure = pc.list_value_length if is_list(column.type) else pc.binary_length
        return np.asarray(pc.greater(measure(column), 0).fill_null(False))
    return np.array([bool(value) for value in column.to_pylist()], bool)


def _group(
    parquet: Parquet, columns: Columns, unreadable: list[int]
) -> tuple[Integers, Integers, Integers, Booleans]:
    """Group rows by problem: (R,) codes in order of appearance, (P,) the first row of each.

    And the first rows of whatever else a group says of its problem, ascending, and (R,) which rows
    can be used; the others are in groups of their own.

    By the data's own id, else by everything that tells problems apart; by `data_idx` in any case.
    """
    names = parquet.names
    keys = [key for key in (columns.id_key, f"{ORIGINAL}{columns.id_key}") if key in names]
    telling, prompts = columns.telling(names), columns.prompts(names)
    by_content = not keys or any(parquet.nulls(key) for key in keys)
    own = [*keys, *(name for name in telling if by_content)]
    own += [name for name in ("data_idx", f"{ORIGINAL}data_idx") if name in names]
    groups = [dict.fromkeys(own)] if by_content else [dict.fromkeys(own), {*own, *telling}]
    read = list(dict.fromkeys(name for group in groups for name in group))
    schema = pa.schema([(name, parquet.type(name)) for name in read])
    asking = [np.zeros(0, bool)]

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in parquet.batches(read):
            asking.append(_ask(batch, prompts))
            yield batch

    found = codes_of(batches(), schema, [list(group) for group in groups])
    usable = np.concatenate(asking)
    usable[unreadable] = False
    codes, finer = (_apart(each, usable) for each in (found[0], found[-1]))
    first = first_rows(codes)
    others = first[:0] if by_content else np.setdiff1d(first_rows(finer), first)
    return codes, first, others, usable


def _apart(codes: Integers, usable: Booleans) -> Integers:
    return codes if usable.all() else np.asarray(pd.factorize(codes * 2 + usable)[0], np.int64)


def _take(
    parquet: Parquet, wanted: Integers, names: list[str]
) -> Iterator[tuple[Integers, pa.RecordBatch]]:
    """The columns of the rows at ascending positions, under their own names."""
    start = 0
    for batch in parquet.batches(names) if len(wanted) else ():
        begin, end = np.searchsorted(wanted, [start, start + len(batch)])
        here = wanted[begin:end]
        if len(here):
            yield here, _unmarked(batch.take(pa.array(here - start)))
        start += len(batch)


def _unmarked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The `original_*` columns under their own names, in the place of others of these."""
    names = batch.schema.names
    marked = {name.removeprefix(ORIGINAL) for name in names if name.startswith(ORIGINAL)}
    kept = [name for name in names if name not in marked]
    renamed = [name.removeprefix(ORIGINAL) for name in kept]
    return batch.select(kept).rename_columns(renamed)


def _read_rewards(file: File, parquet: Parquet, key: str | None) -> tuple[pa.Array | None, Causes]:
    name = parquet.pick(REWARDS)
    return (None, {}) if name is None else _numbers(file, name, parquet.read(name), key)


def _steps(file: File, parquet: Parquet) -> Integers | None:
    """(R,) the training step of each row, NO_STEP where it has none."""
    if "step" not in parquet.names:
        return None
    column = parquet.read("step")
    if pa.types.is_nested(column.type):
        raise UserError(f"{file.url}: 'step' are {column.type}, no whole numbers")
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    try:
        known = [*map(step_of, encoded.dictionary.to_pylist()), NO_STEP]
    except ValueError as error:
        raise UserError(f"{file.url}: {error}") from error
    codes = np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1))
    return np.asarray(np.array(known, np.int64)[codes])


def _policies(parquet: Parquet, used: Booleans) -> dict[str, set[Any]]:
    """What the used rows say in columns of `POLICIES`."""
    plain = [n for n in POLICIES if n in parquet.names and not pa.types.is_nested(parquet.type(n))]
    said = {name: parquet.read(name).filter(pa.array(used)).unique() for name in plain}
    return {name: {*values.drop_null().to_pylist()} for name, values in said.items()}


def _finish_reasons(parquet: Parquet) -> pa.Array | None:
    name = parquet.pick(REASONS)
    if name is None:
        return None
    return _meanings(parquet.read(name))


def _meanings(reasons: pa.Array) -> pa.Array:
    encoded = reasons.cast(pa.string()).dictionary_encode()
    meanings = pa.array([meaning(each) for each in encoded.dictionary.to_pylist()], pa.string())
    return meanings.take(encoded.indices)


def _numbers(file: File, name: str, column: pa.Array, key: str | None) -> tuple[pa.Array, Causes]:
    """Rewards as floats, see `samples.number`, and why some are none.

    Raises:
        UserError: for a column of neither numbers nor text.
    """
    if pa.types.is_struct(column.type):
        inside = next((each for each in (key, "score") if each in column.type.names), None)
        column = column if inside is None else pc.struct_field(column, inside)
    kind = column.type
    types = pa.types
    if is_text(kind):
        return _numbers_in_text(column)
    numeric = (types.is_floating, types.is_integer, types.is_boolean, types.is_decimal)
    if not any(is_kind(kind) for is_kind in (*numeric, types.is_null)):
        raise UserError(f"{file.url}: rewards in '{name}' are {kind}, not numbers")
    return column.cast(pa.float64()), {}


def _numbers_in_text(column: pa.Array) -> tuple[pa.Array, Causes]:
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    numbers: list[float | None] = []
    unreadable: Causes = {}
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            numbers.append(number(text))
        except NoNumber as error:
            numbers.append(None)
            unreadable[code] = str(error)
    codes = np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1))
    rewards = pa.array(numbers, pa.float64()).take(encoded.indices)
    rows = np.flatnonzero(np.isin(codes, list(unreadable)))
    return rewards, {int(row): unreadable[int(codes[row])] for row in rows}


def _lengths(lists: pa.Array) -> pa.Array:
    return pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())


def _or_nulls(column: pa.Array | None, problem: Integers) -> pa.Array:
    return pa.nulls(len(problem)) if column is None else column


def _explode(table: pa.Table, column: str, reward: str | None) -> pa.Table:
    """A row a sample of a table with a row a problem."""
    lists = table[column].combine_chunks()
    used = [column, *([reward] if reward and is_list(table[reward].type) else [])]
    kept = table.drop_columns(used).take(pc.list_parent_indices(lists))
    names = [name if name == "prompt" else f"{ORIGINAL}{name}" for name in kept.column_names]
    return kept.rename_columns(names).append_column("response", pc.list_flatten(lists))
