"""The tables of two runs, as text: the same on the terminal, in LaTeX and on the page."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from curriculum.compare.change.luck import Range
from curriculum.compare.change.summary import Change, Estimate, Part


def by_source(found: Change) -> list[dict[str, str]]:
    """A row a source, where there are several, and one of all problems."""
    return [_cells(part) for part in [*found.parts[1:], found.whole]]


def calibration(found: Change) -> list[dict[str, Any]]:
    """A row a bucket of the first run."""
    return [
        {
            "bucket": row.bucket,
            "problems": row.problems,
            "expected": _bounded(row.expected),
            "found": _bounded(row.found),
            "stayed": "" if row.stayed is None else f"{row.stayed:.0%}".replace("%", " %"),
        }
        for row in found.calibration
    ]


def movers(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Problems in another bucket, those first whose rate is most surely another."""
    moved = table[table["steps"].fillna(0) != 0]
    return moved.iloc[np.lexsort((moved["problem_id"], moved["p_value"]))[:most]]


def outcome(row: Mapping[Hashable, Any], run: str) -> str:
    """Passes, rollouts and bucket of a problem in one of the runs."""
    return f"{row[f'c_{run}']}/{row[f'n_{run}']} {row[run]}"


def _cells(part: Part) -> dict[str, str]:
    change = part.change
    cells = {
        "source": part.source,
        "problems": f"{part.problems:,}",
        "before": f"{part.before:.3f}",
        "after": f"{part.after:.3f}",
        "change": f"{change.mean:+.3f}",
        "90 % interval": f"{change.low:+.3f} to {change.high:+.3f}",
    }
    if part.easier is not None:
        cells["easier (by luck)"] = _of_luck(part.easier, part.easier_by_luck)
    if part.harder is not None:
        cells["harder (by luck)"] = _of_luck(part.harder, part.harder_by_luck)
    return cells


def _of_luck(count: int, luck: Range | None) -> str:
    return f"{count:,}" if luck is None else f"{count:,} ({luck.low:,.0f} to {luck.high:,.0f})"


def _bounded(estimate: Estimate) -> str:
    low, high = (min(max(each, 0), 1) for each in estimate[1:])
    return f"{estimate.mean:.3f} ({low:.3f} to {high:.3f})"
