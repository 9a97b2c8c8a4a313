"""Prompts that are alike: of one source, and near in a feature that costs nothing to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers


@dataclass(frozen=True)
class Cells:
    """C cells of P prompts of S sources."""

    cell: Integers  # (P,) of each prompt
    source: Integers  # (C,) of each cell
    place: Integers  # (C,) from 0 on within its source, by the feature
    sizes: Integers  # (C,)
    shares: Floats  # (S,) of each source of all prompts
    sources: list[str]

    @classmethod
    def of(cls, prompts: Prompts, feature: str, most: int) -> Cells:
        """A cell for each value of the feature, or, where a source has more, so many of them.

        Raises:
            UserError: where a prompt doesn't have the feature.
        """
        values = feature_of(prompts, feature)
        cell = np.zeros(len(prompts), np.int64)
        places: list[Integers] = []
        for source in np.unique(prompts.source).tolist():
            rows = np.flatnonzero(prompts.source == source)
            edges = np.unique(values[rows])
            if len(edges) > most:
                shares = np.arange(most) / most
                edges = np.unique(np.quantile(values[rows], shares, method="lower"))
            cell[rows] = sum(map(len, places))
            cell[rows] += np.searchsorted(edges, values[rows], side="right") - 1
            places.append(np.arange(len(edges)))
        sizes = np.bincount(cell)
        first = np.unique(cell, return_index=True)[1]
        own = prompts.source[first]
        shares = np.bincount(prompts.source, minlength=len(prompts.sources)) / len(prompts)
        return cls(cell, own, np.concatenate(places), sizes, shares, prompts.sources)

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self) -> list[Integers]:
        """Rows of each cell's prompts."""
        return [np.flatnonzero(self.cell == cell) for cell in range(len(self))]

    def sum(self, values: Floats) -> Floats:
        """(C,) of (P,) numbers."""
        return np.asarray(np.bincount(self.cell, values, len(self)), np.float64)

    def sharing(self, share: float) -> Floats:
        """(C, C) how much a cell's evidence counts for another of its source: share ** distance."""
        away = np.abs(np.subtract.outer(self.place, self.place)).astype(np.float64)
        return np.where(self.source[:, None] == self.source, share**away, 0.0)


def feature_of(prompts: Prompts, name: str) -> Floats:
    """(P,) length, bucket, or a number of extra_info. Raises UserError where a prompt has none."""
    if name == "bucket":
        return prompts.bucket.astype(np.float64)
    if name != "length":
        return prompts.extra(name, np.arange(len(prompts)))
    if (prompts.length < 0).any():
        raise UserError("sampler.by=length: how long the prompts are is not known here")
    return prompts.length.astype(np.float64)
