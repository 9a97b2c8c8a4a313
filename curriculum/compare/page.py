"""The page of a sweep: its jobs, how far they agree, and which curriculum helps most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.compare.arms import Arm
from curriculum.core.run_result import git_commit
from curriculum.report.buckets import stacked_rows
from curriculum.report.look import (
    COUNTS,
    DISTINCT,
    GREY,
    Spec,
    chart,
    color,
    easy_to_hard,
    labelled_rows,
    quantity,
    row_place,
    significant,
    told,
)
from curriculum.report.page import FILE, write
from curriculum.store.entries import Store

POINTS = 60  # of a learning curve


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
    jobs = [{"buckets": {}, "edges": run.get("shard", ""), **run} for run in runs]
    for job in jobs:
        job["page"] = _page(sweep, job["job"])
    measured = [run for run in runs if "buckets" in run]
    charts: dict[str, Spec] = {}
    if agreement:  # there is none where runs differ in their training alone
        charts["sizes"] = sizes(measured)
    settings = []
    for i, each in enumerate(found):
        of_setting = [arm for arm in arms if arm.setting == each["setting"]]
        colors = arm_colors(of_setting)
        charts[f"curves_{i}"] = curves(of_setting, colors, each["rollouts"])
        charts[f"gains_{i}"] = gains(each["arms"], colors)
        if any(row["rollouts_to_gain"] for row in each["arms"]):
            charts[f"until_{i}"] = until(each["arms"], colors)
        names = [_named(row) for row in each["arms"]]
        legend = list(zip(names, colors, strict=True))
        rows = [row | {"until": reached(row)} for row in each["arms"]]
        settings.append(
            each
            | {
                "arms": rows,
                "legend": legend,
                "key": i,
                "any_reached": f"until_{i}" in charts,
                "percent": f"{each['level']:.0%}".replace("%", " %"),
            }
        )
    done = sum(run["status"] == "completed" for run in runs)
    shown = {
        "title": f"Sweep of {len(runs):,} jobs",
        "folder": str(sweep),
        "finished": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "status": "completed" if done == len(runs) else "unfinished",
        "done": f"{done:,} of {len(runs):,} jobs completed",
        "commit": git_commit(),
        "jobs": jobs,
        "measured": [run["choice"] for run in measured],
        "heat": _heat(measured, agreement),
        "buckets": _bucket_legend(measured) if agreement else [],
        "settings": settings,
    }
    scripts = ("data.js", "charts.js", "sweep.js")
    return write(sweep, "sweep.html", scripts, {"charts": charts}, store, shown)


def sizes(runs: Sequence[dict[str, Any]]) -> Spec:
    """Each run's shares of the buckets, one below the other."""
    parts = list(dict.fromkeys(name for run in runs for name in run["buckets"]))
    counts = np.array([[run["buckets"].get(name, 0) for name in parts] for run in runs])
    labels = [{"row": i, "label": run["choice"]} for i, run in enumerate(runs)]
    spec = stacked_rows(
        labels,
        counts,
        [run["choice"] for run in runs],
        parts,
        _colors(runs, parts),
        whole="run",
        part="bucket",
        count="problems|,",
    )
    return spec


def curves(arms: Sequence[Arm], colors: Sequence[str], rollouts: float) -> Spec:
    """What each arm has gained after so many rollouts, with the intervals over its seeds."""
    at = np.linspace(0, rollouts, POINTS)
    values: list[Spec] = []
    for b, arm in enumerate(arms):
        numbers = np.array([arm.interval(float(each)) for each in at]).T
        columns = [significant(each) for each in (at, *numbers)]
        values += [
            {"x": x, "y": y, "lo": low, "hi": high, "b": b, "name": arm.name}
            for x, y, low, high in zip(*columns, strict=True)
        ]
    x = quantity(
        "x",
        "rollouts",
        scale={"domain": [0, rollouts], "nice": False},
        axis={**COUNTS, "grid": False},
    )
    shared = {"x": x, "color": color("b", colors)}
    axis = {"tickCount": 5}
    known = {"filter": "isValid(datum.lo)"}
    band = {
        "transform": [known],
        "mark": {"type": "area", "opacity": 0.16},
        "encoding": {**shared, "y": quantity("lo", "gain", axis=axis), "y2": {"field": "hi"}},
    }
    line = {
        "mark": {"type": "line", "strokeWidth": 2.2},
        "encoding": {**shared, "y": quantity("y", "gain", axis=axis), **_dashes(arms)},
    }
    titles = {
        "name": "arm",
        "x": "rollouts|,.0f",
        "y": "gain|.3f",
        "lo": "from|.3f",
        "hi": "to|.3f",
    }
    target = {
        "mark": {"type": "circle", "size": 120, "opacity": 0.001},
        "encoding": {**shared, "y": quantity("y", "gain", axis=axis), "tooltip": told(**titles)},
    }
    return chart(300, band, line, target, values=values)


def gains(rows: Sequence[dict[str, Any]], colors: Sequence[str]) -> Spec:
    """The gain of each arm after equal rollouts, with its interval."""
    values = [
        {
            "row": i,
            "b": i,
            "label": _named(row),
            "gain": row["gain"],
            "lo": row["gain_low"],
            "hi": row["gain_high"],
            "seeds": row["seeds"],
        }
        for i, row in enumerate(rows)
    ]
    titles = {
        "label": "arm",
        "gain": "gain|.3f",
        "lo": "from|.3f",
        "hi": "to|.3f",
        "seeds": "seeds|,",
    }
    shared = {"y": row_place(), "color": color("b", colors), "tooltip": told(**titles)}
    axis = {"tickCount": 6}
    interval = {
        "transform": [{"filter": "isValid(datum.lo)"}],
        "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round"},
        "encoding": {**shared, "x": quantity("lo", "gain", axis=axis), "x2": {"field": "hi"}},
    }
    dot = {
        "mark": {"type": "circle", "size": 110, "opacity": 1},
        "encoding": {**shared, "x": quantity("gain", "gain", axis=axis)},
    }
    return chart(44 * len(rows) + 40, labelled_rows(values), interval, dot, values=values)


def until(rows: Sequence[dict[str, Any]], colors: Sequence[str]) -> Spec:
    """Rollouts that each arm took to gain what was wanted, on average over its seeds."""
    labels = [
        {
            "row": i,
            "b": i,
            "label": _named(row) + ("" if row["rollouts_to_gain"] else f" · {reached(row)}"),
            "start": 0,
            "x": row["rollouts_to_gain"] or 0,
        }
        for i, row in enumerate(rows)
    ]
    bar = {
        "mark": {"type": "rule", "strokeWidth": 14, "style": "bar"},
        "encoding": {
            "x": quantity("start", "rollouts", axis=COUNTS),
            "x2": {"field": "x"},
            "y": row_place(),
            "color": color("b", colors),
            "tooltip": told(label="arm", x="rollouts|,.0f"),
        },
    }
    return chart(44 * len(rows) + 40, labelled_rows(labels), bar, values=labels)


def reached(row: dict[str, Any]) -> str:
    """How many rollouts an arm took to gain what was wanted."""
    if row["rollouts_to_gain"] is not None:
        return f"{row['rollouts_to_gain']:,.0f}"
    return f"by {row['reached']} of {row['seeds']} seeds" if row["reached"] else "not reached"


def arm_colors(arms: Sequence[Arm]) -> list[str]:
    """Grey for controls."""
    others = iter(range(len(arms)))
    return [GREY if arm.is_control else DISTINCT[next(others) % len(DISTINCT)] for arm in arms]


def _dashes(arms: Sequence[Arm]) -> Spec:
    patterns = [[5, 4] if arm.is_control else [1, 0] for arm in arms]
    scale = {"domain": list(range(len(arms))), "range": patterns}
    return {"strokeDash": {"field": "b", "type": "ordinal", "scale": scale, "legend": None}}


def _named(row: dict[str, Any]) -> str:
    return f"{row['arm']} (control)" if row["control"] else str(row["arm"])


def _page(sweep: Path, job: str) -> str | None:
    return f"{job}/{FILE}" if (sweep / job / FILE).exists() else None


def _heat(
    runs: Sequence[dict[str, Any]], agreement: Sequence[dict[str, Any]]
) -> list[list[float | None]]:
    """The index of every two runs, None of a run with itself."""
    index = {(pair["job"], pair["other"]): pair["index"] for pair in agreement}
    index |= {(other, one): value for (one, other), value in index.items()}
    return [[index.get((one["job"], other["job"])) for other in runs] for one in runs]


def _colors(runs: Sequence[dict[str, Any]], parts: Sequence[str]) -> list[str]:
    """A colour a bucket: the one it has in the run with the most buckets that has it."""
    found: dict[str, str] = {}
    for run in sorted(runs, key=lambda run: -len(run["buckets"])):
        names = list(run["buckets"])
        for name, each in zip(names, easy_to_hard(names), strict=True):
            found.setdefault(name, each)
    return [found[name] for name in parts]


def _bucket_legend(runs: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    parts = list(dict.fromkeys(name for run in runs for name in run["buckets"]))
    return list(zip(parts, _colors(runs, parts), strict=True))
