"""How hard the problems are: the distribution, and each problem's interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from curriculum.core.charts import Spec, chart, color, quantity, rules, significant, told
from curriculum.core.measured import Measured
from curriculum.core.records import DECIMALS, Floats, Integers, evenly

WHISKERS = 120  # problems
FEW = 41  # different values that get a bar of their own
BINS = 32
TICKS = 9  # bars that each have a tick
LABEL = 0.13  # of the width that an edge's label takes on a phone
INFINITE = 1e300  # edges are JSON, which has no infinity


def cut_on(outcome: Measured) -> tuple[str, list[float]]:
    """The metric that buckets were cut on and the values between them, if there are any."""
    cuts = outcome.buckets.cuts
    return (cuts.metric, list(cuts.values)) if cuts else (outcome.metrics.chosen, [])


def histogram(
    values: Floats, bucket: Integers, names: list[str], colors: list[str], edges: list[float]
) -> Spec | None:
    """Problems by a metric, in the colours of their buckets; edges as upright lines.

    Args:
        values: (P,) of the metric; those that are not finite are left out.
        bucket: (P,) 0 the easiest.

    Returns:
        None where no value is finite.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return None
    left, right, place = bins(values[finite])
    lines = sorted({each for each in edges if abs(each) < INFINITE})
    counts = np.zeros((len(names), len(left)), np.int64)
    np.add.at(counts, (bucket[finite], place), 1)
    tops = counts.cumsum(0)
    lows, highs = significant(left), significant(right)
    bars = [
        {
            "x0": lows[i],
            "x1": highs[i],
            "y0": int(tops[b, i] - counts[b, i]),
            "y1": int(tops[b, i]),
            "b": int(b),
            "pick": int(b),
            "name": names[b],
            "count": int(counts[b, i]),
        }
        for b, i in np.argwhere(counts)
    ]
    domain = [min([left[0], *lines]), max([right[-1], *lines])]
    pad = (domain[1] - domain[0]) * 0.01
    low, high = significant(np.array([domain[0] - pad, domain[1] + pad]))
    axis: Spec = {"grid": False, "format": ".3~g"}
    if len(left) <= TICKS:
        axis["values"] = significant((left + right) / 2, 3)
    x = quantity("x0", "", scale={"domain": [low, high], "nice": False}, axis=axis)
    y = quantity("y0", "problems", axis={"tickCount": 5, "tickMinStep": 1})
    encoding = {
        "x": x,
        "x2": {"field": "x1"},
        "y": y,
        "y2": {"field": "y1"},
        "color": color("b", colors),
        "tooltip": told(name="bucket", count="problems|,", x0="from|.4~g", x1="to|.4~g"),
    }
    mark = {"type": "rect", "cursor": "pointer", "style": "bar"}
    drawn = rules(_edge_lines(lines, domain[1] - domain[0]), x, "label", edge="edge|.4~g")
    return chart(250, {"mark": mark, "encoding": encoding}, *drawn, values=bars)


def _edge_lines(edges: list[float], width: float) -> list[Spec]:
    """Each edge with its label, or none where the next one stands too close to it."""
    lines: list[Spec] = []
    last = -np.inf
    for value in edges:
        apart = value - last > LABEL * width
        last = value if apart else last
        lines.append({"at": value, "edge": value, "label": f"{value:.3g}" if apart else ""})
    return lines


def bins(values: Floats) -> tuple[Floats, Floats, Integers]:
    """Left and right of each bar, and the bar of each value.

    Values of few rollouts are few and far apart: each has its own bar, for bins between them would
    draw a comb.
    """
    distinct = np.unique(np.round(values, DECIMALS))
    gap = np.diff(distinct).min() if len(distinct) > 1 else 0.1
    wide = (np.ptp(distinct) if len(distinct) else 0.0) + gap
    if len(distinct) <= FEW and gap * FEW * 2 >= wide:
        half = 0.46 * gap
        place = np.searchsorted(distinct, np.round(values, DECIMALS))
        return distinct - half, distinct + half, place
    borders = np.linspace(distinct[0], distinct[-1], BINS + 1)
    place = np.clip(np.searchsorted(borders, values, side="right") - 1, 0, BINS - 1)
    inset = 0.04 * (borders[1] - borders[0])
    return borders[:-1] + inset, borders[1:] - inset, place


def whiskers(outcome: Measured, colors: list[str]) -> Spec:
    """Pass rates with their intervals, the hardest problem first."""
    metrics = outcome.metrics
    rate, names = metrics["c"] / metrics["n"], list(outcome.buckets.names)
    order = np.lexsort((metrics["pass_rate_high"], metrics["pass_rate_mean"]))
    places = evenly(len(order), WHISKERS)
    rows = order[places]
    numbers: dict[str, list[Any]] = {
        "r": significant(rate[rows]),
        "lo": significant(metrics["pass_rate_low"][rows]),
        "hi": significant(metrics["pass_rate_high"][rows]),
        "n": metrics["n"][rows].astype(int).tolist(),
        "x": (places + 1).tolist(),
        "b": outcome.buckets.assignment[rows].tolist(),
    }
    ids = metrics.problem_id.take(pa.array(rows)).to_pylist()
    numbers |= {"problem": ids, "name": [names[each] for each in numbers["b"]]}
    points = [dict(zip(numbers, each, strict=True)) for each in zip(*numbers.values(), strict=True)]
    tooltip = told(
        problem="problem",
        name="bucket",
        r="pass rate|.3f",
        lo="interval from|.3f",
        hi="to|.3f",
        n="rollouts|,",
    )
    scale = {"domain": [0.5, len(order) + 0.5], "nice": False}
    axis = {"grid": False, "tickMinStep": 1}
    x = quantity("x", "problems, from hard to easy", scale=scale, axis=axis)
    y = quantity("lo", "pass rate", scale={"domain": [0, 1]}, axis={"tickCount": 5})
    shared: Spec = {"x": x, "color": color("b", colors), "tooltip": tooltip}
    interval = {
        "mark": {"type": "rule", "strokeWidth": 1.6, "opacity": 0.55, "cursor": "pointer"},
        "encoding": {**shared, "y": y, "y2": {"field": "hi"}},
    }
    point = {
        "mark": {"type": "circle", "size": 20, "opacity": 1, "cursor": "pointer"},
        "encoding": {**shared, "y": {**y, "field": "r"}},
    }
    return chart(250, interval, point, values=points)
