"""From an original row to a problem: where its fields stand, its id, and when two rows are one."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from curriculum.records import PROBLEM_SCHEMA, Problems

# Made once: json.dumps makes a new one at every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str)
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "problem.curriculum")


@dataclass(frozen=True)
class Columns:
    """Where the data keeps what a problem is made of (`data` in conf/config.yaml)."""

    id_key: str
    prompt_key: str
    reward_fn_key: str

    def describe(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The problem in an original row; columns of a rollout file may be named `original_*`."""
        prefix = "original_"
        original = {k.removeprefix(prefix): v for k, v in row.items() if k.startswith(prefix)}
        row = {**row, **original}
        source, ground_truth = self._source_and_truth(row)
        prompt = self.prompt(row)
        own_id = row.get(self.id_key)
        content = to_json([source, canonical_prompt(prompt), ground_truth])
        return {
            "problem_id": str(uuid.uuid5(NAMESPACE, content)) if own_id is None else str(own_id),
            "data_source": source,
            "prompt": to_json(prompt),
            "ground_truth": None if ground_truth is None else to_json(ground_truth),
            "extra_info": None if row.get("extra_info") is None else to_json(row["extra_info"]),
        }

    def prompt(self, row: Mapping[str, Any]) -> Any:
        """The prompt of a row, None where it has none."""
        return _first(row, self.prompt_key, "messages", "input")

    def _source_and_truth(self, row: Mapping[str, Any]) -> tuple[str, Any]:
        """`reward_fn_key` names the column with the ground truth, or, as in verl, the source."""
        value = row.get(self.reward_fn_key)
        source = _first(row, "data_source", "source")
        if isinstance(value, Mapping):
            ground_truth = value.get("ground_truth")
        elif isinstance(row.get("reward_model"), Mapping):
            source, ground_truth = value, row["reward_model"].get("ground_truth")
        else:
            ground_truth = value
        if ground_truth is None:
            ground_truth = _first(row, "ground_truth", "gts", "answer")
        return str(source or "unknown"), ground_truth


@dataclass
class ProblemList:
    """Collects problems while files are read."""

    columns: Columns
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _seen: dict[Hashable, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Mapping[str, Any], **origin: Any) -> int:
        """A row that is a problem of its own, even where another reads the same."""
        self._rows.append({**self.columns.describe(row), "data_idx": len(self._rows), **origin})
        return len(self._rows) - 1

    def merge(self, row: Mapping[str, Any], **origin: Any) -> int:
        """A rollout's row: its problem may be there already.

        The same problem has the same id and, where rollouts carry `data_idx`, the same of that.
        """
        problem = self.columns.describe(row)
        own_index = row.get("data_idx")
        key = (problem["problem_id"], own_index)
        if key not in self._seen:
            self._seen[key] = len(self._rows)
            data_idx = len(self._rows) if own_index is None else int(own_index)
            self._rows.append({**problem, **origin, "data_idx": data_idx})
        return self._seen[key]

    def finish(self) -> Problems:
        """The problems; the second, third, ... of an id gets `#2`, `#3`, ... behind it."""
        times: Counter[str] = Counter()
        for row in self._rows:
            times[row["problem_id"]] += 1
            if times[row["problem_id"]] > 1:
                row["problem_id"] += f"#{times[row['problem_id']]}"
        return Problems(pa.Table.from_pylist(self._rows, PROBLEM_SCHEMA))


def canonical_prompt(prompt: Any) -> Any:
    """One form for the same prompt: a chat of one user message reads as its text."""
    if not isinstance(prompt, list) or not all(isinstance(each, Mapping) for each in prompt):
        return prompt
    messages = [{k: v for k, v in each.items() if v is not None} for each in prompt]
    if len(messages) == 1 and messages[0].get("role") == "user":
        return messages[0].get("content")
    return messages


def to_json(value: Any) -> str:
    """JSON text, the same for the same value whatever the order of its keys."""
    return _ENCODER.encode(value)


def _first(row: Mapping[str, Any], *names: str) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)
