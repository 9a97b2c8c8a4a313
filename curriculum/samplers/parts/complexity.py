"""Which sources a curriculum runs over, and how hard each of their prompts is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.parts.source_mix import SourceMixSettings

Percent = Annotated[float, Field(gt=0, le=100)]


@dataclass(frozen=True, kw_only=True)
class ComplexitySettings(SourceMixSettings):
    """Of a mix of sources in which the easiest prompts come first."""

    complexity_source: str | None = None
    complexity_score: str | None = None
    initial_complexity_percentile: Percent = 30.0
    final_complexity_percentile: Percent = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        first, last = self.percentiles
        if first > last:
            raise UserError(
                f"sampler.initial_complexity_percentile={first:g}: not above "
                f"sampler.final_complexity_percentile={last:g}"
            )

    def sources_named(self) -> dict[str, list[str]]:
        """See `Sampler`."""
        own = [] if self.complexity_source is None else [self.complexity_source]
        return {**super().sources_named(), "complexity_source": own}

    @property
    def percentiles(self) -> tuple[float, float]:
        """Of the easiest prompts, to begin with and in the end."""
        return self.initial_complexity_percentile, self.final_complexity_percentile

    @property
    def named(self) -> str:
        """What the curriculum runs over, in words."""
        return "every source" if self.complexity_source is None else f"'{self.complexity_source}'"

    def curriculum_sources(self, prompts: Prompts) -> list[int]:
        """The source of the curriculum, or all. Raises UserError where there is none such."""
        if self.complexity_source is None:
            return list(range(len(prompts.sources)))
        prompts.of(self.complexity_source)
        return [prompts.sources.index(self.complexity_source)]


def easiest_first(prompts: Prompts, source: int, score: str | None) -> Integers:
    """Rows of a source's prompts, ties in the order of the data.

    Args:
        score: the field of extra_info that says how hard a prompt is; None: what was measured.
    """
    rows = np.flatnonzero(prompts.source == source)
    return rows[np.argsort(score_of(prompts, rows, score), kind="stable")]


def score_of(prompts: Prompts, rows: Integers, score: str | None) -> Floats:
    """How hard some prompts are. Raises UserError where one doesn't say."""
    if score is not None:
        return prompts.extra(score, rows)
    difficulty = prompts.difficulty[rows]
    if undefined := int(np.isnan(difficulty).sum()):
        raise UserError(
            f"the run's metric is undefined for {undefined} of {len(rows)} prompts, which have too "
            "few rollouts for it: choose another metric, or a field with sampler.complexity_score"
        )
    return difficulty
