"""The buckets in numbers, how far each reaches, and how sources fall into them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from curriculum.core.charts import (
    SOURCES,
    Spec,
    chart,
    color,
    labelled_rows,
    quantity,
    row_place,
    stacked_rows,
    told,
)
from curriculum.core.measured import Measured
from curriculum.core.records import DECIMALS, Floats, Integers
from curriculum.core.summary import bucket_statistics


def rows_of(outcome: Measured, metric: str) -> list[dict[str, Any]]:
    """A row a bucket, easy to hard: what `summary.json` says of it, and what it costs.

    Args:
        metric: whose range is told.
    """
    metrics, rows = outcome.metrics, []
    alike = metrics["std_reward"].round(DECIMALS) == 0
    for i, (name, numbers) in enumerate(bucket_statistics(outcome).items()):
        inside = outcome.buckets.assignment == i
        row: dict[str, Any] = {"name": name, "index": i, "share": inside.mean(), **numbers}
        row |= {
            "rollouts": int(metrics["n"][inside].sum()),
            "alike": int(metrics["n"][inside & alike].sum()),
        }
        if numbers["count"]:
            low, high = _range(metrics[metric][inside])
            row |= {"low": low, "high": high}
            rates = metrics["c"][inside] / metrics["n"][inside]
            row |= {"quartiles": np.quantile(rates, [0.25, 0.75]).tolist()}
        rows.append(row)
    return rows


def _range(values: Floats) -> tuple[float | None, float | None]:
    """The lowest and the highest value; None where none of them is defined."""
    defined = values[~np.isnan(values)]
    return (float(defined.min()), float(defined.max())) if len(defined) else (None, None)


def reach(rows: list[dict[str, Any]], colors: list[str]) -> Spec:
    """Each bucket's pass rates: range, the middle half, and the mean with its interval."""
    filled = [
        {
            "row": row["index"],
            "pick": row["index"],
            "b": row["index"],
            "label": row["name"],
            "lo": row["lowest_pass_rate"],
            "hi": row["highest_pass_rate"],
            "q1": row["quartiles"][0],
            "q3": row["quartiles"][1],
            "mean": row["estimated_pass_rate"],
            "m0": row["estimated_pass_rate_low"],
            "m1": row["estimated_pass_rate_high"],
        }
        for row in rows
        if row["count"]
    ]
    tooltip = told(
        label="bucket",
        lo="lowest|.3f",
        q1="a quarter is below|.3f",
        mean="true mean, estimated|.3f",
        m0="its interval from|.3f",
        m1="to|.3f",
        q3="a quarter is above|.3f",
        hi="highest|.3f",
    )

    x = quantity("mean", "pass rate", scale={"domain": [0, 1]}, axis={"tickCount": 5})

    def between(low: str, high: str, **mark: Any) -> Spec:
        place = {"x": {**x, "field": low}, "x2": {"field": high}, "y": row_place()}
        look = {"type": "rule", "strokeCap": "round", "cursor": "pointer", **mark}
        return {
            "mark": look,
            "encoding": {**place, "tooltip": tooltip, "color": color("b", colors)},
        }

    mean = {
        "mark": {"type": "point", "shape": "diamond", "filled": True, "style": "mean", "size": 90},
        "encoding": {"x": x, "y": row_place(), "tooltip": tooltip},
    }
    certain = {
        "mark": {"type": "rule", "style": "mark-line", "strokeWidth": 2},
        "encoding": {"x": {**x, "field": "m0"}, "x2": {"field": "m1"}, "y": row_place()},
    }
    layers = [
        labelled_rows(filled),
        between("lo", "hi", strokeWidth=2),
        between("q1", "q3", strokeWidth=12),
        certain,
        mean,
    ]
    return chart(46 * max(len(filled), 1) + 40, *layers, values=filled)


def by_source(outcome: Measured) -> tuple[list[str], Integers]:
    """The names of the sources, the biggest first and the smallest as one, and each problem's."""
    found = outcome.problems.table["data_source"].combine_chunks().take(pa.array(outcome.measured))
    encoded = found.dictionary_encode()
    names, code = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    order = np.argsort(-np.bincount(code), kind="stable")
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    ordered = [names[i] for i in order]
    if len(ordered) <= SOURCES:
        return ordered, place[code]
    rest = f"{len(ordered) - SOURCES + 1:,} others"
    return [*ordered[: SOURCES - 1], rest], np.minimum(place[code], SOURCES - 1)


def costs(outcome: Measured) -> list[dict[str, Any]]:
    """Rollouts of each source, and how many of them are of problems whose rewards are all alike."""
    names, source = by_source(outcome)
    rollouts = outcome.metrics["n"]
    alike = np.where(outcome.metrics["std_reward"].round(DECIMALS) == 0, rollouts, 0)
    sums = (np.bincount(source, each).astype(int).tolist() for each in (rollouts, alike))
    return [
        {"name": name, "rollouts": total, "alike": same}
        for name, total, same in zip(names, *sums, strict=True)
    ]


def sources(outcome: Measured, colors: list[str]) -> Spec:
    """Each source's shares of the buckets."""
    names, source = by_source(outcome)
    counts = np.zeros((len(names), len(colors)), np.int64)
    np.add.at(counts, (source, outcome.buckets.assignment), 1)
    rate = outcome.metrics["c"] / outcome.metrics["n"]
    mean = np.bincount(source, rate) / counts.sum(1)
    labels = [
        {"row": i, "label": f"{name} · {total:,} · pass rate {each:.2f}"}
        for i, (name, total, each) in enumerate(zip(names, counts.sum(1), mean, strict=True))
    ]
    titles = {"whole": "source", "part": "bucket", "count": "problems|,"}
    return stacked_rows(labels, counts, names, list(outcome.buckets.names), colors, **titles)
