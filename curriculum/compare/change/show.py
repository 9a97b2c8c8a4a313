"""Two runs on the terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rich.table import Table

from curriculum.compare.change.luck import Range
from curriculum.compare.change.said import again, caveats, changed, mean, moved, ranks
from curriculum.compare.change.summary import ALL, Change, Estimate
from curriculum.core.terminal import console, plain_table

SHOWN = 10  # problems of the table of those that moved
WIDTH = 30  # characters of a prompt in it


def show(found: Change) -> None:
    """Print what has changed, where, who moved, and whether to measure again."""
    out, joined = console(), found.joined
    runs = joined.before.folder, joined.after.folder
    out.print(f"\n{runs[0]} -> {runs[1]}: {len(found.table):,} problems of both", soft_wrap=True)
    for count, folder in zip(joined.alone, runs, strict=True):
        if count:
            out.print(f"{count:,} problems are in {folder} only", soft_wrap=True)
    for each in caveats(found):
        out.print(each, soft_wrap=True)
    for each in (mean(found), changed(found), ranks(found)):
        out.print(each, soft_wrap=True)
    if len(found.parts) > 1:
        out.print()
        out.print(_tabulate_sources(found))
    out.print()
    out.print(_cross(found))
    out.print(moved(found), soft_wrap=True)
    out.print()
    out.print(_tabulate_calibration(found))
    out.print(again(found), soft_wrap=True)
    movers = found.table[found.table["steps"].fillna(0) != 0]
    if len(movers):
        out.print()
        out.print(_list_most_changed(movers))


def signed(estimate: Estimate) -> str:
    """A change and its interval."""
    return f"{estimate.mean:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"


def of_luck(count: int | None, luck: Range | None) -> str:
    """How many moved, and what luck would move."""
    if count is None:
        return ""
    return f"{count:,}" if luck is None else f"{count:,} ({luck.low:,.0f} to {luck.high:,.0f})"


def _tabulate_sources(found: Change) -> Table:
    table = plain_table("By source (in brackets: 90 % interval; what luck alone moves)", "")
    for name in ("problems", "before", "after", "change", "easier", "harder"):
        table.add_column(name, justify="right")
    for row in [*found.parts[1:], found.whole]:
        table.add_row(
            row.source if row is not found.whole else ALL,
            f"{row.problems:,}",
            f"{row.before:.3f}",
            f"{row.after:.3f}",
            signed(row.change),
            of_luck(row.easier, row.easier_by_luck),
            of_luck(row.harder, row.harder_by_luck),
        )
    return table


def _tabulate_calibration(found: Change) -> Table:
    """What each bucket of the first run promised."""
    table = plain_table("Mean pass rates of the first run's buckets: promised, and found", "")
    for name in ("problems", "promised", "found", "still there"):
        table.add_column(name, justify="right")
    for row in found.calibration:
        table.add_row(
            row.bucket,
            f"{row.problems:,}",
            _bounded(row.expected),
            _bounded(row.found),
            "" if row.stayed is None else f"{row.stayed:.0%}".replace("%", " %"),
        )
    return table


def _bounded(estimate: Estimate) -> str:
    low, high = (min(max(each, 0), 1) for each in estimate[1:])
    return f"{estimate.mean:.3f} ({low:.3f} to {high:.3f})"


def _cross(found: Change) -> Table:
    """Buckets before by buckets after."""
    counts = pd.crosstab(found.table["before"], found.table["after"])
    before, after = found.joined.before.names, found.joined.after.names
    rows = counts.reindex(index=before, columns=after, fill_value=0).to_numpy().tolist()
    shown = plain_table("From (rows) to (columns), easy to hard", "")
    for name in after:
        shown.add_column(name, justify="right")
    for name, row in zip(before, rows, strict=True):
        shown.add_row(name, *(f"{count:,}" if count else "·" for count in row))
    return shown


def _list_most_changed(movers: pd.DataFrame) -> Table:
    """The problems in another bucket whose rollouts say most surely that their rate is another."""
    order = np.lexsort((movers["problem_id"], movers["p_value"]))[:SHOWN]
    table = plain_table(f"Who moved most surely ({len(order)} of {len(movers):,})", "problem")
    table.add_column("prompt", max_width=WIDTH, no_wrap=True, overflow="ellipsis")
    for name in ("before", "after", "p"):
        table.add_column(name)
    for row in movers.iloc[order].to_dict("records"):
        prompt = (row["prompt"] or "").replace("\n", " ")
        runs = [f"{row[f'c_{run}']}/{row[f'n_{run}']} {row[run]}" for run in ("before", "after")]
        table.add_row(row["problem_id"], prompt, *runs, f"{row['p_value']:.2g}")
    return table
