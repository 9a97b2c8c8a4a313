"""Metrics that some problems have too few rollouts for: never a mean over fewer without a word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from curriculum.core.records import Metrics

REMEDY = "a smaller k (metric.k, measure.mean_at_k, measure.pass_at_k) or more rollouts would do"

LeftOut = dict[str, dict[str, int]]


class Said(NamedTuple):
    """A line about metrics that the same problems lack."""

    text: str
    expected: bool  # no problem has them, and none was chosen: only `measure` lists them


def left_out(metrics: Metrics) -> LeftOut:
    """By metric: `problems` without it, `of` how many, and the `smallest_n` of their rollouts."""
    undefined = {name: np.isnan(values) for name, values in metrics.columns.items()}
    return {
        name: {
            "problems": int(missing.sum()),
            "of": len(metrics),
            "smallest_n": int(metrics["n"][missing].min()),
        }
        for name, missing in undefined.items()
        if missing.any()
    }


def told(found: Mapping[str, Mapping[str, int]], chosen: str) -> Iterator[Said]:
    """What to say of them, and what to do.

    Args:
        chosen: the metric that the configuration chose.
    """
    names: dict[tuple[int, int, int, bool], list[str]] = defaultdict(list)
    for name, each in found.items():
        names[each["problems"], each["of"], each["smallest_n"], name == chosen].append(name)
    for (count, of, fewest, is_chosen), alike in names.items():
        problems = f"all {of:,}" if count == of else f"{count:,} of {of:,}"
        text = (
            f"{', '.join(alike)}: left out for {problems} problems, which have too few rollouts "
            f"(n={fewest} at fewest); {REMEDY}"
        )
        yield Said(text, expected=count == of and not is_chosen)
