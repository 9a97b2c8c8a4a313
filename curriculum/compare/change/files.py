"""Two runs in a file, in the form that its ending says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from curriculum.compare.change.page import page
from curriculum.compare.change.said import again, caveats
from curriculum.compare.change.summary import Change
from curriculum.compare.change.tables import by_source
from curriculum.core.atomic import whole
from curriculum.core.errors import UserError

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def save(found: Change, path: Path) -> None:
    """Write one file.

    Raises:
        UserError: for another ending, or where it can't be written.
    """
    write = WAYS.get(path.suffix)
    if write is None:
        raise UserError(f"--output {path}: it should end in one of {', '.join(WAYS)}")
    try:
        with whole(path) as partial:
            write(found, partial)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error}") from error


def _parquet(found: Change, path: Path) -> None:
    found.table.to_parquet(path, index=False)


def _csv(found: Change, path: Path) -> None:
    """Texts that a spreadsheet would take for formulas begin with an apostrophe."""
    columns = {
        name: column.map(_as_text) if column.dtype.kind in "OUT" else column
        for name, column in found.table.items()
    }
    pd.DataFrame(columns).to_csv(path, index=False)


def _as_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _json(found: Change, path: Path) -> None:
    path.write_text(json.dumps(content(found), indent=2, allow_nan=False) + "\n")


def _latex(found: Change, path: Path) -> None:
    """The table by source, for a paper that loads booktabs."""
    table = pd.DataFrame(by_source(found))
    form = "l" + "r" * (len(table.columns) - 1)
    path.write_text(table.to_latex(index=False, escape=True, column_format=form))


def content(found: Change) -> dict[str, Any]:
    """All numbers, as JSON values."""
    return {
        "before": str(found.joined.before.folder),
        "after": str(found.joined.after.folder),
        "problems": len(found.table),
        "caveats": caveats(found),
        "parts": [_plain(part) for part in found.parts],
        "changed_for_sure": found.changed,
        "rank_correlation": found.rank_correlation,
        "rank_correlation_by_luck": _plain(found.ranks_by_luck),
        "calibration": [_plain(row) for row in found.calibration],
        "left_beyond_luck": _plain(found.left),
        "measure_again": found.again,
        "verdict": again(found),
    }


def _plain(value: Any) -> Any:
    """Named tuples as objects."""
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    return value


WAYS: Mapping[str, Callable[[Change, Path], object]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".json": _json,
    ".tex": _latex,
    ".html": page,
}
