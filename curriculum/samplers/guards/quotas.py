"""A sampler for all prompts, or one of its own for each source that has a quota."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, Sampler


@dataclass(frozen=True)
class Lane:
    """A sampler and the prompts that it decides over."""

    name: str
    sampler: Sampler
    prompts: Prompts
    rows: Integers | None = None  # of these among all prompts, ascending; None: they are all

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """Rows of all prompts."""
        rows = self.rows
        if rows is None:
            return self.sampler.draw(count, allowed, batch)

        def allowed_here(own: Integers) -> Mask:
            return allowed(rows[own])

        return rows[self.sampler.draw(count, allowed_here, batch)]

    def named(self, event: Event) -> Event:
        """An event of the sampler's, with the name of this lane."""
        if not self.name:
            return event
        return Event(event.kind, f"{self.name}: {event.text}", {**event.values, "lane": self.name})

    def own(self, observations: Observations) -> Observations:
        """What is about this lane's prompts, by their rows here."""
        if self.rows is None:
            return observations
        place = np.searchsorted(self.rows, observations.prompt)
        found = np.minimum(place, len(self.rows) - 1)
        mine = self.rows[found] == observations.prompt
        return replace(observations.take(mine), prompt=place[mine])


def lanes_of(
    sampler: Sampler, prompts: Prompts, quotas: dict[str, float] | None
) -> tuple[list[Lane], Floats]:
    """The lanes and the share of each.

    Raises:
        UserError: where quotas name a source there is not, or leave one out.
    """
    if quotas is None:
        return [Lane("", sampler, prompts)], np.ones(1)
    rows = {name: prompts.of(name) for name in quotas}
    present = np.bincount(prompts.source, minlength=len(prompts.sources))
    left_out = [
        name for name, n in zip(prompts.sources, present, strict=True) if n and name not in quotas
    ]
    if left_out:
        raise UserError(
            f"sampler.quotas has nothing for {', '.join(left_out)}: a source that should not be "
            "trained on gets 0"
        )
    some = [name for name in quotas if quotas[name] > 0 and len(rows[name])]
    if not some:
        raise UserError("sampler.quotas: the sources that have one have no prompts")
    lanes = [Lane(each, deepcopy(sampler), prompts.take(rows[each]), rows[each]) for each in some]
    weights = np.array([quotas[name] for name in some], np.float64)
    return lanes, weights / weights.sum()
