"""JSONL with rollouts: one line a rollout, or one line a problem with its samples in lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.formats.files import File, open_file
from curriculum.formats.problems import ORIGINAL, Columns, ProblemList
from curriculum.formats.repeats import step_of
from curriculum.formats.rows import Part, Rejected, UnreadableReward
from curriculum.formats.samples import NoNumber, Samples, samples_of, split_conversation
from curriculum.formats.tables import index_table, table_of

BATCH = 4096


class Line(NamedTuple):
    """A line of JSONL: where it stands and what it holds."""

    number: int  # from 1
    position: int  # bytes
    content: bytes

    @property
    def origin(self) -> dict[str, int]:
        return {"position": self.position, "length": len(self.content)}


def index(file: File, problems: ProblemList, rejected: list[Rejected]) -> Part:
    """Add a file's problems and return its part of the rollout index."""
    read = used = 0
    problem_of: list[int] = []
    sample_idx: list[int | None] = []
    rewards: list[float | None] = []
    reasons: list[str | None] = []
    steps: list[int] = []
    rows: list[int] = []
    for line in _lines(file):
        read += 1
        rollouts = _use(file, line, problems.columns, rejected)
        if rollouts is None:
            continue
        used += 1
        row, samples = rollouts
        if samples.whole_problem:
            problem = problems.add(row, file=file.url, **line.origin)
            sample_idx += range(len(samples.rewards))
        else:
            problem = problems.merge(
                row, f"{file.url}:{line.number}", file=file.url, position=line.position
            )
            sample_idx.append(row.get("sample_idx"))
        problem_of += [problem] * len(samples.rewards)
        reason = row.get("finish_reason")
        reasons += [reason if isinstance(reason, str) else None] * len(samples.rewards)
        rewards += samples.rewards
        steps += [step_of(row.get("step"))] * len(samples.rewards)
        rows += [read - 1] * len(samples.rewards)
    index = index_table(np.array(problem_of, np.int64), sample_idx, rewards, reasons)
    return Part(index, np.array(rows, np.int64), np.array(steps, np.int64), read, used)


def add_problems(file: File, problems: ProblemList, rejected: list[Rejected]) -> int:
    """Every line of a file as a problem of its own, whether or not it has samples.

    Returns how many lines were read.
    """
    read = 0
    for line in _lines(file):
        read += 1
        try:
            row = _parse(line.content, problems.columns)
        except ValueError as error:
            rejected.append(_reject(file, line, error))
        else:
            problems.add(row, file=file.url, **line.origin)
    return read


def responses(file: File, columns: Columns) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    batch: list[str | None] = []
    for _, samples in _rollouts(file, columns):
        batch += samples.responses
        if len(batch) >= BATCH:
            yield pa.array(batch, pa.string())
            batch = []
    yield pa.array(batch, pa.string())


def rows(file: File, columns: Columns) -> Iterator[pa.Table]:
    """One table, a row a rollout; what a line says of its problem is in `original_*`."""
    flat: list[Mapping[str, Any]] = []
    for row, samples in _rollouts(file, columns):
        if not samples.whole_problem:
            flat.append(row)
            continue
        own = {
            key if key == "prompt" else f"{ORIGINAL}{key}": value
            for key, value in row.items()
            if key not in samples.keys
        }
        flat += [{**own, "response": response} for response in samples.responses]
    yield table_of(flat)


def _rollouts(file: File, columns: Columns) -> Iterator[tuple[dict[str, Any], Samples]]:
    """The lines that can be used."""
    for line in _lines(file):
        rollouts = _use(file, line, columns, [])
        if rollouts is not None:
            yield rollouts


def _use(
    file: File, line: Line, columns: Columns, rejected: list[Rejected]
) -> tuple[dict[str, Any], Samples] | None:
    """A line's row and samples; None, and one more in `rejected`, where it can't be used."""
    try:
        row = _parse(line.content, columns)
        step_of(row.get("step"))
        return row, samples_of(row)
    except ValueError as error:
        rejected.append(_reject(file, line, error))
        return None


def _lines(file: File) -> Iterator[Line]:
    """Every line but the blank ones, with its true number and its place."""
    position = 0
    with open_file(file.url) as stream:
        for number, content in enumerate(stream, start=1):
            if content.strip():
                yield Line(number, position, content)
            position += len(content)


def _parse(content: bytes, columns: Columns) -> dict[str, Any]:
    """Raises ValueError, with the cause, where a line describes no problem."""
    try:
        row = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    if b"\\ud" in content.lower():  # half a surrogate pair is JSON but no text
        json.dumps(row, ensure_ascii=False).encode()
    row = split_conversation(row, columns.prompt_key)
    if columns.prompt(row) is None:
        raise ValueError(f"no prompt under '{columns.prompt_key}' (data.prompt_key names it)")
    for key in ("data_idx", "sample_idx"):
        if not isinstance(row.get(key), int | None):
            raise ValueError(f"{key} is not a whole number: {row[key]!r}")
    return row


def _reject(file: File, line: Line, error: Exception) -> Rejected:
    text = line.content.decode("utf-8", "replace").rstrip("\r\n")
    kind = UnreadableReward if isinstance(error, NoNumber) else Rejected
    return kind(file.url, line.number, str(error), text)
