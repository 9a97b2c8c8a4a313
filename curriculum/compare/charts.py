"""Charts of a sweep: its buckets, and what its curricula gain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.compare.arms import Arm
from curriculum.compare.paired import LEVEL, half_widths
from curriculum.core.charts import (
    COUNTS,
    DISTINCT,
    GREY,
    Spec,
    chart,
    color,
    dashed,
    easy_to_hard,
    labelled_rows,
    pointed_at,
    quantity,
    row_place,
    significant,
    stacked_rows,
    told,
)
from curriculum.integrations.vega import Panel, save_picture

POINTS = 60  # of a learning curve
COLUMNS = 2  # of a picture, where there are more settings than one
WIDTH = 1000  # of its charts together, in pixels


def plot(found: Sequence[dict[str, Any]], arms: Sequence[Arm], path: Path) -> None:
    """Draw what the arms of each setting gain over rollouts, with the intervals over their seeds.

    Of simulated ones it is the share of groups with a gradient.

    Args:
        found: what the curricula of each setting come to.
    """
    panels = []
    for setting in found:
        compared = [arm for arm in arms if arm.setting == setting["setting"]]
        chart = curves(compared, arm_colors(compared), setting["rollouts"])
        panels.append(Panel(setting["setting"], chart, [arm_label(row) for row in setting["arms"]]))
    bands = f"bands: {LEVEL:.0%} intervals over the seeds".replace("%", " %")
    what = "Groups with a gradient" if found[0]["simulated"] else "Gain of the mean pass rate"
    title = f"{what}; {bands}"
    columns = min(len(panels), COLUMNS)
    save_picture(path, title, found[0]["label"], panels, columns, WIDTH // columns)


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
        bucket_colors(runs, parts),
        whole="run",
        part="bucket",
        count="problems|,",
    )
    return spec


def curves(
    arms: Sequence[Arm], colors: Sequence[str], rollouts: float, of: str | None = None
) -> Spec:
    """What each arm has gained after so many rollouts, with the intervals over its seeds.

    Rollouts are all that were spent: the curve of an arm begins behind those of its measuring.
    Of simulated arms, and where `of` says what rates are, it is the rate itself.
    """
    at = np.linspace(0, rollouts, POINTS)
    of = of or ("share" if arms[0].simulated else None)
    what = of or "gain"
    values: list[Spec] = []
    for b, arm in enumerate(arms):
        gains, before = arm.levels(at) if of else arm.gains(at), arm.curves[0].measured
        mean, half = gains.mean(0), half_widths(gains)
        columns = [significant(each) for each in (at, mean, mean - half, mean + half)]
        values += [
            {"x": x + before, "y": y, "lo": low, "hi": high, "b": b, "name": arm.name}
            for x, y, low, high in zip(*columns, strict=True)
        ]
    most = max(curve.measured for arm in arms for curve in arm.curves)
    x = quantity(
        "x",
        "rollouts, measuring included" if most else "rollouts",
        scale={"domain": [0, rollouts + most], "nice": False},
        axis={**COUNTS, "grid": False},
    )
    shared = {"x": x, "color": color("b", colors)}
    axis = {"tickCount": 5}
    band = {
        "transform": [{"filter": "isValid(datum.lo)"}],
        "mark": {"type": "area", "opacity": 0.16},
        "encoding": {**shared, "y": quantity("lo", what, axis=axis), "y2": {"field": "hi"}},
    }
    gain = quantity("y", what, axis=axis)
    line = {
        "mark": {"type": "line", "strokeWidth": 2.2},
        "encoding": {**shared, "y": gain, "strokeDash": dashed("b", [a.is_control for a in arms])},
    }
    titles = {
        "name": "arm",
        "x": "rollouts|,.0f",
        "y": f"{what}|.3f",
        "lo": "from|.3f",
        "hi": "to|.3f",
    }
    target = pointed_at({**shared, "y": gain, "tooltip": told(**titles)})
    bands = [band] if any(each["lo"] is not None for each in values) else []
    return chart(300, *bands, line, target, values=values)


def gains(rows: Sequence[dict[str, Any]], colors: Sequence[str]) -> Spec:
    """How much more than its control each arm gains after equal rollouts, with its interval.

    Where there is no control: the gain of each arm.
    """
    beyond = any(row["more"] is not None for row in rows)
    kind = "more" if beyond else "gain"
    held = [(b, row) for b, row in enumerate(rows) if row[kind] is not None]
    values = [
        {
            "row": i,
            "b": b,
            "label": arm_label(row),
            "gain": row[kind],
            "lo": row[f"{kind}_low"],
            "hi": row[f"{kind}_high"],
            "seeds": row["seeds"],
        }
        for i, (b, row) in enumerate(held)
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
    zero = [{"mark": {"type": "rule", "color": GREY}, "encoding": {"x": {"datum": 0}}}]
    layers = (*(zero if beyond else []), labelled_rows(values), interval, dot)
    return chart(44 * len(held) + 40, *layers, values=values)


def until(rows: Sequence[dict[str, Any]], colors: Sequence[str]) -> Spec:
    """Rollouts that each arm took to gain what was wanted, on average over its seeds."""
    labels = [
        {
            "row": i,
            "b": i,
            "label": arm_label(row) + ("" if row["rollouts_to_gain"] else f" · {reached(row)}"),
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


def arm_label(row: dict[str, Any]) -> str:
    """Its name, and whether it is the control."""
    return f"{row['arm']} (control)" if row["control"] else str(row["arm"])


def bucket_colors(runs: Sequence[dict[str, Any]], parts: Sequence[str]) -> list[str]:
    """A colour a bucket: the one it has in the run with the most buckets that has it."""
    found: dict[str, str] = {}
    for run in sorted(runs, key=lambda run: -len(run["buckets"])):
        names = list(run["buckets"])
        for name, each in zip(names, easy_to_hard(names), strict=True):
            found.setdefault(name, each)
    return [found[name] for name in parts]
