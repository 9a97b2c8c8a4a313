"""What files hold, told by their first rows: rollouts, with rewards or without, or problems."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import islice

from curriculum.core.errors import UserError
from curriculum.formats import rowwise
from curriculum.formats.columns import Columns
from curriculum.formats.files import File

LOOKED_AT = 20  # rows of a file, and files


class Kind(Enum):
    """What rows are of; the value is for people."""

    REWARDED = "rollouts with their rewards"
    ROLLOUTS = "rollouts without rewards"
    PROBLEMS = "problems without rollouts"


def kind_of(files: Sequence[File], columns: Columns) -> Kind:
    """That of the first file with rollouts, else problems.

    Raises:
        UserError: where the first rows of not one file can be used, with what is wrong with one.
    """
    problems = False
    for file in files[:LOOKED_AT]:
        kind = _kind_of(file, columns)
        if kind in (Kind.REWARDED, Kind.ROLLOUTS):
            return kind
        problems = problems or kind is Kind.PROBLEMS
    if not problems:
        raise UserError(_complaint(files[0], columns))
    return Kind.PROBLEMS


def _kind_of(file: File, columns: Columns) -> Kind | None:
    """None where not one of the first rows can be used."""
    rollouts = [
        read.samples
        for _, read in islice(rowwise.read_rows(file, columns), LOOKED_AT)
        if not isinstance(read, Exception)
    ]
    if any(reward is not None for samples in rollouts for reward in samples.rewards):
        return Kind.REWARDED
    if rollouts:
        return Kind.ROLLOUTS
    problems = islice(rowwise.named_rows(file, columns), LOOKED_AT)
    return Kind.PROBLEMS if any(not isinstance(row, Exception) for _, row in problems) else None


def _complaint(file: File, columns: Columns) -> str:
    causes = [str(row) for _, row in islice(rowwise.named_rows(file, columns), 1)]
    return f"{file.url} has {causes[0] if causes else 'no rows'}"
