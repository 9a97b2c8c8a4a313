"""How a training went: what was drawn, what it earned, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from curriculum.core.names import CONTROL, EVENTS, METRICS
from curriculum.core.records import Floats
from curriculum.report.buckets import SOURCES, stacked_rows
from curriculum.report.look import (
    ACCENT,
    COUNTS,
    DISTINCT,
    GREY,
    Spec,
    chart,
    color,
    quantity,
    rules,
    significant,
    told,
)

POINTS = 50  # of a curve; where there are more steps, means of as many each
TOLD = 200  # events


class Steps:
    """The numbers of each step, as the tracker has left them, and the events."""

    def __init__(self, folder: Path) -> None:
        table = pq.read_table(folder / METRICS)
        self._columns = {name: _floats(table, name) for name in table.column_names}
        lines = (folder / EVENTS).read_text(encoding="utf-8").splitlines()
        self.events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.count = len(self["step"])
        self.groups = np.array_split(np.arange(self.count), min(self.count, POINTS) or 1)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Floats:
        return self._columns[name]

    def means(self, name: str) -> Floats:
        """(points,) means over the steps of each point, NaN where there is no number."""
        values = self[name]
        known = np.isfinite(values)
        sums = np.array([values[group][known[group]].sum() for group in self.groups])
        counts = np.array([known[group].sum() for group in self.groups])
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    @property
    def x(self) -> tuple[str, str]:
        """What curves run over, and its title."""
        return ("rollouts", "rollouts") if "rollouts" in self else ("step", "batches")

    def level_ups(self) -> list[dict[str, Any]]:
        """Each with the place `at` which its line stands, and what it says."""
        name, _ = self.x
        found = []
        for event in self.events:
            if event["event"] == "level_up":
                row = int(np.searchsorted(self["step"], event["step"]))
                at = float(self[name][min(row, self.count - 1)])
                short = {key: event.get(key) for key in ("level", "threshold", "reward", "source")}
                short["reward"] = round(float(event.get("reward", np.nan)), 3)
                found.append({"at": at, "step": event["step"], **short})
        return found

    def told(self) -> list[dict[str, Any]]:
        """The first events, as text."""
        return [{"step": each["step"], "text": each["text"]} for each in self.events[:TOLD]]

    def shares(self, kind: str) -> dict[str, Floats]:
        """(points,) of each bucket's or source's share of the batches."""
        prefix = f"{kind}/"
        names = [name for name in self._columns if name.startswith(prefix)]
        return {name.removeprefix(prefix): self.means(name) for name in names}


def mix(steps: Steps, shares: Mapping[str, Floats], colors: Sequence[str], kind: str) -> Spec:
    """Shares of the batches as areas on each other, level-ups as upright lines."""
    over, title = steps.x
    x = steps.means(over)
    stack = np.stack([np.nan_to_num(each) for each in shares.values()])
    drawn = stack.sum(0) > 0  # not before the first step
    x, stack = x[drawn], stack[:, drawn]
    tops = (stack / stack.sum(0)).cumsum(0)
    lows = np.vstack([np.zeros(len(x)), tops[:-1]])
    values = [
        {"x": at, "y0": low, "y1": high, "share": share, "b": b, "name": name}
        for b, name in enumerate(shares)
        for at, low, high, share in zip(
            significant(x),
            significant(lows[b]),
            significant(tops[b]),
            significant(tops[b] - lows[b]),
            strict=True,
        )
    ]
    across = _over(title, x)
    encoding = {
        "x": across,
        "y": quantity("y0", "share of a batch", axis=_percent(), scale={"domain": [0, 1]}),
        "y2": {"field": "y1"},
        "color": color("b", colors),
        "detail": {"field": "b"},
        "tooltip": told(name=kind),
    }
    area = {"mark": {"type": "area", "interpolate": "monotone", "line": False}}
    return chart(220, {**area, "encoding": encoding}, *_level_rules(steps, across), values=values)


def source_colors(names: Sequence[str]) -> list[str]:
    """A colour a source; the palette begins again where there are many."""
    return [GREY if i == SOURCES - 1 else DISTINCT[i % len(DISTINCT)] for i, _ in enumerate(names)]


def biggest(shares: dict[str, Floats]) -> dict[str, Floats]:
    """The sources drawn most, the others as one."""
    if len(shares) <= SOURCES:
        return shares
    order = sorted(shares, key=lambda name: -float(np.nansum(shares[name])))
    kept = {name: shares[name] for name in order[: SOURCES - 1]}
    rest = np.nansum([shares[name] for name in order[SOURCES - 1 :]], axis=0)
    return {**kept, f"{len(order) - SOURCES + 1:,} others": rest}


def curves(steps: Steps, field: str, title: str, **scale: Any) -> Spec | None:
    """A number of the sampler, and the control's beside it; None where there is none."""
    if field not in steps:
        return None
    over, over_title = steps.x
    values: list[Spec] = []
    x = steps.means(over)
    for arm, name in enumerate((field, f"control/{field}")):
        if name in steps:
            numbers = zip(significant(x), significant(steps.means(name)), strict=True)
            values += [{"x": at, "y": y, "b": arm} for at, y in numbers if y is not None]
    for each in values:
        each["name"] = "control" if each["b"] else "sampler"
    y = quantity("y", title, scale={"zero": False, **scale}, axis={"tickCount": 5})
    across = _over(over_title, x)
    encoding = {
        "x": across,
        "y": y,
        "color": color("b", [ACCENT, GREY]),
        "strokeDash": {
            "field": "b",
            "type": "ordinal",
            "scale": {"domain": [0, 1], "range": [[1, 0], [5, 4]]},
            "legend": None,
        },
    }
    line = {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": encoding}
    tooltip = told(name="", x=f"{over_title}|,.0f", y=f"{title}|.3f")
    target = {
        "mark": {"type": "circle", "size": 120, "opacity": 0.001},
        "encoding": {"x": across, "y": y, "color": encoding["color"], "tooltip": tooltip},
    }
    return chart(220, line, target, *_level_rules(steps, across), values=values)


def spent(arms: Mapping[str, Mapping[str, Any]]) -> Spec:
    """Rollouts of each arm in groups with and without a gradient."""
    names = list(arms)
    without = np.array([arm["rollouts_without_gradient"] for arm in arms.values()])
    total = np.array([arm["rollouts"] for arm in arms.values()])
    labels = [
        {"row": i, "label": f"{name}{' (control)' if name == CONTROL else ''}"}
        for i, name in enumerate(names)
    ]
    parts = ["rewards that differ", "all rewards alike"]
    counts = np.stack([total - without, without], axis=1)
    titles = {"whole": "arm", "part": "groups with", "count": "rollouts|,"}
    return stacked_rows(labels, counts, names, parts, [ACCENT, GREY], **titles)


def _floats(table: Any, name: str) -> Floats:
    return np.asarray(table[name].to_pandas().to_numpy(np.float64, na_value=np.nan))


def _over(title: str, x: Floats) -> Spec:
    low, high = significant(np.array([np.nanmin(x), np.nanmax(x)]))
    scale = {"domain": [low, high], "nice": False}
    return quantity("x", title, scale=scale, axis={**COUNTS, "grid": False})


def _percent() -> Spec:
    return {"format": "%", "tickCount": 5}


def _level_rules(steps: Steps, across: Spec) -> list[Spec]:
    titles = {
        "level": "level up to",
        "step": "batch|,",
        "reward": "reward|.3f",
        "threshold": "threshold|.3f",
    }
    return rules(steps.level_ups(), across, "level", **titles)
