"""What a data option gives: problems, the index of their rollouts, and their text when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa

from curriculum.records import Problems


class File(NamedTuple):
    """An input file and a stamp that changes when the file does."""

    url: str
    size: int
    stamp: str


class Rejected(NamedTuple):
    """A row that could not be used, where it stands and why."""

    file: str
    row: int  # line or row number, from 1
    cause: str
    text: str


@dataclass(frozen=True)
class Limits:
    """How much bad input a run puts up with (`data` in conf/config.yaml)."""

    max_rejected: int


class Loaded(NamedTuple):
    """Everything but text; `rollouts`, an index, is None where the files hold problems only."""

    problems: Problems
    rollouts: pa.Table | None
    rejected: list[Rejected]


class Data(Protocol):
    """Reads problems and, where the files have them, the index of their rollouts.

    Every option has the fields `id_key`, `prompt_key` and `reward_fn_key` (conf/config.yaml).
    """

    @property
    def label(self) -> str:
        """What the data is called where results are shown."""
        ...

    def files(self) -> list[File]:
        """The files that will be read, in order. Raises UserError where there are none."""
        ...

    def load(self) -> Loaded:
        """Read all but the text of the responses."""
        ...


class RolloutData(Data, Protocol):
    """Data that has rollouts."""

    def responses(self) -> Iterator[pa.Array]:
        """Responses in the order of the index, in batches."""
        ...

    def rows(self) -> Iterator[pa.Table]:
        """All original columns, one row a rollout, in the order of the index, in batches."""
        ...
