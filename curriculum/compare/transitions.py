"""Two runs, one table: which problems are in another bucket now, and whether that may be luck.

`python -m curriculum.compare BEFORE AFTER` prints it, for two models' rollouts of the same problems
in the same edges (`bucketer.edges=BEFORE/buckets.json`), or for any two runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from rich.table import Table

from curriculum.core.errors import UserError
from curriculum.core.names import ASSIGNMENT, BEYOND, EDGES, PROBLEMS
from curriculum.core.run_result import RunResult
from curriculum.core.terminal import console, plain_table

SHOWN = 10  # problems of the terminal's table
LUCK = 0.05  # a rarer balance is called more than luck
WIDTH = 40  # characters of a prompt in it


@dataclass(frozen=True)
class Transitions:
    """The problems that two runs share.

    `table` has a row for each: problem_id, prompt, `before`, `after` (buckets), `steps` (buckets
    towards hard, null where the runs' names differ), `rate_before`, `rate_after` (pass rates) and
    `apart`: whether their intervals do not overlap.
    """

    table: pd.DataFrame
    names: tuple[list[str], list[str]]  # easy to hard, before and after
    alone: tuple[int, int]  # problems of one run only
    same_edges: bool
    same_measure: bool  # whether both runs count the same as a pass


def transitions(before: Path, after: Path) -> Transitions:
    """Join two runs by problem_id.

    Raises:
        UserError: where one left no buckets, or they share no problem.
    """
    frames = [_read_assignment(folder) for folder in (before, after)]
    both = frames[0].add_suffix("_before").join(frames[1].add_suffix("_after"), how="inner")
    if both.empty:
        raise UserError(f"{before} and {after} share no problem: their problem_ids differ")
    edges = [json.loads((folder / EDGES).read_text()) for folder in (before, after)]
    before_names, after_names = ([*cut["names"], *cut.get(BEYOND, [])] for cut in edges)
    names = before_names, after_names
    prompts = {**_read_prompts(before), **_read_prompts(after)}
    low_first = both["pass_rate_low_after"] > both["pass_rate_high_before"]
    high_first = both["pass_rate_high_after"] < both["pass_rate_low_before"]
    table = pd.DataFrame(
        {
            "prompt": [prompts.get(problem) for problem in both.index],
            "before": both["bucket_before"],
            "after": both["bucket_after"],
            "steps": _count_steps(both, *names),
            "rate_before": both["c_before"] / both["n_before"],
            "rate_after": both["c_after"] / both["n_after"],
            "apart": low_first | high_first,
        },
        index=both.index,
    )
    alone = len(frames[0]) - len(both), len(frames[1]) - len(both)
    same = [edges[0][key] == edges[1][key] for key in ("edges", "measure")]
    return Transitions(table.reset_index(), names, alone, *same)


def show(before: Path, after: Path, found: Transitions) -> None:
    """Print how many moved where, and those whose pass rate changed most."""
    out, table = console(), found.table
    out.print(f"\n{before} -> {after}: {len(table):,} problems of both", soft_wrap=True)
    for count, folder in zip(found.alone, (before, after), strict=True):
        if count:
            out.print(f"{count:,} problems are in {folder} only", soft_wrap=True)
    if not found.same_edges:
        out.print(
            f"The edges differ, so buckets may mean something else: bucketer.edges={before / EDGES}"
            " applies those of the first run",
            soft_wrap=True,
        )
    if not found.same_measure:
        out.print("The runs count passes in different ways (measure.*): rates don't compare.")
    out.print()
    out.print(_cross(found))
    if found.names[0] != found.names[1]:
        out.print("\nThe buckets have other names, so none of them is a transition.\n")
        return
    moved = table[table["steps"] != 0]
    out.print(f"\n{_judge_balance(moved, comparable=found.same_edges and found.same_measure)}\n")
    if len(moved):
        out.print(_list_most_changed(moved))


def _judge_balance(moved: pd.DataFrame, comparable: bool) -> str:
    """How many went which way, and, within the same edges, whether luck alone does that."""
    from scipy.stats import binomtest

    easier, harder = int((moved["steps"] < 0).sum()), int((moved["steps"] > 0).sum())
    said = f"{len(moved):,} moved: {easier:,} easier, {harder:,} harder."
    if not comparable or moved.empty:
        return said
    chance = binomtest(easier, len(moved)).pvalue
    verdict = "a balance that luck alone gives" if chance >= LUCK else "more than luck as a whole"
    return (
        f"{said} That is {verdict} (p = {chance:.2g}, sign test).\nFor {moved['apart'].sum():,} "
        "of them by themselves the intervals of the pass rates do not overlap."
    )


def save(found: Transitions, path: Path) -> None:
    """Write the table as parquet. Raises UserError where that is not possible."""
    try:
        found.table.to_parquet(path, index=False)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error}") from error


def _cross(found: Transitions) -> Table:
    """Buckets before by buckets after."""
    counts = pd.crosstab(found.table["before"], found.table["after"])
    before, after = found.names
    rows = counts.reindex(index=before, columns=after, fill_value=0).to_numpy().tolist()
    shown = plain_table("From (rows) to (columns), easy to hard", "")
    for name in after:
        shown.add_column(name, justify="right")
    for name, row in zip(before, rows, strict=True):
        shown.add_row(name, *(f"{count:,}" if count else "·" for count in row))
    return shown


def _list_most_changed(moved: pd.DataFrame) -> Table:
    """The problems whose pass rate changed most."""
    change = (moved["rate_after"] - moved["rate_before"]).abs()
    order = np.lexsort((moved["problem_id"], -change))[:SHOWN]
    table = plain_table(f"Who moved most ({len(order)} of {len(moved):,})", "problem")
    for name in ("prompt", "pass rate", "", "bucket", ""):
        table.add_column(name)
    for row in moved.iloc[order].to_dict("records"):
        prompt = " ".join((row["prompt"] or "").split())
        prompt = prompt if len(prompt) <= WIDTH else f"{prompt[: WIDTH - 1]}…"
        rates = f"{row['rate_before']:.2f}", f"-> {row['rate_after']:.2f}"
        table.add_row(row["problem_id"], prompt, *rates, row["before"], f"-> {row['after']}")
    return table


def _read_assignment(folder: Path) -> pd.DataFrame:
    result = RunResult.load(folder)
    if result is None or result.status != "completed":
        raise UserError(f"{folder} should be the folder of a run that has completed")
    if not (folder / ASSIGNMENT).exists():
        raise UserError(f"{folder} has no buckets: its run stopped before")
    return pd.read_parquet(folder / ASSIGNMENT).set_index("problem_id")


def _count_steps(both: pd.DataFrame, before: list[str], after: list[str]) -> pd.Series:
    if before != after:
        return pd.Series(pd.NA, both.index, dtype="Int64")
    place = {name: i for i, name in enumerate(before)}
    steps = both["bucket_after"].map(place) - both["bucket_before"].map(place)
    return steps.astype("Int64")


def _read_prompts(folder: Path) -> dict[str, str]:
    """Prompts by problem_id; none where the run's store is gone."""
    result = RunResult.load(folder)
    entry = result.stages.get("problems") if result else None
    stored = Path(entry["folder"]) / PROBLEMS if entry else None
    if stored is None or not stored.exists():
        return {}
    table = pq.read_table(stored, columns=["problem_id", "prompt"])
    texts = (json.loads(text) for text in table["prompt"].to_pylist())
    readable = [text if isinstance(text, str) else _last_message(text) for text in texts]
    return dict(zip(table["problem_id"].to_pylist(), readable, strict=True))


def _last_message(prompt: object) -> str:
    last = prompt[-1] if isinstance(prompt, list) and prompt else prompt
    content = last.get("content") if isinstance(last, dict) else last
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
