"""From an original row to a problem: where its fields stand, its id, and when two rows are one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha1
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.records import PROBLEM_SCHEMA, Problems
from curriculum.formats.names import (
    MEDIA,
    ORIGINAL,
    PROMPTS,
    SOURCES,
    TRUTHS,
    FailedCalls,
    Names,
    Row,
)

# Made once: json.dumps makes a new one at every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str)
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "problem.curriculum")
NO_SOURCE = "unknown"  # the data_source of problems that have none
STAGE = "curriculum_stage"  # in the extra_info of stage files alone


@dataclass(frozen=True)
class Columns:
    """Where the data keeps what a problem is made of (`data` in conf/config.yaml)."""

    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"
    names: Names = field(default_factory=dict)  # data.columns
    reward_key: str | None = None  # of the number that counts; None: the reward
    failed_calls: FailedCalls = "excluded"

    def prompt(self, row: Row) -> Any:
        """The prompt of a row, None where it has none."""
        return _first(unmarked(row), *self.prompt_names) or None  # an empty one is none

    def describe(self, row: Row) -> dict[str, Any]:
        """The problem in an original row that has a prompt."""
        row = unmarked(row)
        prompt = _first(row, *self.prompt_names)
        source, ground_truth = self._source_and_truth(row)
        own_id = _own_id(row, self.id_key)
        asked = to_json(prompt)
        truth = None if ground_truth is None else to_json(ground_truth)
        if own_id is None:
            canonical = asked if isinstance(prompt, str) else to_json(canonical_prompt(prompt))
            media = {name: row[name] for name in MEDIA if row.get(name)}
            seen = [to_json(source), canonical, truth or "null", *([to_json(media)] * bool(media))]
            own_id = _named_by(f"[{', '.join(seen)}]")
        return {
            "problem_id": str(own_id),
            "data_source": source,
            "prompt": asked,
            "ground_truth": truth,
            "extra_info": None if row.get("extra_info") is None else to_json(row["extra_info"]),
        }

    def prompts(self, names: list[str]) -> list[str]:
        """Those of a file's columns that a prompt may stand in, the one to be preferred first."""
        marked = [f"{ORIGINAL}{name}" for name in self.prompt_names]
        pairs = zip(self.prompt_names, marked, strict=True)
        return [two if two in names else one for one, two in pairs if one in names or two in names]

    def telling(self, names: list[str]) -> list[str]:
        """Those of a file's columns that tell problems apart when there is no id."""
        known = (*self.prompt_names, *SOURCES, *TRUTHS, *MEDIA, self.reward_fn_key, "reward_model")
        return [name for name in names if name.removeprefix(ORIGINAL) in known]

    @cached_property
    def prompt_names(self) -> tuple[str, ...]:
        """Columns that a prompt may stand in, the one to be preferred first."""
        return tuple(dict.fromkeys((self.prompt_key, *PROMPTS[1:])))

    def _source_and_truth(self, row: Row) -> tuple[str, Any]:
        """`reward_fn_key` names the column with the ground truth, or, as in verl, the source."""
        value, reward_model = row.get(self.reward_fn_key), row.get("reward_model")
        source, ground_truth = _first(row, *SOURCES), None
        if isinstance(value, Mapping):
            ground_truth = value.get("ground_truth")
        elif isinstance(reward_model, Mapping):
            source, ground_truth = value or source, reward_model.get("ground_truth")
        elif self.reward_fn_key not in SOURCES:
            ground_truth = value
        if ground_truth is None:
            ground_truth = _first(row, *TRUTHS)
        return str(source or NO_SOURCE), ground_truth


@dataclass
class ProblemList:
    """Collects problems while files are read."""

    columns: Columns
    rows_apart: bool = False  # whether a row with all samples of a problem is one of its own
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _seen: dict[Hashable, int] = field(default_factory=dict)
    _numbers: dict[str, list[int | None]] = field(default_factory=dict)  # data_idx of each id
    _places: dict[Hashable, tuple[str, int]] = field(default_factory=dict)  # of each's first row

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row, **origin: Any) -> int:
        """A row that is a problem of its own, even where another reads the same."""
        return self._append(self.columns.describe(row), row.get("data_idx"), origin)

    def merge(self, row: Row, file: str, number: int, position: int, length: int | None) -> int:
        """A row with rollouts: its problem may be there already.

        The same problem has the same id and, where rows carry `data_idx`, the same of that. A row
        without a prompt is of the problem that has its id.

        Args:
            number: of the row, for people.
            position: of the row, for `containers.read_at`.
            length: in bytes, of a line that holds the samples of a problem; None: of another row.

        Raises:
            UserError: where another row of the same id has another prompt or ground truth.
            ValueError: where the row has no prompt, and no problem its id.
        """
        if self.columns.prompt(row) is None:
            place = self._of_id(row)
            self._rows[place]["length"] = None  # its line says too little to be copied alone
            return place
        problem = self.columns.describe(row)
        key = self._known(problem["problem_id"], row.get("data_idx"))
        if key not in self._seen:
            self._numbers.setdefault(problem["problem_id"], []).append(key[1])
            origin = {"file": file, "position": position, "length": length}
            self._seen[key] = self._append(problem, row.get("data_idx"), origin)
            self._places[key] = (file, number)
            return self._seen[key]
        known = self._rows[self._seen[key]]
        if different := _difference(known, problem):
            before = ":".join(map(str, self._places[key]))
            raise UserError(
                f"{file}:{number} and {before} are both of {self.columns.id_key}="
                f"{problem['problem_id']}, and their {different}s differ: give each problem an id "
                "of its own, or name another column with data.id_key"
            )
        if known["ground_truth"] is None:  # the first row left it open
            known["ground_truth"] = problem["ground_truth"]
            self._places[key] = (file, number)
        if length is None:
            known["length"] = None  # not all of it are lines that can be copied
        else:
            further = {"file": file, "position": position, "length": length}
            known["further"] = [*known.get("further", []), further]
        return self._seen[key]

    def _known(self, own: str, number: int | None) -> tuple[str, int | None]:
        """The key of a problem that is there: a row, or all others, may leave `data_idx` out.

        Raises:
            UserError: where several have the id, and the row doesn't say which it is of.
        """
        numbers = self._numbers.get(own, [])
        if number in numbers or not numbers:
            return own, number
        if number is None and len(numbers) > 1:
            raise UserError(
                f"{len(numbers)} problems have {self.columns.id_key}={own}, or say the same, each "
                "a data_idx of its own; another row of it has none"
            )
        return (own, numbers[0]) if number is None or numbers == [None] else (own, number)

    def _of_id(self, row: Row) -> int:
        own = row.get(self.columns.id_key)
        key = None if own is None else self._known(str(own), row.get("data_idx"))
        found = None if key is None else self._seen.get(key)
        if found is None:
            told = "" if own is None else f", and no other row has {self.columns.id_key}={own}"
            raise ValueError(
                f"no prompt under '{self.columns.prompt_key}' (data.prompt_key names it){told}"
            )
        return found

    def finish(self) -> Problems:
        """The problems; the second, third, ... of an id gets `#2`, `#3`, ... behind it."""
        taken: set[str] = {row["problem_id"] for row in self._rows}
        seen: dict[str, int] = {}
        for row in self._rows:
            own = row["problem_id"]
            seen[own] = times = seen.get(own, 0) + 1
            if times > 1:
                while f"{own}#{times}" in taken:
                    times += 1
                seen[own] = times
                row["problem_id"] = f"{own}#{times}"
        return Problems(pa.Table.from_pylist(self._rows, PROBLEM_SCHEMA))

    def _append(self, problem: dict[str, Any], data_idx: int | None, origin: Row) -> int:
        number = len(self._rows) if data_idx is None else int(data_idx)
        self._rows.append({**problem, **origin, "data_idx": number})
        return len(self._rows) - 1


def _difference(one: Row, other: Row) -> str | None:
    """What tells two problems of one id apart; a row without a ground truth leaves it open."""
    if one["prompt"] != other["prompt"] and prompt_identity(one["prompt"]) != prompt_identity(
        other["prompt"]
    ):
        return "prompt"
    truths = {one["ground_truth"], other["ground_truth"]} - {None}
    return "ground truth" if len(truths) > 1 else None


def without_number(problem_id: str) -> str:
    """The id that the data gave, without the `#2` of its second problem."""
    own, mark, number = problem_id.rpartition("#")
    return own if mark and number.isdigit() else problem_id


def canonical_prompt(prompt: Any) -> Any:
    """One form for the same prompt: a chat of one user message reads as its text."""
    if not isinstance(prompt, list) or not all(isinstance(each, Mapping) for each in prompt):
        return prompt
    messages = [{k: v for k, v in each.items() if v is not None} for each in prompt]
    if len(messages) == 1 and messages[0].get("role") == "user":
        return messages[0].get("content")
    return messages


def prompt_identity(prompt: str) -> str:
    """Equal for problems that ask the same, from a prompt's JSON text."""
    return prompt if prompt[0] == '"' else to_json(canonical_prompt(json.loads(prompt)))


def to_json(value: Any) -> str:
    """JSON text, the same for the same value whatever the order of its keys."""
    return encode_basestring(value) if type(value) is str else _ENCODER.encode(value)


def _named_by(content: str) -> str:
    """`uuid.uuid5(NAMESPACE, content)` as text."""
    digest = bytearray(sha1(NAMESPACE.bytes + content.encode()).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    name = digest.hex()
    return f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}"


def unmarked(row: Row) -> Row:
    """The row with its `original_*` columns under their own names."""
    marked = [name for name in row if name.startswith(ORIGINAL)]
    return {**row, **{name.removeprefix(ORIGINAL): row[name] for name in marked}} if marked else row


def _own_id(row: Row, key: str) -> Any:
    """The data's own id; stage files keep it in their extra_info."""
    extra_info = row.get("extra_info")
    if row.get(key) is None and isinstance(extra_info, Mapping) and STAGE in extra_info:
        return extra_info.get("problem_id")
    return row.get(key)


def _first(row: Row, *names: str) -> Any:
    for name in names:  # for every problem: a generator is thrice as dear
        value = row.get(name)
        if value is not None:
            return value
    return None
