"""Rows of files: what was read, what is used of it, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.records import Integers


class Rejected(NamedTuple):
    """A row that could not be used, where it stands and why."""

    file: str
    row: int  # line or row number, from 1
    cause: str
    text: str


class UnreadableReward(Rejected):
    """A row that could not be used for its reward alone."""


class Rows(NamedTuple):
    """What became of the rows of files."""

    read: int
    used: int
    rejected: int
    repeated: int = 0  # stand before already
    of_other_steps: int = 0  # than data.step
    failed_calls: int = 0  # that gave no response
    failed_rollouts: int = 0  # of these rows, and of others that have some beside

    @classmethod
    def total(cls, files: Iterable[Rows]) -> Rows:
        """Of several files together."""
        return cls(*map(sum, zip(*files, strict=True)))

    def check(self, file: str) -> None:
        """Raise UserError where a row of the file is neither used nor accounted for."""
        left_out = self.rejected + self.repeated + self.of_other_steps + self.failed_calls
        if self.read != self.used + left_out:
            raise UserError(
                f"{file}: {self.read} rows were read, but {self.used} are used and "
                f"{left_out} left out. The reader is at fault; please report it"
            )


class Part(NamedTuple):
    """What a file of rollouts adds: its index, and how many of its rows were read and used."""

    index: pa.Table
    rows: Integers | None  # (rollouts,) the row that each stands in, from 1; None: one of its own
    steps: Integers | None  # (rollouts,) of training, NO_STEP where one says none; None: all do
    read: int
    used: int
    failed_calls: int = 0  # rows that are nothing else
    failed_rollouts: int = 0
    policies: Mapping[str, set[Any]] = {}  # what columns of `POLICIES` say in used rows


@dataclass(frozen=True)
class Origins:
    """In which file and row each rollout of an index stands."""

    files: Sequence[str]
    rollouts: Sequence[int]  # of each file
    numbered: Sequence[bool]  # whether those of a file have numbers; else each is a row of its own
    numbers: Integers  # rows, from 1

    @classmethod
    def of(cls, files: Sequence[str], parts: Sequence[Part]) -> Origins:
        """Of files read one after the other."""
        numbers = [part.rows for part in parts if part.rows is not None]
        return cls(
            files,
            [len(part.index) for part in parts],
            [part.rows is not None for part in parts],
            np.concatenate([np.zeros(0, np.int64), *numbers]),
        )

    def place(self, rollout: int) -> str:
        """File and row of a rollout of the index, for people."""
        start = first = 0
        for file, count, numbered in zip(self.files, self.rollouts, self.numbered, strict=True):
            own = rollout - start
            if own < count:
                return f"{file}:{int(self.numbers[first + own]) if numbered else own + 1}"
            start, first = start + count, first + count * numbered
        raise IndexError(f"there are {start} rollouts, and none of number {rollout}")
