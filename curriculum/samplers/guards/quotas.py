"""A sampler for all prompts, or one of its own for each source that has a quota."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed, Sampling
from curriculum.samplers.state import State, Stateful


class Quota(NamedTuple):
    """The prompts that one sampler decides over, and its share of every batch."""

    source: str | None  # None: one sampler for all
    rows: Integers | None  # of its prompts among all, ascending; None: they are all
    share: float

    def prompts(self, prompts: Prompts) -> Prompts:
        """Its own of all."""
        return prompts if self.rows is None else prompts.take(self.rows)


@dataclass
class PerSourceSampler(Stateful):
    """A sampler at work within its quota."""

    quota: Quota
    sampling: State[Sampling]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """Rows of all prompts."""
        rows = self.quota.rows
        if rows is None:
            return self.sampling.draw(count, allowed, batch)
        if not count:
            return rows[:0]

        def allowed_here(own: Integers) -> Mask:
            return allowed(rows[own])

        return rows[self.sampling.draw(count, allowed_here, batch)]

    def observe(self, observations: Observations) -> list[Event]:
        """Learn from what is about its own prompts."""
        own = self._own(observations)
        return list(map(self._told, self.sampling.observe(own))) if len(own) else []

    def started(self) -> list[Event]:
        """What it says of the beginning."""
        return list(map(self._told, self.sampling.started()))

    def _own(self, observations: Observations) -> Observations:
        """By their rows here."""
        rows = self.quota.rows
        if rows is None:
            return observations
        place = np.searchsorted(rows, observations.prompt)
        found = np.minimum(place, len(rows) - 1)
        own = rows[found] == observations.prompt
        return replace(observations.take(own), prompt=place[own])

    def _told(self, event: Event) -> Event:
        """An event of the sampler's, with the name of its source."""
        source = self.quota.source
        if source is None:
            return event
        text, values = f"{source}: {event.text}", {**event.values, "source": source}
        return event._replace(text=text, values=values)


def quotas_of(
    prompts: Prompts, given: dict[str, float] | Literal["pool"] | None, mixes_sources: bool
) -> list[Quota]:
    """One for each source with a weight; without weights one for all prompts.

    Args:
        given: weights of the sources; pool: as many as each has prompts, but for a sampler that
            mixes them itself, and where there is one source alone; None: no weights.

    Raises:
        UserError: where weights name a source there is not, or leave one out.
    """
    present = np.bincount(prompts.source, minlength=len(prompts.sources))
    if given is None or (given == "pool" and (mixes_sources or (present > 0).sum() < 2)):
        return [Quota(None, None, 1.0)]
    weights = (
        dict(zip(prompts.sources, present.tolist(), strict=True)) if given == "pool" else given
    )
    rows = {name: prompts.of(name) for name in weights}
    left_out = [
        name for name, n in zip(prompts.sources, present, strict=True) if n and name not in weights
    ]
    if left_out:
        raise UserError(
            f"sampler.quotas has nothing for {', '.join(left_out)}: a source that should not be "
            "trained on gets 0"
        )
    some = [name for name in weights if weights[name] > 0 and len(rows[name])]
    if not some:
        raise UserError("sampler.quotas: the sources that have one have no prompts")
    shares = np.array([weights[name] for name in some], np.float64)
    shares /= shares.sum()
    return [
        Quota(name, rows[name], share) for name, share in zip(some, shares.tolist(), strict=True)
    ]
