"""A sampler within its guards: what a trainer iterates over and reports back to."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.names import RECOMMENDED
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import Allowed, Sampler, Sampling
from curriculum.samplers.guards import (
    Floor,
    Guards,
    Outages,
    PerSourceSampler,
    Repeats,
    quotas_of,
)
from curriculum.samplers.names import sampler_named
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.parts.stratified import Rounding
from curriculum.samplers.state import State, Stateful
from curriculum.samplers.state_file import read_state, write_state

VERSION = 6  # of the state

log = logging.getLogger(__name__)

UNHEARD = 50  # batches drawn without a reward until that is said


class Curriculum(Stateful):
    """Rows of the prompts, one after another, in whole batches.

        curriculum = Curriculum.from_run("outputs/run", "frontier", batch_size=64, group_size=8)
        rows = curriculum.next_batch()
        curriculum.prompts.ids[rows]  # what to roll out
        curriculum.observe(Observations.of_rollouts(...))  # what came back
        curriculum.save("curriculum.npz")

    An epoch is as many batches as the prompts fill. Each batch is decided when its first prompt is
    asked for, and has no prompt twice. `iter` goes on where the last one stopped. Every source has
    a sampler of its own and keeps its share (`guards.quotas`), unless the sampler mixes them.
    """

    _samplers: State[list[PerSourceSampler]]
    _rng: State[np.random.Generator]
    _spare: State[EpochShuffle]
    _split: State[Rounding]
    _floor: State[Floor]
    _repeats: State[Repeats]
    _outages: State[Outages]
    _drawn: State[int]  # in this epoch
    _queue: State[list[int]]  # what is left of a batch, last one first
    _batches: State[int]
    _gave_way: State[int]  # prompts drawn against `no_repeat` or `max_repeats`
    _filled_up: State[int]  # prompts that the sampler had not drawn
    _unsaid: State[int]  # how many they were when it first happened, until it is said
    _waiting: State[list[list[float]]]  # rollouts of groups that are not whole: `observe_parts`

    def __init__(
        self,
        sampler: Sampler,
        prompts: Prompts,
        batch_size: int,
        guards: Guards,
        rng: np.random.Generator,
        group_size: int = 8,
    ) -> None:
        """Begin anew.

        Args:
            batch_size: prompts in a batch.
            rng: fresh from the seed, also where a run is resumed: orders of prompts follow from it.
            group_size: rollouts of each prompt.

        Raises:
            UserError: where the sampler's settings, the batch size or the guards don't fit the
                prompts.
        """
        if not len(prompts):
            raise UserError("there is no prompt to train on")
        quotas = quotas_of(prompts, guards.quotas, sampler.mixes_sources)
        every = np.arange(len(prompts))
        trained = np.concatenate([every if each.rows is None else each.rows for each in quotas])
        if not 1 <= batch_size <= len(trained):
            raise UserError(
                f"batch_size={batch_size}: 1 or more, and at most the {len(trained)} prompts that "
                "there are to train on"
            )
        self.prompts, self.batch_size, self.group_size = prompts, batch_size, group_size
        self._sampler, self._guards, self._rng = sampler, guards, rng
        self._seed = hashlib.sha256(repr(rng.bit_generator.state).encode()).hexdigest()[:8]
        self._spare = EpochShuffle(trained, rng)
        self._shares = np.array([each.share for each in quotas])
        self._split = Rounding(len(quotas))
        self._repeats = Repeats(len(prompts), batch_size, guards)
        self._outages = Outages(prompts, guards)
        self._floor = Floor(prompts, 0.0 if sampler.starves_none else guards.floor, rng)
        self._drawn, self._batches, self._queue = 0, 0, []
        self._gave_way, self._filled_up, self._unsaid = 0, 0, 0
        self._waiting = []
        self._unheard = 0  # batches since anything was observed
        self._samplers = [
            PerSourceSampler(
                quota,
                sampler.start(quota.prompts(prompts), batch_size * quota.share, group_size, rng),
            )
            for quota in quotas
        ]
        self.started = [event for own in self._samplers for event in own.started()]

    @classmethod
    def from_run(
        cls,
        run: str | Path,
        sampler: Sampler | str = RECOMMENDED,
        batch_size: int = 64,
        group_size: int = 8,
        seed: int = 0,
        guards: Guards | None = None,
        index: Iterable[int] | None = None,
    ) -> Self:
        """Of the prompts that a run has measured, for any training loop.

        Args:
            run: its folder, or its prompts.parquet. What it holds out from training is left out.
            sampler: itself, or the name of an option with its defaults, a plugin's too.
            guards: `Guards()` unless given.
            index: extra_info.index of the rows that a trainer has, in their order: the curriculum
                is of these prompts alone, and its rows are the trainer's. None: of all prompts.

        Raises:
            UserError: where there is no such run, sampler or prompt, or as `Curriculum` does.
        """
        prompts = Prompts.load(run).training_side()
        if index is not None:
            prompts = prompts.take(prompts.rows_of_index(index))
        chosen = sampler_named(sampler) if isinstance(sampler, str) else sampler
        rng = np.random.default_rng([seed, 0])
        return cls(chosen, prompts, batch_size, guards or Guards(), rng, group_size)

    def __len__(self) -> int:
        return len(self._spare) // self.batch_size * self.batch_size

    def __iter__(self) -> Iterator[int]:
        if self.epoch_ended:
            self._drawn = 0
        while self._drawn < len(self):
            if not self._queue:
                self._queue = self._batch()
            self._drawn += 1
            yield self._queue.pop()

    @property
    def epoch_ended(self) -> bool:
        """Whether all of the epoch is drawn, so that `iter` begins the next."""
        return self._drawn >= len(self)

    def next_batch(self) -> Integers:
        """(batch_size,) rows of the prompts, one epoch after another."""
        rows = list(islice(self, self.batch_size))
        rows += islice(self, self.batch_size - len(rows))
        return np.array(rows, np.int64)

    def observe(self, observations: Observations) -> list[Event]:
        """Tell the sampler what came back; what it did."""
        self._unheard = 0
        believed, events = self._outages.filter(observations)
        if self._unsaid:
            text = f"the sampler has too few prompts for a batch of {self.batch_size}: others join"
            events.insert(0, Event("filled_up", text, {"missing": self._unsaid}))
            self._unsaid = 0
        for own in self._samplers:
            events += own.observe(believed)
        return events

    def observe_parts(
        self,
        prompt: Integers,
        reward: Floats,
        passed: Mask,
        answered: Mask | None = None,
        complete: bool = False,
    ) -> list[Event]:
        """Tell of groups that come in parts, as two-phase generation makes them.

        A group waits until `group_size` rollouts of it have come, and is observed as a whole then.
        Parts don't say which group they are of: those of a prompt that is under way twice are one.

        Args:
            prompt, reward, passed, answered: as `Observations.of_rollouts` takes them.
            complete: whether no more comes of these prompts, however many rollouts they have.
        """
        answered = np.ones(len(prompt), np.bool_) if answered is None else answered
        columns = [prompt.tolist(), reward.tolist(), passed.tolist(), answered.tolist()]
        rollouts = [*self._waiting, *map(list, zip(*columns, strict=True))]
        counts = Counter(rollout[0] for rollout in rollouts)
        whole = {row for row, count in counts.items() if count >= self.group_size}
        whole |= set(columns[0]) if complete else set()
        self._waiting = [rollout for rollout in rollouts if rollout[0] not in whole]
        ready = np.array([each for each in rollouts if each[0] in whole], np.float64).reshape(-1, 4)
        rows, rewards = ready[:, 0].astype(np.int64), ready[:, 1]
        passes, answers = ready[:, 2] > 0, ready[:, 3] > 0
        return self.observe(Observations.of_rollouts(rows, rewards, passes, answers))

    def metrics(self) -> dict[str, float]:
        """The sampler's own, and how often the guards gave way or held something back."""
        several = len(self._samplers) > 1
        numbers = {
            f"{own.quota.source}/{name}" if several else name: value
            for own in self._samplers
            for name, value in own.sampling.metrics().items()
        }
        numbers["guards/gave_way"] = float(self._gave_way)
        numbers["guards/filled_up"] = float(self._filled_up)
        numbers["guards/frozen_sources"] = float(self._outages.frozen.sum())
        numbers["guards/held_back_groups"] = float(self._outages.held_back)
        return numbers

    def save(self, path: str | Path) -> None:
        """Write all that a resumed run needs to draw what this one would; one file."""
        write_state(self.state_dict(), Path(path))

    def load(self, path: str | Path) -> None:
        """Go on from a file that `save` wrote. Raises UserError as `load_state_dict` does."""
        self.load_state_dict(read_state(Path(path)))

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs to draw what this one would: JSON values and arrays."""
        return {"version": VERSION, "made_of": self._made_of, **super().state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            UserError: where the state is of another sampler, version or seed, or other prompts.
        """
        known = {"version": VERSION, "made_of": self._made_of}
        found = {name: state.get(name) for name in known}
        if found != known:
            raise UserError(f"the sampler's saved state is of {found}, this run's of {known}")
        try:
            super().load_state_dict({k: v for k, v in state.items() if k not in known})
        except (LookupError, TypeError, ValueError) as error:
            raise UserError(
                f"the sampler's saved state doesn't fit its settings ({error!r}): go on with those "
                "that it was saved with"
            ) from error

    @property
    def _made_of(self) -> dict[str, Any]:
        return {
            "sampler": type(self._sampler).__qualname__,
            "prompts": f"{len(self.prompts)}, {self.prompts.digest}",
            "batch_size": self.batch_size,
            "seed": self._seed,
            "quotas": [own.quota.source for own in self._samplers],
            "max_repeats": self._guards.max_repeats,
        }

    def _batch(self) -> list[int]:
        """Prompts of a batch, in random order."""
        self._say_unheard()
        size = self.batch_size
        counts = self._split.split(size, self._shares)
        exhausted = self._repeats.exhausted
        drawn = self._drawn_by_samplers(counts, self._repeats.allowed)
        short = counts - np.array([len(rows) for rows in drawn])
        gave_way = size if exhausted else 0
        if short.any():  # the guards leave too few, or the sampler has no more
            more = self._drawn_by_samplers(short, self._repeats.not_in_batch)
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
        return [int(row) for row in batch]

    def _say_unheard(self) -> None:
        learns = any(type(own.sampling).observe is not Sampling.observe for own in self._samplers)
        if learns and self._unheard == UNHEARD:
            log.warning(
                "no reward has come back in %d batches: %s draws as it began; `observe` tells it",
                UNHEARD,
                type(self._sampler).__name__,
            )
        self._unheard += 1

    def _drawn_by_samplers(self, counts: Integers, allowed: Allowed) -> list[Integers]:
        drawn = [
            own.draw(count, allowed, self._batches)
            for own, count in zip(self._samplers, counts.tolist(), strict=True)
        ]
        for rows in drawn:
            self._repeats.note(rows)
        return drawn

    def _spares(self, missing: int) -> Integers:
        """Any prompts that are not in the batch yet, of the sources that are trained on."""
        if not self._filled_up:
            self._unsaid = missing
        self._filled_up += missing
        spares = self._spare.draw(missing, self._repeats.not_in_batch)
        self._repeats.note(spares)
        return spares
