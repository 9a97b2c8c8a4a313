"""Putting a layout's files in place: all of them or none, and never over the input."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curriculum.errors import UserError
from curriculum.export.base import Layout, Written
from curriculum.records import Outcome


@dataclass(frozen=True)
class Export:
    """How files are named (`export` in conf/config.yaml)."""

    prefix: str

    def __post_init__(self) -> None:
        if "/" in self.prefix:
            raise UserError(
                f"export.prefix={self.prefix} can't have a '/': output_dir is the folder"
            )


def place(
    layout: Layout, outcome: Outcome, folder: Path, export: Export, inputs: Iterable[str]
) -> list[Written]:
    """Write the files aside, then move them into the folder.

    Args:
        inputs: files that the run has read.

    Raises:
        UserError: where a file of the output is one of the input.
    """
    partial = folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        written = layout.write(outcome, partial, export.prefix)
        taken = {Path(each).resolve() for each in inputs}
        for path, _ in written:
            if (folder / path.name).resolve() in taken:
                raise UserError(f"{folder / path.name} is input of this run: choose an output_dir")
        return [Written(path.replace(folder / path.name), what) for path, what in written]
    finally:
        shutil.rmtree(partial)
