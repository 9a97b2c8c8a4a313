"""What charts share, on a page and as a picture: colours, ordered and distinct, and axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curriculum.core.names import UNKNOWN
from curriculum.core.records import Floats, Integers

# Blue to orange is the way that the usual kinds of colour blindness leave open; all are as light,
# so that each stands out from a white and from a dark page.
EASY_TO_HARD = ("#2f86c6", "#7d8fd3", "#c583b3", "#e0652f")
GREY = "#8b93a1"
# Okabe and Ito's, for what has no order.
DISTINCT = ("#0e8f7e", "#d9a200", "#b86a97", "#4ba3d9", "#c65a11", "#6e6bb5", "#7a9a2e", "#a0522d")
ACCENT = "#0e8f7e"
SOURCES = 12  # with a colour or a row of their own

# Of a light page, as its style sheet has them.
INK, DIM, LINE = "#1d2330", "#626b7a", "#e4e6ea"

Spec = dict[str, Any]

POINTED_AT = "pointed_at"  # the name of layers that nobody sees

# An axis of large numbers, 20k; Vega's own format would begin it with 0k.
COUNTS: Spec = {"labelExpr": "format(datum.value, '~s')", "tickCount": 5}


def easy_to_hard(names: Sequence[str]) -> list[str]:
    """A colour a bucket; grey for problems that are hard, nobody knows how hard."""
    anchors = np.array([[int(each[i : i + 2], 16) for i in (1, 3, 5)] for each in EASY_TO_HARD])
    known = sum(name != UNKNOWN for name in names)
    at = np.linspace(0, len(anchors) - 1, known)
    channels = [np.interp(at, np.arange(len(anchors)), channel) for channel in anchors.T]
    colors = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.round(channels).astype(int).T]
    return [GREY if name == UNKNOWN else colors.pop(0) for name in names]


def chart(height: int, *layers: Spec, values: Sequence[Spec] = ()) -> Spec:
    """A Vega-Lite spec as wide as its place on the page; fields are names of ours alone."""
    size = {"width": "container", "height": height}
    fit = {"autosize": {"type": "fit-x", "contains": "padding"}}
    return {**size, **fit, "data": {"values": list(values)}, "layer": list(layers)}


def quantity(field: str, title: str, **more: Any) -> Spec:
    """A channel of numbers; layers that share an axis have to say the same of it."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def color(field: str, colors: Sequence[str]) -> Spec:
    """A channel of places in a list of colours; the page has the legend."""
    scale = {"domain": list(range(len(colors))), "range": list(colors)}
    return {"field": field, "type": "ordinal", "scale": scale, "legend": None}


def dashed(field: str, dashes: Sequence[bool]) -> Spec:
    """A channel of places in a list: whether a line is dashed, as a control's is."""
    patterns = [[5, 4] if each else [1, 0] for each in dashes]
    scale = {"domain": list(range(len(patterns))), "range": patterns}
    return {"field": field, "type": "ordinal", "scale": scale, "legend": None}


def pointed_at(encoding: Spec) -> Spec:
    """A layer of places to point at, for the tooltips of lines; a picture does without."""
    mark = {"type": "circle", "size": 120, "opacity": 0.001}
    return {"name": POINTED_AT, "mark": mark, "encoding": encoding}


def told(**titles: str) -> list[Spec]:
    """Fields of a tooltip: its title for each, with a number format behind a | where it is one."""
    fields = []
    for field, title in titles.items():
        title, _, form = title.partition("|")
        kind: Spec = {"type": "quantitative", "format": form} if form else {"type": "nominal"}
        fields.append({"field": field, "title": title, **kind})
    return fields


def labelled_rows(rows: Sequence[Spec]) -> Spec:
    """A layer of names above rows of bars: each datum has its `row` and its `label`."""
    limit = {"expr": "width"}
    mark = {"type": "text", "align": "left", "baseline": "bottom", "dy": -11, "limit": limit}
    encoding = {"y": row_place(), "x": {"value": 0}, "text": {"field": "label", "type": "nominal"}}
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def stacked_rows(
    labels: Sequence[Spec],
    counts: Integers,
    rows: Sequence[str],
    parts: Sequence[str],
    colors: Sequence[str],
    **titles: str,
) -> Spec:
    """Bars of shares, one below the other.

    Args:
        labels: the `row` and `label` above each bar.
        counts: (rows, parts) what the bars are made of.
        titles: of `whole`, `part` and `count` in the tooltip.
    """
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    ends = shares.cumsum(1)
    bars = [
        {
            "row": int(i),
            "b": int(b),
            "x0": round(float(ends[i, b] - shares[i, b]), 5),
            "x1": round(float(ends[i, b]), 5),
            "share": round(float(shares[i, b]), 5),
            "count": int(counts[i, b]),
            "whole": rows[i],
            "part": parts[b],
        }
        for i, b in np.argwhere(counts)
    ]
    x = quantity("x0", "", scale={"domain": [0, 1]}, axis={"format": "%", "tickCount": 5})
    encoding = {
        "x": x,
        "x2": {"field": "x1"},
        "y": row_place(),
        "color": color("b", colors),
        "tooltip": told(**titles, share="share|.1%"),
    }
    bar = {"mark": {"type": "rule", "strokeWidth": 14, "style": "bar"}, "encoding": encoding}
    return chart(44 * len(labels) + 30, labelled_rows(labels), bar, values=bars)


def row_place() -> Spec:
    """The channel of rows one below the other, with room for a name above each."""
    scale = {"paddingInner": 0, "paddingOuter": 0}
    return {"field": "row", "type": "ordinal", "axis": None, "scale": scale, "bandPosition": 0.72}


def rules(values: Sequence[Spec], across: Spec, label: str, **titles: str) -> list[Spec]:
    """Layers of upright lines at `at`, with the field `label` at their top.

    Args:
        across: the x channel of the chart.
    """
    if not values:
        return []
    x = {**across, "field": "at"}
    data = {"values": list(values)}
    mark = {
        "type": "rule",
        "strokeDash": [3, 3],
        "style": "mark-line",
        "strokeWidth": 1.2,
        "opacity": 0.6,
    }
    text = {"type": "text", "style": "mark-label", "align": "left", "dx": 3, "y": 0, "dy": -5}
    shown = {"field": label, "type": "nominal"}
    return [
        {"data": data, "mark": mark, "encoding": {"x": x, "tooltip": told(**titles)}},
        {"data": data, "mark": text, "encoding": {"x": x, "text": shown}},
    ]


def significant(values: Floats, digits: int = 5) -> list[float | None]:
    """Numbers rounded to so many digits; None for what is not finite."""
    finite = np.isfinite(values)
    usable = np.where(finite & (values != 0), values, 1.0)
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(usable))))
    rounded = np.where(values == 0, 0.0, np.round(usable * scale) / scale)
    return [
        value if good else None
        for value, good in zip(rounded.tolist(), finite.tolist(), strict=True)
    ]
