"""`sampler=multi_source`: sources in given or adaptive shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed
from curriculum.samplers.parts.source_mix import Knobs, Mix
from curriculum.samplers.parts.stratified import Strata


@dataclass(kw_only=True)
class MultiSource(Knobs):
    """Each source's prompts in shuffled order, sources in shares that every batch keeps exactly.

    Shares are fixed, or follow rewards: the lower a source's, the more of it (see `Mix`).

    Source: MultiSourceSampler of verl_extensions 0.3.0. Its weights depend on the scale of the
    rewards; these don't, and sources of different scales can have `reward_ranges`.
    """

    starves_none: ClassVar = True
    _mix: Mix = field(init=False, repr=False)
    _strata: Strata = field(init=False, repr=False)

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._mix = Mix(self, prompts, batch_size, self._tag)
        self._strata = Strata(self._groups(prompts), rng)
        return [self._mix.started()]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        """See `Sampler`."""
        return self._strata.draw(count, self._shares(), allowed)

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        return self._mix.observe(observations)

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        return {"mix": self._mix.state_dict(), "strata": self._strata.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        self._mix.load_state_dict(state["mix"])
        self._strata.load_state_dict(state["strata"])

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return self._mix.metrics()

    def _groups(self, prompts: Prompts) -> list[Integers]:
        """Rows of the groups that are drawn from."""
        return [np.flatnonzero(prompts.source == each) for each in range(len(prompts.sources))]

    def _shares(self) -> Floats:
        """(groups,) not negative; their scale doesn't matter."""
        return self._mix.shares

    @property
    def _tag(self) -> str:
        return f"[{type(self).__name__}Sampler]"
