"""A sweep in one table: bucket sizes, edges, and how far the strategies agree."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from rich.table import Table
from rich.text import Text

from curriculum.compare.arms import collect_arms, worth_showing
from curriculum.compare.charts import plot
from curriculum.compare.markdown import table_of
from curriculum.compare.page import of_sweep
from curriculum.compare.runs import name_choices, read_run
from curriculum.compare.show import show, targets_of
from curriculum.compare.verdict import compare_arms
from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.names import ASSIGNMENT, COMPARISON
from curriculum.core.program import program
from curriculum.core.run_result import RunResult
from curriculum.core.terminal import console, plain_table, shown
from curriculum.store.entries import Store
from curriculum.sweep import jobs

WIDE = 12  # runs whose agreement still fits a terminal


def compare(sweep: Path) -> list[str]:
    """Print the table and write `comparison.{json,parquet,md}` into the sweep's folder.

    Returns:
        The jobs that have not completed.

    Raises:
        UserError: where the folder has no runs.
    """
    if not sweep.is_dir():
        raise UserError(f"there is no folder {sweep}")
    plan = jobs.planned(sweep)
    folders = jobs.folders(sweep, plan)
    if not folders:
        raise UserError(f"{sweep} has no runs: it should be the folder of a sweep (-m)")
    runs = [read_run(folder, plan) for folder in folders]
    name_choices(runs)
    of_buckets, of_training = worth_showing(runs)
    agreement = adjusted_rand_indices(folders, runs) if of_buckets else []
    arms = collect_arms(folders, runs) if of_training else []
    found = compare_arms(arms)
    _write(sweep, runs, agreement, found)
    _show(sweep, runs, agreement, of_buckets)
    pictures = []
    if found:
        show(found)
        pictures.append(sweep / f"{COMPARISON}.png")
        plot(found, arms, pictures[0])
    if store := _find_store(sweep, folders):
        pictures.append(of_sweep(sweep, runs, agreement, found, arms, store))
    lines = (f"\n {shown(picture)}" for picture in pictures)
    console().print(*lines, sep="", soft_wrap=True)
    left = [run["job"] for run in runs if run["status"] != "completed"]
    if left and (sweep / jobs.PLAN).exists():
        unfinished = f"{len(left)} of {len(runs)} jobs are not complete; to run them:"
        console().print(f"\n {unfinished} {program()} resume={shown(sweep)}", soft_wrap=True)
    return left


def adjusted_rand_indices(folders: list[Path], runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Agreement of every two completed runs on the problems they share: 1 the same, 0 chance.

    Source: Hubert and Arabie 1985, as in scikit-learn.
    """
    from sklearn.metrics import adjusted_rand_score

    buckets = {
        run["job"]: pd.read_parquet(folder / ASSIGNMENT).set_index("problem_id")["bucket"]
        for folder, run in zip(folders, runs, strict=True)
        if "buckets" in run
    }
    agreement = []
    for one, other in combinations(buckets, 2):
        both = pd.concat([buckets[one], buckets[other]], axis=1, join="inner", keys=["a", "b"])
        index = float(adjusted_rand_score(both["a"], both["b"]))
        agreement.append({"job": one, "other": other, "problems": len(both), "index": index})
    return agreement


def _find_store(sweep: Path, folders: list[Path]) -> Store | None:
    """The store of the runs, as one of them or the sweep says; None where neither does."""
    roots = [result.config.get("store_dir") for result in map(RunResult.load, folders) if result]
    if (sweep / jobs.PLAN).exists():
        roots.append(OmegaConf.select(OmegaConf.load(sweep / jobs.PLAN), "store_dir"))
    return next(map(Store, filter(None, roots)), None)


def _write(
    sweep: Path,
    runs: list[dict[str, Any]],
    agreement: list[dict[str, Any]],
    found: list[dict[str, Any]],
) -> None:
    content = {"runs": runs, "adjusted_rand_index": agreement, "curricula": found}
    with whole(sweep / f"{COMPARISON}.json") as path:
        path.write_text(json.dumps(content, indent=2) + "\n")
    rows = [_flatten(run) for run in runs]
    with whole(sweep / f"{COMPARISON}.parquet") as path:
        pd.DataFrame(rows).to_parquet(path, index=False)
    parts = [table_of(rows)]
    if agreement:
        parts.append(table_of(agreement))
    for setting in found:
        arms = [{k: v for k, v in row.items() if k != "targets"} for row in setting["arms"]]
        parts += [setting["setting"], setting["label"], table_of(arms)]
        if targets := targets_of(setting["arms"]):
            parts.append(table_of(targets))
        parts.append(setting["verdict"])
    with whole(sweep / f"{COMPARISON}.md") as path:
        path.write_text("\n\n".join(filter(None, parts)) + "\n")


def _show(
    sweep: Path, runs: list[dict[str, Any]], agreement: list[dict[str, Any]], of_buckets: bool
) -> None:
    """Print a row a run, its buckets where they may differ; and what became of the others."""
    out = console()
    done = [run for run in runs if run["status"] == "completed"]
    left = [run for run in runs if run["status"] != "completed"]
    shows_done = of_buckets and bool(done)
    if shows_done or left:
        out.print(f"\n{shown(sweep)}", style="bold", soft_wrap=True)
    if shows_done:
        out.print(_tabulate(done))
    if left:
        out.print()
        out.print(_tabulate_left(left))
    if agreement and len(runs) <= WIDE:
        out.print()
        out.print(_tabulate_agreement(runs, agreement))


def _tabulate(runs: list[dict[str, Any]]) -> Table:
    """Buckets of completed runs, and their rollouts where these differ."""
    table = plain_table(None, "job", "", "buckets, easy to hard", "edges")
    costs = [f"{run['rollouts']:,}" if "rollouts" in run else "" for run in runs]
    differ = len(set(costs) - {""}) > 1
    if differ:
        table.add_column("rollouts", justify="right")
    for run, cost in zip(runs, costs, strict=True):
        cells = [_list_sizes(run), _describe(run), *[cost] * differ]
        table.add_row(run["job"], run["choice"], *cells)
    return table


def _tabulate_left(runs: list[dict[str, Any]]) -> Table:
    """Why runs have not completed."""
    table = plain_table("Not complete", "", "", "", "", header=False)
    for run in runs:
        error = str(run["error"]).splitlines()[0]
        table.add_row(run["job"], run["choice"], Text(run["status"], "red"), error)
    return table


def _tabulate_agreement(runs: list[dict[str, Any]], agreement: list[dict[str, Any]]) -> Table:
    index = {(pair["job"], pair["other"]): pair["index"] for pair in agreement}
    done = [run for run in runs if "buckets" in run]
    table = plain_table("Agreement of buckets (adjusted Rand index)", "")
    for run in done[1:]:
        table.add_column(run["choice"], justify="right")
    for run in done[:-1]:
        cells = [index.get((run["job"], other["job"])) for other in done[1:]]
        indices = ["" if value is None else f"{value:.2f}" for value in cells]
        table.add_row(run["choice"], *indices)
    return table


def _flatten(run: dict[str, Any]) -> dict[str, Any]:
    lists = {name: ", ".join(run.get(name, [])) for name in ("overrides", "reused")}
    flat = {name: value for name, value in run.items() if name != "training"}
    return flat | {"buckets": _list_sizes(run)} | lists


def _describe(run: dict[str, Any]) -> str:
    return str(run.get("edges", run.get("shard", "")))


def _list_sizes(run: dict[str, Any]) -> str:
    return ", ".join(f"{name} {size}" for name, size in run.get("buckets", {}).items())
