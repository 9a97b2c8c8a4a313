"""No prompt again too soon, or too often."""

from __future__ import annotations

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Mask
from curriculum.core.records import Integers
from curriculum.samplers.guards.settings import Guards
from curriculum.samplers.state import State, Stateful

LONG_AGO = -(1 << 62)


class Repeats(Stateful):
    """When and how often each prompt was drawn."""

    _last: State[Integers]  # (P,) draws there had been before its last batch began
    _times: State[Integers]  # (P,) or none, where they don't count
    _left: State[int]  # prompts that may be drawn again
    _now: State[int]  # draws before this batch

    def __init__(self, prompts: int, batch_size: int, guards: Guards) -> None:
        batches_apart = -(-max(guards.no_repeat - 1, 0) // batch_size) + 1
        if batches_apart * batch_size > prompts:
            raise UserError(
                f"sampler.no_repeat={guards.no_repeat} leaves none of the {prompts} prompts for a "
                f"batch of {batch_size}"
            )
        # A draw is dated by the beginning of its batch, and its batch may have begun with it.
        self._apart = guards.no_repeat + batch_size - 1 if guards.no_repeat else 1
        self._most, self._left = guards.max_repeats, prompts
        self._last = np.full(prompts, LONG_AGO)
        self._times = np.zeros(prompts if self._most is not None else 0, np.int64)
        self._now = 0

    @property
    def exhausted(self) -> bool:
        """Whether every prompt was drawn as often as it may be."""
        return self._left <= 0

    def allowed(self, prompts: Integers) -> Mask:
        """Which may be drawn now."""
        good = self._last[prompts] <= self._now - self._apart
        if self._most is None or self.exhausted:
            return good
        return good & (self._times[prompts] < self._most)

    def not_in_batch(self, prompts: Integers) -> Mask:
        """Which are not in this batch yet: what is left of the rule where it leaves too few."""
        return np.asarray(self._last[prompts] != self._now)

    def note(self, prompts: Integers) -> None:
        """They are in this batch now."""
        self._last[prompts] = self._now
        if self._most is not None:
            self._times[prompts] += 1
            self._left -= int((self._times[prompts] == self._most).sum())

    def take_back(self, prompts: Integers) -> None:
        """They have left this batch again."""
        self._last[prompts] = LONG_AGO
        if self._most is not None:
            self._left += int((self._times[prompts] == self._most).sum())
            self._times[prompts] -= 1

    def end_batch(self, size: int) -> None:
        """Draws of the batch are in the past now."""
        self._now += size
