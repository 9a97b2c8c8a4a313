"""Putting a run's files in place: all of them or none, and never over the input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from curriculum.core.errors import UserError
from curriculum.core.records import Outcome
from curriculum.data import Buckets, Data
from curriculum.layouts.base import Layout, Written
from curriculum.layouts.settings import Export


def place(
    layouts: Sequence[Layout], outcome: Outcome, folder: Path, export: Export, inputs: Iterable[str]
) -> list[list[Written]]:
    """Write the files of each layout aside, then move them into the folder.

    Args:
        inputs: files that the run has read.

    Raises:
        UserError: where a file of the output is one of the input, or of two layouts.
    """
    partial = folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        written = [layout.write(outcome, partial, export) for layout in layouts]
        require_own([path.name for files in written for path, _ in files], folder, inputs)
        return [
            [Written(path.replace(folder / path.name), what) for path, what in files]
            for files in written
        ]
    finally:
        shutil.rmtree(partial)


def kind(layouts: Sequence[Layout], export: Export, strategy: str) -> str:
    """What tells apart the files of runs that may share a folder."""
    strategies = [strategy] * any(layout.by_strategy for layout in layouts)
    names = [layout.name for layout in layouts if not layout.on_request]
    return json.dumps([*names, *strategies, export.prefix, *export.shape])


def require_apart(data: Data, folder: Path) -> None:
    """Raise UserError where a run would write among files that it reads all of."""
    path = getattr(data, "path", None)
    # Of a folder of buckets, only JSONL is read.
    if isinstance(path, str) and not isinstance(data, Buckets) and Path(path).resolve() == folder:
        raise UserError(
            f"{path} is output_dir and input too: the next run would read what this one writes; "
            "choose another output_dir"
        )


def require_own(names: Sequence[str], folder: Path, inputs: Iterable[str]) -> None:
    """Raise UserError where a file of the output is one of the input, or of two layouts."""
    taken = {Path(each).resolve() for each in inputs}
    for name in names:
        if (folder / name).resolve() in taken:
            raise UserError(f"{folder / name} is input of this run: choose an output_dir")
        if names.count(name) > 1:
            raise UserError(f"two files of this run would be {name}: choose an export.prefix")
