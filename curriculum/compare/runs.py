"""A sweep in one table: bucket sizes, edges, and how far the strategies agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from rich.table import Table
from rich.text import Text

from curriculum import report
from curriculum.compare import arms as curricula
from curriculum.core.errors import UserError
from curriculum.core.names import ASSIGNMENT, COMPARISON, EDGES
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
    of_buckets, of_training = curricula.worth_showing(runs)
    agreement = adjusted_rand_indices(folders, runs) if of_buckets else []
    arms = curricula.arms_of(folders, runs) if of_training else []
    found = curricula.compared(arms, runs)
    _write(sweep, runs, agreement, found)
    _show(sweep, runs, agreement, of_buckets)
    pictures = []
    if found:
        curricula.show(found)
        pictures.append(sweep / f"{COMPARISON}.png")
        curricula.plot(arms, found[0]["label"], pictures[0])
    if store := _store_of(sweep, folders):
        pictures.append(report.of_sweep(sweep, runs, agreement, found, arms, store))
    lines = (f"\n {shown(each)}" for each in pictures)
    console().print(*lines, sep="", soft_wrap=True)
    left = [run["job"] for run in runs if run["status"] != "completed"]
    if left and (sweep / jobs.PLAN).exists():
        told = f"{len(left)} of {len(runs)} jobs are not complete; to run them:"
        console().print(f"\n {told} python run.py resume={shown(sweep)}", soft_wrap=True)
    return left


def read_run(folder: Path, plan: Sequence[Sequence[str]] = ()) -> dict[str, Any]:
    """What a table says of a run; where it left no result, how it stands.

    Args:
        plan: overrides of a sweep's jobs, for those that have not begun.
    """
    run: dict[str, Any] = {"job": folder.name, "overrides": jobs.overrides_of(folder, plan)}
    result = RunResult.load(folder)
    if result is None:
        status, explanation = jobs.why_unfinished(folder)
        return run | {"status": status, "error": explanation}
    run |= {"status": result.status, "error": result.error}
    found = result.results
    if "total_rollouts" in found:
        run |= {"problems": found["total_problems"], "rollouts": found["total_rollouts"]}
    elif "batches" in found:  # a shard that left the rest to others
        run |= {"shard": f"{found['batches']} of {found['total_batches']} batches were there"}
    if "buckets" in found:  # none where a run stopped before
        run |= {
            "buckets": {name: each["count"] for name, each in found["buckets"].items()},
            "edges": describe_edges(json.loads((folder / EDGES).read_text())),
            "reused": [name for name, stage in result.stages.items() if stage["reused"]],
        }
    if "training" in found:
        run |= {
            "training": found["training"],
            "seed": result.config["seed"],
            "sampler": result.choices["sampler"],
        }
    return run


def name_choices(runs: list[dict[str, Any]]) -> None:
    """Add `choice` to each run: the overrides that not all of them have."""
    common = set.intersection(*(set(run["overrides"]) for run in runs))
    for run in runs:
        own = [each for each in run["overrides"] if each not in common]
        run["choice"] = ", ".join(own) or f"job {run['job']}"


def describe_edges(saved: dict[str, Any]) -> str:
    """Edges in the unit of what was cut, from easy to hard; centers for clusters."""
    edges = saved["edges"]
    if isinstance(edges, dict) and "centers" in edges:
        centers = [c[0] * edges["scale"][0] + edges["mean"][0] for c in edges["centers"]]
        return f"{edges['features'][0]} near {_join(centers)}"
    if isinstance(edges, dict) and "ranks" in edges:
        sign = -1 if edges["easier"] == "higher" else 1
        return _join([sign * hardness for hardness, _ in edges["ranks"]])
    if isinstance(edges, dict):
        edges = next((each for each in edges.values() if isinstance(each, list)), edges)
    return _join(edges) if isinstance(edges, list) else json.dumps(edges)


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


def _store_of(sweep: Path, folders: list[Path]) -> Store | None:
    """The store of the runs, as one of them or the sweep says; None where neither does."""
    results = filter(None, map(RunResult.load, folders))
    roots = [result.config.get("store_dir") for result in results]
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
    (sweep / f"{COMPARISON}.json").write_text(json.dumps(content, indent=2) + "\n")
    table = pd.DataFrame([_flat(run) for run in runs])
    table.to_parquet(sweep / f"{COMPARISON}.parquet", index=False)
    markdown = table.astype(object).fillna("").to_markdown(index=False)
    if agreement:
        markdown += "\n\n" + pd.DataFrame(agreement).to_markdown(index=False, floatfmt=".3f")
    for each in found:
        arms = pd.DataFrame(each["arms"]).to_markdown(index=False, floatfmt=".3f")
        setting = f"{each['setting']}\n\n" if each["setting"] else ""
        markdown += f"\n\n{setting}{each['label']}\n\n{arms}\n\n{each['verdict']}"
    (sweep / f"{COMPARISON}.md").write_text(markdown + "\n")


def _show(
    sweep: Path, runs: list[dict[str, Any]], agreement: list[dict[str, Any]], of_buckets: bool
) -> None:
    """Print a row a run, its buckets where they may differ; at least those that have failed."""
    out = console()
    if not of_buckets:
        runs = [run for run in runs if run["status"] != "completed"]
        if not runs:
            return
    table = plain_table(str(sweep), "job", "", "buckets, easy to hard", "edges")
    costs = [f"{run['rollouts']:,}" if "rollouts" in run else "" for run in runs]
    if len(set(costs) - {""}) > 1:
        table.add_column("rollouts", justify="right")
    for run, cost in zip(runs, costs, strict=True):
        if run["status"] == "completed":
            cells: list[str | Text] = [_sizes(run), _detail(run), cost]
        else:
            error = str(run["error"]).splitlines()[0]
            cells = [Text(run["status"], "red"), error, cost]
        table.add_row(run["job"], run["choice"], *cells[: len(table.columns) - 2])
    out.print()
    out.print(table)
    if agreement and len(runs) <= WIDE:
        out.print()
        out.print(_agreement_table(runs, agreement))


def _agreement_table(runs: list[dict[str, Any]], agreement: list[dict[str, Any]]) -> Table:
    index = {(pair["job"], pair["other"]): pair["index"] for pair in agreement}
    done = [run for run in runs if "buckets" in run]
    table = plain_table("Agreement of buckets (adjusted Rand index)", "")
    for run in done[1:]:
        table.add_column(run["choice"], justify="right")
    for run in done[:-1]:
        cells = [index.get((run["job"], other["job"])) for other in done[1:]]
        shown = ["" if value is None else f"{value:.2f}" for value in cells]
        table.add_row(run["choice"], *shown)
    return table


def _flat(run: dict[str, Any]) -> dict[str, Any]:
    lists = {name: ", ".join(run.get(name, [])) for name in ("overrides", "reused")}
    flat = {name: value for name, value in run.items() if name != "training"}
    return flat | {"buckets": _sizes(run)} | lists


def _detail(run: dict[str, Any]) -> str:
    return str(run.get("edges", run.get("shard", "")))


def _sizes(run: dict[str, Any]) -> str:
    return ", ".join(f"{name} {size}" for name, size in run.get("buckets", {}).items())


def _join(values: list[float]) -> str:
    return ", ".join("inf" if value > 1e300 else f"{round(value, 6):.3g}" for value in values)
