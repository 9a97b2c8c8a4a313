"""Files of rollouts and of problems, by the quick way where they allow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from curriculum.formats import columnwise, rowwise
from curriculum.formats.columns import Columns
from curriculum.formats.files import File
from curriculum.formats.problems import ProblemList
from curriculum.formats.rows import Part, Rejected


def read_order(files: Sequence[File], columns: Columns) -> list[int]:
    """The places of the files, those last whose prompts stand in others."""
    return sorted(range(len(files)), key=lambda place: rowwise.is_joined(files[place], columns))


def index(file: File, problems: ProblemList, rejected: list[Rejected]) -> Part:
    """Add a file's problems and return its part of the rollout index.

    Raises:
        UserError: where the file can't be read or holds no rollouts.
    """
    if columnwise.is_quick(file, problems.columns):
        return columnwise.index(file, problems, rejected)
    return rowwise.index(file, problems, rejected)


def responses(file: File, columns: Columns) -> Iterator[pa.Array]:
    """Responses in the order of the index."""
    if columnwise.is_quick(file, columns):
        return columnwise.responses(file, columns)
    return rowwise.responses(file, columns)


def rows(file: File, columns: Columns) -> Iterator[pa.Table]:
    """All columns, a row a rollout, in the order of the index."""
    if columnwise.is_quick(file, columns):
        return columnwise.rows(file, columns)
    return rowwise.rows(file, columns)
