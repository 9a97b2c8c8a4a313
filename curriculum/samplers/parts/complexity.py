"""Which sources a curriculum runs over, and how hard each of their prompts is there."""

from __future__ import annotations

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers


def curriculum_sources(prompts: Prompts, source: str | None) -> list[int]:
    """The source of that name, or all. Raises UserError where there is none of that name."""
    if source is None:
        return list(range(len(prompts.sources)))
    prompts.of(source)
    return [prompts.sources.index(source)]


def easiest_first(prompts: Prompts, source: int, score: str | None) -> Integers:
    """Rows of a source's prompts, ties in the order of the data.

    Args:
        score: the field of extra_info that says how hard a prompt is; None: what was measured.
    """
    rows = np.flatnonzero(prompts.source == source)
    return rows[np.argsort(score_of(prompts, rows, score), kind="stable")]


def score_of(prompts: Prompts, rows: Integers, score: str | None) -> Floats:
    """How hard some prompts are. Raises UserError where one doesn't say."""
    return prompts.difficulty[rows] if score is None else prompts.extra(score, rows)


def require_percentiles(first: float, last: float) -> None:
    """Raise UserError unless a curriculum may go from one to the other."""
    if not 0 < first <= last <= 100:
        raise UserError(
            f"sampler.initial_complexity_percentile={first:g}, "
            f"final_complexity_percentile={last:g}: above 0, at most 100, the first not above the "
            "last"
        )
