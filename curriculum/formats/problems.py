"""Problems collected while files are read: which rows are of the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.records import PROBLEM_SCHEMA, Problems
from curriculum.formats.columns import Columns, Described, Values, columns_of
from curriculum.formats.identity import prompt_identity
from curriculum.formats.names import Row

FIELDS = (*Described._fields, "file", "position", "length")


class Places(NamedTuple):
    """Where some rows of a file stand."""

    file: str
    numbers: Sequence[int]  # for people
    positions: Sequence[int]  # for `containers.read_at`
    lengths: Sequence[int | None]  # in bytes, of lines with all samples of a problem; else None

    @classmethod
    def of_table(cls, file: str, rows: Sequence[int]) -> Places:
        """Of rows, from 0, that are no lines."""
        return cls(file, [row + 1 for row in rows], rows, [None] * len(rows))


@dataclass
class ProblemList:
    """Collects problems while files are read."""

    columns: Columns
    rows_apart: bool = False  # whether a row with all samples of a problem is one of its own
    _fields: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in FIELDS})
    _numbers: list[int] = field(default_factory=list)  # of their rows, for people
    _given: list[int | None] = field(default_factory=list)  # the data_idx that the row has
    _first: dict[str, int] = field(default_factory=dict)  # the first problem of each id ...
    _all: dict[str, list[int]] = field(default_factory=dict)  # ... and all, where it has several
    _truth_of: dict[int, str] = field(default_factory=dict)  # the row, where it is another one
    _further: dict[int, list[Row]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, row: Row, file: str = "", position: int = 0, length: int | None = None) -> int:
        """A row that is a problem of its own, even where another reads the same."""
        (added,) = self.append(columns_of([row]), Places(file, [0], [position], [length]))
        return added

    def append(self, values: Values, places: Places) -> Sequence[int]:
        """Rows that are problems of their own, even where others read the same."""
        begin, count = len(self), len(places.positions)
        self._extend(self.columns.describe(values, count), range(count), places)
        return range(begin, len(self))

    def merge(self, values: Values, places: Places) -> list[int]:
        """Rows with rollouts and a prompt: their problems may be there already.

        The same problem has the same id and, where rows carry `data_idx`, the same of that.

        Args:
            values: see `Columns.describe`.

        Raises:
            UserError: where another row of the same id has another prompt or ground truth.
        """
        described = self.columns.describe(values, len(places.positions))
        ids, begin = described.problem_id, len(self)
        if len(set(ids)) == len(ids) and self._first.keys().isdisjoint(ids):  # as most are
            self._extend(described, range(len(ids)), places)
            self._first.update(zip(ids, range(begin, len(self)), strict=True))
            return list(range(begin, len(self)))
        return [self._merge(described, i, places) for i in range(len(ids))]

    def of_id(self, row: Row) -> int:
        """The problem that a row without a prompt is of.

        Raises:
            ValueError: where no problem has its id.
        """
        own = row.get(self.columns.id_key)
        found = None if own is None else self._known(str(own), row.get("data_idx"))
        if found is None:
            told = "" if own is None else f", and no other row has {self.columns.id_key}={own}"
            raise ValueError(
                f"no prompt under '{self.columns.prompt_key}' (data.prompt_key names it){told}"
            )
        self._fields["length"][found] = None  # its line says too little to be copied alone
        return found

    def finish(self) -> Problems:
        """The problems; the second, third, ... of an id gets `#2`, `#3`, ... behind it."""
        columns = {**self._fields, "problem_id": _numbered(self._fields["problem_id"])}
        if self._further:
            columns["further"] = [self._further.get(i) for i in range(len(self))]
        arrays = [
            pa.array(columns[each.name], each.type)
            if each.name in columns
            else pa.nulls(len(self), each.type)
            for each in PROBLEM_SCHEMA
        ]
        return Problems(pa.table(arrays, schema=PROBLEM_SCHEMA))

    def _extend(self, described: Described, rows: Sequence[int], places: Places) -> None:
        begin = len(self)
        for name, values in described._asdict().items():
            self._fields[name] += [values[i] for i in rows]
        numbers: list[int | None] = self._fields["data_idx"][begin:]
        own = enumerate(numbers, begin)
        self._fields["data_idx"][begin:] = [i if each is None else int(each) for i, each in own]
        self._fields["file"] += [places.file] * len(rows)
        self._fields["position"] += [places.positions[i] for i in rows]
        self._fields["length"] += [places.lengths[i] for i in rows]
        self._numbers += [places.numbers[i] for i in rows]
        self._given += [described.data_idx[i] for i in rows]

    def _merge(self, described: Described, i: int, places: Places) -> int:
        own = described.problem_id[i]
        problem = self._known(own, described.data_idx[i])
        if problem is not None:
            self._join(problem, described, i, places)
            return problem
        problem = len(self)
        if own in self._first:
            self._all.setdefault(own, [self._first[own]]).append(problem)
        else:
            self._first[own] = problem
        self._extend(described, [i], places)
        return problem

    def _join(self, problem: int, described: Described, i: int, places: Places) -> None:
        """Another row of a problem: it must ask and answer the same."""
        prompt, truth = described.prompt[i], described.ground_truth[i]
        if different := self._difference(problem, prompt, truth):
            before = f"{self._fields['file'][problem]}:{self._numbers[problem]}"
            before = self._truth_of.get(problem, before)
            raise UserError(
                f"{places.file}:{places.numbers[i]} and {before} are both of "
                f"{self.columns.id_key}={described.problem_id[i]}, and their {different}s differ: "
                "give each problem an id of its own, or name another column with data.id_key"
            )
        if self._fields["ground_truth"][problem] is None:  # the first row left it open
            self._fields["ground_truth"][problem] = truth
            self._truth_of[problem] = f"{places.file}:{places.numbers[i]}"
        length = places.lengths[i]
        if length is None:
            self._fields["length"][problem] = None  # not all of it are lines that can be copied
        else:
            line = {"file": places.file, "position": places.positions[i], "length": length}
            self._further.setdefault(problem, []).append(line)

    def _difference(self, problem: int, prompt: str, truth: str | None) -> str | None:
        """What tells two problems of one id apart; a row without a ground truth leaves it open."""
        known = self._fields["prompt"][problem]
        if known != prompt and prompt_identity(known) != prompt_identity(prompt):
            return "prompt"
        truths = {self._fields["ground_truth"][problem], truth} - {None}
        return "ground truth" if len(truths) > 1 else None

    def _known(self, own: str, number: int | None) -> int | None:
        """The problem of an id that is there: a row, or all others, may leave `data_idx` out.

        Raises:
            UserError: where several have the id, and the row doesn't say which it is of.
        """
        if own not in self._first:
            return None
        there = self._all.get(own, [self._first[own]])
        numbers = [self._given[each] for each in there]
        if number in numbers:
            return there[numbers.index(number)]
        if number is None and len(there) > 1:
            raise UserError(
                f"{len(there)} problems have {self.columns.id_key}={own}, or say the same, each "
                "a data_idx of its own; another row of it has none"
            )
        return there[0] if number is None or numbers == [None] else None


def _numbered(ids: list[str]) -> list[str]:
    taken = set(ids)
    if len(taken) == len(ids):
        return ids
    named = []
    seen: dict[str, int] = {}
    for own in ids:
        seen[own] = times = seen.get(own, 0) + 1
        if times == 1:
            named.append(own)
            continue
        while f"{own}#{times}" in taken:
            times += 1
        seen[own] = times
        named.append(f"{own}#{times}")
    return named
