"""Where a source's rewards lie between the lowest and the highest there are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.state import State, Stateful

SEVERAL = 3.0  # times as wide: -1 to 1 beside 0 to 1 is no other scale


class Ranges(Stateful):
    """The rewards that S sources lie between: one range for all, but for those given their own.

    The one range goes from the lowest to the highest reward seen, 0 among them: where all that
    came back so far is solved, rewards of 1 are the top of a range and not the whole of it, and a
    source that is never solved is below from its first batch. A common scale of all rewards makes
    no difference.
    """

    _lowest: State[Floats]  # (S,)
    _highest: State[Floats]  # (S,)
    _said: State[bool]

    def __init__(self, given: Mapping[str, list[float]] | None, prompts: Prompts) -> None:
        """Raises UserError where there is no source of a given name."""
        self._names = prompts.sources
        own = np.full((len(self._names), 2), np.nan)
        for name, ends in (given or {}).items():
            prompts.of(name)
            own[self._names.index(name)] = ends
        self._low, self._high = own.T
        self._shared = np.isnan(self._low)
        self._lowest = np.zeros(len(self._names))
        self._highest = np.zeros(len(self._names))
        self._said = False

    def observe(self, source: Integers, observations: Observations) -> None:
        """Widen them by what came back; `source` is of each group."""
        np.minimum.at(self._lowest, source, observations.lowest)
        np.maximum.at(self._highest, source, observations.highest)

    def places(self, average: Floats) -> Floats:
        """(S,) 0 at the low end of a source's range, 1 at the high one; 0.5 where none is known.

        Args:
            average: (S,) reward, NaN where nothing has come back.
        """
        lowest, highest = self._seen
        low = np.where(self._shared, lowest, self._low)
        high = np.where(self._shared, highest, self._high)
        known = reaches(high, low, strict=True) & ~np.isnan(average)
        place = np.full(len(average), 0.5)
        place[known] = (average[known] - low[known]) / (high[known] - low[known])
        return place

    def look(self, tag: str) -> list[Event]:
        """Say once that sources in the one range seem to have other scales.

        A source of which only rewards of 0 were seen says nothing about its scale.
        """
        spread = self._highest - self._lowest
        seen = self._shared & reaches(spread, 0, strict=True)
        if self._said or not seen.any() or spread[seen].max() < SEVERAL * spread[seen].min():
            return []
        self._said = True
        ranges = {
            self._names[each]: [float(self._lowest[each]), float(self._highest[each])]
            for each in np.flatnonzero(seen)
        }
        told = ", ".join(f"{name}: [{low:g}, {high:g}]" for name, (low, high) in ranges.items())
        low, high = self._seen
        text = (
            f"{tag} Rewards seem to be of different scales: {told}. Adaptive weights compare them "
            f"within [{low:g}, {high:g}]. If a good reward in one source is a poor one in another, "
            f"set sampler.reward_ranges={{{told}}}, each with the lowest and highest there can be"
        )
        return [Event("scales", text, {"ranges": ranges})]

    @property
    def _seen(self) -> tuple[float, float]:
        lowest, highest = self._lowest[self._shared], self._highest[self._shared]
        return float(lowest.min(initial=0)), float(highest.max(initial=0))
