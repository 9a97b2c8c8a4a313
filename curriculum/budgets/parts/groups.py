"""Problems of which the same is known beforehand, and the prior that each group shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from curriculum.budgets.base import Tally
from curriculum.budgets.parts.hint import alike, fit_near, weight
from curriculum.budgets.parts.prior import fit
from curriculum.core.records import Floats, Integers


class Group(NamedTuple):
    """Problems of one source that an earlier run, where there is one, found about as hard."""

    rows: Integers  # of the problems
    prior: Floats  # (G,)


@dataclass(frozen=True)
class Groups:
    """All of them, and how much the earlier run counts."""

    groups: list[Group]
    weight: float  # of its priors beside those of the sources

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """Each source's prior; where a hint is known, mixed with that of problems alike."""
        hints = alike(tally)
        share = weight(tally, hints)
        fitted = fit_near if tally.hint_n.any() else fit
        by_source, by_hint = (_priors(tally, each, fitted) for each in (tally.source, hints))
        groups = []
        for source, hint in np.unique(np.stack([tally.source, hints], axis=1), axis=0).tolist():
            rows = np.flatnonzero((tally.source == source) & (hints == hint))
            prior = by_source[source]
            if hint >= 0:
                prior = (1 - share) * prior + share * by_hint[hint]
            groups.append(Group(rows, prior))
        return cls(groups, share)


def _priors(
    tally: Tally, group: Integers, fitted: Callable[[Integers, Integers], Floats]
) -> dict[int, Floats]:
    members = {int(each): group == each for each in np.unique(group[group >= 0])}
    return {each: fitted(tally.n[rows], tally.c[rows]) for each, rows in members.items()}
