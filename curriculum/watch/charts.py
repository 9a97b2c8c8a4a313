"""Charts of trainings under way, as the page of a run draws those of one that is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from curriculum.core.charts import (
    ACCENT,
    COUNTS,
    DISTINCT,
    GREY,
    Spec,
    chart,
    color,
    easy_to_hard,
    pointed_at,
    quantity,
    significant,
    told,
)
from curriculum.trainers.parts import charts as of_training
from curriculum.trainers.parts.journal import RATE
from curriculum.trainers.parts.steps import Steps

TITLES = {
    "learning": "Mean pass rate",
    "reward": "Mean reward of the batches",
    "gradient": "Groups with a gradient",
}
Legend = Sequence[tuple[str, str]]  # names and colours


class Figure(NamedTuple):
    """A chart with what stands around it."""

    name: str
    title: str
    note: str
    legend: Legend
    chart: Spec


def of_course(steps: Steps, buckets: Sequence[str]) -> list[Figure]:
    """Charts of one training, as far as there are two points to draw between.

    Args:
        buckets: names, easy to hard; none where a run has no buckets.
    """
    note = "dashed: level-ups" if steps.level_ups() else ""
    found = []
    mixes = {kind: of_training.biggest(steps.shares(kind)) for kind in ("bucket", "source")}
    for kind, shares in mixes.items():
        names = [name for name in buckets if name in shares] if kind == "bucket" else []
        names = names or list(shares)
        every = easy_to_hard(names) if kind == "bucket" else of_training.source_colors(names)
        kept = {name: shares[name] for name in names}
        if len(shares) > 1 and _points(np.nansum(list(kept.values()), axis=0) > 0):
            spec = of_training.mix(steps, kept, every, kind)
            legend = list(zip(names, every, strict=True))
            found.append(Figure(f"{kind}_mix", f"{kind.title()}s in a batch", note, legend, spec))
    for name, title in TITLES.items():
        field = of_training.CURVES[name][0]
        if field in steps and _points(np.isfinite(steps.means(field))):
            control = [("control", GREY)] * (f"control/{field}" in steps)
            legend = [("sampler", ACCENT), *control]
            found.append(Figure(name, title, note, legend, of_training.curves(steps, name)))
    return found


def learning(courses: Mapping[str, Steps]) -> Figure | None:
    """Pass rates of the trainings of a sweep over the rollouts of each; None where none has any."""
    names = [name for name, steps in courses.items() if RATE in steps and "rollouts" in steps]
    names = [name for name in names if _points(np.isfinite(courses[name].means(RATE)))]
    if not names:
        return None
    colors = [DISTINCT[i % len(DISTINCT)] for i, _ in enumerate(names)]
    values: list[Spec] = []
    for b, name in enumerate(names):
        columns = (significant(courses[name].means(each)) for each in ("rollouts", RATE))
        points = zip(*columns, strict=True)
        values += [{"x": x, "y": y, "b": b, "name": name} for x, y in points if y is not None]
    y_axis = {"scale": {"zero": False}, "axis": {"tickCount": 5}}
    encoding = {
        "x": quantity("x", "rollouts", axis={**COUNTS, "grid": False}),
        "y": quantity("y", "mean pass rate", **y_axis),
        "color": color("b", colors),
    }
    line = {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": encoding}
    tooltip = told(name="job", x="rollouts|,.0f", y="mean pass rate|.3f")
    spec = chart(260, line, pointed_at({**encoding, "tooltip": tooltip}), values=values)
    legend = list(zip(names, colors, strict=True))
    return Figure("learning", TITLES["learning"], "of each job's training", legend, spec)


def _points(known: np.ndarray) -> bool:
    """Whether there are enough for a line."""
    return int(np.count_nonzero(known)) > 1
