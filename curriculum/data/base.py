"""What a data option gives: problems, the index of their rollouts, and their text when asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol, Self

import pyarrow as pa
from pydantic import Field

from curriculum.core.records import Problems
from curriculum.formats.columns import Columns
from curriculum.formats.files import File, find
from curriculum.formats.names import checked
from curriculum.formats.rows import Origins, Rejected, Rows

Truncated = Literal["wrong", "excluded", "unknown"]


@dataclass(frozen=True)
class Limits:
    """What a run takes of its data (`data` in conf/config.yaml)."""

    max_rejected: Annotated[int, Field(ge=0)] = 100
    limit: Annotated[int, Field(ge=1)] | None = None  # problems that are used; None: all
    truncated: Truncated = "wrong"


class Loaded(NamedTuple):
    """Everything but text; `rollouts`, an index, is None where the files hold problems only."""

    problems: Problems
    rollouts: pa.Table | None
    rejected: list[Rejected]
    rows: Rows
    took: Sequence[str] = ()  # what was read of each file, for people
    origins: Origins | None = None  # of the rollouts


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

    def names(self) -> list[str] | None:
        """The buckets that it puts its problems in, easy to hard; None where it doesn't say."""
        return None

    def takes_all_of(self, folder: Path) -> bool:
        """Whether it reads whatever lies in a folder, so that no run may write there."""
        return False

    @property
    def rollout_columns(self) -> list[tuple[str, ...]] | None:
        """Columns that its rows have of rollouts, of each kind the first that is there."""
        return None

    def counting(self, key: str) -> Self:
        """The same, for which this one of several recorded numbers is the reward."""
        return self


class RolloutData(Data, Protocol):
    """Data that has rollouts."""

    def responses(self) -> Iterator[pa.Array]:
        """Responses in the order of the index, in batches."""
        ...

    def rows(self) -> Iterator[pa.Table]:
        """All original columns, one row a rollout, in the order of the index, in batches."""
        ...


@dataclass(frozen=True)
class Files(Data):
    """Input files and where their problems' fields stand: what the data options share."""

    path: str | list[str]
    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"
    columns: dict[str, str | int] | None = None

    def __post_init__(self) -> None:
        checked(self.columns)

    @property
    def label(self) -> str:
        """See `Data`."""
        return str(self.path)

    @property
    def fields(self) -> Columns:
        """Where the fields of a problem stand."""
        return Columns(self.id_key, self.prompt_key, self.reward_fn_key, self.columns or {})

    def files(self) -> list[File]:
        """See `Data`."""
        return find(self.path)

    def takes_all_of(self, folder: Path) -> bool:
        """See `Data`."""
        return isinstance(self.path, str) and Path(self.path).resolve() == folder.resolve()
