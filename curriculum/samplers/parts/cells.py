"""Prompts that are alike: of one source, and near in a feature that costs nothing to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers


@dataclass(frozen=True)
class Cells:
    """C cells of P prompts."""

    cell: Integers  # (P,) of each prompt
    source: Integers  # (C,) of each cell
    place: Integers  # (C,) from 0 on within its source, by the feature
    sizes: Integers  # (C,)
    shares: Floats  # (S,) of each source of all prompts

    @classmethod
    def of(cls, prompts: Prompts, feature: str, most: int) -> Cells:
        """At most so many cells a source, with as many values of the feature in each."""
        values = feature_of(prompts, feature)
        cell = np.zeros(len(prompts), np.int64)
        sources: list[int] = []
        places: list[int] = []
        for source in np.unique(prompts.source).tolist():
            rows = np.flatnonzero(prompts.source == source)
            known = np.unique(values[rows])
            if len(known) > most:
                known = known[np.linspace(0, len(known) - 1, most).round().astype(np.int64)]
            of = np.searchsorted(known, values[rows], side="right") - 1
            _, place = np.unique(of, return_inverse=True)
            cell[rows] = len(sources) + place
            count = int(place.max()) + 1
            sources += [source] * count
            places += range(count)
        sizes = np.bincount(cell)
        own = np.array(sources)
        of_source = np.bincount(own, sizes, len(prompts.sources))
        return cls(cell, own, np.array(places), sizes, of_source / of_source.sum())

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self) -> list[Integers]:
        """Rows of each cell's prompts."""
        return [np.flatnonzero(self.cell == cell) for cell in range(len(self.sizes))]

    def sharing(self, share: float) -> Floats:
        """(C, C) how much a cell's evidence counts for another of its source: share ** distance."""
        away = np.abs(np.subtract.outer(self.place, self.place))
        return np.where(self.source[:, None] == self.source, share**away.astype(np.float64), 0.0)


def feature_of(prompts: Prompts, name: str) -> Floats:
    if name == "length":
        if (prompts.length < 0).any():
            raise UserError("sampler.by=length: how long the prompts are is not known here")
        return prompts.length.astype(np.float64)
    if name == "bucket":
        return prompts.bucket.astype(np.float64)
    return prompts.extra(name, np.arange(len(prompts)))
