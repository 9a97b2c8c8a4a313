"""What a layout is, and the JSON files that several leave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from curriculum.core.measured import Measured
from curriculum.core.summary import Written
from curriculum.layouts.settings import Export

Mask = npt.NDArray[np.bool_]


class Layout(Protocol):
    """A convention's way to leave its results, in files and on the terminal: a dataclass.

    Those of a convention are named by `convention.layouts`; a plugin adds one by an entry point of
    the group `curriculum.layout`.
    """

    by_strategy: ClassVar[bool] = False  # whether names of files have the bucketer's in them
    on_request: ClassVar[bool] = False  # whether it stands beside a convention's own

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """Write the files into a folder, from where they are moved to the run's."""
        ...

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print what the terminal is to show of it."""
        return

    def expected_files(self, outcome: Measured, export: Export) -> list[str]:
        """Names that it may write: a run's older file of one not written is no longer true."""
        return []

    def trained(self, outcome: Measured, export: Export) -> Mask:
        """(P,) which of the measured problems its files are to be trained on."""
        return np.ones(len(outcome.measured), np.bool_)


def write_json(path: Path, value: Any) -> Path:
    """JSON that any reader takes: infinite numbers become null."""
    path.write_text(json.dumps(_finite(value), indent=2, ensure_ascii=False) + "\n")
    return path


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
