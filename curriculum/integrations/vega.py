"""Vega-Lite without a browser: charts of a page as one picture, and the script of a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from curriculum.core.atomic import whole
from curriculum.core.charts import DIM, INK, LINE, POINTED_AT, Spec

SCALE = 1.25  # pixels of a picture for each of a page
GAP = 34  # pixels between panels
LETTER, SYMBOL = 7, 26  # pixels that a legend takes for each of a name, and beside it

LOOK: Spec = {
    "background": "white",
    "padding": 16,
    "font": "sans-serif",
    "view": {"stroke": None},
    "title": {"anchor": "start", "color": INK, "fontSize": 13, "offset": 14, "subtitleColor": DIM},
    "axis": {
        "labelColor": DIM,
        "labelFontSize": 12,
        "labelPadding": 6,
        "labelOverlap": True,
        "titleColor": DIM,
        "titleFontWeight": 400,
        "titleFontSize": 12,
        "titlePadding": 8,
        "gridColor": LINE,
        "domain": False,
        "ticks": False,
    },
    "legend": {
        "title": None,
        "orient": "bottom",
        "direction": "horizontal",
        "labelColor": INK,
        "labelFontSize": 12,
        "symbolLimit": 12,
        "symbolSize": 110,
        "symbolStrokeWidth": 2.5,
        "symbolOpacity": 1,
    },
    "text": {"color": INK, "fontSize": 12},
    "style": {"mark-line": {"color": INK}, "mark-label": {"color": DIM, "fontSize": 11}},
    "rule": {"color": INK},
}


class Panel(NamedTuple):
    """A chart of `core.charts`, with what a page says around it."""

    title: str
    chart: Spec
    legend: Sequence[str] = ()  # what its colours stand for, in their order


def save_picture(
    path: Path, title: str, subtitle: str, panels: Sequence[Panel], columns: int, width: int
) -> None:
    """Draw charts beside each other into a PNG, light whatever the screen.

    Args:
        columns: panels of a row.
        width: of the place that the marks of each have, in pixels of a page.
    """
    import vl_convert

    heading = {"text": title, "subtitle": subtitle, "fontSize": 17, "subtitleFontSize": 13}
    spec: Spec = {
        "title": {**heading, "subtitlePadding": 6, "offset": 18},
        "columns": columns,
        "spacing": GAP,
        "concat": [_placed(panel, width) for panel in panels],
        "resolve": {"scale": {"color": "independent", "strokeDash": "independent"}},
    }
    with whole(path) as partial:
        partial.write_bytes(vl_convert.vegalite_to_png(spec, scale=SCALE, config=LOOK))


@cache  # it takes seconds
def bundle(snippet: str) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, with what the snippet needs of them."""
    import vl_convert

    script: str = vl_convert.javascript_bundle(snippet)
    return script


def _placed(panel: Panel, width: int) -> Spec:
    """A panel of a fixed width, its legend below it: a page has both around a chart."""
    chart = {key: value for key, value in panel.chart.items() if key != "autosize"}
    seen = (layer for layer in chart["layer"] if layer.get("name") != POINTED_AT)
    layers = [_labelled(layer, panel.legend, width) for layer in seen]
    return {**chart, "title": panel.title, "width": width, "layer": layers}


def _labelled(layer: Spec, names: Sequence[str], width: int) -> Spec:
    mark, encoding = dict(layer["mark"]), dict(layer["encoding"])
    if "limit" in mark:
        mark["limit"] = width  # an expression would find the width of all panels
    if names and "color" in encoding:
        label = f"{json.dumps(list(names))}[datum.value]"
        shown = {"values": list(range(len(names))), "labelExpr": label}
        columns = max(1, width // (max(map(len, names)) * LETTER + SYMBOL))
        legend = {**shown, "columns": columns, "labelLimit": width // columns - SYMBOL}
        encoding["color"] = encoding["color"] | {"legend": legend}
    return {**layer, "mark": mark, "encoding": encoding}
