"""What all charts share: colours, from easy to hard and of things without order, and axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curriculum.core.names import UNKNOWN
from curriculum.core.records import Floats

# Blue to orange is the way that the usual kinds of colour blindness leave open; all are as light,
# so that each stands out from a white and from a dark page.
EASY_TO_HARD = ("#2f86c6", "#7d8fd3", "#c583b3", "#e0652f")
GREY = "#8b93a1"
# Okabe and Ito's, for what has no order.
DISTINCT = ("#0e8f7e", "#d9a200", "#b86a97", "#4ba3d9", "#c65a11", "#6e6bb5", "#7a9a2e", "#a0522d")
ACCENT = "#0e8f7e"

Spec = dict[str, Any]

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
