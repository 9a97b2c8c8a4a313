"""The sixth step: a run's files in place, all of them or none, and never over the input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curriculum.budgets import Findings
from curriculum.core.atomic import settle
from curriculum.core.errors import UserError
from curriculum.core.measured import Measured
from curriculum.core.names import PROMPTS
from curriculum.core.prompts import Mask, Prompts
from curriculum.core.summary import Written
from curriculum.data import Data
from curriculum.layouts.base import Layout
from curriculum.layouts.settings import Export
from curriculum.layouts.stages import validation_side
from curriculum.run.context import Context
from curriculum.run.prompts import prompts_of
from curriculum.run.rounds import FILE as FINDINGS
from curriculum.run.rounds import show as show_findings
from curriculum.run.settings import Settings


class Left(NamedTuple):
    """What the layouts left in the run's folder."""

    files: dict[str, list[Written]]  # by the layout's name
    kind: str  # see `kind_of`
    prompts: Prompts  # of the measured problems, saved too


def lay_out(
    settings: Settings, measured: Measured, findings: Findings | None, context: Context
) -> Left:
    """Write what each layout leaves, and remove what it replaces of earlier runs."""
    layouts, export = settings.layouts, settings.export
    inputs = [file.url for file in settings.files()]
    with context.ledger.timed("export"):
        written = place(layouts, measured, context.folder, export, inputs)
    names = [path.name for files in written.values() for path, _ in files]
    trained = _trained_by_all(layouts, measured, export)
    if settings.trainer and settings.trainer.holds_out:
        trained &= ~validation_side(measured, export)
    prompts = prompts_of(measured, trained)
    names += [FINDINGS] if findings else []
    require_own([*names, PROMPTS], context.folder, inputs)
    prompts.save(context.folder / PROMPTS)
    expected = [
        name for layout in layouts.values() for name in layout.expected_files(measured, export)
    ]
    expected += settings.trainer.files if settings.trainer else []
    kind = kind_of(layouts, export, measured.bucketing)
    context.ledger.leave(names, kind, expected, inputs)
    return Left(written, kind, prompts)


def show(settings: Settings, measured: Measured, left: Left, findings: Findings | None) -> None:
    """Print what the layouts show of the run."""
    for name, layout in settings.layouts.items():
        layout.show(measured, left.files[name])
    if findings is not None:
        show_findings(findings)


def _trained_by_all(layouts: Mapping[str, Layout], measured: Measured, export: Export) -> Mask:
    """(P,) the measured problems that every layout has on its training side."""
    sides = [layout.trained(measured, export) for layout in layouts.values()]
    return np.asarray(np.logical_and.reduce(sides))


def place(
    layouts: Mapping[str, Layout],
    measured: Measured,
    folder: Path,
    export: Export,
    inputs: Iterable[str],
) -> dict[str, list[Written]]:
    """Write the files of each layout apart, then move them into the folder.

    Args:
        inputs: files that the run has read.

    Raises:
        UserError: where a file of the output is one of the input, or of two layouts.
    """
    partial = folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        written = {
            name: layout.write(measured, partial, export) for name, layout in layouts.items()
        }
        names = [path.name for files in written.values() for path, _ in files]
        require_own(names, folder, inputs)
        return {
            name: [Written(settle(path, folder / path.name), what) for path, what in files]
            for name, files in written.items()
        }
    finally:
        shutil.rmtree(partial)


def kind_of(layouts: Mapping[str, Layout], export: Export, strategy: str) -> str:
    """What tells apart the files of runs that may share a folder."""
    strategies = [strategy] * any(layout.by_strategy for layout in layouts.values())
    names = [name for name, layout in layouts.items() if not layout.on_request]
    return json.dumps([*names, *strategies, export.prefix, *export.shape])


def require_apart(data: Data, folder: Path) -> None:
    """Raise UserError where a run would write among files that it reads all of."""
    if data.takes_all_of(folder):
        raise UserError(
            f"{folder} is output_dir and input too: the next run would read what this one writes; "
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
