"""JSONL with rollouts: one line a rollout, or one line a problem with its samples in lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.data.base import File, Rejected
from curriculum.data.files import open_file
from curriculum.data.problems import Columns, ProblemList
from curriculum.data.tables import index_table, table_of

# What a line says of its samples; everything else describes the problem.
RESPONSE_KEYS = ("response", "responses", "output")
REWARD_KEYS = ("reward", "rewards", "scores", "score")
BATCH = 4096


class Line(NamedTuple):
    """A line of JSONL: where it stands and what it holds, or why it can't be used."""

    number: int
    position: int
    length: int
    row: dict[str, Any]
    cause: str
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace").rstrip("\r\n")


def lines(file: File) -> Iterator[Line]:
    """Every line but the blank ones, with its true number and its place in bytes."""
    position = 0
    with open_file(file.url) as stream:
        for number, content in enumerate(stream, start=1):
            if content.strip():
                yield Line(number, position, len(content), *_parse(content), content)
            position += len(content)


def index(file: File, problems: ProblemList, rejected: list[Rejected]) -> pa.Table:
    """Add a file's problems and return its part of the rollout index."""
    parts: list[tuple[int, int | None, float | None]] = []
    for line in lines(file):
        if cause := line.cause or _unusable(line.row, problems.columns):
            rejected.append(Rejected(file.url, line.number, cause, line.text))
            continue
        if one_line_a_problem(line.row):
            problem = problems.add(line.row, **_origin(file, line))
        else:
            problem = problems.merge(line.row, file=file.url, position=line.position)
        parts += [(problem, i, reward) for i, reward in enumerate_rewards(line.row)]
    problem_of = np.array([problem for problem, _, _ in parts], np.int64)
    return index_table(problem_of, [i for _, i, _ in parts], [reward for _, _, reward in parts])


def add_problems(file: File, problems: ProblemList, rejected: list[Rejected]) -> None:
    """Every line of a file as a problem of its own, whether or not it has samples."""
    for line in lines(file):
        if cause := line.cause or _no_prompt(line.row, problems.columns):
            rejected.append(Rejected(file.url, line.number, cause, line.text))
        else:
            problems.add(line.row, **_origin(file, line))


def responses(file: File, columns: Columns) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    batch: list[str | None] = []
    for row in _usable(file, columns):
        batch += sample_responses(row)
        if len(batch) >= BATCH:
            yield pa.array(batch, pa.string())
            batch = []
    yield pa.array(batch, pa.string())


def rows(file: File, columns: Columns) -> Iterator[pa.Table]:
    """One table, a row a rollout; what a line says of its problem is in `original_*`."""
    flat: list[dict[str, Any]] = []
    for row in _usable(file, columns):
        if not one_line_a_problem(row):
            flat.append(row)
            continue
        own = {
            key if key == "prompt" else f"original_{key}": value
            for key, value in row.items()
            if key not in RESPONSE_KEYS + REWARD_KEYS
        }
        flat += [{**own, "response": response} for response in sample_responses(row)]
    yield table_of(flat)


def one_line_a_problem(row: Mapping[str, Any]) -> bool:
    """Whether a line holds all samples of a problem (lists) rather than one of them."""
    return any(isinstance(row.get(key), list) for key in RESPONSE_KEYS + REWARD_KEYS) or isinstance(
        row.get("response"), Mapping
    )


def enumerate_rewards(row: Mapping[str, Any]) -> Iterator[tuple[int | None, float | None]]:
    """(sample_idx, reward) of each sample of a line; None where the line doesn't say."""
    scores = sample_rewards(row) or [None] * len(sample_responses(row))
    if one_line_a_problem(row):
        yield from enumerate(scores)
    else:
        yield row.get("sample_idx"), scores[0]


def sample_rewards(row: Mapping[str, Any]) -> list[float | None]:
    """Rewards of a line: numbers, or `{"score": number}` as seen in wide rollout files."""
    value: Any = next((row[key] for key in REWARD_KEYS if row.get(key) is not None), [])
    each = value if isinstance(value, list) else [value]
    return [_number(one.get("score") if isinstance(one, Mapping) else one) for one in each]


def sample_responses(row: Mapping[str, Any]) -> list[str | None]:
    """Texts of a line: strings, chat messages, or the choices of a completion."""
    value = next((row[key] for key in RESPONSE_KEYS if row.get(key) is not None), None)
    if isinstance(value, Mapping) and isinstance(value.get("choices"), list):
        value = value["choices"]
    each = value if isinstance(value, list) else [value]
    texts = [_text(one) for one in each]
    # A response without text beside a list of rewards says nothing of how many samples there were.
    scores = sample_rewards(row)
    return texts if any(text is not None for text in texts) else [None] * len(scores)


def _origin(file: File, line: Line) -> dict[str, Any]:
    return {"file": file.url, "position": line.position, "length": line.length}


def _no_prompt(row: Mapping[str, Any], columns: Columns) -> str:
    if columns.prompt(row) is not None:
        return ""
    return f"no prompt under '{columns.prompt_key}' (data.prompt_key names its column)"


def _unusable(row: Mapping[str, Any], columns: Columns) -> str:
    """Why a line can't be used, or nothing."""
    if cause := _no_prompt(row, columns):
        return cause
    if not any(key in row for key in RESPONSE_KEYS + REWARD_KEYS):
        return f"neither a response nor a reward (keys: {', '.join(row)})"
    texts, scores = sample_responses(row), sample_rewards(row)
    if scores and len(texts) != len(scores):
        return f"{len(texts)} responses but {len(scores)} rewards"
    return ""


def _usable(file: File, columns: Columns) -> Iterator[dict[str, Any]]:
    """The rows that `index` used, in the same order."""
    for line in lines(file):
        if not line.cause and not _unusable(line.row, columns):
            yield line.row


def _parse(content: bytes) -> tuple[dict[str, Any], str]:
    try:
        row = json.loads(content)
    except ValueError as error:
        return {}, f"not JSON: {error}"
    return (row, "") if isinstance(row, dict) else ({}, "not a JSON object")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Any) -> str | None:
    if isinstance(value, Mapping):
        message = value.get("message")
        value = message if isinstance(message, Mapping) else value
        value = next((value[key] for key in ("content", "text", "output") if key in value), None)
    return value if isinstance(value, str) else None
