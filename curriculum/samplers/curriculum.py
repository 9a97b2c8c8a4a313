"""A sampler within its rails: what a trainer iterates over and reports back to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers.base import Allowed, Sampler, starves_none
from curriculum.samplers.guards import Floor, Outages, Rails, Repeats, lanes_of
from curriculum.samplers.parts.epoch_shuffle import Deck
from curriculum.samplers.parts.stratified import Rounding

VERSION = 2  # of the state


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
        self._rails = rails
        self._lanes, self._shares = lanes_of(sampler, prompts, rails.quotas)
        rows = [np.arange(len(prompts)) if each.rows is None else each.rows for each in self._lanes]
        self._spare = Deck(np.concatenate(rows), rng)
        self._batch_size = min(batch_size, len(self._spare))
        self._prompts, self._rng = prompts, rng
        self._repeats = Repeats(len(prompts), self._batch_size, rails)
        self._outages = Outages(prompts, rails)
        self._split = Rounding(len(self._lanes))
        self._floor = Floor(prompts, 0.0 if starves_none(sampler) else rails.floor, rng)
        self._drawn, self._batches, self._queue = 0, 0, list[int]()
        self._gave_way, self._filled_up = 0, 0
        self._pending: list[Event] = []
        self.started: list[Event] = []
        for lane, share in zip(self._lanes, self._shares, strict=True):
            events = lane.sampler.start(lane.prompts, self._batch_size * float(share), rng)
            self.started += map(lane.named, events)

    def __len__(self) -> int:
        return len(self._spare) // self._batch_size * self._batch_size

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
        events, self._pending = self._pending + events, []
        for lane in self._lanes:
            if len(own := lane.own(believed)):
                events += map(lane.named, lane.sampler.observe(own))
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
        numbers["rails/filled_up"] = float(self._filled_up)
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
            "batches": self._batches,
            "gave_way": self._gave_way,
            "filled_up": self._filled_up,
            "pending": [each._asdict() for each in self._pending],
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
            UserError: where the state is of another sampler, version or seed, or other prompts.
        """
        known = {"version": VERSION, "made_of": self._made_of}
        found = {name: state.get(name) for name in known}
        if found != known:
            raise UserError(f"the sampler's saved state is of {found}, this run's of {known}")
        self._drawn, self._queue = state["drawn"], list(state["queue"])
        self._batches, self._gave_way = state["batches"], state["gave_way"]
        self._filled_up = state["filled_up"]
        self._pending = [Event(**each) for each in state["pending"]]
        self._rng.bit_generator.state = deepcopy(state["rng"])
        try:
            for lane, each in zip(self._lanes, state["samplers"], strict=True):
                lane.sampler.load_state_dict(each)
        except (LookupError, TypeError, ValueError) as error:
            raise UserError(
                f"the sampler's saved state doesn't fit its knobs ({error!r}): go on with those "
                "that it was saved with"
            ) from error
        self._split.load_state_dict(state["split"])
        self._floor.load_state_dict(state["floor"])
        self._spare.load_state_dict(state["spare"])
        self._repeats.load_state_dict(state["repeats"])
        self._outages.load_state_dict(state["outages"])

    @property
    def _made_of(self) -> dict[str, Any]:
        return {
            "sampler": type(self._lanes[0].sampler).__qualname__,
            "prompts": f"{len(self._prompts)}, {self._prompts.digest()}",
            "batch_size": self._batch_size,
            "seed": self._seed,
            "quotas": [lane.name for lane in self._lanes],
            "max_repeats": self._rails.max_repeats,
        }

    def _batch(self) -> list[int]:
        """Prompts of a batch, in random order."""
        size = self._batch_size
        counts = self._split.split(size, self._shares)
        exhausted = self._repeats.exhausted
        drawn = self._drawn_by_lanes(counts, self._repeats.allowed)
        short = counts - np.array([len(each) for each in drawn])
        gave_way = size if exhausted else 0
        if short.any():  # the rails leave too few, or the sampler has no more
            more = self._drawn_by_lanes(short, self._repeats.not_in_batch)
            gave_way = max(gave_way, sum(map(len, more)))
            drawn += more
        self._gave_way += gave_way
        batch = np.concatenate(drawn)
        if len(batch) < size:
            batch = np.concatenate([batch, self._spares(size - len(batch))])
        self._rng.shuffle(batch)
        self._floor.put_into(batch, self._repeats)
        self._repeats.end_batch(size)
        self._batches += 1
        return [int(each) for each in batch]

    def _drawn_by_lanes(self, counts: Integers, allowed: Allowed) -> list[Integers]:
        drawn = [
            lane.draw(count, allowed, self._batches)
            for lane, count in zip(self._lanes, counts.tolist(), strict=True)
        ]
        for each in drawn:
            self._repeats.note(each)
        return drawn

    def _spares(self, missing: int) -> Integers:
        """Any prompts that are not in the batch yet, of the sources that are trained on."""
        if not self._filled_up:
            text = f"the sampler has too few prompts for a batch of {self._batch_size}: others join"
            self._pending.append(Event("filled_up", text, {"missing": missing}))
        self._filled_up += missing
        spares = self._spare.draw(missing, self._repeats.not_in_batch)
        self._repeats.note(spares)
        return spares
