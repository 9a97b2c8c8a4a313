"""Rows of files: what was read, what is used of it, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

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
    rows: Integers | None  # (rollouts,) the row that each stands in, from 0; None: one of its own
    steps: Integers | None  # (rollouts,) of training, NO_STEP where one says none; None: all do
    read: int
    used: int
    failed_calls: int = 0  # rows that are nothing else
    failed_rollouts: int = 0
