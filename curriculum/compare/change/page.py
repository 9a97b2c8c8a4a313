"""Two runs side by side, as a page without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curriculum.compare.change.said import again, caveats, changed, mean, moved, ranks
from curriculum.compare.change.summary import Change
from curriculum.compare.change.tables import by_source, calibration, movers, outcome
from curriculum.core.names import OUTSIDE
from curriculum.report.page import write

SHOWN = 50  # problems that moved
PARTS = 5  # of pass rates from 0 to 1

Heat = list[tuple[str, list[tuple[int, float]]]]  # a row's name, then counts and their share of it


def page(found: Change, path: Path) -> Path:
    """Write it."""
    joined = found.joined
    rates = [f"{100 * i // PARTS} to {100 * (i + 1) // PARTS}" for i in range(PARTS)]
    rows = movers(found.table, SHOWN).to_dict("records")
    shown = {
        "title": "Two runs on the same problems",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "before": str(joined.before.folder),
        "after": str(joined.after.folder),
        "problems": len(found.table),
        "caveats": caveats(found),
        "mean": mean(found),
        "changed": changed(found),
        "ranks": ranks(found),
        "moved": moved(found),
        "again": again(found),
        "sources": by_source(found),
        "buckets_after": joined.after.names,
        "cross": _heat(
            found.table["before"], found.table["after"], joined.before.names, joined.after.names
        ),
        "rates": rates,
        "spread": _heat(
            _binned(found, "before", rates), _binned(found, "after", rates), rates, rates
        ),
        "movers": [
            {
                "problem_id": row["problem_id"],
                "prompt": row["prompt"] or "",
                "before": outcome(row, "before"),
                "after": outcome(row, "after"),
                "p": f"{row['p_value']:.2g}",
            }
            for row in rows
        ],
        "calibration": calibration(found),
        "settings": list(_differing(joined.before.result.config, joined.after.result.config)),
    }
    return write(path.parent, "change.html", (), {}, None, shown, path.name)


def _binned(found: Change, run: str, names: Sequence[str]) -> pd.Series:
    place = np.minimum((found.table[f"rate_{run}"] * PARTS).astype(int), PARTS - 1)
    return pd.Series(np.array(names)[place])


def _heat(before: pd.Series, after: pd.Series, rows: Sequence[str], columns: Sequence[str]) -> Heat:
    counts = pd.crosstab(before, after).reindex(
        index=list(rows), columns=list(columns), fill_value=0
    )
    named = []
    for name, row in zip(rows, counts.to_numpy().tolist(), strict=True):
        most = max(sum(row), 1)
        named.append((name, [(count, count / most) for count in row]))
    return named


def _differing(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Keys of two configurations that differ, with both values."""
    one, other = dict(_leaves(first)), dict(_leaves(second))
    for key in dict.fromkeys([*one, *other]):
        if one.get(key) != other.get(key):
            yield key, one.get(key, ""), other.get(key, "")


def _leaves(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if not above and key in OUTSIDE:
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", json.dumps(value, ensure_ascii=False)
