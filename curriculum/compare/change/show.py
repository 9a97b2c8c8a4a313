"""Two runs on the terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from curriculum.compare.change.said import again, caveats, changed, mean, moved, ranks
from curriculum.compare.change.summary import Change
from curriculum.compare.change.tables import by_source, calibration, movers, outcome
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
    rows = movers(found.table, SHOWN)
    if len(rows):
        out.print()
        out.print(_list_movers(found, rows))


def _tabulate_sources(found: Change) -> Table:
    rows = by_source(found)
    table = plain_table("By source", "")
    for name in list(rows[0])[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row.values())
    return table


def _tabulate_calibration(found: Change) -> Table:
    """What each bucket of the first run promised."""
    table = plain_table("Mean pass rates of the first run's buckets: promised, and found", "")
    for name in ("problems", "promised", "found", "still there"):
        table.add_column(name, justify="right")
    for row in calibration(found):
        table.add_row(
            row["bucket"], f"{row['problems']:,}", row["expected"], row["found"], row["stayed"]
        )
    return table


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


def _list_movers(found: Change, rows: pd.DataFrame) -> Table:
    """The problems in another bucket whose rollouts say most surely that their rate is another."""
    moved = int((found.table["steps"].fillna(0) != 0).sum())
    table = plain_table(f"Who moved most surely ({len(rows)} of {moved:,})", "problem")
    for name in ("prompt", "before", "after", "p"):
        table.add_column(name)
    for row in rows.to_dict("records"):
        prompt = " ".join((row["prompt"] or "").split())
        prompt = prompt if len(prompt) <= WIDTH else f"{prompt[: WIDTH - 1]}…"
        runs = outcome(row, "before"), outcome(row, "after")
        table.add_row(row["problem_id"], prompt, *runs, f"{row['p_value']:.2g}")
    return table
