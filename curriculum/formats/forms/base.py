"""What a form is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from curriculum.formats.names import Row


class Form(Protocol):
    """How a tool writes rollouts, where it is not one of the plain ways.

    A file has the form that its first row that can be read has. A form is a class without
    arguments; plugins add theirs as entry points of `curriculum.form`.
    """

    name: ClassVar[str]
    took: ClassVar[Mapping[str, str]]  # {role: where it is found, `c or passes`}, for people
    templated: ClassVar[bool] = False  # whether a chat template has been put around the prompts
    plain: ClassVar[bool] = False  # whether what it does not take is read as plain columns
    rollouts_alone: ClassVar[bool] = False  # whether a problem may look the same and be plain

    def matches(self, row: Row) -> bool:
        """Whether a row is of this form."""
        ...

    def read(self, row: Row, url: str) -> Row:
        """The same in plain names, those of `curriculum.formats.names` and no others.

        `prompt`, `ground_truth`, `data_source`, `extra_info`; `response` and `reward`, or
        `responses` and `rewards` in lists of one length; `finish_reason`, `error`, `step`,
        `sample_idx`. What the row doesn't say is left out.

        Raises:
            ValueError: with the cause, where the row can't be used.
        """
        ...
