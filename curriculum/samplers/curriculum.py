"""A sampler within its rails: what a trainer iterates over and reports back to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from curriculum.errors import UserError
from curriculum.records import Integers
from curriculum.samplers.base import Event, Observations, Prompts, Sampler, starves_none
from curriculum.samplers.deck import Deck
from curriculum.samplers.floor import Floor
from curriculum.samplers.lanes import lanes_of
from curriculum.samplers.outages import Outages
from curriculum.samplers.rails import Rails
from curriculum.samplers.repeats import Repeats
from curriculum.samplers.strata import Rounding

VERSION = 1  # of the state


class Curriculum:
    """Rows of the prompts, one after another, in whole batches.

    An epoch is as many batches as the prompts fill; fewer prompts than a batch are one batch. Each
    batch is decided when its first prompt is asked for, and has no prompt twice. `iter` goes on
    where the last one stopped. With `sampler.quotas` every source has a sampler of its own.
    """

    def __init__(
        self,
        sampler: Sampler,
        prompts: Prompts,
        batch_size: int,
        rails: Rails,
        rng: np.random.Generator,
    ) -> None:
        """Begin anew.

        Args:
            rng: fresh from the seed, also where a run is resumed: orders of prompts follow from it.

        Raises:
            UserError: where the sampler's knobs or the rails don't fit the prompts.
        """
        if not len(prompts):
            raise UserError("there is no prompt to train on")
        if batch_size < 1:
            raise UserError(f"batch_size={batch_size}: 1 prompt or more")
        self._seed = hashlib.sha256(repr(rng.bit_generator.state).encode()).hexdigest()[:8]
        self._prompts, self._batch_size, self._rng = prompts, min(batch_size, len(prompts)), rng
        self._repeats, self._outages = Repeats(len(prompts), rails), Outages(prompts, rails)
        self._lanes, self._shares = lanes_of(sampler, prompts, rails.quotas)
        self._split = Rounding(len(self._lanes))
        self._floor = Floor(prompts, 0.0 if starves_none(sampler) else rails.floor, rng)
        self._spare = Deck(np.arange(len(prompts)), rng)
        self._drawn, self._queue, self._gave_way = 0, list[int](), 0
        self.started: list[Event] = []
        for lane, share in zip(self._lanes, self._shares, strict=True):
            self.started += lane.sampler.start(lane.prompts, max(round(batch_size * share), 1), rng)

    def __len__(self) -> int:
        return len(self._prompts) // self._batch_size * self._batch_size

    def __iter__(self) -> Iterator[int]:
        if self._drawn >= len(self):
            self._drawn = 0
        while self._drawn < len(self):
            if not self._queue:
                self._queue = self._batch()
            self._drawn += 1
            yield self._queue.pop()

    def observe(self, observations: Observations) -> list[Event]:
        """Tell the sampler what came back; what it did."""
        believed, events = self._outages.filter(observations)
        for lane in self._lanes:
            if len(own := lane.own(believed)):
                events += lane.sampler.observe(own)
        return events

    def metrics(self) -> dict[str, float]:
        """The sampler's own, and how often the rails gave way or held something back."""
        several = len(self._lanes) > 1
        numbers = {
            f"{lane.name}/{name}" if several else name: value
            for lane in self._lanes
            for name, value in lane.sampler.metrics().items()
        }
        numbers["rails/gave_way"] = float(self._gave_way)
        numbers["rails/frozen_sources"] = float(self._outages.frozen.sum())
        numbers["rails/held_back_groups"] = float(self._outages.held_back)
        return numbers

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs to draw what this one would: JSON values and arrays."""
        return {
            "version": VERSION,
            "made_of": self._made_of,
            "drawn": self._drawn,
            "queue": list(self._queue),
            "gave_way": self._gave_way,
            "rng": self._rng.bit_generator.state,
            "samplers": [lane.sampler.state_dict() for lane in self._lanes],
            "split": self._split.state_dict(),
            "floor": self._floor.state_dict(),
            "spare": self._spare.state_dict(),
            "repeats": self._repeats.state_dict(),
            "outages": self._outages.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            UserError: where the state is of another sampler, version, seed or number of prompts.
        """
        known = {"version": VERSION, "made_of": self._made_of}
        found = {name: state.get(name) for name in known}
        if found != known:
            raise UserError(f"the sampler's saved state is of {found}, this run's of {known}")
        self._drawn, self._queue = state["drawn"], list(state["queue"])
        self._gave_way = state["gave_way"]
        self._rng.bit_generator.state = deepcopy(state["rng"])
        for lane, each in zip(self._lanes, state["samplers"], strict=True):
            lane.sampler.load_state_dict(each)
        self._split.load_state_dict(state["split"])
        self._floor.load_state_dict(state["floor"])
        self._spare.load_state_dict(state["spare"])
        self._repeats.load_state_dict(state["repeats"])
        self._outages.load_state_dict(state["outages"])

    @property
    def _made_of(self) -> dict[str, Any]:
        return {
            "sampler": type(self._lanes[0].sampler).__qualname__,
            "prompts": len(self._prompts),
            "batch_size": self._batch_size,
            "seed": self._seed,
        }

    def _batch(self) -> list[int]:
        """Prompts of a batch, in random order."""
        size = self._batch_size
        counts = self._split.split(size, self._shares)
        drawn = [
            self._note(lane.draw(count, self._repeats.allowed))
            for lane, count in zip(self._lanes, counts.tolist(), strict=True)
        ]
        for i, lane in enumerate(self._lanes):  # where the rails leave too few, they give way
            if missing := int(counts[i]) - len(drawn[i]):
                self._gave_way += missing
                more = self._note(lane.draw(missing, self._repeats.not_in_batch))
                drawn[i] = np.concatenate([drawn[i], more])
        batch = np.concatenate(drawn)
        if len(batch) < size:  # a sampler has no more prompts than this
            rest = self._spare.draw(size - len(batch), self._repeats.not_in_batch)
            batch = np.concatenate([batch, self._note(rest)])
        self._rng.shuffle(batch)
        self._floor.put_into(batch, self._repeats)
        self._repeats.end_batch(size)
        return [int(each) for each in batch]

    def _note(self, drawn: Integers) -> Integers:
        self._repeats.note(drawn)
        return drawn
