"""The page of a sweep: its jobs, how far they agree, and which curriculum helps most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curriculum.compare.alike import as_one, by_buckets, common_overrides
from curriculum.compare.arms import Arm
from curriculum.compare.charts import (
    arm_colors,
    arm_label,
    bucket_colors,
    curves,
    gains,
    reached,
    sizes,
    until,
)
from curriculum.compare.show import tell_target
from curriculum.core.charts import Spec
from curriculum.core.names import OUTSIDE
from curriculum.core.run_result import git_commit
from curriculum.report.library import Library
from curriculum.report.page import FILE, write
from curriculum.store.entries import Store

GAIN, BEYOND = "Gain at equal rollouts", "Gain beyond the control's, at equal rollouts"


def of_sweep(
    sweep: Path,
    runs: Sequence[dict[str, Any]],
    agreement: Sequence[dict[str, Any]],
    found: Sequence[dict[str, Any]],
    arms: Sequence[Arm],
    store: Store,
) -> Path:
    """The page of a sweep, as `curriculum.compare` has read it.

    Args:
        found: what the curricula of each setting come to.
        arms: of all settings, with their curves.
    """
    groups = by_buckets([run for run in runs if "buckets" in run], agreement)
    measured = [as_one(group, runs) for group in groups]
    charts: dict[str, Spec] = {}
    if len(measured) > 1:
        charts["sizes"] = sizes(measured)
    settings = []
    for i, setting in enumerate(found):
        compared = [arm for arm in arms if arm.setting == setting["setting"]]
        rows, colors = setting["arms"], arm_colors(compared)
        charts[f"curves_{i}"] = curves(compared, colors, setting["rollouts"])
        shared = {
            **setting,
            "legend": list(zip(map(arm_label, rows), colors, strict=True)),
            "key": i,
            "percent": f"{setting['level']:.0%}".replace("%", " %"),
        }
        if not setting["simulated"]:
            charts[f"gains_{i}"] = gains(rows, colors)
            shared["any_reached"] = any(row["rollouts_to_gain"] for row in rows)
            if shared["any_reached"]:
                charts[f"until_{i}"] = until(rows, colors)
            shared["beyond"] = BEYOND if any(row["more"] is not None for row in rows) else GAIN
            shared["arms"] = [row | {"until": reached(row), **_told(row)} for row in rows]
        settings.append(shared)
    done = sum(run["status"] == "completed" for run in runs)
    shown = {
        **_heading(runs),
        "folder": str(sweep),
        "finished": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "status": "completed" if done == len(runs) else "unfinished",
        "done": f"{done:,} of {len(runs):,} jobs completed",
        "commit": git_commit(),
        "jobs": [_job(sweep, run, groups) for run in runs],
        "shared": _shared(runs),
        "same_buckets": _same_buckets(groups),
        "measured": [run["choice"] for run in measured],
        "heat": _heat(measured, agreement),
        "buckets": _bucket_legend(measured) if len(measured) > 1 else [],
        "settings": settings,
    }
    scripts = ("data.js", "charts.js", "sweep.js")
    return write(sweep, "sweep.html", scripts, {"charts": charts}, Library(store, sweep), shown)


def _heading(runs: Sequence[dict[str, Any]]) -> dict[str, str | None]:
    """The name that the sweep was given, if any, and what it is."""
    what = f"Sweep of {len(runs):,} jobs"
    names = {run.get("name") for run in runs if run["status"] == "completed"}
    name = names.pop() if len(names) == 1 else None
    return {"title": what if name is None else name, "subtitle": None if name is None else what}


def _same_buckets(groups: Sequence[Sequence[dict[str, Any]]]) -> dict[str, Any] | None:
    """Those that all of several jobs have; None where they differ."""
    if len(groups) != 1 or len(groups[0]) == 1:
        return None
    first, *_ = groups[0]
    return {"jobs": len(groups[0]), "buckets": first["buckets"], "edges": first["edges"]}


def _shared(runs: Sequence[dict[str, Any]]) -> str:
    """What all of several jobs were told, but for where their files are."""
    told = (each for each in common_overrides(runs) if not each.lstrip("+").startswith(OUTSIDE))
    return " ".join(told) if len(runs) > 1 else ""


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Its rollouts until each target; where it was measured, also with those spent on that."""
    targets, measured = row["targets"], row["measured_rollouts"] and not row["control"]
    return {
        "told": [tell_target(each, "ratio") for each in targets],
        "told_spent": [tell_target(each, "spent") for each in targets] if measured else [],
    }


def _job(sweep: Path, run: dict[str, Any], groups: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """A row of the table of jobs; `as_of` is an earlier job with the same buckets."""
    name = run["job"]
    first = {other["job"]: group[0]["job"] for group in groups for other in group}.get(name)
    page = f"{name}/{FILE}" if (sweep / name / FILE).exists() else None
    as_of = None if first == name else first
    return {"buckets": {}, "edges": run.get("shard", ""), **run, "page": page, "as_of": as_of}


def _heat(
    runs: Sequence[dict[str, Any]], agreement: Sequence[dict[str, Any]]
) -> list[list[float | None]]:
    """The index of every two runs, None of a run with itself."""
    index = {(pair["job"], pair["other"]): pair["index"] for pair in agreement}
    index |= {(other, one): value for (one, other), value in index.items()}
    return [[index.get((one["job"], other["job"])) for other in runs] for one in runs]


def _bucket_legend(runs: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    parts = list(dict.fromkeys(name for run in runs for name in run["buckets"]))
    return list(zip(parts, bucket_colors(runs, parts), strict=True))
