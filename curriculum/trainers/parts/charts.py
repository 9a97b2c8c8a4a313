"""Charts of a training: what was drawn, what it earned, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curriculum.core.charts import (
    ACCENT,
    COUNTS,
    DISTINCT,
    GREY,
    SOURCES,
    Spec,
    chart,
    color,
    dashed,
    pointed_at,
    quantity,
    rules,
    significant,
    stacked_rows,
    told,
)
from curriculum.core.names import CONTROL
from curriculum.core.records import Floats, Integers
from curriculum.trainers.parts.steps import Steps

CURVES: dict[str, tuple[str, str, Spec]] = {  # column, title and scale
    "learning": ("mean_pass_rate", "mean pass rate", {"zero": False}),
    "reward": ("reward", "reward", {"zero": False}),
    "gradient": ("groups_with_gradient", "share", {"domain": [0, 1]}),
}
SPENT_ON = ("rewards that differ", "all rewards alike")
MOST_BINS = 40


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


def curves(steps: Steps, name: str) -> Spec:
    """A number of the sampler, and the control's beside it: one of `CURVES`."""
    field, title, scale = CURVES[name]
    over, over_title = steps.x
    values: list[Spec] = []
    x = steps.means(over)
    for arm, column in enumerate((field, f"control/{field}")):
        if column in steps:
            numbers = zip(significant(x), significant(steps.means(column)), strict=True)
            values += [{"x": at, "y": y, "b": arm} for at, y in numbers if y is not None]
    for point in values:
        point["name"] = "control" if point["b"] else "sampler"
    y = quantity("y", title, scale=scale, axis={"tickCount": 5})
    across = _over(over_title, x)
    encoding = {
        "x": across,
        "y": y,
        "color": color("b", [ACCENT, GREY]),
        "strokeDash": dashed("b", [False, True]),
    }
    line = {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": encoding}
    tooltip = told(name="", x=f"{over_title}|,.0f", y=f"{title}|.3f")
    target = pointed_at({"x": across, "y": y, "color": encoding["color"], "tooltip": tooltip})
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
    counts = np.stack([total - without, without], axis=1)
    titles = {"whole": "arm", "part": "groups with", "count": "rollouts|,"}
    return stacked_rows(labels, counts, names, SPENT_ON, [ACCENT, GREY], **titles)


def draws(arms: Sequence[Integers]) -> Spec:
    """How many prompts were drawn how often: by the sampler, and by the control.

    Args:
        arms: (P,) of each, how often each prompt was drawn.
    """
    most = max(int(counts.max()) for counts in arms)
    wide = -(-(most + 1) // MOST_BINS)  # whole numbers in each bin, as many in all of them
    edges = np.arange(0, most + 1 + wide, wide, dtype=np.float64) - 0.5
    values: list[Spec] = []
    for b, counts in enumerate(arms):
        prompts = [*np.histogram(counts, edges)[0].tolist(), 0]
        values += [
            {"x": edge, "y": count, "b": b}
            for edge, count in zip(significant(edges), prompts, strict=True)
        ]
    ticks = {"grid": False, "tickMinStep": 1, "tickCount": 6}
    span = {"domain": [-0.5, float(edges[-1])], "nice": False}
    encoding = {
        "x": quantity("x", "draws of a prompt", scale=span, axis=ticks),
        "y": quantity("y", "prompts", axis={**COUNTS, "tickMinStep": 1}),
        "color": color("b", [ACCENT, GREY]),
        "strokeDash": dashed("b", [False, True]),
    }
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8}
    return chart(220, {"mark": mark, "encoding": encoding}, values=values)


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
